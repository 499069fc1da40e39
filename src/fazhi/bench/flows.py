"""
Flows: how a contender is filled, started, warmed up and watched. Each returns events a second.

Ours starts from the outbox. Peers have none, so their queue is filled for them beforehand (batches) or in one
go while they wait (one by one; their queues are theirs to declare): their number leaves publishing out.
"""

import base64
import time
from collections.abc import Sequence
from itertools import islice

import orjson
import pika
from sqlalchemy import MetaData, create_engine, insert
from sqlalchemy.pool import NullPool

from contracts.topology import ASSESSMENT_SCORED, SCORED
from fazhi.bench.room import LONGEST_TRIAL_SECONDS, BenchFailed, Trial, queue_depth
from fazhi.bench.workload import RECORDED, SOURCE
from kernel.bus.rabbit import RabbitBus
from kernel.messages import Message
from kernel.storage.spine import Spine

CONTENDERS = "fazhi.bench.contenders"


def from_the_outbox(trial: Trial) -> float:
    """Outbox, relay process, RabbitMQ, worker process; from the commit of the outbox rows to the last event."""
    metadata = MetaData()
    outbox = Spine(metadata).outbox
    engine = create_engine(trial.url_of(SOURCE), poolclass=NullPool)
    metadata.create_all(engine)
    messages = trial.workload.messages()
    warm = trial.workload.warm_up // trial.workload.per_message
    trial.launch("fazhi.worker_process", "assessment", "hears")
    trial.launch("fazhi.worker_process", "assessment", "clocks")
    trial.launch(f"{CONTENDERS}.relay")
    with engine.begin() as connection:
        connection.execute(insert(outbox), [_row(message) for message in messages[:warm]])
    trial.wait_until_committed(trial.workload.warm_up)
    with engine.begin() as connection:
        connection.execute(insert(outbox), [_row(message) for message in messages[warm:]])
        started = time.monotonic()
    ended, _ = trial.wait_until_committed(trial.workload.total)
    return trial.workload.events / (ended - started)


def batches_from_a_queue(trial: Trial, module: str) -> float:
    """The product's queue, filled beforehand; from the first commit past the warm-up to the last event."""
    _fill_our_queue(trial)
    trial.launch(f"{CONTENDERS}.{module}")
    return _rate_after_warm_up(trial)


def one_by_one(trial: Trial, module: str, queue: str) -> float:
    """A stock consumer with a queue of its own declaring, one event a message."""
    trial.launch(f"{CONTENDERS}.{module}")
    ends = time.monotonic() + LONGEST_TRIAL_SECONDS / 4
    while queue_depth(trial.broker_url, queue) is None:
        trial.check_alive()
        if time.monotonic() > ends:
            raise BenchFailed(f"{module} 未声明队列 {queue}")
        time.sleep(0.1)
    publish = {"nameko_event_handler": _publish_json, "celery": _send_tasks}.get(module, _publish_bytes)
    publish(trial, queue, trial.workload.messages())
    return _rate_after_warm_up(trial)


def measuring_itself(trial: Trial, module: str, *, from_queue: bool) -> float:
    """A process that has no database to watch, or no queue: it says itself how long it took."""
    if from_queue:
        _fill_our_queue(trial)
    said = trial.launch(f"{CONTENDERS}.{module}", answers=True).communicate(timeout=LONGEST_TRIAL_SECONDS)[0]
    if not said:
        raise BenchFailed(f"{module} 没有给出结果：\n{trial.log.read_text()[-2000:]}")
    found = orjson.loads(said)
    if found["seen"] != trial.workload.total:
        raise BenchFailed(f"{module} 只见到 {found['seen']} 个事件，应为 {trial.workload.total}")
    return float(found["events"] / found["seconds"])


def _rate_after_warm_up(trial: Trial) -> float:
    started, before = trial.wait_until_committed(trial.workload.warm_up)
    ended, after = trial.wait_until_committed(trial.workload.total)
    return (after - before) / (ended - started)


def _fill_our_queue(trial: Trial) -> None:
    bus = RabbitBus(trial.broker_url, [ASSESSMENT_SCORED])
    try:
        messages = iter(trial.workload.messages())
        while window := list(islice(messages, 200)):
            if bus.publish(window) != {message.id for message in window}:
                raise BenchFailed("消息总线未确认全部消息")
    finally:
        bus.close()


def _row(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "name": message.name,
        "body": message.body,
        "headers": "{}",
        "created_at": RECORDED,
    }


def _publish_json(trial: Trial, queue: str, messages: Sequence[Message]) -> None:
    del queue  # nameko's queue is bound to the source's exchange
    properties = pika.BasicProperties(
        content_type="application/json", content_encoding="utf-8", delivery_mode=2
    )
    bodies = (orjson.dumps({"id": m.id, "body": base64.b64encode(m.body).decode()}) for m in messages)
    _publish(trial, [(f"{SOURCE}.events", SCORED, body, properties) for body in bodies])


def _publish_bytes(trial: Trial, queue: str, messages: Sequence[Message]) -> None:
    _publish(
        trial,
        [
            ("", queue, message.body, pika.BasicProperties(message_id=message.id, delivery_mode=2))
            for message in messages
        ],
    )


def _publish(trial: Trial, entries: Sequence[tuple[str, str, bytes, pika.BasicProperties]]) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(trial.broker_url))
    channel = connection.channel()
    for exchange, key, body, properties in entries:
        channel.basic_publish(exchange, key, body, properties)
    connection.close()


def _send_tasks(trial: Trial, queue: str, messages: Sequence[Message]) -> None:
    # A peer, not a part: nothing else here may need it.
    import celery  # type: ignore[import-untyped]

    app = celery.Celery("bench", broker=trial.broker_url)
    app.conf.task_default_queue = queue
    for message in messages:
        app.send_task("scored", kwargs={"id": message.id, "body": base64.b64encode(message.body).decode()})
    app.close()
