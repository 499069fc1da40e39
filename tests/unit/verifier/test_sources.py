"""With the sources' public keys the program finds what no source signed, though log and witnesses say it is good."""

from collections.abc import Callable
from datetime import datetime, timedelta

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings.signatures import IN_FLIGHT, SourceKey
from contracts.findings.signing import named, sign_with
from kernel.access.keyring import RingKey, new_key
from services.assessment.scoring.leaves import leaf_bytes
from tests.support.events import MARCH_5, an_event
from tests.unit.verifier.test_receipts import KEYS, OURS, SIZE, UNIT, Judge, a_receipt, judge, verify

__all__ = ["judge"]  # a fixture

SOURCE = "enforcement"
KEY, NEXT = new_key(), new_key()
DAY = timedelta(days=1)
Change = Callable[[ScoredEvent], object]


def source(
    key: RingKey = KEY, since: datetime | None = None, revoked: datetime | None = None
) -> tuple[str, str]:
    return "--source", str(SourceKey(named(SOURCE, key), since, revoked))


def events(*, at: datetime = MARCH_5) -> list[ScoredEvent]:
    """Eleven events of one message, some of the receipt's unit."""
    made = [
        an_event(unit=UNIT if n + 1 in OURS else "150102-sf", subject=f"e/{n}", recorded_at=at)
        for n in range(SIZE)
    ]
    sign_with(KEY, SOURCE, made)
    return made


def leaves(made: list[ScoredEvent], *, at: datetime = MARCH_5) -> list[bytes]:
    return [leaf_bytes(event, seq, at + timedelta(seconds=seq)) for seq, event in enumerate(made, start=1)]


def with_one(change: Change) -> list[bytes]:
    """What a thief of the log's key writes: one of our unit's events is another, and every hash made anew."""
    made = events()
    change(made[OURS[1] - 1])
    return leaves(made)


def test_what_the_source_signed_is_good_and_counted(judge: Judge) -> None:
    ended = judge(a_receipt(written=leaves(events())), keys=(*KEYS, *source()))
    assert ended.code == 0
    assert "来源 enforcement：签名成立 3" in ended.said


def test_without_the_key_of_a_source_that_is_said(judge: Judge) -> None:
    ended = judge(a_receipt(written=leaves(events())))
    assert (ended.code, "来源 enforcement：未核对 3" in ended.said) == (0, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda event: setattr(event, "score_milli", 999), "来源没有签过"),
        (lambda event: setattr(event, "reason", "改过"), "来源没有签过"),
        (lambda event: setattr(event, "source_sig", ""), "没有来源的签名"),
        (lambda event: setattr(event, "source_sig", "AAAA"), "无法解读"),
        (lambda event: setattr(event, "source_sig", "?"), "无法解读"),
        (lambda event: sign_with(NEXT, SOURCE, [event]), "不在所给的公钥之列"),
    ],
)
def test_a_thief_of_the_logs_key_is_found_out(judge: Judge, change: Change, words: str) -> None:
    receipt = a_receipt(written=with_one(change))
    assert judge(receipt).code == 0  # nothing else says anything against it
    ended = judge(receipt, keys=(*KEYS, *source()))
    assert ended.code == 1
    assert f"第 {OURS[1]} 条记录" in ended.said
    assert words in ended.said


def test_a_revoked_key_is_good_for_what_was_received_before(judge: Judge) -> None:
    receipt = a_receipt(written=leaves(events()))
    assert judge(receipt, keys=(*KEYS, *source(revoked=MARCH_5 + DAY))).code == 0
    ended = judge(receipt, keys=(*KEYS, *source(revoked=MARCH_5 - DAY)))
    assert (ended.code, "当时已经撤销" in ended.said) == (1, True)


def test_a_key_that_was_rotated_checks_beside_its_successor(judge: Judge) -> None:
    made = events()
    sign_with(NEXT, SOURCE, made[4:])
    both = (*source(), *source(NEXT, since=MARCH_5 + DAY))
    assert judge(a_receipt(written=leaves(made)), keys=(*KEYS, *both)).code == 0


def test_what_is_older_than_the_signing_is_counted_and_nothing_younger_passes_for_it(judge: Judge) -> None:
    since = source(NEXT, since=MARCH_5 + DAY)
    old = [an_event(unit=UNIT, subject=f"e/{n}") for n in range(SIZE)]
    ended = judge(a_receipt(written=leaves(old)), keys=(*KEYS, *since))
    assert (ended.code, "未签名（来源开始签名之前） 3" in ended.said) == (0, True)
    late = MARCH_5 + DAY + IN_FLIGHT + DAY
    moved = leaves(old)
    moved[OURS[0] - 1] = leaf_bytes(old[OURS[0] - 1], OURS[0], late)  # signed or not, it is from after
    assert judge(a_receipt(written=moved), keys=(*KEYS, *since)).code == 1
    sign_with(NEXT, SOURCE, old[OURS[0] - 1 : OURS[0]])
    moved[OURS[0] - 1] = leaf_bytes(old[OURS[0] - 1], OURS[0], late)
    ended = judge(a_receipt(written=moved), keys=(*KEYS, *since))
    assert (ended.code, f"第 {OURS[1]} 条记录" in ended.said) == (1, True)  # behind it, whatever time it says


@pytest.mark.parametrize("written", ["enforcement", "{key},from=once", "{key},for=2026-01-01T00:00:00Z"])
def test_a_key_written_wrongly_is_wrong_usage(judge: Judge, written: str) -> None:
    words = ("--source", written.format(key=source()[1]))
    assert judge(a_receipt(written=leaves(events())), keys=(*KEYS, *words)).code == 2


SIGNERS = [Ed25519PrivateKey.generate() for _ in range(3)]
PUBLIC = [one.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) for one in SIGNERS]


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=24))
@settings(max_examples=15, deadline=None)
def test_many_signatures_at_once_are_judged_as_one_by_one(drawn: list[tuple[int, bool]]) -> None:
    entries = [
        (PUBLIC[who], SIGNERS[who].sign(b"%d" % n), b"%d" % n if good else b"another")
        for n, (who, good) in enumerate(drawn)
    ]
    assert verify.not_held(entries) == [n for n, (_, good) in enumerate(drawn) if not good]


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_a_bit_of_a_signature_altered_is_found_among_many(at: int) -> None:
    entries = [(PUBLIC[0], SIGNERS[0].sign(b"%d" % n), b"%d" % n) for n in range(9)]
    broken = bytearray(entries[4][1])
    broken[at] ^= 1
    entries[4] = (PUBLIC[0], bytes(broken), b"4")
    assert verify.not_held(entries) == [4]


def test_a_leaf_is_read_as_the_platform_wrote_it() -> None:
    (leaf, *_) = leaves(events())
    assert verify.read_leaf(leaf, 1) == orjson.loads(leaf)
