"""
`fazhi bench events`: events a second from outbox to committed aggregate, beside peers, in one run.

Contenders take turns, round after round, so that a slow minute of the machine hits all of them. A number counts
only after the judge found every event counted once; the middle of the rounds is what is told.
"""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

from contracts.topology import ASSESSMENT_SCORED, SCORED
from fazhi.bench import flows
from fazhi.bench.judge import judge
from fazhi.bench.room import Room, Trial
from fazhi.bench.workload import SOURCE, Workload

STOCK, LIMIT = "nameko_event_handler", "sql_without_broker"
ONE_BY_ONE_SHARE = 60
LEAST_ONE_BY_ONE = 120
NAMEKO_QUEUE = f"evt-{SOURCE}-{SCORED}--assessment.scored"


@dataclass(frozen=True, slots=True)
class Contender:
    """Who takes part, what it does, and how it is measured."""

    name: str
    does: str
    measure: Callable[[Trial], float]
    queue: str = ASSESSMENT_SCORED.name
    one_by_one: bool = False
    has_effect: bool = True
    signed: bool = True
    needs: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether the library it shows is there."""
        try:
            version(self.needs or "nameko")
        except PackageNotFoundError:
            return False
        return True

    def workload(self, events: int, per_message: int, seed: int) -> Workload:
        """Its share: those that take one event at a time get fewer, or the run would take an hour."""
        if self.one_by_one:
            few = max(events // ONE_BY_ONE_SHARE, LEAST_ONE_BY_ONE)
            return Workload(few, few // 5, 1, seed, signed=self.signed)
        warm_up = max(events // 10 // per_message, 1) * per_message
        return Workload(events, warm_up, per_message, seed, signed=self.signed)


CONTENDERS = (
    Contender("fazhi", "发件箱→中继→RabbitMQ→考核进程（nameko 批量入口）", flows.from_the_outbox),
    Contender("fazhi_unsigned", "同上，来源不签名、考核不核验签名", flows.from_the_outbox, signed=False),
    Contender(
        "nameko_event_handler",
        "nameko 原生 event_handler，逐条",
        lambda trial: flows.one_by_one(trial, "nameko_event_handler", NAMEKO_QUEUE),
        queue=NAMEKO_QUEUE,
        one_by_one=True,
    ),
    Contender(
        "faststream",
        "FastStream 订阅，逐条",
        lambda trial: flows.one_by_one(trial, "faststream", "bench.faststream"),
        queue="bench.faststream",
        one_by_one=True,
        needs="faststream",
    ),
    Contender(
        "celery",
        "Celery 任务，逐条，两个进程",
        lambda trial: flows.one_by_one(trial, "celery", "bench.celery"),
        queue="bench.celery",
        one_by_one=True,
        needs="celery",
    ),
    Contender(
        "aio_pika_batch",
        "aio-pika 手写批量，同样的批量写入；队列预先装满",
        lambda trial: flows.batches_from_a_queue(trial, "aio_pika_batch"),
        needs="aio-pika",
    ),
    Contender(
        "consume_only",
        "只消费、批量确认，不做事；队列预先装满",
        lambda trial: flows.measuring_itself(trial, "consume_only", from_queue=True),
        has_effect=False,
    ),
    Contender(
        "sql_without_broker",
        "同样的批量写入，从内存喂入，没有消息总线",
        lambda trial: flows.measuring_itself(trial, "sql_without_broker", from_queue=False),
    ),
    Contender(
        "sql_without_broker_unsigned",
        "同上，不核验签名",
        lambda trial: flows.measuring_itself(trial, "sql_without_broker", from_queue=False),
        signed=False,
    ),
)
NAMES = tuple(contender.name for contender in CONTENDERS)


@dataclass(slots=True)
class Result:
    """The rounds of one contender, in events a second."""

    contender: Contender
    workload: Workload
    rounds: list[float] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)


def run(
    room: Room, contenders: Sequence[Contender], *, events: int, per_message: int, seed: int, rounds: int,
    done: Callable[[str], None],
) -> list[Result]:  # fmt: skip
    """Let them take turns; `done` is told after each turn. Raises BenchFailed when one did not do its work."""
    results = [Result(each, each.workload(events, per_message, seed)) for each in contenders]
    for _ in range(rounds):
        for result in results:
            with room.trial(result.workload, result.contender.queue) as trial:
                result.rounds.append(result.contender.measure(trial))
                if result.contender.has_effect:
                    judge(trial)
            done(f"{result.contender.name} {result.rounds[-1]:,.0f}")
    return results


def report(results: Sequence[Result], servers: dict[str, str]) -> dict[str, Any]:
    """What is written as JSON."""
    return {
        "results": [
            {
                "name": result.contender.name,
                "events_per_second": round(result.middle, 1),
                "rounds": [round(each, 1) for each in result.rounds],
                "events": result.workload.events,
                "events_per_message": result.workload.per_message,
            }
            for result in results
        ],
        "machine": machine(),
        "versions": servers | {name: version(name) for name in ("nameko", "pika", "psycopg", "sqlalchemy")},
    }


def machine() -> dict[str, Any]:
    """What the numbers were taken on."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
    }
