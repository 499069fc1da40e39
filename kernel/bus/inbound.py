"""
Inbound: the one tested place where it is decided what becomes of a message (R7, R10, R11).

A batch is one transaction: inbox, effect, commit; only then does the bus settle it. After any redelivery, or
when a batch fails, messages are taken one by one: the attempt is counted in a transaction of its own before
handling, so that even a message that kills the process is caught at the fifth attempt. Permanent faults and
worn-out attempts go to quarantine with their raw bytes; temporary faults are raised, and the bus waits with
the batch in hand.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy import delete

from kernel.bus.markers import Subscription
from kernel.bus.port import Delivery
from kernel.errors import PermanentError, TemporaryError
from kernel.messages import MAX_BODY_BYTES, Item, Message, Refused
from kernel.storage import inbox, quarantine
from kernel.storage.reach import EVERYTHING, within
from kernel.storage.setwise import write_rows
from kernel.storage.types import parse_time
from kernel.storage.work import Store, Work
from kernel.telemetry import metrics
from kernel.telemetry.log import logger, trace_id

log = logger(__name__)

MAX_ATTEMPTS = 5
MOST_AHEAD = 4  # batches read before they are handed over; a bus fetches two
Handler = Callable[[Work, Sequence[Item]], None]
Refusal = tuple[Message, Refused]


class Inbound:
    """The effect side of one subscription, the same whichever bus delivers."""

    def __init__(self, store: Store, subscription: Subscription, handler: Handler) -> None:
        self._store = store
        self._subscription = subscription
        self._handler = handler
        self._consumer = subscription.queue.name
        self._counted: set[str] = set()
        self._read_ahead: dict[int, tuple[Message, Sequence[Item | Refused]] | None] = {}

    def arrived(self, message: Message) -> None:
        """Read a message that was fetched and not handed over yet, while the batch before it is in the database."""
        if len(self._read_ahead) >= MOST_AHEAD * self._subscription.batch:
            self._read_ahead.clear()  # left behind by a lost connection: those are delivered anew
        self._read_ahead[id(message)] = message, self._read(message)

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Take a batch for the platform; when this returns, every message in it is dealt with for good."""
        with within(EVERYTHING):
            self._take(deliveries)

    def _take(self, deliveries: Sequence[Delivery]) -> None:
        messages = [delivery.message for delivery in deliveries]
        if not messages:
            return
        if not any(delivery.redelivered for delivery in deliveries):
            try:
                taken = self._apply(messages)
            except TemporaryError:
                raise
            except Exception as error:  # noqa: BLE001  (whatever failed, each message is now taken alone)
                log.warning("batch_failed", queue=self._consumer, messages=len(messages), error=repr(error))
            else:
                self._measure(messages, taken)
                return
        for message in messages:
            self._take_alone(message)

    def _take_alone(self, message: Message) -> None:
        while True:
            attempt = self._count_attempt(message)
            if attempt > MAX_ATTEMPTS:
                self._quarantine(message, "platform.worn_out", f"处理 {MAX_ATTEMPTS} 次均未成功")
                return
            try:
                taken = self._apply([message], alone=True)
            except TemporaryError:
                self._counted.add(message.id)  # an outage is no fault of the message: do not count it again
                raise
            except PermanentError as error:
                self._quarantine(message, error.stable_code, error.text)
                return
            except Exception as error:  # noqa: BLE001  (counted; the fifth time it is quarantined)
                log.warning(
                    "message_failed",
                    queue=self._consumer,
                    message=message.id,
                    attempt=attempt,
                    error=repr(error),
                )
            else:
                # outside the try: what fails after the commit is no fault of the message
                self._measure([message], taken)
                return

    def _apply(self, messages: Sequence[Message], *, alone: bool = False) -> inbox.Sorted:
        items, refusals = self._decode(messages)
        owner = {id(item): message for item, message in items}
        with self._store.work() as work:
            taken = inbox.take(work, self._consumer, [item for item, _ in items])
            if taken.fresh:
                self._handler(work, taken.fresh)
            for item in taken.clashing:
                reason = f"编号 {item.key} 已用于另一内容"
                message = owner[id(item)]
                refusals.append((message, Refused(item.source, message.body, "platform.key_reused", reason)))
            for message, refused in refusals:
                quarantine.hold(work, self._consumer, message, refused.raw, refused.code, refused.reason)
            if alone:
                self._forget_attempts(work, messages[0])
            work.commit()
        return taken

    def _decode(self, messages: Sequence[Message]) -> tuple[list[tuple[Item, Message]], list[Refusal]]:
        items: list[tuple[Item, Message]] = []
        refusals: list[Refusal] = []
        for message in messages:
            # what was read ahead holds its message, so no other message can have its place
            ahead = self._read_ahead.pop(id(message), None)
            entries = self._read(message) if ahead is None else ahead[1]
            for entry in entries:
                if isinstance(entry, Item):
                    items.append((entry, message))
                else:
                    refusals.append((message, entry))
        return items, refusals

    def _read(self, message: Message) -> Sequence[Item | Refused]:
        if len(message.body) > MAX_BODY_BYTES:
            reason = f"消息 {len(message.body)} 字节，超过上限 {MAX_BODY_BYTES}"
            return [Refused(message.source, message.body, "platform.message_too_large", reason)]
        try:
            return self._subscription.decode(message)
        except PermanentError as error:
            return [Refused(message.source, message.body, error.stable_code, error.text)]
        except Exception as error:  # noqa: BLE001  (kept with its bytes and the reason)
            return [Refused(message.source, message.body, "platform.undecodable", f"无法解码：{error!r}")]

    def _count_attempt(self, message: Message) -> int:
        if message.id in self._counted:
            self._counted.discard(message.id)
            return 1
        with self._store.work() as work:
            row = {
                "consumer": self._consumer,
                "message_id": message.id,
                "count": 1,
                "last_at": work.clock.now(),
            }
            written = write_rows(
                work.session,
                work.spine.attempts,
                [row],
                keys=("consumer", "message_id"),
                on_conflict={"count": "add", "last_at": "replace"},
                returning=("count",),
            )
            work.commit()
        return int(written[0][0])

    def _forget_attempts(self, work: Work, message: Message) -> None:
        table = work.spine.attempts
        work.session.execute(
            delete(table).where(table.c.consumer == self._consumer, table.c.message_id == message.id)
        )

    def _quarantine(self, message: Message, code: str, reason: str) -> None:
        with self._store.work() as work:
            quarantine.hold(work, self._consumer, message, message.body, code, reason)
            self._forget_attempts(work, message)
            work.commit()
        trace_id.set(message.headers.get("trace", ""))
        log.error("quarantined", queue=self._consumer, message=message.id, code=code)

    def _measure(self, messages: Sequence[Message], taken: inbox.Sorted) -> None:
        metrics.TAKEN.labels(self._consumer).inc(len(taken.fresh))
        if told := messages[-1].headers.get("told"):
            with suppress(ValueError):  # somebody else's header of that name says nothing
                age = (self._store.clock.now() - parse_time(told)).total_seconds()
                metrics.INBOX_LAG_SECONDS.labels(self._consumer).set(max(age, 0.0))
        metrics.BATCH_SIZE.labels(self._consumer).observe(len(taken.fresh) + taken.repeats)
        if taken.repeats:
            metrics.REPEATS_ABSORBED.labels(self._consumer).inc(taken.repeats)
