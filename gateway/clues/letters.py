"""
Clues over the bus 线索消息通道: one virtual host per outside system (R31, R32).

A letter counts only when the broker vouches that it came from that system's user, and when one of the system's
keys signed its body; both failures are kept in quarantine, marked as not to be released, and the queue flows on.
"""

from collections.abc import Mapping
from typing import Any

from gateway.clues.intake import CONSUMER, NAME, Intake
from gateway.partners.service import Partners
from kernel.access.principal import Principal
from kernel.bus.partner import Letter
from kernel.errors import NotAllowed, PermanentError
from kernel.messages import MAX_BODY_BYTES, Message
from kernel.storage import quarantine
from kernel.storage.work import Store
from kernel.telemetry.log import logger

log = logger(__name__)

INBOX = "clue.in"


class ForeignUser(NotAllowed):
    """The letter does not carry the validated user of that system."""

    code = "clues.foreign_user"
    message = "消息缺少 user-id，或与该系统的账号不一致。"


def outbox_of(system: str) -> str:
    """The queue in which a system finds its answers."""
    return f"clue.out.{system}"


class Letters:
    """Takes letters in, whatever they are, and lets none block the next."""

    def __init__(self, store: Store, partners: Partners, intake: Intake) -> None:
        self._store = store
        self._partners = partners
        self._intake = intake

    def take(self, system: str, letter: Letter) -> None:
        """Deal with one letter for good; raises only TemporaryError."""
        try:
            if len(letter.body) > MAX_BODY_BYTES:
                raise NotAllowed("消息超过 1 MiB。", code="clues.too_large")
            if not letter.user or letter.user != self._partners.bus_users().get(system):
                raise ForeignUser()
            sender = self._partners.authenticate(letter.headers, letter.body, channel="bus", system=system)
        except PermanentError as error:
            self._hold_unverified(system, letter, error)
            return
        try:
            receipt = self._intake.take(sender, letter.body)
            log.info("clue_taken", system=system, receipt=receipt.receipt, repeat=receipt.is_repeat)
        except PermanentError as error:
            log.warning("clue_refused", system=system, message=sender.message_id, code=error.stable_code)

    def _hold_unverified(self, system: str, letter: Letter, error: PermanentError) -> None:
        headers = {
            "signed": "no",
            "channel": "bus",
            "user": _plain(letter.user),
            **_signature_headers(letter.headers),
        }
        name = _plain(letter.headers.get("webhook-id") or letter.message_id or "unnamed")
        message = Message(
            id=f"{system}/{name}"[:100], source=system, name=NAME, body=letter.body, headers=headers
        )
        with self._store.work() as work:
            quarantine.hold(work, CONSUMER, message, letter.body, error.stable_code, error.text)
            who = Principal(account=_plain(letter.user) or system, on_behalf_of=system)
            work.audit(who, "clue.refused", message.id, result="denied", reason_code=error.stable_code)
            work.commit()
        log.warning("letter_refused", system=system, code=error.stable_code)


def _signature_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    wanted = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {name: _plain(str(headers[name])) for name in wanted if name in headers}


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:100])
