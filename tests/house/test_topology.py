"""Every queue has exactly one worker, every worker its queue, and every fact somebody who tells it."""

import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from contracts import topology
from fazhi.docs.asyncapi import FACTS
from fazhi.services import NAMES, package_of
from kernel.bus.markers import subscriptions
from kernel.messages import Queue

ROOT = Path(__file__).parents[2]
# How each fact is told, as it reads in the code of its service.
TELLING = {
    topology.SCORED: r"\b(FINDINGS|findings|register)\.record\(",
    topology.UNITS: r"\bpack_units\(",
    topology.CITATIONS: r"\btell_citations\(",
    topology.CLUE_TO_ENFORCEMENT: r"\bCLUE_TO_ENFORCEMENT\b",
    topology.CLUE_TO_DISPUTES: r"\bCLUE_TO_DISPUTES\b",
    topology.CLUE_PROGRESSED: r"\btell_progress\(",
    topology.CORRECTION_ASKED: r"\btell_correction\(",
    topology.HOLDERS: r"\bpack_holders\(",
}
KEYS = sorted({key for queue in topology.QUEUES for key in queue.keys})


def heard() -> list[tuple[str, Queue]]:
    """The (service, queue) pairs that worker classes declare."""
    found = []
    for name in NAMES:
        worker = getattr(import_module(f"{package_of(name)}.worker"), f"{name.capitalize()}Worker")
        assert worker.name == name
        found += [(name, subscription.queue) for _, subscription in subscriptions(worker)]
    return found


def test_every_queue_is_heard_by_exactly_one_method() -> None:
    counts = Counter(queue.name for _, queue in heard())
    assert counts == Counter({queue.name: 1 for queue in topology.QUEUES})


def test_workers_hear_the_declared_queues_themselves() -> None:
    assert [queue.name for _, queue in heard() if queue not in topology.QUEUES] == []


def test_a_queue_bears_the_name_of_its_hearer() -> None:
    assert [(name, queue.name) for name, queue in heard() if not queue.name.startswith(f"{name}.")] == []


def test_queue_names_are_unique() -> None:
    assert max(Counter(queue.name for queue in topology.QUEUES).values()) == 1


def test_every_directory_copy_is_kept_by_its_service() -> None:
    assert {name for name, queue in heard() if queue in topology.DIRECTORY.values()} == set(topology.SERVICES)


@pytest.mark.parametrize(("source", "name"), KEYS)
def test_a_fact_is_told_by_the_service_that_is_said_to_tell_it(source: str, name: str) -> None:
    assert source in NAMES
    folder = ROOT.joinpath(*package_of(source).split("."))
    told = [path for path in folder.rglob("*.py") if re.search(TELLING[name], path.read_text())]
    assert told, f"nothing in {package_of(source)} tells {name}"


def test_every_fact_is_documented() -> None:
    assert set(FACTS) == {name for _, name in KEYS}


def test_names_carry_their_version() -> None:
    assert [name for _, name in KEYS if not re.fullmatch(r"[a-z_]+\.v[1-9]\d*", name)] == []
