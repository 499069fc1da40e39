"""
The world of P5: the demonstration county in the embedded platform, its people, and every object in it by kind.

People stand at every place from which one could look at an object: in its unit, beside it, beneath and above it, in
another county and another city, and nowhere. Their tokens are signed by the platform's own key.
"""

# ruff: noqa: S608  (queries of our own, with our own places in them)
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from fazhi.api_process import compose
from fazhi.commands.demo import is_loaded
from fazhi.demonstration import Demonstration
from fazhi.embedded import Embedded, assemble
from fazhi.prove.p5_table import ROLES, Thing
from fazhi.province import Province
from fazhi.witness.demonstration import demonstration_witness
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings

PROVINCE, CITY, COUNTY = "150000", "150100", "150102"
AREA = f"/{PROVINCE}/{CITY}/{COUNTY}/"
OWN, BESIDE = f"{COUNTY}-scjg", f"{COUNTY}-jt"
BENEATH = f"{COUNTY}-cg/{COUNTY}-cszd"
ELSEWHERE = f"/{PROVINCE}/{CITY}/150103/"
OTHER_CITY = f"/{PROVINCE}/150200/"
# Seat -> (unit, its part of the tree, the roles one may hold there).
SEATS: Mapping[str, tuple[str, str, str]] = {
    "own": (OWN, f"{AREA}{OWN}/", "RH"),
    "beside": (BESIDE, f"{AREA}{BESIDE}/", "RH"),
    "beneath": (f"{COUNTY}-cszd", f"{AREA}{BENEATH}/", "RH"),
    "county": (COUNTY, AREA, "H"),
    "county office": (f"{COUNTY}-sf", AREA, "VI"),
    "city office": (f"{CITY}-sf", f"/{PROVINCE}/{CITY}/", "VI"),
    "province office": (f"{PROVINCE}-sf", f"/{PROVINCE}/", "VISCA"),
    "another county": ("150103-sf", ELSEWHERE, "HVISCA"),
    "a unit there": ("150103-scjg", f"{ELSEWHERE}150103-scjg/", "RH"),
    "another city": ("150200-sf", OTHER_CITY, "VI"),
    "nowhere": ("", "", "RHVISCA"),
    "outside": ("", "", "T"),
}
KINDS: Mapping[str, tuple[str, str]] = {
    "unit": ("assessment", "SELECT code AS unit, path AS at FROM units WHERE level = 3 AND kind IN (1, 2)"),
    "unit.code": ("gateway", "SELECT code, path AS at FROM units"),
    "account": (
        "gateway",
        "SELECT a.account, a.unit, u.path AS at FROM accounts a JOIN units u ON u.code = a.unit",
    ),
    "grant": (
        "gateway",
        'SELECT g.id AS "grant", u.path AS at FROM grants g JOIN units u ON u.code = g.unit',
    ),
    "removal": (
        "gateway",
        (
            "SELECT r.id AS removal, u.path AS at FROM factor_removals r JOIN accounts a ON a.account = r.account "
            "JOIN units u ON u.code = a.unit"
        ),
    ),
    "clue": ("gateway", "SELECT receipt, unit_path AS at, system AS _system FROM clues"),
    "original": (
        "gateway",
        (
            "SELECT c.receipt, o.raw_digest AS digest, c.unit_path AS at FROM clues c "
            "JOIN clue_originals o ON o.receipt = c.receipt"
        ),
    ),
    "answer": ("gateway", f"SELECT id AS answer, '/{PROVINCE}/' AS at FROM answers"),
    "document": (
        "legislation",
        "SELECT d.id AS document, u.path AS at FROM normative_documents d JOIN units u ON u.code = d.unit",
    ),
    "document_file": (
        "legislation",
        (
            "SELECT d.id AS subject, e.digest, u.path AS at FROM normative_documents d JOIN units u ON u.code = d.unit "
            "JOIN evidence e ON e.subject = 'legislation/normative-documents/' || d.id"
        ),
    ),
    "case": (
        "disputes",
        (
            'SELECT c.id AS "case", o.path AS at, r.path AS _respondent, r.code AS _respondent_unit FROM cases c '
            "JOIN units o ON o.code = c.organ JOIN units r ON r.code = c.respondent"
        ),
    ),
    "case_file": (
        "disputes",
        (
            "SELECT c.id AS subject, e.digest, o.path AS at, r.path AS _respondent, r.code AS _respondent_unit "
            "FROM cases c JOIN units o ON o.code = c.organ JOIN units r ON r.code = c.respondent "
            "JOIN evidence e ON e.subject = 'disputes/reconsiderations/' || c.id AND e.file = ''"
        ),
    ),
    "matter": ("disputes", "SELECT m.receipt, u.path AS at FROM matters m JOIN units u ON u.code = m.unit"),
    "decision": (
        "decisions",
        (
            "SELECT p.id AS decision, u.path AS at, p.lead AS _lead, p.reviewer AS _reviewer FROM procedures p "
            "JOIN units u ON u.code = p.unit"
        ),
    ),
    "decision_file": (
        "decisions",
        (
            "SELECT p.id AS subject, e.digest, u.path AS at, p.lead AS _lead, p.reviewer AS _reviewer FROM procedures p "
            "JOIN units u ON u.code = p.unit JOIN evidence e ON e.subject = 'decisions/decisions/' || p.id"
        ),
    ),
    "penalty": (
        "enforcement",
        'SELECT c.id AS "case", u.path AS at FROM cases c JOIN units u ON u.code = c.unit',
    ),
    "case_list": (
        "enforcement",
        (
            "SELECT f.digest, u.path AS at, (SELECT group_concat(DISTINCT w.path) FROM case_versions v "
            "JOIN cases c ON c.id = v.case_id JOIN units w ON w.code = c.unit WHERE v.file = f.digest) AS _units "
            "FROM case_files f JOIN units u ON u.code = f.unit"
        ),
    ),
    "lead": ("enforcement", "SELECT l.id AS lead, u.path AS at FROM leads l JOIN units u ON u.code = l.unit"),
    "plan": ("assessment", 'SELECT id AS "plan", scope AS at FROM task_plans'),
    "task": (
        "assessment",
        'SELECT t."plan", t.area, t.node, u.path AS at FROM tasks t JOIN units u ON u.code = t.area',
    ),
    "order": (
        "assessment",
        'SELECT o.id AS "order", u.path AS at, o.state AS _state, o.issuer AS _issuer FROM orders o JOIN units u ON u.code = o.unit',
    ),
    "objection": (
        "assessment",
        (
            "SELECT o.id AS objection, u.path AS at, o.state AS _state FROM objections o "
            "JOIN units u ON u.code = o.unit"
        ),
    ),
    "sign": (
        "assessment",
        "SELECT d.id AS draft, u.path AS at FROM detection_drafts d JOIN units u ON u.code = d.unit",
    ),
    "sheet": (
        "assessment",
        "SELECT s.id AS sheet, u.path AS at, s.assignee AS _assignee FROM sheets s JOIN units u ON u.code = s.unit",
    ),
    "report": (
        "assessment",
        "SELECT r.id AS report, u.path AS at, r.state AS _state FROM reports r JOIN units u ON u.code = r.unit",
    ),
    "review": (
        "assessment",
        (
            "SELECT a.id AS assignment, u.path AS at, a.reviewer AS _reviewer FROM review_assignments a "
            "JOIN reports r ON r.id = a.report JOIN units u ON u.code = r.unit WHERE a.place < 3"
        ),
    ),
    "report_file": (
        "assessment",
        (
            "SELECT r.id AS report, f.digest, u.path AS at, r.state AS _state FROM reports r JOIN units u ON u.code = r.unit "
            "JOIN report_versions v ON v.report = r.id AND v.version = r.submitted_version "
            "JOIN report_files f ON f.unit = r.unit AND instr(v.evidence, f.digest) > 0"
        ),
    ),
    "review_file": (
        "assessment",
        (
            "SELECT a.id AS assignment, f.digest, u.path AS at, a.reviewer AS _reviewer FROM review_assignments a "
            "JOIN reports r ON r.id = a.report JOIN units u ON u.code = r.unit "
            "JOIN report_versions v ON v.report = r.id AND v.version = r.submitted_version "
            "JOIN report_files f ON f.unit = r.unit AND instr(v.evidence, f.digest) > 0 WHERE a.place < 3"
        ),
    ),
    **{
        f"correction.{service}": (
            service,
            "SELECT c.id AS correction, u.path AS at FROM corrections_asked c JOIN units u ON u.code = c.unit",
        )
        for service in ("legislation", "disputes", "decisions", "enforcement", "gateway")
    },
    "survey": ("assessment", "SELECT id AS survey, scope AS at FROM surveys"),
}
_DERIVED = {"document.subject": ("document", "document"), "case.subject": ("case", "case")}
_DERIVED |= {"decision.subject": ("decision", "decision")}
PLACES = (
    AREA,
    f"{AREA}{OWN}/",
    f"{AREA}{BESIDE}/",
    f"{AREA}{BENEATH}/",
    f"/{PROVINCE}/{CITY}/",
    f"/{PROVINCE}/",
)
NAMED = ("shenhe.sheng", "pinggu")
A_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(slots=True)
class World:
    """The platform under proof, its people, and its objects."""

    platform: Embedded
    app: Any
    issuer: Issuer
    people: list[tuple[str, Principal]]
    things: dict[str, list[Thing]] = field(default_factory=dict)
    by_id: dict[str, Thing] = field(default_factory=dict)

    def token(self, who: Principal) -> str:
        """A good token of this person."""
        return self.issuer.issue(who)

    def look(self) -> None:
        """Find every object there is now."""
        for kind, (service, query) in KINDS.items():
            with self.platform.services[service].app.store.reading() as session:
                self.things[kind] = [_thing(kind, row) for row in session.execute(text(query)).mappings()]
        for derived, (kind, name) in _DERIVED.items():
            self.things[derived] = [
                Thing(derived, {"subject": one.params[name]}, one.path, one.more) for one in self.things[kind]
            ]
        for things in self.things.values():
            for one in things:
                name = next(iter(one.params.values()))
                if A_UUID.fullmatch(name) and one.kind not in ("survey", "plan", "task"):
                    self.by_id.setdefault(name, one)

    def some(self, kind: str, most: int) -> list[Thing]:
        """A few objects of a kind: of each place and state one, the unit looked at first."""
        chosen: dict[tuple[str, str], Thing] = {}
        for one in self.things.get(kind, ()):
            chosen.setdefault((one.path, one.more.get("state", _named(one))), one)
        ranked = sorted(
            chosen.values(), key=lambda one: (not _named(one), one.path not in PLACES, one.path != PLACES[1])
        )
        return ranked[:most]


@contextmanager
def world(folder: Path, seed: int) -> Iterator[World]:
    """The embedded platform with a demonstration county, quiet and with every background clock stopped."""
    settings = Settings(data=folder, log_level="CRITICAL", rpc_port=0, cookie_secure=False)
    with ExitStack() as stack:
        witnessed = stack.enter_context(demonstration_witness(settings))
        platform = assemble(Runtime(witnessed))
        stack.callback(platform.runtime.close)
        platform.migrate()
        platform.start()
        try:
            if not is_loaded(folder):
                Demonstration(platform, Province(seed=seed)).load(lambda _title, _total: lambda _done: None)
        finally:  # from here on nothing moves by itself: what a list counts is what there was
            platform.background.stop()
        app = compose(platform.runtime, list(platform.services.values()), name="prove")
        key = (folder / "keys" / "identity.pem").read_bytes()
        found = World(platform, app, Issuer(key, platform.runtime.clock), list(_people()))
        found.look()
        yield found


def _named(thing: Thing) -> str:
    """Who was given it, where that is one of our people."""
    return next((thing.more[name] for name in ("reviewer", "assignee") if thing.more.get(name) in NAMED), "")


def _people() -> Iterator[tuple[str, Principal]]:
    for seat, (unit, path, letters) in SEATS.items():
        for letter in letters:
            account = f"prove-{seat.replace(' ', '-')}-{letter.lower()}"
            yield (
                seat,
                Principal(account=account, unit=unit, unit_path=path, roles=frozenset({ROLES[letter]})),
            )
    yield "reviewer of some", _one("shenhe.sheng", "V")
    yield "company", _one("pinggu", "T", "")
    yield "sender", Principal(account="hotline", roles=frozenset({ROLES["X"]}))
    yield "another sender", Principal(account="petition", roles=frozenset({ROLES["X"]}))


def _one(account: str, letter: str, path: str = f"/{PROVINCE}/") -> Principal:
    return Principal(account=account, unit=f"{PROVINCE}-sf", unit_path=path, roles=frozenset({ROLES[letter]}))


def _thing(kind: str, row: Mapping[Any, Any]) -> Thing:
    values = {str(name): str(value) for name, value in row.items()}
    more = {name[1:]: value for name, value in values.items() if name.startswith("_")}
    params = {name: value for name, value in values.items() if name != "at" and not name.startswith("_")}
    return Thing(kind, params, values["at"], more)


def this_year() -> str:
    """The year the demonstration tells of."""
    return str(datetime.now(UTC).year)
