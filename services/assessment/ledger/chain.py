"""
The chain of checkpoints 检查点链 under verification: signatures, links, cosignatures, and what others remember.

The tree is grown elsewhere (verification.py); here it is said at which sizes to stop and what the roots must be.
"""

from collections.abc import Iterator

from kernel.ledger.checkpoint import Checkpoint, chain_hash, read_checkpoint
from kernel.ledger.note import Note, NoteMalformed, SignatureWrong, is_signed_by, read_note, read_signatures
from services.assessment.ledger.findings import Report, Trust, Verified

_NOTHING = bytes(32)


class Chain:
    """Judges the checkpoints of one log in order of size."""

    def __init__(self, trust: Trust, report: Report) -> None:
        self._trust = trust
        self._report = report
        self.link = _NOTHING
        self._last = 0
        self._reached = 0
        self._passed = 0
        self._ahead: Checkpoint | None = None
        self._expected: dict[int, Checkpoint] = {}
        self._remembered = self._memories()

    def resume(self, since: Verified) -> None:
        """Go on after an earlier run."""
        self.link, self._last, self._reached = bytes.fromhex(since.chain), since.size, since.size

    def read(self, size: int, written: str, lines: str) -> Checkpoint | None:
        """Judge one stored checkpoint by itself; None where it cannot be read at all."""
        first, self._report.checkpoints = self._last + 1, self._report.checkpoints + 1
        try:
            note = read_note(written)
            found = read_checkpoint(note.text)
        except NoteMalformed:
            self._report.blame("checkpoint", first, size, f"检查点 {size} 不是完好的签名短笺")
            return None
        if found.size != size or found.origin != self._trust.origin:
            self._report.blame("checkpoint", first, size, f"检查点 {size} 说的是另一个账本或另一个大小")
        if found.previous != self.link:
            self._report.blame("chain", first, size, f"检查点 {size} 没有接在前一个检查点之后")
        self._signed(note, first, size)
        self._cosigned(note, lines, first, size)
        self.link, self._last = chain_hash(note.text), size
        return found

    def stops_until(self, stops: Iterator[Checkpoint], end: int) -> Iterator[int]:
        """Sizes up to `end` at which somebody said what the root was, in order."""
        sizes = {size for size in self._remembered if self._reached < size <= end}
        while True:
            found = self._ahead or next(stops, None)
            self._ahead = None
            if found is None:
                break
            if found.size > end:
                self._ahead = found
                break
            self._expected[found.size] = found
            sizes.add(found.size)
        self._reached = end
        yield from sorted(sizes)

    def compare(self, size: int, root: bytes, sm3_root: bytes) -> None:
        """Hold the roots at a size against what the checkpoint and the memories of that size say."""
        said = self._expected.pop(size, None)
        if said is not None:
            if said.root != root:
                self._report.blame(
                    "root", self._before(size) + 1, size, f"检查点 {size} 的根（SHA-256）与账本不符"
                )
            if said.sm3_root != sm3_root:
                self._report.blame(
                    "root", self._before(size) + 1, size, f"检查点 {size} 的根（SM3）与账本不符"
                )
            self._passed = size
        for other in self._remembered.get(size, ()):
            if other.root != root:
                self._report.blame(
                    "witness",
                    1,
                    size,
                    f"与见证方记住的检查点 {size} 不符：历史被改写，或对不同的人出示了不同的账本",
                )

    def finish(self, size: int) -> None:
        """What is left: checkpoints and memories beyond everything there is."""
        for remembered in sorted(self._remembered):
            if remembered > size:
                words = f"见证方记住的检查点有 {remembered} 条，账本只有 {size} 条：末尾被截断或整库回退"
                self._report.blame("rollback", size + 1, remembered, words)

    def _before(self, size: int) -> int:
        return min(self._passed, size - 1)

    def _signed(self, note: Note, first: int, size: int) -> None:
        if not self._is_signed(note):
            self._report.blame("signature", first, size, f"检查点 {size} 没有账本公钥的有效签名")

    def _is_signed(self, note: Note) -> bool:
        return any(is_signed_by(note, key) for key in self._trust.log_keys)

    def _cosigned(self, note: Note, lines: str, first: int, size: int) -> None:
        if not lines:
            return
        try:
            under = Note(note.text, read_signatures(lines))
            good = [key for key in self._trust.witness_keys if key.of(under) is not None]
        except (NoteMalformed, SignatureWrong):
            self._report.blame("cosignature", first, size, f"检查点 {size} 的见证签名不成立")
            return
        self._report.cosignatures += len(good)
        if good:
            self._report.witnessed = size

    def _memories(self) -> dict[int, list[Checkpoint]]:
        """Remembered checkpoints of this log by size."""
        found: dict[int, list[Checkpoint]] = {}
        for note in self._trust.remembered:
            checkpoint = read_checkpoint(note.text)
            if checkpoint.origin != self._trust.origin:
                continue
            self._report.remembered += 1
            if not self._is_signed(note):  # the log has another key now than when the witness saw it
                words = f"见证方记住的检查点 {checkpoint.size} 不是由所信任的账本公钥签署的"
                self._report.blame("signature", 1, checkpoint.size, words)
            found.setdefault(checkpoint.size, []).append(checkpoint)
        return found
