"""
Witnessing 见证: new checkpoints go to the witnesses, their cosignatures come back (C2SP tlog-witness, R24).

One checkpoint goes to all of them in a round, so that they sign the same text. What a witness answers is believed
only when its signature fits; an answer that contradicts our own tree is an alarm that stays (F30, F31), anything else
(away, slow, garbage) only lets the witness's age grow (F29). Nothing here ever delays the business.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from sqlalchemy import func, select

from kernel.ledger.checkpoint import read_size
from kernel.ledger.note import NoteMalformed, Signature, SignatureWrong, cosigned_at, read_signatures
from kernel.ledger.submission import body_of
from kernel.ledger.tree import SHA256, consistency
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store
from kernel.telemetry.log import logger
from kernel.tls import TRUSTED
from services.assessment.ledger.alarms import Alarm, alarms, raise_alarm
from services.assessment.ledger.model import COSIGNATURES
from services.assessment.ledger.rules import Witness
from services.assessment.ledger.stored import StoredCheckpoint, newest_checkpoint, nodes_of

log = logger(__name__)

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness said."""

    status: int
    text: str


class Witnesses:
    """Brings checkpoints to the configured witnesses."""

    def __init__(self, store: Store, origin: str, witnesses: Sequence[Witness]) -> None:
        self._store = store
        self._origin = origin
        self._witnesses = tuple(witnesses)

    def round(self, *, ask_all: bool = False) -> int:
        """
        Bring the newest checkpoint to every witness that has not signed it; returns how many signed now.

        With `ask_all` those that have signed it are asked again: one that has gone on since knows more than we do.
        """
        if not self._witnesses:
            return 0
        with self._store.reading() as session:
            found = newest_checkpoint(session)
            known = alarms(session, self._origin)
        if found is None:
            return 0
        retired = {alarm.witness for alarm in known if alarm.kind == "went_back"}
        signed = 0
        for witness in self._witnesses:
            cosigned = self._cosigned(witness)
            if witness.name not in retired and (ask_all or cosigned < found.size):
                signed += self._bring(witness, found, min(cosigned, found.size))
        return signed

    def compare(self) -> None:
        """At the start: does any witness know a larger log than this database has? That is an alarm (F31)."""
        self.round(ask_all=True)

    def _bring(self, witness: Witness, found: StoredCheckpoint, cosigned: int) -> bool:
        try:
            answer = self._submit(witness, found, cosigned)
            if answer.status == httpx.codes.CONFLICT:
                known = read_size(answer.text.strip())
                if self._contradicts(witness, found, cosigned, known):
                    return False
                answer = self._submit(witness, found, known)
                if answer.status == httpx.codes.CONFLICT and read_size(answer.text.strip()) != known:
                    return False  # another worker brought a later one in between; the next round goes on from there
            return self._take(witness, found, answer)
        except (httpx.HTTPError, OSError, NoteMalformed, SignatureWrong, TimeoutError) as error:
            log.warning("witness_unusable", witness=witness.name, size=found.size, error=type(error).__name__)
            return False

    def _contradicts(self, witness: Witness, found: StoredCheckpoint, cosigned: int, known: int) -> bool:
        """
        Whether this checkpoint cannot be brought: the witness knows more, or less than it has signed.

        What it knows beyond everything we have now, another worker's later checkpoints too, is an alarm.
        """
        if known > found.size and known > self._newest_size():
            detail = f"见证方见过 {known} 条的账本，本库的检查点只到 {found.size} 条：本库是旧的。"
            self._alarm(witness, "ahead", known, detail)
        elif known < cosigned:
            detail = f"见证方只记得 {known} 条，而它签署过 {cosigned} 条：它丢了状态，须停用并更换密钥。"
            self._alarm(witness, "went_back", known, detail)
        return known > found.size or known < cosigned

    def _newest_size(self) -> int:
        with self._store.reading() as session:
            found = newest_checkpoint(session)
        return found.size if found else 0

    def _take(self, witness: Witness, found: StoredCheckpoint, answer: Answer) -> bool:
        if answer.status in (httpx.codes.CONFLICT, httpx.codes.UNPROCESSABLE_ENTITY):
            detail = "见证方不承认本库是它所见账本的延续，双方都须保留现状并核查。"
            self._alarm(witness, "forked", found.size, detail)
            return False
        if answer.status != httpx.codes.OK:
            log.warning("witness_refused", witness=witness.name, size=found.size, status=answer.status)
            return False
        note = found.note.with_signatures(read_signatures(answer.text))
        self._keep(witness, found.size, witness.key.require(note))
        return True

    def _keep(self, witness: Witness, size: int, signature: Signature) -> None:
        row = {
            "size": size,
            "witness": witness.name,
            "line": signature.line,
            "witnessed_at": datetime.fromtimestamp(cosigned_at(signature), UTC),
            "received_at": self._store.clock.now(),
        }
        self._store.transact(
            lambda work: write_rows(
                work.session, COSIGNATURES, [row], keys=("size", "witness"), on_conflict="nothing"
            )
        )

    def _submit(self, witness: Witness, found: StoredCheckpoint, old: int) -> Answer:
        proof: list[bytes] = []
        if 0 < old < found.size:
            with self._store.reading() as session:
                proof = consistency(SHA256, nodes_of(session, SHA256), old, found.size)
        return _post(f"{witness.url}/add-checkpoint", body_of(old, proof, found.note))

    def _cosigned(self, witness: Witness) -> int:
        query = select(func.max(COSIGNATURES.c.size)).where(COSIGNATURES.c.witness == witness.name)
        with self._store.reading() as session:
            return session.execute(query).scalar_one() or 0

    def _alarm(self, witness: Witness, kind: str, size: int, detail: str) -> None:
        raise_alarm(self._store, self._origin, Alarm(witness.name, kind, size, detail))


def _post(url: str, body: str) -> Answer:
    """POST and read a bounded answer in bounded time."""
    ends = time.monotonic() + TOTAL_SECONDS
    timeout = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    with (
        httpx.Client(timeout=timeout, verify=TRUSTED, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "POST", url, content=body.encode(), headers={"accept-encoding": "identity"}
        ) as response,
    ):
        content = b""
        for part in response.iter_raw():
            content += part
            if len(content) > MAX_ANSWER_BYTES or time.monotonic() > ends:
                raise TimeoutError("the answer is too large or too slow")
    return Answer(response.status_code, content.decode(errors="replace"))
