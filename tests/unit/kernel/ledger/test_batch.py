"""A signed batch: every content proves itself by one signature, whatever became of its neighbours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.ledger.batch import MAX_PROOF_CHARS, MOST, ProofMalformed, read_proof, sign_batch
from kernel.ledger.tree import SHA256, ProofWrong, root_of

KEY = b"\x01\x02\x03\x04"
CONTENTS = st.lists(st.binary(max_size=20), min_size=1, max_size=140)


def signed(contents):
    """The proofs, and the root that was signed."""
    roots = []

    def sign(root):
        roots.append(root)
        return b"s" * 64

    return sign_batch(contents, KEY, sign), roots


@settings(deadline=None)
@given(CONTENTS)
def test_every_content_leads_to_the_one_root_that_was_signed(contents):
    written, (root,) = signed(contents)
    assert root == root_of(SHA256, [SHA256.leaf(content) for content in contents])
    for place, (content, line) in enumerate(zip(contents, written, strict=True)):
        proof = read_proof(line)
        assert (proof.key_id, proof.index, proof.size, proof.signature) == (
            KEY,
            place,
            len(contents),
            b"s" * 64,
        )
        assert proof.root(content) == root
        assert len(line) <= MAX_PROOF_CHARS


@settings(deadline=None)
@given(CONTENTS, st.data())
def test_no_other_content_leads_there(contents, data):
    written, (root,) = signed(contents)
    place = data.draw(st.integers(0, len(contents) - 1))
    other = data.draw(st.binary(max_size=20).filter(lambda drawn: drawn != contents[place]))
    assert read_proof(written[place]).root(other) != root


@settings(deadline=None)
@given(CONTENTS, st.data())
def test_a_proof_is_written_in_one_way_only_and_altered_is_another_or_none(contents, data):
    written, (root,) = signed(contents)
    place = data.draw(st.integers(0, len(contents) - 1))
    line = written[place]
    at = data.draw(st.integers(0, len(line) - 1))
    letter = data.draw(st.sampled_from("AQgw/_9z=+ é\n").filter(lambda drawn: drawn != line[at]))
    altered = line[:at] + letter + line[at + 1 :]
    try:
        proof = read_proof(altered)
        good = (proof.root(contents[place]), proof.signature, proof.key_id)
    except (ProofMalformed, ProofWrong):
        return
    # another place may lead to the same root only where nothing on the way says otherwise: then it is said aloud
    assert proof != read_proof(line)
    if good == (root, b"s" * 64, KEY):
        assert (proof.index, proof.size) != (read_proof(line).index, read_proof(line).size)


@pytest.mark.parametrize("written", ["", "AQ==", "é", "A" * (MAX_PROOF_CHARS + 4), "Ag" + "A" * 98])
def test_what_is_no_proof_is_refused(written):
    with pytest.raises(ProofMalformed):
        read_proof(written)


@pytest.mark.parametrize("cut", [1, 43, 90])
def test_a_proof_that_was_cut_short_is_refused(cut):
    written, _ = signed([b"a", b"b", b"c"])
    with pytest.raises((ProofMalformed, ProofWrong)):
        read_proof(written[0][:-cut]).root(b"a")


@pytest.mark.parametrize("contents", [[], [b""] * (MOST + 1)])
def test_a_batch_has_at_least_one_content_and_no_more_than_its_numbers_can_say(contents):
    with pytest.raises(ValueError, match="signed batch"):
        signed(contents)
