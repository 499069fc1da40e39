"""
Signed batches 批签: one signature over many contents, and for each of them a proof that stands by itself.

The contents are leaves of a tree of the shape of RFC 6962 (tree.py); its root is what is signed. A proof is one line of
text: base64, as in every note of a ledger, of

    version (1 byte, 1)  key id (4)  index (2)  size (2)  signature of the root (64)  hashes beside the way (32 each)

Whoever holds a content and its proof needs nothing of its neighbours. What is signed around the root, and by whom, its
users say (contracts/findings/signing.py).
"""

import binascii
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kernel.errors import PermanentError
from kernel.ledger.tree import HASH_BYTES, SHA256, root_over

VERSION = 1
MOST = 2**16 - 1
_HEAD = struct.Struct(">B4sHH64s")
MAX_PROOF_CHARS = (_HEAD.size + MOST.bit_length() * HASH_BYTES) // 3 * 4 + 4


class ProofMalformed(PermanentError):
    """What should be the proof of a signed batch is none."""

    code = "platform.proof_malformed"
    message = "不是批签的证明：编码、版本或长度不对。"


@dataclass(frozen=True, slots=True)
class Proof:
    """The place of one content in a signed batch."""

    key_id: bytes
    index: int
    size: int
    signature: bytes
    path: tuple[bytes, ...]

    def root(self, content: bytes) -> bytes:
        """The root that this content leads to; raises ProofWrong where the way does not fit its place."""
        leaf = SHA256.leaf(content)
        return root_over(SHA256, index=self.index, size=self.size, leaf_hash=leaf, proof=self.path)


def sign_batch(contents: Sequence[bytes], key_id: bytes, sign: Callable[[bytes], bytes]) -> list[str]:
    """The proofs of these contents, in their order; `sign` is given the root. Raises ValueError for too many."""
    if not 1 <= len(contents) <= MOST:
        raise ValueError(f"a signed batch has 1 to {MOST} contents, not {len(contents)}")
    layers = [[SHA256.leaf(content) for content in contents]]
    while len(layers[-1]) > 1:
        below = layers[-1]
        paired = [SHA256.node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        layers.append(paired + below[len(paired) * 2 :])
    size, signature = len(contents), sign(layers[-1][0])
    written = []
    for place in range(size):
        raw, index = [_HEAD.pack(VERSION, key_id, place, size, signature)], place
        for layer in layers[:-1]:
            if index ^ 1 < len(layer):
                raw.append(layer[index ^ 1])
            index >>= 1
        written.append(_text(b"".join(raw)))
    return written


def read_proof(written: str) -> Proof:
    """A proof from its text, of which there is one for each proof; raises ProofMalformed."""
    if len(written) > MAX_PROOF_CHARS:
        raise ProofMalformed()
    try:
        raw = binascii.a2b_base64(written, strict_mode=True)
    except ValueError as error:
        raise ProofMalformed() from error
    rest = len(raw) - _HEAD.size
    if rest < 0 or rest % HASH_BYTES or raw[0] != VERSION or _text(raw) != written:
        raise ProofMalformed()
    _, key_id, index, size, signature = _HEAD.unpack_from(raw)
    if index >= size:
        raise ProofMalformed()
    path = tuple(raw[at : at + HASH_BYTES] for at in range(_HEAD.size, len(raw), HASH_BYTES))
    return Proof(key_id, index, size, signature, path)


def _text(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()
