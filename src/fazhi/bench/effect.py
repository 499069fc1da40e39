"""
The effect every contender has: assessment's own door, so that all do the same work with the same code.

A batch through the door is one transaction: inbox, log, states. A peer that takes one message at a time
opens the door once a message.
"""

import os

from contracts.topology import ASSESSMENT_SCORED
from fazhi.bench.workload import Workload
from fazhi.services import build
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from services.assessment.app import Assessment
from services.assessment.worker import AssessmentWorker


def door() -> Inbound:
    """Where scored events go in, over the database that the environment names."""
    return door_of(build("assessment", Runtime(Settings())).app)


def door_of(app: Assessment) -> Inbound:
    """Where scored events go into this assessment."""
    worker = AssessmentWorker(app)
    for name, subscription in subscriptions(worker):
        if subscription.queue == ASSESSMENT_SCORED:
            return Inbound(app.store, subscription, getattr(worker, name))
    raise LookupError(f"assessment does not hear {ASSESSMENT_SCORED.name}")


def batch_size() -> int:
    """How many messages assessment takes at once."""
    heard = {subscription.queue: subscription for _, subscription in subscriptions(AssessmentWorker)}
    return heard[ASSESSMENT_SCORED].batch


def given_workload() -> Workload:
    """The workload this process was started for."""
    events, warm_up, per_message, seed, signed = map(int, os.environ["BENCH_WORKLOAD"].split(","))
    return Workload(events, warm_up, per_message, seed, signed=bool(signed))
