"""
Releasing from quarantine: the held bytes go through the same door again, so they count once.

Taken first and marked released afterwards: whoever ends in between finds the entry held, and releasing it again
changes nothing that was taken.
"""

from fazhi.services import build
from kernel.access.principal import Principal
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.errors import NotFound, RuleViolation
from kernel.hosting.runtime import Runtime
from kernel.ids import is_id
from kernel.messages import Message
from kernel.settings import Settings
from kernel.storage import quarantine
from kernel.storage.quarantine import Held
from kernel.storage.work import Store


def release(store: Store, service: str, entry: str) -> None:
    """
    Hand a held message to its consumer again and mark the entry released.

    Raises NotFound for an unknown entry, RuleViolation when it still cannot be taken (it is held anew).
    """
    consumer = _held(store, entry).consumer
    worker = build(service, Runtime(Settings())).worker()
    for name, subscription in subscriptions(worker):
        if subscription.queue.name == consumer:
            take_again(store, Inbound(store, subscription, getattr(worker, name)), entry)
            return
    raise NotFound(f"没有处理 {consumer} 的环节。", code="platform.unknown_queue")


def take_again(store: Store, inbound: Inbound, entry: str) -> None:
    """Take a held message through this door; raises as `release` does."""
    held = _held(store, entry)
    message = Message(
        id=f"released/{held.id}",  # of this entry alone: what fails again is a new entry, and is never passed over
        source=held.source,
        name=held.name,
        body=held.raw,
        headers=dict(held.headers),
    )
    inbound.take([Delivery(message, redelivered=False)])
    with store.work() as work:
        quarantine.settle(work, Principal(account="operator"), entry, state="released")
        work.commit()
    table = store.spine.quarantine
    with store.reading() as session:
        if session.execute(table.select().where(table.c.message_id == message.id)).first() is not None:
            raise RuleViolation("放行后仍无法处理，已重新隔离，请查看原因。", code="platform.release_failed")


def _held(store: Store, entry: str) -> Held:
    with store.reading() as session:
        found = quarantine.entry(session, store, entry) if is_id(entry) else None
    if found is None or found.state != "held":
        raise NotFound("隔离区中没有这一条，请刷新列表后再试。", code="platform.unknown_quarantine_entry")
    return found
