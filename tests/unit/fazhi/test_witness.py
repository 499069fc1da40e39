"""A witness signs what continues the log it saw, and nothing else, whatever it is asked (C2SP tlog-witness)."""

import os
import threading
from datetime import UTC, datetime
from http import HTTPStatus

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fazhi.witness.judgement import Judge
from fazhi.witness.memory import Memory, has_memory, open_memory, remembered
from kernel.clock import FixedClock
from kernel.errors import Conflict, Invalid
from kernel.ledger.checkpoint import Checkpoint
from kernel.ledger.note import Note, NoteSigner, cosigned_at, read_signatures
from kernel.ledger.submission import body_of
from kernel.ledger.tiles import Edge, TileNodes
from kernel.ledger.tree import SHA256, consistency, root_of

NOW = datetime(2026, 3, 5, tzinfo=UTC)
ORIGIN = "example.gov.cn/log"


class Log:
    """A log that signs whatever it is told to."""

    def __init__(self, mark="", origin=ORIGIN):
        self.signer = NoteSigner(origin, Ed25519PrivateKey.generate())
        self.origin = origin
        self.mark = mark

    def hashes(self, size, changed=()):
        return [SHA256.leaf(f"{n}{'!' if n in changed else ''}".encode()) for n in range(size)]

    def note(self, size, changed=(), signer=None):
        text = Checkpoint(
            origin=self.origin, size=size, root=root_of(SHA256, self.hashes(size, changed))
        ).text
        return Note(text, ((signer or self.signer).sign(text),))

    def proof(self, old, new, changed=()):
        tiles = {}
        for piece in Edge(SHA256).append(self.hashes(new, changed)):
            tiles[piece.level, piece.index] = tiles.get((piece.level, piece.index), b"") + piece.hashes
        node = TileNodes(SHA256, lambda level, index: tiles[level, index])
        return consistency(SHA256, node, old, new) if old else []

    def body(self, old, new, changed=()):
        return body_of(old, self.proof(old, new, changed) if old < new else [], self.note(new, changed))


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def signer():
    return NoteSigner("audit.example.gov.cn", Ed25519PrivateKey.generate())


@pytest.fixture
def witness(tmp_path, log, signer):
    with open_memory(tmp_path / "state", signer.witness_key, first=True, now=NOW) as memory:
        yield Judge(memory, signer, {ORIGIN: [log.signer.key]}, FixedClock(NOW))


@pytest.fixture
def evidence(tmp_path):
    return lambda: sorted((tmp_path / "state" / "evidence").glob("*.json"))


def test_a_growing_log_is_signed_with_the_witnesss_own_time(witness, log, signer):
    for old, new in ((0, 3), (3, 300), (300, 301), (301, 301)):
        verdict = witness.add_checkpoint(log.body(old, new))
        assert verdict.status == HTTPStatus.OK
        signed = log.note(new).with_signatures(read_signatures(verdict.body))
        assert cosigned_at(signer.witness_key.require(signed)) == int(NOW.timestamp())


def test_what_was_signed_was_remembered_before(witness, log, tmp_path):
    witness.add_checkpoint(log.body(0, 3))
    (note,) = remembered(tmp_path / "state")
    assert note.text == log.note(3).text


def test_a_witness_that_cannot_remember_does_not_sign(witness, log, monkeypatch):
    def full(*_args):
        raise OSError("No space left on device")

    monkeypatch.setattr(Memory, "keep", full)
    with pytest.raises(OSError, match="space"):
        witness.add_checkpoint(log.body(0, 3))


def test_it_never_goes_back(witness, log):
    witness.add_checkpoint(log.body(0, 300))
    verdict = witness.add_checkpoint(log.body(0, 200))
    assert (verdict.status, verdict.body, verdict.media_type) == (409, "300\n", "text/x.tlog.size")
    assert witness.add_checkpoint(log.body(200, 200)).status == HTTPStatus.CONFLICT


def test_a_wrong_old_size_is_told_the_right_one(witness, log):
    witness.add_checkpoint(log.body(0, 3))
    verdict = witness.add_checkpoint(log.body(2, 5))
    assert (verdict.status, verdict.body) == (409, "3\n")


def test_two_roots_for_one_size_are_evidence(witness, log, evidence):
    witness.add_checkpoint(log.body(0, 3))
    verdict = witness.add_checkpoint(log.body(3, 3, changed={1}))
    assert (verdict.status, verdict.body) == (409, "3\n")
    (kept,) = evidence()
    said = orjson.loads(kept.read_bytes())
    assert said["kind"] == "fork"
    assert said["seen"].startswith(log.note(3).text)
    assert said["told"] == str(log.note(3, {1}))


def test_a_history_that_does_not_continue_is_evidence(witness, log, evidence):
    witness.add_checkpoint(log.body(0, 3))
    assert witness.add_checkpoint(log.body(3, 9, changed={1})).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert [orjson.loads(path.read_bytes())["kind"] for path in evidence()] == ["inconsistent"]
    assert witness.add_checkpoint(log.body(3, 9)).status == HTTPStatus.OK


def test_what_strangers_send_is_no_evidence_against_the_log(witness, log, evidence):
    witness.add_checkpoint(log.body(0, 3))
    other = Log()
    assert witness.add_checkpoint(other.body(3, 3, changed={1})).status == HTTPStatus.FORBIDDEN
    assert evidence() == []


def test_an_unknown_log_is_not_found(witness):
    assert witness.add_checkpoint(Log(origin="elsewhere").body(0, 3)).status == HTTPStatus.NOT_FOUND


def test_an_old_size_above_the_checkpoint_is_a_bad_request(witness, log):
    assert witness.add_checkpoint(body_of(5, [], log.note(3))).status == HTTPStatus.BAD_REQUEST


def test_a_proof_from_nothing_must_be_empty(witness, log):
    assert witness.add_checkpoint(body_of(0, [bytes(32)], log.note(3))).status == 422


@given(st.text(max_size=300))
def test_no_text_crashes_it(text):
    judge = Judge(Memory.__new__(Memory), NoteSigner("w", Ed25519PrivateKey.generate()), {}, FixedClock(NOW))
    assert judge.add_checkpoint(text).status == HTTPStatus.BAD_REQUEST


def test_requests_at_once_never_go_back(witness, log):
    """Of many that raced each other the memory is the largest that was signed."""
    sizes = list(range(1, 40))
    bodies = [log.body(0, size) for size in sizes]
    answers = {}

    def ask(size, body):
        answers[size] = witness.add_checkpoint(body).status

    runners = [threading.Thread(target=ask, args=pair) for pair in zip(sizes, bodies, strict=True)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert [size for size, status in answers.items() if status == 200] == [
        int(witness.last(ORIGIN).text.split("\n")[1])
    ]


class TestMemory:
    def test_without_its_memory_it_does_not_start(self, tmp_path, signer):
        with (
            pytest.raises(Invalid, match="停用"),
            open_memory(tmp_path / "state", signer.witness_key, first=False, now=NOW),
        ):
            pass

    def test_a_first_start_over_a_memory_is_refused(self, tmp_path, signer, witness):
        with (
            pytest.raises(Invalid, match="--first"),
            open_memory(tmp_path / "state", signer.witness_key, first=True, now=NOW),
        ):
            pass

    def test_a_first_start_that_was_cut_short_is_begun_again(self, tmp_path, signer, monkeypatch):
        folder = tmp_path / "state"

        def cut(*_given, **_more):
            raise OSError("no space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", cut)
            with (
                pytest.raises(OSError, match="no space"),
                open_memory(folder, signer.witness_key, first=True, now=NOW),
            ):
                pass
        assert not has_memory(folder)
        with open_memory(folder, signer.witness_key, first=True, now=NOW) as memory:
            assert memory.last(ORIGIN) is None
        assert has_memory(folder)

    def test_what_is_left_of_a_memory_is_not_begun_over(self, tmp_path, signer, witness, log):
        witness.add_checkpoint(log.body(0, 3))
        (tmp_path / "state" / "witness.json").unlink()
        with pytest.raises(Invalid), open_memory(tmp_path / "state", signer.witness_key, first=True, now=NOW):
            pass

    def test_a_memory_belongs_to_one_key(self, tmp_path, witness):
        other = NoteSigner("audit.example.gov.cn", Ed25519PrivateKey.generate())
        with (
            pytest.raises(Invalid, match="密钥"),
            open_memory(tmp_path / "state", other.witness_key, first=False, now=NOW),
        ):
            pass

    def test_two_processes_do_not_share_one(self, tmp_path, signer, witness):
        with (
            pytest.raises(Conflict),
            open_memory(tmp_path / "state", signer.witness_key, first=False, now=NOW),
        ):
            pass

    def test_a_damaged_memory_is_not_taken_for_an_empty_one(self, tmp_path, witness, log):
        witness.add_checkpoint(log.body(0, 3))
        (path,) = (tmp_path / "state").glob("*.checkpoint")
        path.write_text("")
        with pytest.raises(Invalid):
            witness.add_checkpoint(log.body(0, 3))
