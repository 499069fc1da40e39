"""Peer: a stock nameko event handler, one event a message, acknowledged when the handler returned."""

# ruff: noqa: E402
import os

import eventlet

eventlet.monkey_patch()
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import base64
from typing import Any

from nameko.events import event_handler
from nameko.runners import ServiceRunner

from contracts.topology import SCORED
from fazhi.bench.effect import door
from fazhi.bench.workload import SOURCE
from kernel.bus.port import Delivery
from kernel.messages import Message
from kernel.settings import Settings

DOOR = door()


class Assessment:
    """A nameko service as nameko's own documentation writes it."""

    name = "assessment"

    @event_handler(SOURCE, SCORED)  # type: ignore[untyped-decorator]  # nameko has no types
    def scored(self, payload: dict[str, Any]) -> None:
        """Take one event."""
        body = base64.b64decode(payload["body"])
        DOOR.take(
            [Delivery(Message(id=payload["id"], source=SOURCE, name=SCORED, body=body), redelivered=False)]
        )


if __name__ == "__main__":
    runner = ServiceRunner(config={"AMQP_URI": Settings().broker_url})
    runner.add_service(Assessment)
    runner.start()
    runner.wait()
