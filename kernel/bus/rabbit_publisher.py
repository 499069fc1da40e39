"""
Publisher: pipelined confirms over one connection in a thread of its own.

`publish` hands a window to the I/O thread and waits, bounded, for the confirms. What is nacked, returned as
unroutable, or unconfirmed when the time is up counts as not sent, and the relay sends it again. An unroutable
message means somebody removed a queue or binding: the topology is declared again before the next window.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

import pika
import pika.exceptions
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from kernel.errors import Unavailable
from kernel.messages import Message, Queue
from kernel.telemetry.log import logger

log = logger(__name__)

CONFIRM_SECONDS = 10.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 2.0


class _Window:
    """The messages of one call and what became of them."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.confirmed: set[str] = set()
        self.done = threading.Event()
        self.pending: dict[int, str] = {}
        self.returned: set[str] = set()

    def settle(self, tag: int, *, multiple: bool, good: bool) -> None:
        tags = [known for known in self.pending if known <= tag] if multiple else [tag]
        for known in tags:
            message_id = self.pending.pop(known, None)
            if message_id is not None and good and message_id not in self.returned:
                self.confirmed.add(message_id)
        if not self.pending:
            self.done.set()


class Publisher:
    """One publishing connection; reconnects when it was lost."""

    def __init__(
        self,
        parameters: pika.URLParameters,
        heard: Sequence[Queue],
        declare: Callable[[Sequence[Queue], Collection[str]], None],
    ) -> None:
        self._parameters = parameters
        self._heard = tuple(heard)
        self._names = {key for queue in heard for key in queue.keys}
        self._declare = declare
        self._declared: set[str] = set()
        self._turn = threading.Lock()
        self._connection: SelectConnection | None = None
        self._channel: Channel | None = None
        self._thread: threading.Thread | None = None
        self._window: _Window | None = None
        self._next_tag = 1

    def publish(self, messages: Sequence[Message]) -> set[str]:
        """Publish a window; return the ids confirmed. Raises Unavailable when the broker is away."""
        if not messages:
            return set()
        with self._turn:
            exchanges = {message.exchange for message in messages}
            if not exchanges <= self._declared:
                self._declare(self._heard, exchanges)
                self._declared |= exchanges
            if self._channel is None:
                self._connect()
            connection = self._connection
            assert connection is not None
            window = _Window(messages)
            connection.ioloop.add_callback_threadsafe(lambda: self._send(window))
            if not window.done.wait(CONFIRM_SECONDS):
                log.warning("confirms_missing", missing=len(window.pending))
                self._drop()
            if window.returned:
                log.warning("unroutable", messages=len(window.returned))
                self._declared.clear()
            return window.confirmed

    def close(self) -> None:
        """Close the connection and end its thread."""
        with self._turn:
            self._drop()

    def _connect(self) -> None:
        ready = threading.Event()
        failure: list[BaseException] = []

        def opened(connection: Any) -> None:
            connection.channel(on_open_callback=channel_opened)

        def channel_opened(channel: Channel) -> None:
            channel.add_on_close_callback(lambda _channel, reason: self._lost(connection, reason))
            channel.add_on_return_callback(self._returned)
            channel.confirm_delivery(
                lambda frame: self._settled(channel, frame), callback=lambda _frame: confirming(channel)
            )

        def confirming(channel: Channel) -> None:
            self._channel, self._next_tag = channel, 1
            ready.set()

        def refused(_connection: Any, error: Any) -> None:
            failure.append(error if isinstance(error, BaseException) else RuntimeError(str(error)))
            connection.ioloop.stop()
            ready.set()

        def closed(gone: Any, reason: BaseException) -> None:
            self._lost(gone, reason)
            gone.ioloop.stop()

        connection = SelectConnection(
            self._parameters,
            on_open_callback=opened,
            on_open_error_callback=refused,
            on_close_callback=closed,
        )
        self._connection = connection
        self._thread = threading.Thread(target=self._spin, args=(connection,), name="publisher", daemon=True)
        self._thread.start()
        if not ready.wait(CONNECT_SECONDS) or failure or self._channel is None:
            self._drop()
            cause = failure[0] if failure else None
            raise Unavailable(
                "消息总线暂时不可用，消息已保存，稍后自动发送。", code="platform.bus_away"
            ) from cause

    @staticmethod
    def _spin(connection: SelectConnection) -> None:
        try:
            connection.ioloop.start()
        except Exception as error:  # noqa: BLE001  (the thread ends; the next publish connects anew)
            log.warning("publisher_loop_ended", error=repr(error))
        finally:
            connection.ioloop.close()

    def _send(self, window: _Window) -> None:
        channel = self._channel
        if channel is None or not channel.is_open:
            window.done.set()
            return
        self._window = window
        first = self._next_tag
        for offset, message in enumerate(window.messages):
            window.pending[first + offset] = message.id
        self._next_tag = first + len(window.messages)
        for message in window.messages:
            channel.basic_publish(
                message.exchange,
                message.name,
                message.body,
                BasicProperties(
                    message_id=message.id,
                    app_id=message.source,
                    type=f"{message.source}.{message.name}",
                    content_type=message.content_type,
                    delivery_mode=2,
                    headers=dict(message.headers),
                ),
                mandatory=(message.source, message.name) in self._names,
            )

    def _settled(self, channel: Channel, frame: Any) -> None:
        # Each channel counts anew: what one that was given up says late would settle others of the same numbers.
        if self._window is not None and channel is self._channel:
            good = isinstance(frame.method, Basic.Ack)
            self._window.settle(frame.method.delivery_tag, multiple=frame.method.multiple, good=good)

    def _returned(self, _channel: Any, _method: Any, properties: BasicProperties, _body: bytes) -> None:
        if self._window is not None and properties.message_id:
            self._window.returned.add(properties.message_id)

    def _lost(self, connection: Any, reason: object) -> None:
        if connection is not self._connection:
            return
        log.warning("publisher_connection_lost", reason=repr(reason))
        self._channel = None
        self._declared.clear()
        if self._window is not None:
            self._window.done.set()

    def _drop(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(RuntimeError, OSError):  # its loop has ended already
                connection.ioloop.add_callback_threadsafe(lambda: _end(connection))
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)


def _end(connection: SelectConnection) -> None:
    if connection.is_open:
        connection.close()
    else:
        connection.ioloop.stop()
