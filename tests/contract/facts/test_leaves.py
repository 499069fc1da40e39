"""The leaf of an event is canonical JSON: the reference library of RFC 8785 writes the same bytes."""

import hashlib
from datetime import UTC, datetime

import orjson
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.v1.scored_pb2 import Basis, Evidence, ScoredEvent
from contracts.findings import Mode, Outcome
from services.assessment.scoring.leaves import leaf_bytes, leaf_hash

WORDS = st.text(
    st.characters(exclude_categories=["Cs"]), max_size=20
)  # protobuf refuses lone surrogates itself
COUNTS = st.integers(0, 2**53 - 1)  # what RFC 8785 can write at all
EVENTS = st.builds(
    ScoredEvent,
    id=WORDS,
    source=WORDS,
    probe=WORDS,
    probe_version=st.integers(1, 2**31 - 1),
    unit=WORDS,
    subject=WORDS,
    outcome=st.sampled_from([int(one) for one in Outcome]),
    score_milli=st.integers(0, 1000),
    numerator=COUNTS,
    denominator=COUNTS,
    mode=st.sampled_from([int(one) for one in Mode]),
    occurred_at_us=st.integers(0, 4_000_000_000_000_000),
    recorded_at_us=st.integers(0, 4_000_000_000_000_000),
    basis=st.lists(st.builds(Basis, document=WORDS, version=WORDS, article=WORDS), max_size=3),
    evidence=st.lists(
        st.builds(Evidence, digest=WORDS, media_type=WORDS, name=WORDS, place=WORDS), max_size=3
    ),
    corrects=WORDS,
    trace=WORDS,
    reason=WORDS,
)


@given(EVENTS, COUNTS, st.datetimes(timezones=st.just(UTC)))
def test_any_event_is_written_as_the_reference_library_writes_it(
    event: ScoredEvent, seq: int, received_at: datetime
) -> None:
    leaf = leaf_bytes(event, seq, received_at)
    assert leaf == rfc8785.dumps(orjson.loads(leaf))


def test_the_bytes_of_a_known_event_never_change() -> None:
    event = ScoredEvent(
        id="01993a5c-0000-7000-8000-000000000000",
        source="enforcement",
        probe="ENF-TIM-01",
        probe_version=1,
        unit="150102-scjg",
        subject="enforcement/cases/1",
        outcome=Outcome.FAIL,  # type: ignore[arg-type]
        score_milli=500,
        numerator=120,
        denominator=90,
        mode=Mode.ENTERED,  # type: ignore[arg-type]
        occurred_at_us=1_772_676_000_000_000,
        recorded_at_us=1_795_140_000_000_000,
        basis=[Basis(document="行政处罚法", version="2021-01-22", article="第六十条")],
        reason="超期三十日",
    )
    leaf = leaf_bytes(event, 7, datetime(2026, 11, 20, 2, 0, 1, tzinfo=UTC))
    assert leaf.decode() == (
        '{"basis":[["行政处罚法","2021-01-22","第六十条"]],"corrects":"","denominator":90,"doc_sha":[],'
        '"event_id":"01993a5c-0000-7000-8000-000000000000","mode":"entered","numerator":120,'
        '"occurred_at":"2026-03-05T02:00:00.000000Z","outcome":"fail","probe":"ENF-TIM-01","reason":"超期三十日",'
        '"received_at":"2026-11-20T02:00:01.000000Z",'
        '"recorded_at":"2026-11-20T02:00:00.000000Z","rule_version":"1","score":"0.500","seq":7,'
        '"source":"enforcement","source_sig":"","subject":"enforcement/cases/1","trace":"","type":"scored_event",'
        '"unit":"150102-scjg","version":2}'
    )
    assert leaf_hash(leaf) == hashlib.sha256(b"\x00" + leaf).hexdigest()
