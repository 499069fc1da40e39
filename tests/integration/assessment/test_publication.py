"""A published ranking rests on a witnessed checkpoint, is never changed, and anybody can check it without us."""

import base64
import copy
import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.findings import Outcome
from contracts.roles import AUDIT_ADMIN, INSPECTOR
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotFound, RuleViolation
from kernel.ids import new_id
from kernel.ledger.note import NoteSigner
from services.assessment.app import ledger_signer, public_keys, publication_signer
from services.assessment.ledger.model import COSIGNATURES
from services.assessment.ledger.rules import NotWitnessed, Witness
from services.assessment.ledger.stored import newest_checkpoint
from services.assessment.publication.model import PUBLICATION_DECISIONS, PUBLICATION_REQUESTS, PUBLICATIONS
from services.assessment.reach import NotForAllUnits
from tests.support.events import MARCH_5, a_unit, an_event

VERIFIER = Path(__file__).parents[3] / "verifier" / "fazhi_verify.py"
ASKS = Principal(account="ding", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR}))
AGREES = replace(ASKS, account="yi")
GROUP = "county_departments"


class County:
    """Departments of a county with findings, and a witness at hand."""

    def __init__(self, fed):
        self.app, self.runtime, self._feed, self._tell = fed.app, fed.runtime, fed.events, fed.units
        government = UnitKind.UNIT_KIND_GOVERNMENT
        units = ["150102-scjg", "150102-sf", "150102-jt"]
        fed.units(
            a_unit("150102", path="/15/150102/", kind=government),
            *(a_unit(code, parent="150102", path=f"/15/150102/{code}/") for code in units),
        )
        self.witness = NoteSigner("witness.example", Ed25519PrivateKey.generate())
        self.app.ledger.witnesses = (Witness(self.witness.witness_key, "http://127.0.0.1:9"),)
        self.app.ledger.needed = 1
        for place, unit in enumerate(units):
            for number in range(6):
                outcome = Outcome.FAIL if number < place else Outcome.PASS
                self.finds(unit, f"{place}{number}", outcome)

    def finds(self, unit, case, outcome, **more):
        event = an_event(unit=unit, subject=f"enforcement/cases/{case}", outcome=outcome, **more)
        self._feed(event)
        return event

    def seal(self, *, witnessed=True):
        self.app.sealer.seal()
        if not witnessed:
            return
        with self.app.store.work() as work:
            last = newest_checkpoint(work.session)
            line = self.witness.cosign(last.note.text, int(MARCH_5.timestamp())).line
            now = work.clock.now()
            work.session.execute(
                insert(COSIGNATURES).values(
                    size=last.size, witness="witness.example", line=line, witnessed_at=now, received_at=now
                )
            )
            work.commit()

    def dissolve(self, unit):
        told = a_unit(unit, parent="150102", path=f"/15/150102/{unit}/")
        told.version, told.valid_to = 2, "2026-03-04"
        self._tell(told)

    def publish(self, group=GROUP, upto=""):
        request = self.app.publications.ask(ASKS, "2026", upto, group, "")
        self.app.publications.decide(AGREES, request, agreed=True, reason="")
        self.app.publications.make_waiting()
        return request

    def check(self, bundle, *more, key=None):
        keys = [
            *("--key", str(key or ledger_signer(self.runtime)().key)),
            *("--publisher", str(publication_signer(self.runtime)().key)),
            *("--witness", str(self.witness.witness_key), "--witnesses", "1"),
        ]
        return subprocess.run(
            [sys.executable, "-I", VERIFIER, bundle, *keys, *more],
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def county(fed):
    return County(fed)


@pytest.fixture
def exported(county, tmp_path):
    county.seal()
    publication = county.publish()
    county.app.publications.export(publication, tmp_path / "bundle")
    return tmp_path / "bundle"


class TestFourEyes:
    def test_of_two_who_ask_at_once_one_is_told_that_the_other_waits(self, county):
        def asks(account):
            try:
                return bool(
                    county.app.closings.ask(replace(ASKS, account=account), "2026-02", "close_asked", "")
                )
            except Conflict:
                return False

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(asks, ("a", "b", "c", "d"))) == [False, False, False, True]

    def test_who_asks_does_not_confirm(self, county):
        county.seal()
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
        with pytest.raises(RuleViolation) as refused:
            county.app.publications.decide(ASKS, request, agreed=True, reason="")
        assert refused.value.stable_code == "assessment.four_eyes"
        assert county.app.publications.make_waiting() == 0

    def test_of_those_who_decide_at_once_one_does_and_the_others_are_told(self, county):
        county.seal()
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")

        def decides(account):
            try:
                county.app.publications.decide(
                    replace(AGREES, account=account), request, agreed=True, reason=""
                )
            except Conflict as refused:
                return refused.stable_code
            return ""

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(decides, "abcd")) == ["", *["assessment.already_decided"] * 3]

    def test_a_request_is_decided_once(self, county):
        county.seal()
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
        county.app.publications.decide(AGREES, request, agreed=False, reason="数据未齐")
        with pytest.raises(Conflict):
            county.app.publications.decide(AGREES, request, agreed=True, reason="")
        assert county.app.publications.make_waiting() == 0

    def test_a_period_is_closed_by_two_and_only_once(self, county):
        closings = county.app.closings
        closings.ask(ASKS, "2026-02", "close_asked", "月度结束")
        with pytest.raises(RuleViolation):
            closings.confirm(ASKS, "2026-02", agreed=True)
        assert closings.confirm(AGREES, "2026-02", agreed=True).closed_at_seq == 18
        with pytest.raises(Conflict) as refused:
            closings.ask(ASKS, "2026-02", "close_asked", "再关一次")
        assert refused.value.stable_code == "assessment.period_closed"

    def test_no_period_is_closed_while_the_witnesses_are_silent_for_hours(self, county):
        closings = county.app.closings
        closings.ask(ASKS, "2026-02", "close_asked", "月度结束")
        county.app.store.clock.advance(timedelta(hours=5))
        with pytest.raises(NotWitnessed, match="5 小时"):
            closings.confirm(AGREES, "2026-02", agreed=True)
        with pytest.raises(NotWitnessed):
            closings.ask(ASKS, "2026-01", "close_asked", "月度结束")
        county.seal()
        assert closings.confirm(AGREES, "2026-02", agreed=True).closed_at_seq == 18

    @pytest.mark.parametrize(
        ("period", "upto"), [("26", ""), ("2026", "2027-01"), ("2026", "2026-12"), ("2026-03", "")]
    )
    def test_a_ranking_of_a_time_that_is_not_is_refused(self, county, period, upto):
        county.seal()
        with pytest.raises(Invalid):
            county.app.publications.ask(ASKS, period, upto, GROUP, "")


class TestOnlyWhoReachesEveryUnit:
    """What holds for every unit, or holds the events of every unit, is not for an inspector of one part."""

    NARROW = replace(ASKS, account="jia", unit="150102-sf", unit_path="/15/150102/150102-sf/")

    def test_closes_and_reopens_a_period(self, county):
        closings = county.app.closings
        with pytest.raises(NotForAllUnits):
            closings.ask(self.NARROW, "2026-02", "close_asked", "月度结束")
        closings.ask(ASKS, "2026-02", "close_asked", "月度结束")
        with pytest.raises(NotForAllUnits):
            closings.confirm(self.NARROW, "2026-02", agreed=True)

    def test_asks_for_a_publication_and_decides_on_it(self, county):
        county.seal()
        with pytest.raises(NotForAllUnits):
            county.app.publications.ask(self.NARROW, "2026", "", GROUP, "")
        request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
        with pytest.raises(NotForAllUnits):
            county.app.publications.decide(self.NARROW, request, agreed=True, reason="")

    def test_takes_what_lies_behind_a_publication(self, county):
        county.seal()
        publication = county.publish()
        with pytest.raises(NotForAllUnits):
            county.app.publications.demand_whole(self.NARROW)
        with pytest.raises(NotForAllUnits):
            county.app.bulletins.data(self.NARROW, publication)
        auditor = replace(self.NARROW, roles=frozenset({AUDIT_ADMIN}))
        county.app.publications.demand_whole(auditor)


def test_what_comes_after_closing_is_listed_as_late(county):
    county.app.closings.ask(ASKS, "2026-03", "close_asked", "月度结束")
    county.app.closings.confirm(AGREES, "2026-03", agreed=True)
    late = county.finds("150102-sf", "late", Outcome.FAIL)
    found = county.app.closings.late_facts(ASKS, "2026-03", offset=0, limit=10)
    assert [fact.event_id for fact in found] == [late.id]
    assert county.app.closings.periods()[0].late == 1


def test_periods_requests_and_late_facts_of_a_past_day_are_those_of_that_day(county):
    clock, closings, publications, then = (
        county.runtime.clock,
        county.app.closings,
        county.app.publications,
        {},
    )

    def shown(day=None):
        late = closings.late_facts(ASKS, "2026-03", offset=0, limit=10, day=day)
        return (
            closings.periods(day),
            late,
            publications.requests(as_of=day),
            publications.published(as_of=day),
        )

    def ask():
        closings.ask(ASKS, "2026-03", "close_asked", "月度结束")
        return publications.ask(ASKS, "2026", "", GROUP, "")

    def agree():
        closings.confirm(AGREES, "2026-03", agreed=True)
        publications.decide(AGREES, request, agreed=True, reason="")

    def reopen():
        closings.ask(ASKS, "2026-03", "reopen_asked", "补记")
        publications.decide(
            AGREES, publications.ask(ASKS, "2026", "", GROUP, ""), agreed=False, reason="不必"
        )

    def after_each(act):
        made = act()
        then[local_date(clock.now())] = shown()
        clock.advance(timedelta(days=1))
        return made

    county.seal()
    request = after_each(ask)
    after_each(agree)
    after_each(publications.make_waiting)
    for case, act in (("补记", reopen), ("再补", lambda: closings.confirm(AGREES, "2026-03", agreed=True))):
        county.finds("150102-sf", case, Outcome.FAIL, recorded_at=clock.now())
        county.seal()
        after_each(act)
    assert [len(late) for _, late, _, _ in then.values()] == [0, 0, 0, 1, 0]
    assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
    for day, pages in then.items():
        assert shown(day) == pages, day


@pytest.mark.parametrize("path", ["/15/150103/", "/15/150102/150102-jt/", ""])
def test_late_facts_of_units_out_of_reach_are_not_told(county, path):
    county.app.closings.ask(ASKS, "2026-03", "close_asked", "月度结束")
    county.app.closings.confirm(AGREES, "2026-03", agreed=True)
    county.finds("150102-sf", "late", Outcome.FAIL)
    elsewhere = replace(ASKS, unit="150103", unit_path=path)
    assert county.app.closings.late_facts(elsewhere, "2026-03", offset=0, limit=10) == []


def test_nothing_is_published_that_nobody_else_has_seen(county):
    county.seal(witnessed=False)
    request = county.app.publications.ask(ASKS, "2026", "", GROUP, "")
    county.app.publications.decide(AGREES, request, agreed=True, reason="")
    with pytest.raises(NotWitnessed):
        county.app.publications.make_waiting()
    county.seal()
    county.app.publications.make_waiting()
    assert county.app.publications.one(request).at_seq == 18


def test_a_correction_moves_the_live_ranking_and_never_what_was_published(county):
    county.seal()
    first = county.publish()
    published = county.app.publications.file(first, "scores.jsonl")
    for number in range(2):
        county.finds("150102-jt", f"2{number}", Outcome.PASS)
    county.finds("150102-scjg", "new", Outcome.FAIL)
    county.seal()
    publications = county.app.publications
    framework = county.app.frameworks.current()
    with county.app.store.reading() as session:
        as_known, now = (
            publications.scores(
                session, publications.board(session, framework, GROUP, "2026", "2026-03", seq)
            )
            for seq in (18, 21)
        )
    assert as_known == published
    assert now != published
    second = county.publish()
    assert county.app.publications.one(second).replaces == first
    assert county.app.publications.file(first, "scores.jsonl") == published


def test_publishing_twice_in_a_row_makes_one_publication(county):
    county.seal()
    request = county.publish()
    assert county.app.publications.make_waiting() == 0
    assert [one.id for one in county.app.publications.published()] == [request]


def test_the_ranking_of_another_month_corrects_none_and_is_what_the_next_bulletin_compares_with(county):
    county.seal()
    publications = county.app.publications
    february = publications.one(county.publish(upto="2026-02"))
    county.app.store.clock.advance(timedelta(minutes=1))
    march = publications.one(county.publish())
    assert (march.replaces, publications.before(march)) == (None, february)
    county.app.store.clock.advance(timedelta(minutes=1))
    again = publications.one(county.publish())
    assert (again.replaces, publications.before(again)) == (march.id, march)


def test_a_ranking_that_can_be_made_no_more_keeps_no_other_waiting(county):
    county.seal()
    with county.app.store.work() as work:
        gone, now = new_id(), work.clock.now()
        asked = {"period": "2026", "upto": "2026-03", "peer_group": "another_framework_had_it"}
        asked |= {"id": gone, "account": "ding", "note": "", "asked_at": now}
        decided = {"request": gone, "agreed": 1, "account": "yi", "reason": "", "decided_at": now}
        work.session.execute(insert(PUBLICATION_REQUESTS).values(**asked))
        work.session.execute(insert(PUBLICATION_DECISIONS).values(**decided))
        work.commit()
    assert county.app.publications.one(county.publish()).peer_group == GROUP


def test_an_unknown_publication_is_not_found(county):
    for name in ("no-such", "0198aaaa-0000-7000-8000-000000000000"):
        with pytest.raises(NotFound):
            county.app.publications.one(name)


class TestIndependentVerifier:
    def test_an_untouched_bundle_holds(self, county, exported):
        found = county.check(exported)
        assert found.returncode == 0, found.stderr
        assert "3 个单位的得分、覆盖率和名次由事件重算一致" in found.stdout
        assert "3 个名次的区间、中位、档、段、高于下一名的比例和缺口名次由事件重算一致" in found.stdout
        assert "fazhi/draws/v1" in found.stdout
        assert "争议分没有重算" in found.stdout

    @pytest.mark.parametrize("group", [GROUP, "county_governments"])
    def test_a_bundle_holds_though_a_unit_was_dissolved_within_the_year(self, county, tmp_path, group):
        county.dissolve("150102-jt")
        county.seal()
        county.app.publications.export(county.publish(group), tmp_path / "bundle")
        checked = county.check(tmp_path / "bundle")
        assert checked.returncode == 0, checked.stderr

    def test_a_file_of_the_bundle_that_was_changed_is_named(self, county, exported):
        scores = exported / "scores.jsonl"
        scores.write_bytes(scores.read_bytes().replace(b'"rank":1', b'"rank":2'))
        found = county.check(exported)
        assert (found.returncode, "scores.jsonl" in found.stderr) == (1, True)

    def test_a_score_that_does_not_follow_is_found_though_everything_was_signed_anew(self, county, exported):
        lines = [orjson.loads(line) for line in (exported / "scores.jsonl").read_bytes().splitlines()]
        lines[0]["score"], lines[1]["score"] = lines[1]["score"], lines[0]["score"]
        (exported / "scores.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        self.sign_anew(county, exported)
        found = county.check(exported)
        assert found.returncode == 1
        assert lines[0]["unit"] in found.stderr or lines[1]["unit"] in found.stderr

    def test_what_is_told_beside_a_place_is_made_again(self, county, exported):
        good = (exported / "scores.jsonl").read_bytes()
        for field, other, word in (("interval", [1, 3], "名次区间"), ("tier", 7, "档"), ("band", 7, "段")):
            lines = [orjson.loads(line) for line in good.splitlines()]
            lines[0][field] = other
            (exported / "scores.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
            self.sign_anew(county, exported)
            found = county.check(exported)
            assert (found.returncode, f"单位 {lines[0]['unit']} 的{word}公布为" in found.stderr) == (1, True)
        quick = county.check(exported, "--no-intervals")
        assert (quick.returncode, "没有重算：--no-intervals" in quick.stdout) == (0, True)

    def test_of_a_bundle_of_before_it_is_said_that_intervals_were_not_recomputed(self, county, exported):
        """As they were: no word of the procedure, and less told beside a score. One of today must tell it."""
        beside = ("median", "band", "above_next", "place_at_worst")
        lines = [orjson.loads(line) for line in (exported / "scores.jsonl").read_bytes().splitlines()]
        kept = [{name: value for name, value in line.items() if name not in beside} for line in lines]
        (exported / "scores.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in kept))
        self.sign_anew(county, exported, without="intervals", format="fazhi-bundle/1")
        found = county.check(exported)
        assert found.returncode == 0, found.stderr
        assert "3 个单位的得分、覆盖率和名次由事件重算一致" in found.stdout
        assert "名次区间、档和段没有重算：数据包早于可重算的抽样方法" in found.stdout
        self.sign_anew(county, exported, format="fazhi-bundle/2")
        found = county.check(exported)
        assert (found.returncode, "清单没有写明名次区间" in found.stderr) == (1, True)

    @pytest.mark.parametrize("attack", ["digit", "swap", "delete", "cut", "insert", "unit", "time"])
    def test_an_event_that_was_changed_is_found_though_the_manifest_was_signed_anew(
        self, county, exported, attack
    ):
        path = exported / "events.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        match attack:
            case "digit":
                lines[3] = lines[3].replace(b'"score":"1.000"', b'"score":"0.900"')
            case "swap":
                lines[3], lines[4] = lines[4], lines[3]
            case "delete":
                del lines[3]
            case "cut":
                del lines[-2:]
            case "insert":
                lines.append(lines[-1].replace(b'"seq":18', b'"seq":19'))
            case "unit":
                lines[3] = lines[3].replace(b'"unit":"150102-scjg"', b'"unit":"150102-sf"')
            case "time":
                lines[3] = lines[3].replace(b"2026-03-05T02", b"2026-02-05T02")
        path.write_bytes(b"".join(lines))
        self.sign_anew(county, exported)
        found = county.check(exported)
        assert found.returncode == 1, found.stdout + found.stderr
        assert "条" in found.stderr

    def test_a_history_that_a_witness_remembers_otherwise_is_found(self, county, exported, tmp_path):
        with county.app.store.reading() as session:
            note = str(newest_checkpoint(session).note)
        longer = tmp_path / "longer"
        longer.write_text(note.replace("\n18\n", "\n25\n"), encoding="utf-8")
        assert "旧状态" in county.check(exported, "--remembered", longer).stderr
        other = tmp_path / "other"
        root = note.split("\n")[2]
        other.write_text(note.replace(root, base64.b64encode(bytes(32)).decode()), encoding="utf-8")
        assert county.check(exported, "--remembered", other).returncode == 1

    def test_other_peoples_keys_and_missing_witnesses_are_refused(self, county, exported):
        stranger = NoteSigner("fazhi.local/assessment", Ed25519PrivateKey.generate())
        assert county.check(exported, key=stranger.key).returncode == 1
        assert (
            county.check(exported, "--key", str(stranger.key)).returncode == 0
        )  # an older key of the log, beside it
        assert county.check(exported, "--witnesses", "2").returncode == 1

    def test_wrong_usage_and_what_cannot_be_read_have_codes_of_their_own(self, county, exported):
        assert county.check(exported, "--key", "nonsense").returncode == 2
        assert county.check(exported / "nowhere").returncode == 3

    def sign_anew(self, county, bundle, *, without="", **more):
        """As an attacker with the publisher's key, but not the ledger's, would."""
        manifest = orjson.loads((bundle / "manifest.json").read_bytes()) | more
        manifest.pop(without, None)
        for name in manifest["files"]:
            manifest["files"][name] = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        written = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
        (bundle / "manifest.json").write_bytes(written)
        signer = publication_signer(county.runtime)()
        statement = f"fazhi/publication/v1\n{hashlib.sha256(written).hexdigest()}\n{manifest['id']}\n"
        (bundle / "publication.note").write_text(
            f"{statement}\n{signer.sign(statement).line}", encoding="utf-8"
        )


def test_publications_are_written_once(county):
    county.seal()
    county.publish()
    for table in (PUBLICATIONS, PUBLICATION_REQUESTS, PUBLICATION_DECISIONS):
        with county.app.store.work() as work, pytest.raises(Exception, match="append-only"):
            work.session.execute(delete(table))


def test_the_public_is_told_the_keys_by_which_it_checks(county):
    told = county.app.public_keys()
    assert told.ledger == (str(ledger_signer(county.runtime)().key),)
    assert told.publisher == str(publication_signer(county.runtime)().key)


def test_in_production_only_the_keys_the_settings_name_are_told(county):
    named = str(publication_signer(county.runtime)().key)
    settings = county.runtime.settings.model_copy(update={"production": True})
    bare = public_keys(replace_settings(county.runtime, settings))
    assert (bare.ledger, bare.publisher) == ((), None)
    settings = settings.model_copy(update={"ledger_public_keys": named, "publication_public_key": named})
    told = public_keys(replace_settings(county.runtime, settings))
    assert (told.ledger, told.publisher) == ((named,), named)


def replace_settings(runtime, settings):
    other = copy.copy(runtime)
    other.settings = settings
    return other
