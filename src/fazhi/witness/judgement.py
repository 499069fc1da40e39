"""
What a witness signs (C2SP tlog-witness, add-checkpoint; R24): checkpoints of known logs that continue what it saw.

It never goes back and never signs two roots for one size. A checkpoint that is validly signed by the log and
contradicts what was seen is proof that the log told two stories: both are kept, and said aloud.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fazhi.witness.memory import Memory
from kernel.clock import Clock
from kernel.ledger.checkpoint import Checkpoint, read_checkpoint
from kernel.ledger.note import Note, NoteKey, NoteMalformed, NoteSigner, is_signed_by
from kernel.ledger.submission import Submission, read_submission
from kernel.ledger.tree import SHA256, ProofWrong, verify_consistency
from kernel.telemetry.log import logger

log = logger(__name__)

SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one submission."""

    status: HTTPStatus
    body: str = ""
    media_type: str = "text/plain; charset=utf-8"


class Judge:
    """Judges submissions one at a time."""

    def __init__(
        self, memory: Memory, signer: NoteSigner, logs: Mapping[str, Sequence[NoteKey]], clock: Clock
    ) -> None:
        self._memory = memory
        self._signer = signer
        self._logs = logs
        self._clock = clock
        self._turn = threading.Lock()

    def add_checkpoint(self, body: str) -> Verdict:
        """Sign the checkpoint in this request, or say why not."""
        try:
            submission = read_submission(body)
            checkpoint = read_checkpoint(submission.note.text)
        except NoteMalformed as error:
            return Verdict(HTTPStatus.BAD_REQUEST, f"{error.text}\n")
        keys = self._logs.get(checkpoint.origin)
        if keys is None:
            return Verdict(HTTPStatus.NOT_FOUND, "本见证方不认识这个账本。\n")
        if not any(is_signed_by(submission.note, key) for key in keys):
            return Verdict(HTTPStatus.FORBIDDEN, "检查点没有该账本的有效签名。\n")
        if submission.old > checkpoint.size:
            return Verdict(HTTPStatus.BAD_REQUEST, "旧大小大于检查点的大小。\n")
        with self._turn:  # what is compared must still be so when it is replaced
            return self._judge(submission, checkpoint)

    def last(self, origin: str) -> Note | None:
        """The last checkpoint signed of a log."""
        return self._memory.last(origin)

    def _judge(self, submission: Submission, checkpoint: Checkpoint) -> Verdict:
        last = self._memory.last(checkpoint.origin)
        seen = read_checkpoint(last.text) if last else None
        known = seen.size if seen else 0
        if last and seen and checkpoint.size == known and checkpoint.root != seen.root:
            self._testify("fork", last, submission.note)
            return Verdict(HTTPStatus.CONFLICT, f"{known}\n", SIZE_TYPE)
        if submission.old != known:
            return Verdict(HTTPStatus.CONFLICT, f"{known}\n", SIZE_TYPE)
        try:
            _check(submission, checkpoint, seen)
        except ProofWrong as error:
            if last:
                self._testify("inconsistent", last, submission.note)
            return Verdict(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error.text}\n")
        cosignature = self._signer.cosign(submission.note.text, int(self._clock.now().timestamp()))
        self._memory.keep(checkpoint.origin, submission.note.with_signatures((cosignature,)))
        log.info("witness_signed", origin=checkpoint.origin, size=checkpoint.size)
        return Verdict(HTTPStatus.OK, cosignature.line)

    def _testify(self, kind: str, seen: Note, told: Note) -> None:
        path = self._memory.keep_evidence(kind, self._clock.now(), {"seen": seen, "told": told})
        log.error("witness_evidence", kind=kind, kept=str(path))


def _check(submission: Submission, checkpoint: Checkpoint, seen: Checkpoint | None) -> None:
    if seen is None or seen.size == 0:
        if submission.proof or (checkpoint.size == 0 and checkpoint.root != SHA256.digest(b"")):
            raise ProofWrong()
        return
    verify_consistency(
        SHA256,
        old=seen.size,
        new=checkpoint.size,
        old_root=seen.root,
        new_root=checkpoint.root,
        proof=submission.proof,
    )
