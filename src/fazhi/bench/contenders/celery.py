"""Peer: Celery, one event a task, acknowledged late, two worker processes (one a core)."""

import base64

from celery import Celery  # type: ignore[import-untyped]

from contracts.topology import SCORED
from fazhi.bench.effect import door
from fazhi.bench.workload import SOURCE
from kernel.bus.inbound import Inbound
from kernel.bus.port import Delivery
from kernel.messages import Message
from kernel.settings import Settings

QUEUE = "bench.celery"
DOORS: list[Inbound] = []

app = Celery("bench", broker=Settings().broker_url)
app.conf.update(
    task_default_queue=QUEUE, task_acks_late=True, task_ignore_result=True, worker_enable_remote_control=False
)


@app.task(name="scored")  # type: ignore[untyped-decorator]
def scored(id: str, body: str) -> None:
    """Take one event."""
    if not DOORS:  # each process of the pool opens its own, after the fork
        DOORS.append(door())
    message = Message(id=id, source=SOURCE, name=SCORED, body=base64.b64decode(body))
    DOORS[0].take([Delivery(message, redelivered=False)])


if __name__ == "__main__":
    app.worker_main(
        [
            "worker",
            "--pool",
            "prefork",
            "--concurrency",
            "2",
            "--loglevel",
            "ERROR",
            "--without-gossip",
            "--without-mingle",
        ]
    )
