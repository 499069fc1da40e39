"""What a source has not signed does not come in where its keys are known, and is found in the log afterwards (R21)."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import orjson
import pytest

from contracts.events.v1.scored_pb2 import ScoredEvents
from contracts.findings import signatures
from contracts.findings.signatures import (
    IN_FLIGHT,
    SPREADING,
    Signatures,
    Standing,
    keys_of,
    read_source_key,
    rings_of,
)
from contracts.findings.signing import sign, sign_with, signed_again
from contracts.findings.statement import stated_in
from contracts.findings.wire import BYTES_PER_MESSAGE, EVENTS_PER_MESSAGE, pack
from fazhi.sources import demand_source_keys
from kernel.access.files import replace_file
from kernel.access.keyring import KeyFile, KeyFolder, Ring, new_key
from kernel.clock import FixedClock
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime
from kernel.messages import MAX_BODY_BYTES, Item, Refused
from kernel.settings import Settings
from services.assessment.ledger.findings import Report
from services.assessment.ledger.sources import SourceCheck
from services.assessment.scoring.door import ScoredDoor
from services.assessment.scoring.leaves import leaf_bytes
from tests.support.events import MARCH_5, a_message, an_event

SOURCE = "enforcement"
YEAR = timedelta(days=365)


class Room:
    """The door of assessment, and the folder of public keys it follows."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = FixedClock(MARCH_5)
        rings = KeyFolder(folder, "source")
        self.signatures = Signatures(lambda source, _afresh: rings.ring(source, afresh=True))
        self.door = ScoredDoor(self.signatures, self.clock)

    def known(self, ring, source=SOURCE):
        replace_file(self.folder / f"source-{source}.pub.pem", ring.public_text(), mode=0o644)

    def read(self, *events):
        """(ids that are taken, codes of those that are refused)"""
        entries = self.door.read(a_message(*events))
        taken = [entry.key for entry in entries if isinstance(entry, Item)]
        return taken, [entry.code for entry in entries if isinstance(entry, Refused)]


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def signed(key, count=3, **about):
    events = [an_event(**about) for _ in range(count)]
    sign_with(key, SOURCE, events)
    return events


def ids(events):
    return [event.id for event in events]


class TestTheDoor:
    def test_takes_what_the_source_signed_also_out_of_its_message(self, room):
        key = new_key()
        room.known(Ring([key]))
        events = signed(key, 7)
        assert room.read(*events) == (ids(events), [])
        assert room.read(events[4]) == ([events[4].id], [])

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda event: setattr(event, "score_milli", 999), "wrong"),
            (lambda event: setattr(event, "unit", "150102-sf"), "wrong"),
            (lambda event: setattr(event, "source_sig", ""), "missing"),
            (lambda event: setattr(event, "source_sig", event.source_sig[:-4]), "malformed"),
            (lambda event: setattr(event, "source_sig", "no signature"), "malformed"),
            (lambda event: setattr(event, "source_sig", "A" * 5000), "malformed"),
            (lambda event: sign_with(new_key(), SOURCE, [event]), "unknown_key"),
        ],
    )
    def test_refuses_what_it_did_not_sign_and_takes_the_neighbours(self, room, change, code):
        key = new_key()
        room.known(Ring([key]))
        first, other, last = signed(key)
        change(other)
        assert room.read(first, other, last) == ([first.id, last.id], [f"contracts.signature_{code}"])

    def test_refuses_the_signature_of_another_event_of_the_same_message(self, room):
        key = new_key()
        room.known(Ring([key]))
        one, other = signed(key, 2)
        one.source_sig = other.source_sig
        assert room.read(one) == ([], ["contracts.signature_wrong"])

    def test_believes_no_source_that_signs_as_another(self, room):
        ours, theirs = new_key(), new_key()
        room.known(Ring([ours]))
        room.known(Ring([theirs]), "decisions")
        events = [an_event()]
        sign_with(theirs, "decisions", events)  # as decisions would, about an event of enforcement
        assert room.read(*events)[1] == ["contracts.signature_unknown_key"]

    def test_checks_the_signature_of_a_message_once(self, room):
        key = new_key()
        room.known(Ring([key]))
        signatures._signed.cache_clear()
        room.read(*signed(key, 50))
        assert signatures._signed.cache_info().misses == 1

    def test_takes_a_source_whose_keys_nobody_knows_as_it_is_and_keeps_what_it_signed(self, room):
        (event,) = signed(new_key(), 1)
        assert room.read(event, an_event())[1] == []
        leaf = orjson.loads(leaf_bytes(event, 1, MARCH_5))
        assert leaf["source_sig"] == event.source_sig

    def test_takes_what_was_refused_when_the_key_has_come(self, room):
        old, new = new_key(), new_key()
        room.known(Ring([old]))
        (refused,) = room.door.read(a_message(*signed(new, 1)))
        assert isinstance(refused, Refused)
        room.known(Ring([old, new]))
        (event,) = ScoredEvents.FromString(refused.raw).events
        assert room.read(event) == ([event.id], [])

    def test_believes_nothing_while_the_file_of_the_keys_cannot_be_read(self, room):
        (room.folder / "source-enforcement.pub.pem").write_text("half a fi")
        assert room.read(*signed(new_key(), 1))[1] == ["contracts.signature_unknown_key"]

    def test_says_what_to_do(self, room):
        room.known(Ring([new_key()]))
        (refused,) = room.door.read(a_message(an_event()))
        assert isinstance(refused, Refused)
        assert "FAZHI_SOURCE_KEY_FILE" in refused.reason
        assert "reconcile --resend" in refused.reason


class TestKeys:
    def test_of_years_ago_check_what_they_signed_for_ever(self, room):
        ring = Ring([new_key(active_from=MARCH_5 - YEAR)])
        told = []
        for year in range(4):
            now = MARCH_5 + year * YEAR
            told += signed(ring.signing(now), 1, recorded_at=MARCH_5)
            ring = ring.rotated(now, after=timedelta(0), forgets=False)
        room.known(ring)
        room.clock.set(MARCH_5 + 5 * YEAR)
        assert len(ring.keys) == 5
        assert room.read(*told) == (ids(told), [])

    def test_that_come_later_are_known_before_they_sign(self, room):
        old = new_key()
        ring = Ring([old]).rotated(MARCH_5, after=timedelta(minutes=10), forgets=False)
        room.known(ring)
        later = MARCH_5 + timedelta(minutes=11)
        assert ring.signing(MARCH_5).kid == old.kid != ring.signing(later).kid
        events = signed(old, 1) + signed(ring.signing(later), 1)
        assert room.read(*events) == (ids(events), [])

    def test_that_are_revoked_count_until_then(self, room):
        key = new_key()
        events = signed(key, 1)
        room.known(Ring([key]).revoked(key.kid, MARCH_5 + timedelta(hours=1)))
        assert room.read(*events) == (ids(events), [])
        room.clock.advance(timedelta(hours=1))
        assert room.read(*events) == ([], ["contracts.signature_revoked_key"])

    def test_are_written_for_the_verifier_and_read_again(self):
        key = new_key(active_from=MARCH_5)
        (written,) = keys_of(SOURCE, Ring([key]))
        again = read_source_key(str(written))
        assert again == written
        assert str(written).endswith(",from=2026-03-05T02:00:00Z")
        checks = Signatures(rings_of([again]))
        (event,) = signed(key, 1)
        said = stated_in(orjson.loads(leaf_bytes(event, 1, MARCH_5)))
        assert checks.judge(said, event.source_sig, MARCH_5 + YEAR) == (Standing.SIGNED, None)

    @pytest.mark.parametrize(
        "written",
        ["", "enforcement", "e+00000000+AQ==", "{key},from=yesterday", "{key},to=2026-01-01T00:00:00Z"],
    )
    def test_written_wrongly_are_refused(self, written):
        (good,) = keys_of(SOURCE, Ring([new_key()]))
        with pytest.raises(Invalid):
            read_source_key(written.format(key=good))


class TestAnInstallationThatWasUpgraded:
    def test_takes_what_was_told_before_the_source_signed_for_a_day_and_then_no_more(self, room):
        since = MARCH_5 + timedelta(hours=2)
        room.known(Ring([new_key(active_from=since)]))
        old, new = an_event(recorded_at=MARCH_5), an_event(recorded_at=since)
        assert room.read(old, new)[1] == []  # nobody signs yet
        room.clock.set(since + timedelta(minutes=1))
        assert room.read(old, new) == ([old.id], ["contracts.signature_missing"])
        room.clock.set(since + IN_FLIGHT)
        assert room.read(old)[1] == ["contracts.signature_missing"]

    def test_tells_older_leaves_from_such_that_lost_their_signature(self):
        since = MARCH_5 + YEAR
        key = new_key(active_from=since)
        after = since + IN_FLIGHT + SPREADING + timedelta(hours=1)
        (event,) = signed(key, 1, recorded_at=after, occurred_at=after)
        stripped = an_event(recorded_at=MARCH_5)  # a thief moves it back, but not its neighbours
        report = Report()
        check = SourceCheck(Signatures(rings_of(keys_of(SOURCE, Ring([key])))), report)
        for seq, (one, at) in enumerate(
            [(an_event(), MARCH_5), (event, after), (stripped, MARCH_5 + timedelta(minutes=1))], start=1
        ):
            leaf = leaf_bytes(one, seq, at)
            check.check(SimpleNamespace(seq=seq, leaf=leaf.decode(), received_at=at, source=SOURCE))
        assert report.sources == {SOURCE: {"unsigned": 1, "signed": 1, "refused": 1}}
        assert [(fault.kind, fault.first) for fault in report.faults] == [("source", 3)]


class TestSigning:
    def test_leaves_room_in_a_message_and_signs_each(self, room):
        key = new_key()
        room.known(Ring([key]))
        work = SimpleNamespace(source=SOURCE, source_keys=lambda: Ring([key]))
        events = [an_event(subject="x" * 190) for _ in range(EVENTS_PER_MESSAGE * 2 + 1)]
        bodies = list(pack(events, lambda some: sign(work, some)))
        assert len(bodies) == 3
        assert max(map(len, bodies)) <= BYTES_PER_MESSAGE < MAX_BODY_BYTES
        told = [event for body in bodies for event in ScoredEvents.FromString(body).events]
        assert room.read(*told) == (ids(events), [])

    def test_begins_with_the_first_key_that_is_active_and_a_service_without_keys_does_not(self):
        pending = Ring([new_key(active_from=datetime.now(UTC) + timedelta(hours=1))])
        for keys in (lambda: None, lambda: pending, lambda: Ring([new_key().public])):
            events = [an_event()]
            sign(SimpleNamespace(source=SOURCE, source_keys=keys), events)
            assert events[0].source_sig == ""

    def test_told_again_it_is_signed_with_the_key_of_now_and_is_the_same_event(self, room):
        old, new = new_key(), new_key()
        room.known(Ring([old, new]).revoked(old.kid, MARCH_5))
        (event,) = signed(old, 1)
        assert room.read(event)[1] == ["contracts.signature_revoked_key"]
        work = SimpleNamespace(source=SOURCE, source_keys=lambda: Ring([new]))
        (again,) = ScoredEvents.FromString(signed_again(work, a_message(event).body)).events
        assert room.read(again) == ([event.id], [])
        plain = [
            entry.raw
            for entry in ScoredDoor(Signatures(rings_of([])), room.clock).read(a_message(event, again))
        ]
        assert plain[0] == plain[1]  # the inbox knows a repeat by these


class TestProduction:
    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(
            data=tmp_path / "data",
            production=True,
            database_url="postgresql://x:6b1f9a@h/{service}",
            source_key_file=tmp_path / "{service}.pem",
            source_public_keys=tmp_path,
        )

    def test_starts_nothing_that_could_not_sign_or_not_check(self, settings, tmp_path):
        runtime = Runtime(settings)
        with pytest.raises(Invalid, match="FAZHI_SOURCE_KEY_FILE"):
            demand_source_keys(runtime, SOURCE)
        for name in (SOURCE, "assessment"):
            replace_file(tmp_path / f"{name}.pem", new_key().text())
        demand_source_keys(runtime, SOURCE)
        with pytest.raises(Invalid, match="legislation"):
            demand_source_keys(runtime, "assessment")
        for name in ("gateway", "legislation", "disputes", "decisions", "enforcement", "assessment"):
            replace_file(tmp_path / f"source-{name}.pub.pem", new_key().public.text())
        demand_source_keys(runtime, "assessment")

    def test_of_one_file_a_service_is_meant_the_own(self, settings, tmp_path):
        replace_file(tmp_path / "enforcement.pem", new_key().text())
        ring = Runtime(settings).source_keys(SOURCE)
        assert isinstance(ring, KeyFile)

    def test_elsewhere_a_key_is_made_at_the_first_need_and_others_find_it(self, tmp_path):
        runtime = Runtime(Settings(data=tmp_path))
        rings = runtime.source_rings()
        assert rings.ring(SOURCE) is None
        made = runtime.source_keys(SOURCE)
        assert made is not None
        (key,) = made.ring().keys
        assert key.active_from is not None
        assert rings.ring(SOURCE, afresh=True).checking(key.kid)
