"""Releasing from quarantine: the held bytes go through the same door again, so they count once."""

from fazhi.services import build
from kernel.access.principal import Principal
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.errors import NotFound, RuleViolation
from kernel.hosting.runtime import Runtime
from kernel.messages import Message
from kernel.settings import Settings
from kernel.storage import quarantine
from kernel.storage.work import Store


def release(store: Store, service: str, entry: str) -> None:
    """
    Hand a held message to its consumer again and mark the entry released.

    Raises NotFound for an unknown entry, RuleViolation when it still cannot be taken (it stays held).
    """
    with store.reading() as session:
        held = next((h for h in quarantine.entries(session, store, limit=100_000) if h.id == entry), None)
    if held is None:
        raise NotFound("隔离区中没有这一条，请刷新列表后再试。", code="platform.unknown_quarantine_entry")
    worker = build(service, Runtime(Settings())).worker()
    for name, subscription in subscriptions(worker):
        if subscription.queue.name == held.consumer:
            inbound = Inbound(store, subscription, getattr(worker, name))
            break
    else:
        raise NotFound(f"没有处理 {held.consumer} 的环节。", code="platform.unknown_queue")
    message = Message(
        id=f"{held.message_id}/released/{held.id}"[:100],
        source=held.source,
        name=held.name,
        body=held.raw,
        headers=dict(held.headers),
    )
    with store.work() as work:
        quarantine.settle(work, Principal(account="operator"), entry, state="released")
        work.commit()
    inbound.take([Delivery(message, redelivered=False)])
    with store.reading() as session:
        if any(h.message_id == message.id for h in quarantine.entries(session, store, limit=100_000)):
            raise RuleViolation("放行后仍无法处理，已重新隔离，请查看原因。", code="platform.release_failed")
