"""Peer: FastStream, one event a message; the handler runs in a thread, ten messages may be on their way."""

import asyncio

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage

from contracts.topology import SCORED
from fazhi.bench.effect import door
from fazhi.bench.workload import SOURCE
from kernel.bus.port import Delivery
from kernel.messages import Message
from kernel.settings import Settings

QUEUE = "bench.faststream"
DOOR = door()
BROKER = RabbitBroker(Settings().broker_url, default_channel=Channel(prefetch_count=10), logger=None)


@BROKER.subscriber(RabbitQueue(QUEUE, durable=True), ack_policy=AckPolicy.NACK_ON_ERROR)
async def scored(body: bytes, message: RabbitMessage) -> None:
    """Take one event."""
    taken = Message(id=message.message_id, source=SOURCE, name=SCORED, body=body)
    await asyncio.to_thread(DOOR.take, [Delivery(taken, redelivered=False)])


if __name__ == "__main__":
    asyncio.run(FastStream(BROKER, logger=None).run())
