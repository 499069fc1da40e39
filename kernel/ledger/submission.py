"""
What a log sends to a witness (C2SP tlog-witness, add-checkpoint): the size it believes the witness has, the proof from
there, and the checkpoint to sign.

    old 1024
    <base64 hash>
    ...

    <signed note>
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from kernel.ledger.checkpoint import read_size
from kernel.ledger.note import Note, NoteMalformed, decoded, read_note
from kernel.ledger.tree import HASH_BYTES

MAX_PROOF = 63


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint for a witness, and the proof that it continues the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: Note


def body_of(old: int, proof: Sequence[bytes], note: Note) -> str:
    """The body of the request."""
    lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof)]
    return "".join(f"{line}\n" for line in lines) + f"\n{note}"


def read_submission(body: str) -> Submission:
    """The request from its body; raises NoteMalformed."""
    head, separator, note = body.partition("\n\n")
    first, *lines = head.split("\n")
    if not separator or not first.startswith("old "):
        raise NoteMalformed("请求不是 add-checkpoint 的格式。")
    if len(lines) > MAX_PROOF:
        raise NoteMalformed("一致性证明过长。")
    proof = tuple(decoded(line) for line in lines)
    if any(len(one) != HASH_BYTES for one in proof):
        raise NoteMalformed("一致性证明中的哈希不是 32 字节。")
    return Submission(read_size(first.removeprefix("old ")), proof, read_note(note))
