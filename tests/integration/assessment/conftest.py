"""Assessment on both databases, fed through the same inbound side that the buses use."""

import pytest

from contracts.topology import ASSESSMENT_SCORED, DIRECTORY
from contracts.units import pack_units
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock
from kernel.ids import new_id
from kernel.messages import Message
from services.assessment.worker import AssessmentWorker
from tests.support.events import MARCH_5, a_message
from tests.support.stores import built, postgresql_runtime, sqlite_runtime


class Fed:
    """Assessment with a door for messages."""

    def __init__(self, app, runtime):
        self.app = app
        self.runtime = runtime
        worker = AssessmentWorker(app)
        self._doors = {
            subscription.queue.name: Inbound(app.store, subscription, getattr(worker, name))
            for name, subscription in subscriptions(worker)
        }

    def events(self, *events, together=True, redelivered=False):
        """Deliver events, in one message or one each."""
        groups = [events] if together else [(event,) for event in events]
        self.messages(*(a_message(*group) for group in groups), redelivered=redelivered)

    def messages(self, *messages, redelivered=False):
        self._doors[ASSESSMENT_SCORED.name].take([Delivery(message, redelivered) for message in messages])

    def units(self, *units):
        messages = [
            Message(id=new_id(), source="gateway", name="units.v1", body=body) for body in pack_units(units)
        ]
        self._doors[DIRECTORY["assessment"].name].take([Delivery(message, False) for message in messages])


@pytest.fixture(params=["sqlite", "postgresql"])
def fed(request, tmp_path):
    clock = FixedClock(MARCH_5)
    if request.param == "sqlite":
        runtime = sqlite_runtime(tmp_path, clock)
    else:
        runtime = postgresql_runtime(tmp_path, request.getfixturevalue("postgresql_url"), clock)
    app = built(runtime, "services.assessment")
    app.prepare()
    yield Fed(app, runtime)
    runtime.close()
