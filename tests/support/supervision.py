"""A county under supervision, through the HTTP door: its people, its departments, and a clock that is set by hand."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
from contracts.roles import INSPECTOR, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.hosting.api import build_api
from services.assessment.http import routers
from tests.support.events import a_unit
from tests.support.http import Client

ROOT = "/api/assessment/v1"
UNIT, OTHER, COUNTY, CITY, PROVINCE = "150102-scjg", "150102-sthj", "150102", "1501", "15"
COUNTY_PATH, CITY_PATH = "/15/1501/150102/", "/15/1501/"
JUSTICE = "150102-sf"


def person(account: str, unit: str, path: str, *roles: str) -> Principal:
    """Somebody with roles in a part of the tree."""
    return Principal(account=account, unit=unit, unit_path=path, roles=frozenset(roles))


HEAD = person("fuzeren", UNIT, f"{COUNTY_PATH}{UNIT}/", UNIT_HEAD)
CLERK = person("tianbao", UNIT, f"{COUNTY_PATH}{UNIT}/", REPORTER)
OTHER_HEAD = person("fuzeren2", OTHER, f"{COUNTY_PATH}{OTHER}/", UNIT_HEAD)
ISSUER = person("ducha", JUSTICE, COUNTY_PATH, INSPECTOR)
SECOND = person("ducha2", JUSTICE, COUNTY_PATH, INSPECTOR)
CHECKER = person("shenhe", JUSTICE, COUNTY_PATH, REVIEWER)
OWN_INSPECTOR = person("neibu", UNIT, COUNTY_PATH, INSPECTOR)
CITY_INSPECTOR = person("ducha.shi", "1501-sf", CITY_PATH, INSPECTOR)
FOREIGN_INSPECTOR = person("waixian", "150103-sf", "/15/1501/150103/", INSPECTOR)


class Desk:
    """Assessment behind its HTTP door."""

    def __init__(self, fed: Any, folder: Path) -> None:
        self.fed = fed
        self.app = fed.app
        self.clock = fed.app.store.clock
        make_key(folder / "identity.pem")
        self._issuer = Issuer((folder / "identity.pem").read_bytes(), self.clock)
        verifier = Verifier(self._issuer.public_pem, self.clock)
        self._client = Client(build_api("assessment", "考核", routers(self.app), verifier, self.app.store))

    def ask(self, who: Principal, method: str, path: str, **options: Any) -> httpx.Response:
        """One request as somebody."""
        headers = {"authorization": f"Bearer {self._issuer.issue(who)}"}
        return self._client.request(method, ROOT + path, headers=headers, **options)

    def get(self, who: Principal, path: str) -> Any:
        """What somebody reads."""
        answer = self.ask(who, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, who: Principal, path: str, expect: int = 200, **body: Any) -> Any:
        """What somebody does, which must be answered so."""
        answer = self.ask(who, "POST", path, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def hand_in(self, who: Principal, path: str, name: str, content: bytes) -> httpx.Response:
        """A file handed in."""
        return self.ask(who, "POST", path, files={"file": (name, content)})

    def pass_days(self, days: int) -> datetime:
        """So many calendar days go by."""
        self.clock.advance(timedelta(days=days))
        now: datetime = self.clock.now()
        return now

    def score(self, unit: str = UNIT) -> Any:
        """A unit's score as its head sees it, after everything new was counted."""
        self.app.roll_up.catch_up()
        return self.get(CITY_INSPECTOR, f"/units/{unit}/score?period=2026")

    def issue(self, **more: Any) -> str:
        """An order to the unit, issued by the county's inspector."""
        body = {
            "unit": UNIT,
            "title": "三件案件超期未结",
            "reason": "九十日内未作出处罚决定",
            "proof": "逐件说明并附决定书",
            "checked_not_pending": True,
        } | more
        order: str = self.do(ISSUER, "/orders", 201, **body)["id"]
        return order


def county(fed: Any) -> None:
    """The units of a county, its city and its province."""
    government = UnitKind.UNIT_KIND_GOVERNMENT
    fed.units(
        a_unit(PROVINCE, path="/15/", kind=government, level=UnitLevel.UNIT_LEVEL_PROVINCE),
        a_unit(CITY, parent=PROVINCE, path=CITY_PATH, kind=government, level=UnitLevel.UNIT_LEVEL_CITY),
        a_unit("1501-sf", parent=CITY, path=f"{CITY_PATH}1501-sf/", level=UnitLevel.UNIT_LEVEL_CITY),
        a_unit(COUNTY, parent=CITY, path=COUNTY_PATH, kind=government),
        *(a_unit(code, parent=COUNTY, path=f"{COUNTY_PATH}{code}/") for code in (UNIT, OTHER, JUSTICE)),
    )
