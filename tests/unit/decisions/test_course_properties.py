"""However a procedure comes about: no decision without its discussion, and parallel branches have no order."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.decisions.procedures.reading import read_step, step_json
from services.decisions.procedures.rules.gates import breaches
from services.decisions.procedures.rules.later_steps import (
    Decided,
    Discussed,
    PartyReported,
    Published,
    ReviewIssued,
)
from services.decisions.procedures.rules.procedure import Procedure, in_force
from services.decisions.procedures.rules.steps import Drafted, Started
from tests.support.decisions import COURSE, look, outcomes, steps

PARALLEL = ("comment_opened", "hearing_held", "opinions_handled", "experts_argued", "risk_appraised")
# Beside the lawful step: what a careless clerk might record in its place, or nothing at all.
CARELESS: dict[str, list[dict[str, Any]]] = {
    "discussed": [COURSE["discussed"] | {"outcome": "rejected"}],
    "risk_appraised": [COURSE["risk_appraised"] | {"conclusion": "uncontrollable"}],
    "review_issued": [COURSE["review_issued"] | {"conclusion": "unlawful"}],
    "discussion_submitted": [COURSE["discussion_submitted"] | {"documents": []}],
    "started": [COURSE["started"] | {"undertakers": [{"unit": "a", "lead": False}]}],
    "party_reported": [COURSE["party_reported"] | {"on": "2026-05-30"}],
}
ATTEMPTS = st.tuples(
    *(
        st.sampled_from([body, body, body, body, *CARELESS.get(name, []), None])
        for name, body in COURSE.items()
    )
)


@given(ATTEMPTS)
@settings(max_examples=400, deadline=None)
def test_whatever_is_tried_no_decision_precedes_what_the_law_wants_first(
    tries: tuple[dict[str, Any] | None, ...],
) -> None:
    taken = Procedure(())
    for body in filter(None, tries):
        step = read_step(body)
        if breaches(taken, step):
            continue
        if isinstance(step, Decided):
            meeting = taken.last(Discussed)
            assert meeting is not None
            assert meeting.outcome == "passed"
        if isinstance(step, Discussed):
            opinion = taken.last(ReviewIssued)
            assert opinion is not None
            assert opinion.conclusion == "lawful"
        if isinstance(step, Published):
            started = taken.started
            assert started is not None
            assert not started.party_report or taken.all(PartyReported)
        if isinstance(step, Drafted):
            assert sum(u.lead for u in taken.all(Started)[-1].undertakers) == 1
        taken = taken.plus(step)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_random_walks_do_reach_decisions(data: st.DataObject) -> None:
    """The promise above would be empty if nothing ever passed: a willing clerk gets through in any order."""
    parallel = data.draw(st.permutations(PARALLEL))
    names = [name for name in COURSE if name not in PARALLEL]
    place = names.index("review_submitted")
    taken = Procedure(())
    for name in [*names[:place], *parallel, *names[place:]]:
        step = read_step(COURSE[name])
        assert breaches(taken, step) == [], name
        taken = taken.plus(step)
    assert taken.has("decided")


@given(st.permutations(steps()))
@settings(max_examples=100, deadline=None)
def test_the_order_of_recording_changes_no_item(order: list[Any]) -> None:
    seen = look()
    shuffled = type(seen)(Procedure(tuple(order)), seen.settings, seen.calendar, seen.today)
    assert outcomes(shuffled) == outcomes(seen)


@given(st.sampled_from(sorted(COURSE)))
def test_a_step_reads_back_as_it_was_written(name: str) -> None:
    step = read_step(COURSE[name])
    stored = step_json(step)
    assert step_json(read_step(json.loads(stored))) == stored


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_of_several_corrections_the_last_holds(versions: list[int]) -> None:
    log = [("s0", "", read_step(COURSE["drafted"]))]
    for number, version in enumerate(versions, start=1):
        log.append((f"s{number}", f"s{number - 1}", read_step(COURSE["drafted"] | {"version": version})))
    held = in_force(log)
    assert len(held.steps) == 1
    assert held.all(Drafted)[0].version == versions[-1]
