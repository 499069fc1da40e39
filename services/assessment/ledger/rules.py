"""
What the ledger promises and refuses, on paper: witnesses, the three states of an event, ages (R20, R23–R25).

An event is 已入账 when it has a number, 已封块 when a signed checkpoint covers it, 已见证 when enough independent
witnesses have cosigned such a checkpoint. Business goes on in any state; what is published must have reached the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from kernel.errors import Invalid, PermanentError, RuleViolation, TemporaryError
from kernel.ledger.note import COSIGNATURE, Note, NoteKey, cosigned_at, is_signed_by, read_key

SEAL_EVERY = timedelta(seconds=5)
SEAL_AT = 1_000
REFUSE_AFTER = timedelta(seconds=14_400)  # as long as X-Road trusts a message log that has no time-stamp yet

LIMITS = (
    "验证能发现的是入账之后的改动。它发现不了：来源单位录入时就不实的内容、从未录入的事项、全部见证方与平台串通。"
    "第二项须从外部比对来源记录数与热线等总数。"
)


class State(StrEnum):
    """How far an event has come, 入账状态 (R20)."""

    SEQUENCED = "已入账"
    SEALED = "已封块"
    WITNESSED = "已见证"


class NotWitnessed(RuleViolation):
    """Nothing may be published on what nobody else has seen."""

    code = "assessment.checkpoint_not_witnessed"


class LedgerDamaged(PermanentError):
    """The log is not what it was when it was written."""

    code = "assessment.ledger_damaged"
    message = "存证账本与计分事件不符，已停止封块，请立即运行 fazhi ledger verify 并联系审计管理员。"


class BehindWitness(TemporaryError):
    """A witness has seen more than this database has: it is an old copy."""

    code = "assessment.ledger_behind_witness"
    message = "本库比见证方见过的账本旧，可能是从旧备份恢复的，不能作为当前数据使用，请联系系统管理员核查。"


@dataclass(frozen=True, slots=True)
class Reached:
    """
    How many events, from the first, a signed checkpoint covers, and how many one that enough witnesses cosigned.

    As of a day it is of that day, so that what was shown then is shown again, byte for byte. As of a number of events,
    which is no moment, it is of now: a proof that can be had today holds for what was shown then.
    """

    sealed: int
    witnessed: int

    @property
    def all_of_them(self) -> int:
        """The last event that has come as far as any has: those after it still wait for something."""
        return self.witnessed or self.sealed


@dataclass(frozen=True, slots=True)
class Witness:
    """Witness 见证方: another institution's programme, known by its public key."""

    key: NoteKey
    url: str

    @property
    def name(self) -> str:
        """The name it signs under."""
        return self.key.name


def read_witnesses(written: str) -> tuple[Witness, ...]:
    """Witnesses from `vkey url, vkey url`; raises Invalid, for a wrong witness is worse than none."""
    found = []
    for entry in filter(None, (one.strip() for one in written.split(","))):
        key, _, url = entry.partition(" ")
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"见证方“{key[:60]}”没有可用的网址。", code="assessment.witness_setting")
        found.append(Witness(witness_key(key), url.strip().rstrip("/")))
    if len({witness.key.public for witness in found}) < len(found):
        raise Invalid("同一把公钥只能算一个见证方。", code="assessment.witness_setting")
    if len({witness.name for witness in found}) < len(found):
        raise Invalid("见证方的名称不得重复。", code="assessment.witness_setting")
    return tuple(found)


def witness_key(written: str) -> NoteKey:
    """The key of a witness; raises Invalid for one that signs something else than cosignatures."""
    key = read_key(written)
    if key.kind != COSIGNATURE:
        raise Invalid(
            f"“{written[:60]}”不是见证方的公钥（cosignature/v1）。", code="assessment.witness_setting"
        )
    return key


def state_of(seq: int, reached: Reached) -> State:
    """How far the event of this number has come."""
    if seq <= reached.witnessed:
        return State.WITNESSED
    return State.SEALED if seq <= reached.sealed else State.SEQUENCED


def is_due(waiting: int, last_at: datetime | None, now: datetime) -> bool:
    """Whether it is time for a checkpoint: a thousand events, or any after five seconds (R23)."""
    return waiting >= SEAL_AT or (waiting > 0 and (last_at is None or now - last_at >= SEAL_EVERY))


def good_cosigners(note: Note, witnesses: Sequence[Witness]) -> dict[str, int]:
    """Which of these witnesses have really signed this note, and when (seconds since 1970)."""
    return {
        witness.name: cosigned_at(witness.key.require(note))
        for witness in witnesses
        if is_signed_by(note, witness.key)
    }


def refusal(*, witnesses: int, needed: int, oldest_unwitnessed: timedelta | None) -> str:
    """In plain words, why nothing may rest on the ledger now; empty where it may."""
    if needed > witnesses:
        return f"至少要有 {needed} 个见证方共同签署检查点，目前只配置了 {witnesses} 个，请系统管理员配置见证方后再办理。"
    if needed and oldest_unwitnessed is not None and oldest_unwitnessed > REFUSE_AFTER:
        hours = int(oldest_unwitnessed.total_seconds() // 3600)
        return f"最早一条未见证的计分事件已等待 {hours} 小时（上限 4 小时），暂停发布排名和关闭考核期，请联系见证方恢复签署。"
    return ""
