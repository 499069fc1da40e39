"""A county's units, their people, and a browser in which each of them reports or reviews over HTTP."""

import io
from pathlib import Path
from typing import Any

import httpx

from contracts.directory.v1.directory_pb2 import Unit, UnitKind, UnitLevel
from contracts.holders.v1.holders_pb2 import HeldRole, Holder
from contracts.holders.wire import pack_holders
from contracts.topology import ASSESSMENT_HOLDERS, HOLDERS
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.hosting.api import build_api
from kernel.ids import new_id
from kernel.messages import Message
from services.assessment.app import Assessment
from services.assessment.http import routers
from services.assessment.review.rules import is_drawn
from services.assessment.worker import AssessmentWorker
from tests.support.http import Client
from tests.support.papers import pdf

COUNTY = "/15/1501/150102/"
GOVERNMENT, DEPARTMENT = UnitKind.UNIT_KIND_GOVERNMENT, UnitKind.UNIT_KIND_DEPARTMENT


def unit(
    code: str, name: str, path: str, level: UnitLevel, kind: UnitKind = DEPARTMENT, field: str = ""
) -> Unit:
    return Unit(
        code=code,
        name=name,
        kind=kind,
        level=level,
        parent=path.rstrip("/").split("/")[-2] if path.count("/") > 2 else "",
        path=path,
        region_code="150102",
        field=field,
        valid_from="2020-01-01",
        version=1,
    )


_P, _C, _X = UnitLevel.UNIT_LEVEL_PROVINCE, UnitLevel.UNIT_LEVEL_CITY, UnitLevel.UNIT_LEVEL_COUNTY
UNITS = (
    unit("15", "自治区政府", "/15/", _P, GOVERNMENT),
    unit("1501", "市政府", "/15/1501/", _C, GOVERNMENT),
    unit("150102", "新城区政府", COUNTY, _X, GOVERNMENT),
    unit("1501-scjg", "市市场监管局", "/15/1501/1501-scjg/", _C, field="market"),
    unit("1501-sf", "市司法局", "/15/1501/1501-sf/", _C, field="justice"),
    unit("150102-scjg", "新城区市场监管局", f"{COUNTY}150102-scjg/", _X, field="market"),
    unit("150102-sf", "新城区司法局", f"{COUNTY}150102-sf/", _X, field="justice"),
    unit("150102-cz", "新城区财政局", f"{COUNTY}150102-cz/", _X, field="finance"),
    unit("150102-jt", "新城区交通局", f"{COUNTY}150102-jt/", _X, field="transport"),
)


def person(account: str, role: str, own: str, path: str) -> Principal:
    return Principal(account=account, unit=own, unit_path=path, roles=frozenset({role}))


FILLER = person("tianbao", "reporter", "150102-scjg", f"{COUNTY}150102-scjg/")
HEAD = person("fuzeren", "unit_head", "150102-scjg", f"{COUNTY}150102-scjg/")
NEIGHBOUR = person("linju", "reporter", "150102-jt", f"{COUNTY}150102-jt/")
NEIGHBOUR_HEAD = person("linju.fzr", "unit_head", "150102-jt", f"{COUNTY}150102-jt/")
SUPERIOR = person("shangji", "unit_head", "150102", COUNTY)
REVIEWER = person("shenhe", "reviewer", "150102-sf", COUNTY)
SECOND = person("fushen", "reviewer", "150102-cz", COUNTY)
OWN_REVIEWER = person("zijiren", "reviewer", "150102-scjg", COUNTY)
LINE_REVIEWER = person("tiaoxian", "reviewer", "1501-scjg", "/15/1501/")
INSPECTOR = person("ducha", "inspector", "150102-sf", COUNTY)
FAR_INSPECTOR = person("waidi", "inspector", "1502-sf", "/15/1502/")
ROOT = "/api/assessment/v1"


def holder(
    who: Principal, *, version: int = 1, roles: tuple[HeldRole, ...] | None = None, is_active: bool = True
) -> Holder:
    """What the gateway tells of somebody: by default the roles of the sign-in, for the area of the sign-in."""
    area = who.unit_path.rstrip("/").rpartition("/")[2]
    signed_in = (
        HeldRole(role=r, unit=area, unit_path=who.unit_path, from_on="2020-01-01") for r in who.roles
    )
    return Holder(
        account=who.account,
        name=f"{who.account}同志",
        unit=who.own_unit,
        is_active=is_active,
        roles=signed_in if roles is None else roles,
        version=version,
        occurred_at_us=1_772_701_200_000_000,
        recorded_at_us=1_772_701_200_000_000,
    )


def holders_told(*holders: Holder) -> Message:
    """The message that tells of them."""
    (body,) = pack_holders(holders)
    return Message(id=new_id(), source="gateway", name=HOLDERS, body=body)


class Desk:
    """Signs in as whoever is named and does what that person's page does."""

    def __init__(self, app: Assessment, folder: Path) -> None:
        make_key(folder / "desk.pem")
        self.app = app
        clock = app.store.clock
        self._issuer = Issuer((folder / "desk.pem").read_bytes(), clock)
        verifier = Verifier(self._issuer.public_pem, clock)
        self._client = Client(build_api("assessment", "考核", routers(app), verifier, app.store))

    def ask(self, who: Principal, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._issuer.issue(who)}"}
        return self._client.request(method, ROOT + path, headers=headers, **options)

    def told(self, who: Principal, method: str, path: str, **options: Any) -> Any:
        answer = self.ask(who, method, path, **options)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def post(self, who: Principal, path: str, **body: Any) -> httpx.Response:
        return self.ask(who, "POST", path, json=body)

    # --- what people do ---------------------------------------------------------------------------------

    def asked(
        self, who: Principal = FILLER, *, measured: bool = False, drawn: bool = False
    ) -> list[dict[str, Any]]:
        """What the unit is asked for: measured or not, drawn for a second review or not."""
        settings = self.app.assigning.settings
        rows: list[dict[str, Any]] = self.told(who, "GET", "/reports")["rows"]
        return [
            row
            for row in rows
            if row["needs_value"] is measured
            and is_drawn(settings.seed, row["id"], settings.second_share_milli) is drawn
        ]

    def opened(self, who: Principal = FILLER, **kind: bool) -> str:
        row = self.asked(who, **kind)[0]
        report: str = self.told(who, "POST", "/reports", json={"result": row["result"], "period": "2026"})[
            "id"
        ]
        assert report == row["id"]
        return report

    def begun(self, number: int, who: Principal = FILLER, *, period: str = "2026") -> str:
        """The report of the so-many-th result that is neither measured nor drawn for a second review."""
        row = self.asked(who)[number]
        made = self.told(who, "POST", "/reports", json={"result": row["result"], "period": period})
        return str(made["id"])

    def uploaded(
        self, report: str, who: Principal = FILLER, content: bytes = b"", name: str = "材料.pdf"
    ) -> str:
        files = {"file": (name, io.BytesIO(content or pdf()))}
        digest: str = self.told(who, "POST", f"/reports/{report}/files", files=files)["digest"]
        return digest

    def written(
        self,
        report: str,
        who: Principal = FILLER,
        *,
        version: int = 0,
        statement: str = "已按要求公布。",
        value: tuple[int, int] | None = None,
        evidence: list[dict[str, str]] | None = None,
    ) -> int:
        if evidence is None:
            evidence = [{"kind": "file", "reference": self.uploaded(report, who)}]
        body: dict[str, Any] = {"version": version, "statement": statement, "evidence": evidence}
        if value:
            body["value"] = {"numerator": value[0], "denominator": value[1]}
        newest: int = self.told(who, "POST", f"/reports/{report}/draft", json=body)["version"]
        return newest

    def submitted(
        self, report: str, *, by: Principal = HEAD, filler: Principal = FILLER, version: int = 0, **said: Any
    ) -> None:
        newest = self.written(report, filler, version=version, **said)
        self.told(by, "POST", f"/reports/{report}/submission", json={"version": newest})

    def joined(self, *reviewers: Principal) -> None:
        self.heard(*map(holder, reviewers))
        for who in reviewers:
            self.told(who, "POST", "/reviews/membership")

    def heard(self, *holders: Holder) -> None:
        """The gateway tells who holds which role, through the subscription of the worker."""
        ((method, subscription),) = (
            one for one in subscriptions(AssessmentWorker) if one[1].queue == ASSESSMENT_HOLDERS
        )
        take = getattr(AssessmentWorker(self.app), method)
        Inbound(self.app.store, subscription, take).take(
            [Delivery(holders_told(*holders), redelivered=False)]
        )

    def queue(self, who: Principal, **query: Any) -> list[dict[str, Any]]:
        self.app.assigning.assign_waiting()
        rows: list[dict[str, Any]] = self.told(who, "GET", "/reviews", params=query)["rows"]
        return rows

    def answered(self, who: Principal, assignment: str, **answer: Any) -> httpx.Response:
        body = {"decision": "score", "reasons": "材料齐全。", **answer}
        return self.ask(who, "POST", f"/reviews/{assignment}/answer", json=body)

    def score(self) -> str | None:
        """The unit's score now, as its head sees it."""
        self.app.roll_up.catch_up()
        found: str | None = self.told(HEAD, "GET", "/units/150102-scjg/score?period=2026")["score"]
        return found
