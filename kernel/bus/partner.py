"""
Partner door: the bridge into another party's virtual host on the broker (R31, R32).

Each party has a virtual host of its own, and only we reach across. Letters come in through the exchange and
quorum queue `inbox` and are handed over one by one; answers go out through a queue of the party's own. The user
a letter comes from is what the broker validated, never what the letter says. Whatever `take` returns from is
acknowledged; a TemporaryError is waited out with the letter in hand, so nothing is lost and nothing blocks.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.spec import Basic, BasicProperties

from kernel.bus.port import backoff
from kernel.bus.rabbit import AMQP_ERRORS, declare_topology, parameters, queue_arguments
from kernel.bus.rabbit_publisher import CONFIRM_SECONDS
from kernel.errors import TemporaryError, Unavailable
from kernel.messages import Queue
from kernel.telemetry import metrics
from kernel.telemetry.log import logger

log = logger(__name__)

PREFETCH = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """One message from a party: its bytes, its headers, and the user the broker vouches for ("" when none)."""

    body: bytes
    headers: Mapping[str, str]
    user: str
    message_id: str
    redelivered: bool


class PartnerDoor:
    """One party's virtual host; `run` in one thread, `send` in another."""

    def __init__(self, url: str, *, inbox: str, outbox: str) -> None:
        self._url = url
        self._inbox = inbox
        self._outbox = outbox
        self._turn = threading.Lock()
        self._sending: BlockingConnection | None = None
        self._channel: BlockingChannel | None = None

    def run(self, take: Callable[[Letter], None], stop: threading.Event) -> None:
        """Hand letters over until told to stop; reconnects for ever, with growing pauses."""
        failures = 0
        while not stop.is_set():
            try:
                connection = BlockingConnection(parameters(self._url))
                try:
                    self._listen(connection, take, stop)
                    failures = 0
                finally:
                    _close(connection)
            except AMQP_ERRORS as error:
                log.warning("partner_door_waits", queue=self._inbox, error=repr(error))
                metrics.WAITS.labels(self._inbox).inc()
                stop.wait(min(backoff(failures), 15.0))
                failures += 1

    def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Put an answer into the party's own queue, confirmed by the broker. Raises Unavailable."""
        properties = BasicProperties(
            message_id=headers.get("webhook-id"),
            content_type="application/json",
            delivery_mode=2,
            headers=dict(headers),
        )
        with self._turn:
            try:
                channel = self._open()
                channel.basic_publish("", self._outbox, body, properties, mandatory=True)
            except (*AMQP_ERRORS, ValueError) as error:
                self._drop()
                raise Unavailable(
                    "对方消息通道暂时不可用，稍后自动重发。", code="platform.bus_away"
                ) from error

    def close(self) -> None:
        """Give the sending connection back."""
        with self._turn:
            self._drop()

    def declare(self, channel: BlockingChannel) -> None:
        """Exchange, queues and binding of this virtual host; declaring again changes nothing."""
        declare_topology(channel, [Queue(self._inbox, ())])
        channel.exchange_declare(self._inbox, "topic", durable=True)
        channel.queue_bind(self._inbox, self._inbox, "#")
        channel.queue_declare(self._outbox, durable=True, arguments=queue_arguments())

    def _listen(
        self, connection: BlockingConnection, take: Callable[[Letter], None], stop: threading.Event
    ) -> None:
        channel = connection.channel()
        self.declare(channel)
        channel.basic_qos(prefetch_count=PREFETCH)
        waiting: list[tuple[int, Letter]] = []

        def arrived(_channel: Any, method: Basic.Deliver, properties: BasicProperties, body: bytes) -> None:
            waiting.append((int(method.delivery_tag or 0), _letter(method, properties, body)))

        channel.basic_consume(self._inbox, arrived)
        while not stop.is_set():
            connection.process_data_events(time_limit=0.5)
            while waiting and not stop.is_set():
                tag, letter = waiting.pop(0)
                if not _take_patiently(connection, take, letter, stop):
                    return
                channel.basic_ack(tag)

    def _open(self) -> BlockingChannel:
        if self._sending is not None and self._channel is not None and self._channel.is_open:
            self._sending.process_data_events(time_limit=0)
            if self._channel.is_open:
                return self._channel
        given = parameters(self._url)
        given.blocked_connection_timeout = CONFIRM_SECONDS
        self._sending = BlockingConnection(given)
        self._channel = self._sending.channel()
        self.declare(self._channel)
        self._channel.confirm_delivery()
        return self._channel

    def _drop(self) -> None:
        if self._sending is not None:
            _close(self._sending)
        self._sending = self._channel = None


def _letter(method: Basic.Deliver, properties: BasicProperties, body: bytes) -> Letter:
    headers = {str(name).lower(): str(value) for name, value in (properties.headers or {}).items()}
    return Letter(
        body, headers, properties.user_id or "", properties.message_id or "", bool(method.redelivered)
    )


def _take_patiently(
    connection: BlockingConnection, take: Callable[[Letter], None], letter: Letter, stop: threading.Event
) -> bool:
    failures = 0
    while True:
        try:
            take(letter)
            return True
        except TemporaryError as error:
            log.warning("letter_waits", error=str(error))
        ends = time.monotonic() + min(backoff(failures), 15.0)
        failures += 1
        while time.monotonic() < ends:
            if stop.is_set():
                return False
            connection.process_data_events(time_limit=0.2)  # keeps the heartbeat while we wait


def _close(connection: BlockingConnection) -> None:
    try:
        if connection.is_open:
            connection.close()
    except AMQP_ERRORS as error:
        log.debug("close_failed", error=repr(error))


class PartySide:
    """The other end of a door, as the party itself uses it: put letters in, take answers out."""

    def __init__(self, url: str, *, inbox: str, outbox: str) -> None:
        given = parameters(url)
        self._user = given.credentials.username
        self._inbox = inbox
        self._outbox = outbox
        self._connection = BlockingConnection(given)
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def post(self, body: bytes, headers: Mapping[str, str], *, user: str | None = None) -> None:
        """Put a letter in, confirmed. `user` other than one's own is refused by the broker (AMQPError)."""
        properties = BasicProperties(
            message_id=headers.get("webhook-id"),
            content_type="application/json",
            delivery_mode=2,
            headers=dict(headers),
            user_id=self._user if user is None else user or None,
        )
        self._channel.basic_publish(self._inbox, self._user, body, properties, mandatory=True)

    def answers(self, *, wait_seconds: float) -> list[tuple[bytes, Mapping[str, str]]]:
        """Every answer that arrives within this time; taken out of the queue."""
        found: list[tuple[bytes, Mapping[str, str]]] = []
        ends = time.monotonic() + wait_seconds
        while time.monotonic() < ends:
            method, properties, body = self._channel.basic_get(self._outbox, auto_ack=True)
            if method is None:
                self._connection.sleep(0.1)
                continue
            found.append((body or b"", dict(properties.headers or {})))
        return found

    def close(self) -> None:
        """Leave."""
        _close(self._connection)
