"""As of: what was shown on a day is shown again, byte for byte, whatever was learnt since."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.findings import Outcome
from contracts.roles import REVIEWER
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier
from kernel.errors import NotFound
from kernel.hosting.api import build_api
from kernel.ids import new_id
from services.assessment.http import routers
from services.assessment.ranking.known import AsOf
from services.assessment.tables import UNITS as DIRECTORY
from tests.support.events import MARCH_5, a_unit, an_event
from tests.support.http import Client
from tests.support.migrated_again import migrate_again

PROVINCE = Principal(account="r", unit="15", unit_path="/15/", roles=frozenset({REVIEWER}))
GROUP = "county_departments"
UNITS = ("150102-scjg", "150102-sf", "150102-yj")
ROOT = "/api/assessment/v1"
LATE_IN_MARCH = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
APRIL = datetime(2026, 4, 20, 2, 0, tzinfo=UTC)


class Door:
    """Assessment over HTTP, with a clock in hand."""

    def __init__(self, fed):
        self.fed = fed
        self.clock = fed.runtime.clock
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        issuer = Issuer(pem, self.clock)
        self._issue = lambda: issuer.issue(PROVINCE)
        verifier = Verifier(issuer.public_pem, self.clock)
        self._client = Client(build_api("assessment", "考核", routers(fed.app), verifier, fed.app.store))

    def ask(self, path, **query):
        answer = self._client.get(
            f"{ROOT}{path}", params=query, headers={"Authorization": f"Bearer {self._issue()}"}
        )
        assert answer.status_code == 200, answer.text
        return answer

    def post(self, path, body):
        return self._client.post(
            f"{ROOT}{path}", json=body, headers={"Authorization": f"Bearer {self._issue()}"}
        )

    def shown(self, **when):
        """The bytes of every page that a reader may have open."""
        own = {"period": "2026", **when}
        group = {**own, "peer_group": GROUP}
        return {
            "ranking": self.ask("/rankings", **group).content,
            "intervals": self.ask("/rankings/intervals", **group).content,
            "month": self.ask("/rankings", **{**group, "period": "2026-03"}).content,
            "to_date": self.ask("/rankings", **group, upto="2026-03").content,
            "score": self.ask(f"/units/{UNITS[0]}/score", **own).content,
            "explanation": self.ask(f"/units/{UNITS[0]}/explanation", **own, probe="ENF-TIM-01").content,
            "trend": self.ask(f"/units/{UNITS[0]}/trend", **own).content,
        }


@pytest.fixture
def door(fed):
    fed.units(
        a_unit("150102", path="/15/150102/", kind=UnitKind.UNIT_KIND_GOVERNMENT),
        *(a_unit(code, parent="150102", path=f"/15/150102/{code}/") for code in UNITS),
    )
    return Door(fed)


def first_events(door):
    """A fortnight's findings of three departments; returns the id of one that will be corrected."""
    wrong = new_id()
    door.fed.events(
        *(an_event(subject=f"enforcement/cases/{n}") for n in range(6)),
        an_event(subject="enforcement/cases/wrong", outcome=Outcome.FAIL, event_id=wrong),
        *(an_event(unit=UNITS[1], subject=f"enforcement/cases/s{n}") for n in range(4)),
        an_event(unit=UNITS[1], subject="enforcement/cases/s9", outcome=Outcome.FAIL),
        *(an_event(unit=UNITS[2], outcome=Outcome.FAIL, subject=f"enforcement/cases/y{n}") for n in range(3)),
    )
    door.fed.app.roll_up.catch_up()
    return wrong


def later_events(door, wrong):
    """A correction, a late arrival of the same month, and findings of another."""
    door.clock.set(APRIL)
    door.fed.events(
        an_event(subject="enforcement/cases/wrong", corrects=wrong, recorded_at=APRIL),
        an_event(unit=UNITS[1], subject="enforcement/cases/late", outcome=Outcome.FAIL, recorded_at=APRIL),
        *(
            an_event(unit=UNITS[2], subject=f"enforcement/cases/a{n}", occurred_at=APRIL, recorded_at=APRIL)
            for n in range(9)
        ),
    )
    door.fed.app.roll_up.catch_up()


def test_what_was_shown_then_is_shown_again_byte_for_byte(door):
    wrong = first_events(door)
    door.clock.set(LATE_IN_MARCH)
    then = door.shown()
    seq = door.ask("/rankings", period="2026", peer_group=GROUP).json()["at_seq"]
    later_events(door, wrong)
    assert door.ask("/rankings", period="2026", peer_group=GROUP).content != then["ranking"]
    assert door.shown(as_of="2026-03-20") == then
    assert door.shown(as_of_seq=seq) == then
    assert door.shown(as_of="2026-03-20") == then


def test_corrections_that_came_later_are_not_seen_and_not_named(door):
    wrong = first_events(door)
    later_events(door, wrong)
    path, asked = f"/units/{UNITS[0]}/explanation", {"period": "2026", "probe": "ENF-TIM-01"}
    then = door.ask(path, **asked, as_of="2026-03-31").json()
    now = door.ask(path, **asked).json()
    (fault,) = [event for event in then["events"]["rows"] if event["outcome"] == "fail"]
    assert fault["id"] == wrong
    assert fault["corrected_by"] is None
    (fault,) = [event for event in now["events"]["rows"] if event["id"] == wrong]
    assert fault["corrected_by"] is not None
    assert failed(then) == 1
    assert failed(now) == 0


def failed(told):
    (tally,) = [tally for tally in told["tallies"] if tally["probe"] == "ENF-TIM-01"]
    return tally["failed"]


def test_a_correction_of_a_correction_is_unfolded_step_by_step(door):
    wrong, second = new_id(), new_id()
    for day, event in enumerate(
        (
            an_event(outcome=Outcome.FAIL, event_id=wrong),
            an_event(corrects=wrong, event_id=second, recorded_at=MARCH_5 + timedelta(days=1)),
            an_event(corrects=wrong, outcome=Outcome.FAIL, recorded_at=MARCH_5 + timedelta(days=2)),
        )
    ):
        door.clock.set(MARCH_5 + timedelta(days=day))
        door.fed.events(event)
    door.fed.app.roll_up.catch_up()
    scores = [
        door.ask(f"/units/{UNITS[0]}/score", period="2026", as_of=f"2026-03-{day:02}")
        .json()["score"]
        .split(".")[0]
        for day in (5, 6, 7)
    ]
    assert scores == ["0", "100", "0"]


def test_a_day_before_the_first_event_knows_nobody(door):
    first_events(door)
    page = door.ask("/rankings", period="2026", peer_group=GROUP, as_of_seq=0).json()
    assert {row["score"] for row in page["rows"]} == {None}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"as_of": "2026-03-06"}, "assessment.as_of_day"),
        ({"as_of_seq": 99}, "assessment.as_of_seq"),
        ({"upto": "2025-03"}, "assessment.period"),
        ({"period": "2026-03", "upto": "2026-03"}, "assessment.period"),
        ({"period": "2026-13"}, "assessment.period"),
    ],
)
def test_days_and_months_that_cannot_be_are_refused(door, query, code):
    first_events(door)
    headers = {"Authorization": f"Bearer {door._issue()}"}
    answer = door._client.get(
        f"{ROOT}/rankings", params={"period": "2026", "peer_group": GROUP, **query}, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_month_alone_and_the_year_to_date(door):
    later_events(door, first_events(door))
    months = door.ask(f"/units/{UNITS[2]}/trend", period="2026").json()["months"]
    assert [(m["month"], m["score"], m["rank"]) for m in months] == [
        ("2026-03", "0.0000", 3),
        ("2026-04", "100.0000", 1),
    ]
    whole = door.ask("/rankings", period="2026", peer_group=GROUP).json()["rows"]
    (own,) = [row for row in whole if row["unit"]["code"] == UNITS[2]]
    assert (months[1]["to_date"], months[1]["rank_to_date"]) == (own["score"], own["rank"])


def test_advice_adds_up_to_the_change_since_a_day(door):
    later_events(door, first_events(door))
    advice = door.ask(f"/units/{UNITS[1]}/advice", period="2026", since="2026-03-31").json()
    assert advice["since"] == "2026-03-31"
    change = sum(round(float(one["change"]) * 1_000_000) for one in advice["movements"])
    assert change == round((float(advice["score"]) - float(advice["score_then"])) * 1_000_000)
    changes = [float(one["change"]) for one in advice["movements"]]
    lowered, raised = ([one for one in changes if (one > 0) is rose] for rose in (False, True))
    assert lowered
    assert changes == sorted(lowered) + sorted(raised, reverse=True)
    assert [gain["gain"] for gain in advice["gains"]] == sorted(
        (gain["gain"] for gain in advice["gains"]), key=float, reverse=True
    )


class TestWhatIf:
    def asked(self, door, **moves):
        answer = door.post("/what-ifs", {"peer_group": GROUP, "period": "2026", **moves})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def test_with_nothing_moved_it_is_the_ranking(self, door):
        first_events(door)
        page = door.ask("/rankings", period="2026", peer_group=GROUP).json()
        moved = self.asked(door)
        assert [(row["unit"]["code"], row["after"], row["rank"]) for row in moved["rows"]] == [
            (row["unit"]["code"], f"{float(row['score']):.4f}", row["rank"]) for row in page["rows"]
        ]

    def test_weights_and_methods_move_scores_and_nothing_is_stored(self, door):
        first_events(door)
        before = door.shown()
        tree = door.ask(f"/units/{UNITS[1]}/score", period="2026").json()["tree"]
        (code,) = [leaf["node"] for leaf in leaves(tree) if leaf["status"] == "scored"]
        strict = self.asked(door, methods={code: {"kind": "ratio", "floor_milli": 799, "target_milli": 1000}})
        scores = {row["unit"]["code"]: float(row["after"]) for row in strict["rows"]}
        assert scores[UNITS[1]] == pytest.approx(100 * (0.8 - 0.799) / 0.201, abs=1e-3)
        assert self.asked(door, factors={code: 2})["rows"][0]["after"]
        assert door.shown() == before

    def test_a_code_of_nobody_is_refused(self, door):
        first_events(door)
        answer = door.post("/what-ifs", {"peer_group": GROUP, "period": "2026", "factors": {"NONE": 2}})
        assert answer.status_code == 422
        assert answer.json()["fields"][0]["path"] == "factors.NONE"


def leaves(node):
    return [leaf for child in node["children"] for leaf in leaves(child)] if node["children"] else [node]


def changed(code, **fields):
    """A later version of a unit, as the directory tells it."""
    unit = a_unit(code, parent="150102", path=f"/15/150102/{code}/", version=2)
    for name, value in fields.items():
        setattr(unit, name, value)
    return unit


def test_a_renamed_a_moved_and_a_dissolved_unit_are_shown_as_they_stood(door):
    first_events(door)
    door.clock.set(LATE_IN_MARCH)
    governments = {"period": "2026", "peer_group": "county_governments"}
    then = door.shown(), door.ask("/rankings", **governments).content
    seq = door.ask("/rankings", period="2026", peer_group=GROUP).json()["at_seq"]
    door.clock.set(APRIL)
    door.fed.units(
        a_unit("150103", path="/15/150103/", kind=UnitKind.UNIT_KIND_GOVERNMENT),
        changed(UNITS[0], name="综合执法局"),
        changed(UNITS[1], parent="150103", path=f"/15/150103/{UNITS[1]}/"),
        changed(UNITS[2], valid_to="2026-04-01", successor=UNITS[0]),
    )
    door.fed.app.roll_up.catch_up()
    now = door.ask("/rankings", period="2026", peer_group=GROUP).json()
    assert [row["unit"]["name"] for row in now["rows"] if row["unit"]["code"] == UNITS[0]] == ["综合执法局"]
    assert len(now["rows"]) == 2
    assert door.ask("/rankings", **governments).content != then[1]
    for when in ({"as_of": "2026-03-20"}, {"as_of_seq": seq}):
        assert door.shown(**when) == then[0]
        was = door.ask("/rankings", **governments, **when).json()
        known = {row["unit"]["code"]: row["score"] for row in was["rows"]}
        assert known["150102"] == json.loads(then[1])["rows"][0]["score"]  # with what has moved away since
    found = door.ask("/rankings", period="2026", peer_group=GROUP, as_of="2026-03-20", name="综合执法").json()
    assert found["total"] == 0


def test_who_may_see_a_unit_is_decided_by_where_it_stands_today(door):
    first_events(door)
    door.clock.set(APRIL)
    door.fed.units(changed(UNITS[1], parent="150103", path=f"/15/150103/{UNITS[1]}/"))
    own = replace(PROVINCE, account="c", unit="150102", unit_path="/15/150102/")
    foreign = replace(PROVINCE, account="d", unit="150103", unit_path="/15/150103/")
    rankings, when = door.fed.app.rankings, AsOf(day=LATE_IN_MARCH.date())
    with pytest.raises(NotFound):
        rankings.unit(own, UNITS[1], "2026", as_of=when)
    assert rankings.unit(foreign, UNITS[1], "2026", as_of=when).unit.path == f"/15/150102/{UNITS[1]}/"


def test_versions_count_from_when_they_were_heard_in_whatever_order_they_come(door):
    first_events(door)
    door.clock.set(APRIL)
    third = changed(UNITS[0], name="三", version=3)
    door.fed.units(third)
    door.fed.units(changed(UNITS[0], name="二"), third)
    versions = DIRECTORY.versions.c
    with door.fed.app.store.reading() as session:
        rows = session.execute(
            select(versions.version, versions.known_from)
            .where(versions.code == UNITS[0])
            .order_by(versions.version)
        ).all()
    assert [row.version for row in rows] == [1, 2, 3]
    assert [row.known_from for row in rows[1:]] == [APRIL, APRIL]
    assert rows[0].known_from.year == 2019  # the beginning of 2020 in Beijing, when it was set up
    assert door.ask(f"/units/{UNITS[0]}/score", period="2026").json()["unit"]["name"] == "三"


def test_an_installation_of_before_shows_its_units_of_then_as_the_first_versions(door):
    first_events(door)
    door.clock.set(LATE_IN_MARCH)
    then = door.shown()
    database = door.fed.app.store.database
    with database.writing() as session:
        session.execute(text("DROP TABLE unit_versions"))
        session.commit()
    migrate_again(database, "services.assessment", "0012_unit_versions")
    door.clock.set(APRIL)
    assert door.shown(as_of="2026-03-20") == then
