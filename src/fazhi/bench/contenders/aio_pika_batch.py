"""Peer: a batch consumer written by hand over aio-pika; the same batched effect, in a thread."""

import asyncio
import signal

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from contracts.topology import ASSESSMENT_SCORED, SCORED
from fazhi.bench.effect import batch_size, door
from fazhi.bench.workload import SOURCE
from fazhi.garbage import collect_rarely
from kernel.bus.inbound import Inbound
from kernel.bus.port import Delivery
from kernel.messages import Message
from kernel.settings import Settings

LINGER_SECONDS = 0.05


async def main() -> None:
    """Consume until told to stop."""
    entry, size = door(), batch_size()
    connection = await aio_pika.connect_robust(Settings().broker_url)
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=2 * size)
    queue = await channel.get_queue(ASSESSMENT_SCORED.name)
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await queue.consume(arrived.put)
    while True:
        batch = [await arrived.get()]
        while len(batch) < size:
            try:
                batch.append(await asyncio.wait_for(arrived.get(), LINGER_SECONDS))
            except TimeoutError:
                break
        await _take(entry, batch)


async def _take(entry: Inbound, batch: list[AbstractIncomingMessage]) -> None:
    deliveries = [
        Delivery(
            Message(id=message.message_id or "", source=SOURCE, name=SCORED, body=message.body),
            redelivered=bool(message.redelivered),
        )
        for message in batch
    ]
    await asyncio.to_thread(entry.take, deliveries)
    await batch[-1].ack(multiple=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    collect_rarely()  # as the product's worker does
    asyncio.run(main())
