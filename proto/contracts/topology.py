"""
Topology 消息拓扑: every queue of the platform, in one place.

A relay declares the queues that hear its service before it publishes, so a fact told while its hearer has
never run still waits for it. tests/house checks that every queue here has a worker and every worker a queue.
"""

from kernel.messages import Queue

SERVICES = ("legislation", "disputes", "decisions", "enforcement", "assessment")

SCORED = "scored.v1"
UNITS = "units.v1"
CITATIONS = "citations.v1"
CLUE_TO_ENFORCEMENT = "clue_routed_to_enforcement.v1"
CLUE_TO_DISPUTES = "clue_routed_to_disputes.v1"
CLUE_PROGRESSED = "clue_progressed.v1"
CORRECTION_ASKED = "correction_asked.v1"
HOLDERS = "holders.v1"

ASSESSMENT_SCORED = Queue(
    "assessment.scored",
    tuple((source, SCORED) for source in ("legislation", "disputes", "decisions", "enforcement", "gateway")),
)
LEGISLATION_CITATIONS = Queue(
    "legislation.citations", tuple((source, CITATIONS) for source in ("disputes", "decisions", "enforcement"))
)
ENFORCEMENT_CLUES = Queue("enforcement.clues", (("gateway", CLUE_TO_ENFORCEMENT),))
DISPUTES_CLUES = Queue("disputes.clues", (("gateway", CLUE_TO_DISPUTES),))
GATEWAY_PROGRESS = Queue(
    "gateway.clue_progress", (("enforcement", CLUE_PROGRESSED), ("disputes", CLUE_PROGRESSED))
)
CORRECTION_NOTICES = {
    service: Queue(f"{service}.corrections", (("assessment", CORRECTION_ASKED),))
    for service in (*SERVICES, "gateway")
    if service != "assessment"
}
DIRECTORY = {service: Queue(f"{service}.directory", (("gateway", UNITS),)) for service in SERVICES}
ASSESSMENT_HOLDERS = Queue("assessment.holders", (("gateway", HOLDERS),))

QUEUES: tuple[Queue, ...] = (
    ASSESSMENT_SCORED,
    LEGISLATION_CITATIONS,
    ENFORCEMENT_CLUES,
    DISPUTES_CLUES,
    GATEWAY_PROGRESS,
    *CORRECTION_NOTICES.values(),
    *DIRECTORY.values(),
    ASSESSMENT_HOLDERS,
)


def heard_from(source: str) -> tuple[Queue, ...]:
    """The queues that hear a service."""
    return tuple(queue for queue in QUEUES if any(key[0] == source for key in queue.keys))
