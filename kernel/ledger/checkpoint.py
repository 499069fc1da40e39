"""
Checkpoints 检查点 (C2SP tlog-checkpoint): what a log says it is, at one size, under its signature.

After origin, size and root come extension lines of ours, which other programs keep and ignore: the hash of the
checkpoint before it (so that checkpoints are a chain of their own), the root of the second tree, and the log's time.

    example.gov.cn/log
    1024
    <base64 root, SHA-256>
    previous <base64>
    sm3 <base64 root, SM3>
    time 2026-03-01T08:00:00.000000Z
"""

import base64
import hashlib
from dataclasses import dataclass

from kernel.ledger.note import NoteMalformed, decoded
from kernel.ledger.tree import HASH_BYTES

MAX_SIZE = 2**63 - 1
_FIRST = b"\x00" * HASH_BYTES
_CHAIN = b"fazhi/checkpoint/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Size and roots of a log at a moment; `previous` is all zero at the first of a chain."""

    origin: str
    size: int
    root: bytes
    previous: bytes = _FIRST
    sm3_root: bytes = b""
    time: str = ""

    @property
    def text(self) -> str:
        """The note text that is signed."""
        lines = [self.origin, str(self.size), _base64(self.root)]
        if self.sm3_root:
            lines += [
                f"previous {_base64(self.previous)}",
                f"sm3 {_base64(self.sm3_root)}",
                f"time {self.time}",
            ]
        return "".join(f"{line}\n" for line in lines)


def chain_hash(text: str) -> bytes:
    """What the next checkpoint names as `previous`: prefix, length and text of this one (R22)."""
    body = text.encode()
    return hashlib.sha256(_CHAIN + f"{len(body)}\n".encode() + body).digest()


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from a note's text; extension lines not ours are left aside. Raises NoteMalformed."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise NoteMalformed("检查点至少有来源、大小、根三行，且没有空行。")
    extensions = dict(line.split(" ", 1) for line in lines[3:] if " " in line)
    return Checkpoint(
        origin=lines[0],
        size=read_size(lines[1]),
        root=_hash(lines[2]),
        previous=_hash(extensions["previous"]) if "previous" in extensions else _FIRST,
        sm3_root=_hash(extensions["sm3"]) if "sm3" in extensions else b"",
        time=extensions.get("time", ""),
    )


def read_size(written: str) -> int:
    """A tree size: ASCII digits, no leading zeroes; raises NoteMalformed."""
    if not written.isascii() or not written.isdigit() or (written[0] == "0" and written != "0"):
        raise NoteMalformed("检查点的大小不是十进制数。")
    if len(written) > 19 or int(written) > MAX_SIZE:
        raise NoteMalformed("检查点的大小超出范围。")
    return int(written)


def _hash(encoded: str) -> bytes:
    raw = decoded(encoded)
    if len(raw) != HASH_BYTES:
        raise NoteMalformed("检查点的哈希不是 32 字节。")
    return raw


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
