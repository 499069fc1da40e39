"""A reconsideration case, step by step: valid by default, one line to differ. Holidays are those of 2026."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.disputes.reconsideration.codes import Codes, load_clocks, load_codes
from services.disputes.reconsideration.reading import read_step
from services.disputes.reconsideration.rules.deadlines import Clocks
from services.disputes.reconsideration.rules.probes import PROBES, Seen
from services.disputes.reconsideration.rules.replay import Replay, replay

CATALOG = Path(__file__).parents[2] / "catalog"
ORGAN, RESPONDENT = "150102", "150102-scjg"
Body = dict[str, Any]

# Received on Wednesday 4 March 2026; sixty days from acceptance end on 5 May, a holiday, so on 6 May.
COURSE: dict[str, Body] = {
    "received": {"kind": "received", "on": "2026-03-04", "act_kind": "penalty", "act_on": "2026-02-10"},
    "accepted": {"kind": "accepted", "on": "2026-03-06", "track": "ordinary"},
    "copy_received": {"kind": "copy_received", "on": "2026-03-10"},
    "answered": {"kind": "answered", "on": "2026-03-20"},
    "hearing_decided": {"kind": "hearing_decided", "on": "2026-03-23", "required": True},
    "hearing_held": {"kind": "hearing_held", "on": "2026-04-08", "head_attended": True},
    "decided": {"kind": "decided", "on": "2026-04-28", "outcome": "RF08"},
    "served": {"kind": "served", "on": "2026-04-30"},
}


@lru_cache(maxsize=1)
def codes() -> Codes:
    return load_codes(CATALOG)


@lru_cache(maxsize=1)
def clocks() -> Clocks:
    return load_clocks(CATALOG, codes())


def course(*, without: tuple[str, ...] = (), until: str = "", **changes: dict[str, Any]) -> list[Body]:
    """The course, cut after `until`, without some steps, and with fields changed."""
    names = list(COURSE)
    if until:
        names = names[: names.index(until) + 1]
    return [COURSE[name] | changes.get(name, {}) for name in names if name not in without]


def played(bodies: Iterable[Body], today: str = "2026-05-20") -> Replay:
    """What the law made of these steps by a day."""
    steps = sorted((read_step(body, codes()) for body in bodies), key=lambda step: step.on)
    return replay(steps, clocks(), date.fromisoformat(today))


def said(bodies: Iterable[Body], today: str = "2026-05-20") -> dict[str, str]:
    """What every probe says: {"DIS-ACC-01": "PASS", ...}."""
    done = played(bodies, today)
    seen = Seen(done.case, done.kept, codes().outcomes, date.fromisoformat(today))
    return {probe.name: probe.rule(seen).outcome.name for probe in PROBES}
