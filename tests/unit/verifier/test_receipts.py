"""Whoever holds a receipt finds out offline whether it is good; whatever is altered in it is refused and named."""

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.ledger.checkpoint import Checkpoint
from kernel.ledger.note import Note, NoteSigner
from kernel.ledger.tree import SHA256, SM3, Hasher, inclusion, root_of
from services.assessment.scoring.leaves import leaf_bytes
from tests.support.events import MARCH_5, an_event
from tests.unit.verifier.test_verifier_agrees import load

verify = load()
verify.ed25519_holds = cache(verify.ed25519_holds)  # type: ignore[attr-defined]  # the same few, over and over
LOG = NoteSigner("fazhi.local/assessment", Ed25519PrivateKey.generate())
OLD_KEY = NoteSigner("fazhi.local/assessment", Ed25519PrivateKey.generate())
WITNESSES = [
    NoteSigner(f"{name}.example.gov.cn", Ed25519PrivateKey.generate()) for name in ("audit", "upper")
]
SIZE, OURS = 11, (2, 5, 11)
UNIT = "150102-scjg"
WORDS_FOR_THE_READER = {"limits"}

Receipt = list[dict[str, Any]]
Place = tuple[int | str, ...]


@dataclass(frozen=True)
class Ended:
    """How the verifier ended."""

    code: int
    said: str


@cache
def leaves() -> list[bytes]:
    times = (MARCH_5 + timedelta(minutes=number) for number in range(SIZE))
    units = (UNIT if number + 1 in OURS else "150102-sf" for number in range(SIZE))
    return [
        leaf_bytes(an_event(unit=unit, subject=f"enforcement/cases/{number}"), number, at)
        for number, (unit, at) in enumerate(zip(units, times, strict=True), start=1)
    ]


def proof(hasher: Hasher, seq: int, all_leaves: list[bytes]) -> list[str]:
    hashes = [hasher.leaf(leaf) for leaf in all_leaves]

    def node(level: int, index: int) -> bytes:
        return root_of(hasher, hashes[index << level : (index + 1) << level])

    return [base64.b64encode(one).decode() for one in inclusion(hasher, node, seq - 1, SIZE)]


def a_receipt(signer: NoteSigner = LOG, written: list[bytes] | None = None) -> Receipt:
    """As services.assessment.ledger.receipts makes them: a head, and a line for each event of the unit."""
    written = written or leaves()
    checkpoint = Checkpoint(
        origin=LOG.key.name,
        size=SIZE,
        root=root_of(SHA256, [SHA256.leaf(leaf) for leaf in written]),
        sm3_root=root_of(SM3, [SM3.leaf(leaf) for leaf in written]),
        time="2026-03-05T03:00:00Z",
    ).text
    seen = [one.cosign(checkpoint, int(datetime(2026, 3, 5, 3, tzinfo=UTC).timestamp())) for one in WITNESSES]
    head = {
        "type": "fazhi/receipts/v1",
        "unit": UNIT,
        "period": "2026",
        "origin": LOG.key.name,
        "size": SIZE,
        "checkpoint": str(Note(checkpoint, (signer.sign(checkpoint), *seen))),
        "cosigners": sorted(one.key.name for one in WITNESSES),
        "witness_keys": [str(one.witness_key) for one in WITNESSES],
        "limits": "验证能发现的是入账之后的改动。",
    }
    lines = [
        {
            "seq": seq,
            "leaf": written[seq - 1].decode(),
            "proof": proof(SHA256, seq, written),
            "sm3_proof": proof(SM3, seq, written),
        }
        for seq in OURS
    ]
    return [head, *lines]


GOOD = a_receipt()
KEYS = ("--key", str(LOG.key), *(word for one in WITNESSES for word in ("--witness", str(one.witness_key))))
Judge = Callable[..., Ended]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Judge:
    """Runs the program on a receipt, as whoever holds it would."""

    def run(receipt: Receipt | bytes, *words: str, keys: tuple[str, ...] = KEYS) -> Ended:
        raw = (
            receipt if isinstance(receipt, bytes) else b"".join(orjson.dumps(one) + b"\n" for one in receipt)
        )
        (tmp_path / "receipt.jsonl").write_bytes(raw)
        words = words or ("--receipt", str(tmp_path / "receipt.jsonl"), "--witnesses", "2")
        monkeypatch.setattr("sys.argv", ["fazhi_verify.py", *words, *keys])
        try:
            code = verify.main()
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        return Ended(code, said.out + said.err)

    return run


def places(receipt: Any, at: Place = ()) -> Iterator[Place]:
    """Every value in a receipt, however deep."""
    if isinstance(receipt, dict | list):
        for name, value in receipt.items() if isinstance(receipt, dict) else enumerate(receipt):
            if name not in WORDS_FOR_THE_READER:
                yield from places(value, (*at, name))
        if at and receipt:
            yield at
    else:
        yield at


def with_change(place: Place, change: Callable[[Any], Any]) -> Receipt:
    receipt = copy.deepcopy(GOOD)
    inside: Any = receipt
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = change(inside[place[-1]])
    return receipt


def another(value: Any) -> Any:
    """Something else of the same kind, as near as can be."""
    if isinstance(value, str):
        middle = len(value) // 2
        return value[:middle] + ("0" if value[middle] != "0" else "1") + value[middle + 1 :]
    if isinstance(value, list):
        return [*value[:-1], "…"]
    if isinstance(value, dict):
        return {}
    return value + 1


ALL = [place for place in places(GOOD) if len(place) > 1]


def test_a_good_receipt_is_good_with_both_roots(judge: Judge) -> None:
    ended = judge(GOOD)
    assert ended.code == 0
    assert "3 条记录逐字节与入账时相同，都在检查点之内（SHA-256 和 SM3）" in ended.said
    assert "见证 2 个" in ended.said


@pytest.mark.parametrize("place", ALL, ids=lambda place: ".".join(map(str, place)))
def test_every_value_altered_is_noticed(judge: Judge, place: Place) -> None:
    ended = judge(with_change(place, another))
    assert ended.code == (3 if place == (0, "type") else 1), ended.said
    if isinstance(place[0], int) and place[0] > 0 and place[1] != "seq":
        assert f"第 {GOOD[place[0]]['seq']} 条记录" in ended.said  # the record is named


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_letter_altered_in_what_is_signed_or_hashed_is_noticed(judge: Judge, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([(0, "checkpoint"), *((line, "leaf") for line in range(1, len(GOOD)))]))
    text: str = GOOD[int(place[0])][str(place[1])]
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("0aA=+—\n é法"))
    if text[at] != letter:
        assert judge(with_change(place, lambda said: said[:at] + letter + said[at + 1 :])).code == 1


@pytest.mark.parametrize("name", ["checkpoint", "size", "seq", "leaf", "proof"])
def test_what_is_left_out_is_not_good(judge: Judge, name: str) -> None:
    receipt = copy.deepcopy(GOOD)
    line = receipt[0] if name in receipt[0] else receipt[1]
    del line[name]
    assert judge(receipt).code != 0


def test_lines_exchanged_repeated_or_of_another_unit_are_noticed(judge: Judge) -> None:
    head, *lines = GOOD
    assert judge([head, lines[1], lines[0]]).code == 1
    assert judge([head, lines[0], lines[0]]).code == 1
    foreign = leaves()[0].decode()
    other = {"seq": 1, "leaf": foreign, "proof": proof(SHA256, 1, leaves())}
    ended = judge([head, other])
    assert (ended.code, "第 1 条记录属于 150102-sf" in ended.said) == (1, True)


def test_a_receipt_of_one_event_is_one_line(judge: Judge) -> None:
    one = {**GOOD[1], **{name: GOOD[0][name] for name in ("type", "size", "checkpoint", "limits")}}
    assert judge([one]).code == 0
    assert judge([{**one, "seq": 3}]).code == 1


def test_a_receipt_of_before_sm3_proofs_is_checked_by_sha256(judge: Judge) -> None:
    head, *lines = copy.deepcopy(GOOD)
    for line in lines:
        del line["sm3_proof"]
    ended = judge([head, *lines])
    assert (ended.code, "（SHA-256）" in ended.said) == (0, True)


def test_keys_rotate_and_one_that_is_not_the_logs_is_not_believed(judge: Judge) -> None:
    old = a_receipt(OLD_KEY)
    assert judge(old).code == 1
    assert judge(old, keys=(*KEYS, "--key", str(OLD_KEY.key))).code == 0


def test_too_few_witnesses_are_not_enough(judge: Judge) -> None:
    ended = judge(GOOD, keys=("--key", str(LOG.key)))
    assert (ended.code, "只有 0 个见证" in ended.said) == (1, True)


@pytest.mark.parametrize("raw", [b"", b"\n", b"{", b"[1]\n", b'{"type":"other"}\n', b"\xff\xfe\n"])
def test_what_is_no_receipt_cannot_be_read(judge: Judge, raw: bytes) -> None:
    assert judge(raw).code == 3


def test_wrong_usage_is_told_apart(judge: Judge, tmp_path: Path) -> None:
    path = str(tmp_path / "receipt.jsonl")
    assert judge(GOOD, "--receipt", path, "--publisher", str(LOG.key)).code == 2
    assert judge(GOOD, path).code == 2
    assert judge(GOOD, "--receipt", path, keys=()).code == 2
    assert judge(GOOD, "--receipt", path, keys=("--key", str(LOG.key)[:-2] + "AA")).code == 2
    assert judge(GOOD, "--receipt", str(tmp_path / "nowhere")).code == 3


def test_the_program_needs_nothing_but_the_standard_library() -> None:
    import ast
    import sys

    tree = ast.parse(Path(verify.__file__ or "").read_text(encoding="utf-8"))
    names = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)
    assert json.dumps(GOOD)  # and a receipt is plain JSON
