"""Who may ask "why this number" over HTTP, and how the answer is rendered."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from contracts.findings import Outcome
from contracts.roles import SCORE_READERS
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.storage.types import parse_time
from services.assessment.explanation.entries import Entries
from services.assessment.explanation.events import LoggedEvent
from services.assessment.explanation.service import Explanations, Tally
from services.assessment.ranking.api import KnownBy, Period, Upto, framework_ref, node_view
from services.assessment.ranking.rules import share_text

OUTCOMES = {outcome.name.lower(): int(outcome) for outcome in Outcome}


def router(explanations: Explanations, entries: Entries) -> APIRouter:
    """Explanations of any node of a unit's tree."""
    router = APIRouter(tags=["explanation"])

    @router.get("/units/{unit}/explanation")
    @allow(*SCORE_READERS)
    def explanation(
        unit: str,
        who: Caller,
        known: KnownBy,
        period: Period = "",
        upto: Upto = "",
        node: str = "",
        probe: str = "",
        outcome: Annotated[str, Query(pattern="^(|pass|fail|not_applicable|not_computable|not_due)$")] = "",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Method, arithmetic, tallies of findings and the events themselves; without `node`, of the total."""
        told = explanations.explain(
            who,
            unit,
            period,
            node,
            probe=probe,
            outcome=OUTCOMES.get(outcome, 0),
            offset=offset,
            limit=limit,
            upto=upto,
            as_of=known,
        )
        method = told.node.node.method
        return {
            "unit": {"code": told.unit.code, "name": told.unit.name},
            "period": told.period,
            "framework": framework_ref(told.framework).model_dump(),
            "node": node_view(told.node, depth=1).model_dump(),
            "ancestors": [{"node": above.code, "title": above.title} for above in told.ancestors],
            "method": {"kind": method.kind, "text": method.text()} if method else None,
            "basis": [_basis([b.document, b.version, b.article]) for b in told.node.node.basis],
            "arithmetic": list(told.arithmetic),
            "tallies": [_tally(tally) for tally in told.tallies],
            "events": {"total": told.events_total, "rows": [_event(event) for event in told.events]},
        }

    @router.get("/units/{unit}/entries")
    @allow(*SCORE_READERS)
    def ledger_entries(
        unit: str, who: Caller, known: KnownBy, period: Period = "", upto: Upto = ""
    ) -> dict[str, Any]:
        """入账状态: each leaf of the score tree with the state of the event behind it that has come least far."""
        found = entries.of_unit(who, unit, period, upto, known)
        return {"leaves": [{"node": node, "state": state} for node, state in found.items()]}

    return router


def _tally(tally: Tally) -> dict[str, Any]:
    state = tally.state
    counted = state.passed + state.failed
    return {
        "probe": tally.probe,
        "title": tally.title,
        "passed": state.passed,
        "failed": state.failed,
        "not_applicable": state.not_applicable,
        "not_computable": state.not_computable,
        "not_due": state.not_due,
        "numerator": state.numerator,
        "denominator": state.denominator,
        "attainment": share_text(state.graded_milli * 1000 // counted) if counted else None,
        "basis": [_basis(list(basis)) for basis in tally.basis],
    }


def _event(event: LoggedEvent) -> dict[str, Any]:
    leaf = event.leaf
    scored = leaf["outcome"] in ("pass", "fail")
    return {
        "seq": event.seq,
        "id": leaf["event_id"],
        "source": leaf["source"],
        "probe": leaf["probe"],
        "probe_version": leaf["rule_version"],
        "unit": leaf["unit"],
        "outcome": leaf["outcome"],
        "score": leaf["score"] if scored else None,
        "subject": leaf["subject"],
        "occurred_at": _shown(leaf["occurred_at"]),
        "recorded_at": _shown(leaf["recorded_at"]),
        "mode": leaf["mode"],
        "reason": leaf["reason"],
        "basis": [_basis(basis) for basis in leaf["basis"]],
        "evidence": [
            dict(zip(("digest", "media_type", "name", "place"), evidence, strict=True))
            for evidence in leaf["doc_sha"]
        ],
        "corrects": leaf["corrects"] or None,
        "corrected_by": event.corrected_by,
        "leaf_hash": event.leaf_hash,
        "state": event.state,
    }


def _basis(basis: list[str]) -> dict[str, str]:
    return dict(zip(("document", "version", "article"), basis, strict=True))


def _shown(time: str) -> str:
    return parse_time(time).astimezone(SHANGHAI).isoformat()
