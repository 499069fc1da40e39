"""
RabbitMQ: the bus of the distributed form. The only importer of pika.

Everything is declared explicitly and the same on every broker version (R14): quorum queues, a delivery limit
as the net below our own counting, at-least-once dead lettering, reject on overflow, a byte limit. Publishing
pipelines confirms in windows and bounds the wait itself, because pika's own wait on a cut link is the
heartbeat's (R5, M18). Consuming is batched; the batch is settled by one multiple ack.
"""

import hashlib
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import ChannelClosedByBroker
from pika.spec import Basic, BasicProperties

from kernel.bus.port import DEAD_LETTERS, Arrived, Delivery, Take, backoff, unheeded
from kernel.bus.rabbit_publisher import Publisher
from kernel.errors import TemporaryError, Unavailable
from kernel.messages import Message, Queue
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

DEAD_QUEUE = DEAD_LETTERS.name
DEAD_EXCHANGE = DEAD_QUEUE
HEARTBEAT_SECONDS = 20
SOCKET_TIMEOUT_SECONDS = 10
MAX_QUEUE_BYTES = 4 * 1024**3
PRECONDITION_FAILED = 406
AMQP_ERRORS = (pika.exceptions.AMQPError, OSError)


def parameters(url: str) -> pika.URLParameters:
    """Connection parameters with bounded waits."""
    given = pika.URLParameters(url)
    given.heartbeat = HEARTBEAT_SECONDS
    given.socket_timeout = SOCKET_TIMEOUT_SECONDS
    given.blocked_connection_timeout = 60
    given.connection_attempts = 1
    return given


def queue_arguments() -> dict[str, Any]:
    """The explicit arguments of every work queue."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-max-length-bytes": MAX_QUEUE_BYTES,
    }


def declare_topology(
    channel: BlockingChannel, queues: Sequence[Queue], exchanges: Collection[str] = ()
) -> None:
    """Declare exchanges, queues and bindings; declaring again what exists changes nothing."""
    for exchange in exchanges:
        channel.exchange_declare(exchange, "topic", durable=True)
    channel.exchange_declare(DEAD_EXCHANGE, "fanout", durable=True)
    channel.queue_declare(DEAD_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(DEAD_QUEUE, DEAD_EXCHANGE)
    for queue in queues:
        channel.queue_declare(queue.name, durable=True, arguments=queue_arguments())
        for source, name in queue.keys:
            channel.exchange_declare(f"{source}.events", "topic", durable=True)
            channel.queue_bind(queue.name, f"{source}.events", name)


class RabbitBus:
    """The bus over one broker URL; safe to share between threads."""

    def __init__(self, url: str, heard: Sequence[Queue] = ()) -> None:
        self._url = url
        self._heard = tuple(heard)
        self._publisher = Publisher(parameters(url), heard, self._declare_on)

    def declare(self, queues: Sequence[Queue]) -> None:
        """Make sure these queues and their bindings exist."""
        self._declare_on(queues)

    def publish(self, messages: Sequence[Message]) -> set[str]:
        """Publish with pipelined confirms; return the confirmed ids. Raises Unavailable."""
        return self._publisher.publish(messages)

    def depth(self, queue: Queue) -> int:
        """How many messages wait in a queue. Raises Unavailable."""
        with self._channel() as channel:
            return int(channel.queue_declare(queue.name, passive=True).method.message_count)

    def consume(
        self,
        queue: Queue,
        take: Take,
        stop: threading.Event,
        *,
        batch: int,
        linger_seconds: float,
        arrived: Arrived = unheeded,
    ) -> None:
        """Hand over batches until `stop` is set; reconnects for ever, with growing pauses."""
        failures = 0
        while not stop.is_set():
            try:
                with self._channel() as channel:
                    declare_topology(channel, [queue])
                    channel.basic_qos(prefetch_count=2 * batch)
                    failures = 0
                    self._consume_on(channel, queue, take, arrived, stop, batch, linger_seconds)
            except (Unavailable, *AMQP_ERRORS) as error:
                log.warning("consumer_waits", queue=queue.name, error=repr(error))
                metrics.WAITS.labels(queue.name).inc()
                stop.wait(min(backoff(failures), 15.0))
                failures += 1

    def close(self) -> None:
        """Give up the publishing connection."""
        self._publisher.close()

    def _consume_on(
        self,
        channel: BlockingChannel,
        queue: Queue,
        take: Take,
        arrived: Arrived,
        stop: threading.Event,
        batch: int,
        linger_seconds: float,
    ) -> None:
        waiting: list[tuple[int, Delivery]] = []

        def fetched(_channel: Any, method: Basic.Deliver, properties: BasicProperties, body: bytes) -> None:
            delivery = _delivery(method, properties, body)
            waiting.append((int(method.delivery_tag or 0), delivery))
            arrived(delivery.message)

        channel.basic_consume(queue.name, fetched)
        connection: BlockingConnection = channel.connection
        while not stop.is_set():
            connection.process_data_events(time_limit=0.5)
            deadline = time.monotonic() + linger_seconds
            while waiting and len(waiting) < batch and time.monotonic() < deadline:
                connection.process_data_events(time_limit=max(0.0, deadline - time.monotonic()))
            while waiting and not stop.is_set():
                now, waiting[:] = waiting[:batch], waiting[batch:]
                if not _take_patiently(connection, queue, take, [delivery for _, delivery in now], stop):
                    return
                channel.basic_ack(now[-1][0], multiple=True)
                if len(waiting) < batch:
                    break

    def _declare_on(self, queues: Sequence[Queue], exchanges: Collection[str] = ()) -> None:
        with self._channel() as channel:
            declare_topology(channel, queues, exchanges)

    def _channel(self) -> "_OpenChannel":
        return _OpenChannel(parameters(self._url))


class _OpenChannel:
    """A blocking connection with one channel, closed on leaving; what it dies of is said as Unavailable."""

    def __init__(self, given: pika.URLParameters) -> None:
        self._given = given
        self._connection: BlockingConnection | None = None

    def __enter__(self) -> BlockingChannel:
        try:
            self._connection = BlockingConnection(self._given)
            return self._connection.channel()
        except AMQP_ERRORS as error:
            raise Unavailable("消息总线暂时不可用，请稍后再试。", code="platform.bus_away") from error

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._close()
        if isinstance(error, ChannelClosedByBroker) and error.reply_code == PRECONDITION_FAILED:
            raise Unavailable(
                f"消息总线上已有同名而参数不同的队列，请管理员排空后删除，将自动重建：{error.reply_text}",
                code="platform.queue_differs",
            ) from error
        if isinstance(error, AMQP_ERRORS):
            raise Unavailable("消息总线暂时不可用，请稍后再试。", code="platform.bus_away") from error

    def _close(self) -> None:
        try:
            if self._connection is not None and self._connection.is_open:
                self._connection.close()
        except AMQP_ERRORS as error:
            log.debug("close_failed", error=repr(error))


def _delivery(method: Basic.Deliver, properties: BasicProperties, body: bytes) -> Delivery:
    headers = {str(key): str(value) for key, value in (properties.headers or {}).items()}
    message = Message(
        # The same bytes keep the same id at every redelivery, or attempts could not be counted.
        id=_bounded(properties.message_id or f"sha256:{hashlib.sha256(body).hexdigest()}", 100),
        source=_bounded(properties.app_id or str(method.exchange).removesuffix(".events"), 50),
        name=_bounded(str(method.routing_key), 100),
        body=body,
        headers=headers,
        content_type=properties.content_type or "",
    )
    return Delivery(message, bool(method.redelivered))


def _bounded(text: str, longest: int) -> str:
    """A word of the envelope that fits its column; what does not fit is named by its hash, always the same."""
    if len(text) <= longest and text.isprintable():
        return text
    return f"hash:{hashlib.sha256(text.encode(errors='replace')).hexdigest()[: longest - 5]}"


def _take_patiently(
    connection: BlockingConnection,
    queue: Queue,
    take: Take,
    deliveries: Sequence[Delivery],
    stop: threading.Event,
) -> bool:
    """Take a batch, waiting out outages with the batch in hand; False when told to stop meanwhile."""
    failures = 0
    while True:
        try:
            _take_beside(connection, take, deliveries)
            return True
        except TemporaryError as error:
            log.warning("batch_waits", queue=queue.name, messages=len(deliveries), error=str(error))
            metrics.WAITS.labels(queue.name).inc()
        ends = time.monotonic() + min(backoff(failures), 15.0)
        failures += 1
        while time.monotonic() < ends:
            if stop.is_set():
                return False
            connection.process_data_events(time_limit=0.2)  # keeps the heartbeat while we wait


def _take_beside(connection: BlockingConnection, take: Take, deliveries: Sequence[Delivery]) -> None:
    """Take a batch in a thread beside the connection's own, so that heartbeats go on however long it lasts (R12)."""
    outcome: list[BaseException | None] = []

    def work() -> None:
        try:
            take(deliveries)
            outcome.append(None)
        except BaseException as error:  # noqa: BLE001  (raised again below, in the thread that waits)
            outcome.append(error)
        finally:
            with suppress(*AMQP_ERRORS):
                connection.add_callback_threadsafe(_nothing)  # wakes the wait below at once

    thread = threading.Thread(target=work, name="take")
    thread.start()
    try:
        while not outcome:
            connection.process_data_events(time_limit=1.0)
    finally:
        thread.join()  # a batch under way is never abandoned, even when the connection is lost meanwhile
    if outcome[0] is not None:
        raise outcome[0]


def _nothing() -> None:
    """A callback that only wakes."""
