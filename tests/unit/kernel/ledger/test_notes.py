"""A note is good only under the key it names; every other reading of it is refused (C2SP signed-note)."""

import contextlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from kernel.ledger.checkpoint import Checkpoint, chain_hash, read_checkpoint
from kernel.ledger.note import (
    Note,
    NoteMalformed,
    NoteSigner,
    SignatureWrong,
    cosigned_at,
    read_key,
    read_note,
)

# From the documentation of golang.org/x/mod/sumdb/note, which defines the form.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
TEXT = "example.gov.cn/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


def signer(name="example.gov.cn/log"):
    return NoteSigner(name, Ed25519PrivateKey.generate())


def test_a_note_of_another_program_is_read_and_checked():
    note = read_note(GO_NOTE)
    assert read_key(GO_KEY).require(note)
    assert str(note) == GO_NOTE
    assert str(read_key(GO_KEY)) == GO_KEY


def test_one_changed_letter_breaks_the_signature():
    with pytest.raises(SignatureWrong):
        read_key(GO_KEY).require(read_note(GO_NOTE.replace("answer", "Answer")))


def test_a_key_of_the_same_name_is_another_key():
    mine, other = signer(), signer()
    note = Note(TEXT, (mine.sign(TEXT),))
    assert mine.key.of(note)
    assert other.key.of(note) is None
    with pytest.raises(SignatureWrong):
        other.key.require(note)


def test_a_cosignature_says_when_and_is_not_a_signature_of_the_log():
    witness = signer("witness.example.gov.cn")
    note = read_note(str(Note(TEXT, (witness.cosign(TEXT, 1772323200),))))
    assert cosigned_at(witness.witness_key.require(note)) == 1772323200
    with pytest.raises(SignatureWrong):
        witness.key.require(note)


def test_the_time_of_a_cosignature_cannot_be_changed():
    witness = signer("witness.example.gov.cn")
    good = witness.cosign(TEXT, 1772323200)
    later = type(good)(good.name, good.key_id, (1772323201).to_bytes(8, "big") + good.content[8:])
    with pytest.raises(SignatureWrong):
        witness.witness_key.require(Note(TEXT, (later,)))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n— name AAAA\n",
        "text\n\n- name AAAAAAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— name AAAAAAAB==\n",
        "text\n\n— name AAAAAAA=",
        "te\txt\n\n— name AAAAAAA=\n",
        "te\rxt\n\n— name AAAAAAA=\n",
    ],
)
def test_what_is_not_a_note_is_refused(content):
    with pytest.raises(NoteMalformed):
        read_note(content)


@pytest.mark.parametrize(
    "key", ["", "name", "name+00000000+AAAA", GO_KEY.replace("c74f", "c74e"), "a b+1+AAAA"]
)
def test_what_is_not_a_key_is_refused(key):
    with pytest.raises(NoteMalformed):
        read_key(key)


@given(st.text())
def test_no_text_crashes_the_reader(text):
    with contextlib.suppress(Invalid):
        assert str(read_note(text)) == text


def test_a_checkpoint_is_read_back_and_chained():
    first = Checkpoint(
        origin="a", size=5, root=b"r" * 32, sm3_root=b"s" * 32, time="2026-03-01T00:00:00.000000Z"
    )
    second = Checkpoint(
        origin="a", size=9, root=b"t" * 32, previous=chain_hash(first.text), sm3_root=b"u" * 32, time="2026"
    )
    assert read_checkpoint(first.text) == first
    assert read_checkpoint(second.text).previous == chain_hash(first.text) != chain_hash(second.text)


def test_a_checkpoint_of_another_log_is_read_without_our_lines():
    assert read_checkpoint(TEXT).size == 1
    assert read_checkpoint(TEXT + "whatever\nextension line\n").sm3_root == b""


@pytest.mark.parametrize("size", ["", "-1", "01", "1.0", "１", "9223372036854775808", "9" * 5000])
def test_a_size_is_written_one_way(size):
    with pytest.raises(NoteMalformed):
        read_checkpoint(f"a\n{size}\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
