"""gRPC service AssessmentQuery: score, ranking, explanation, and the stream of changes."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from grpc import aio  # the type of the server that kernel.hosting.rpc made

from contracts.assessment.v1 import assessment_pb2 as wire
from contracts.assessment.v1 import assessment_pb2_grpc as stubs
from contracts.roles import EXTERNAL_SYSTEM, SCORE_READERS
from kernel.access.principal import Principal
from kernel.errors import Invalid, PlatformError
from kernel.hosting.rpc import Context, Guard, refuse
from services.assessment.app import Assessment
from services.assessment.ranking.rules import points_text, share_text
from services.assessment.scoring.rules import NodeScore

ROLES = (*SCORE_READERS, EXTERNAL_SYSTEM)
MAX_ROWS = 500
MAX_EVENTS = 200
POLL_SECONDS = 1.0
YEAR = re.compile("[0-9]{4}")


class AssessmentQuery(stubs.AssessmentQueryServicer):
    """The same answers as over HTTP, for programmes."""

    def __init__(self, app: Assessment, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def GetScore(self, request: wire.ScoreRequest, context: Context) -> wire.UnitScore:  # noqa: N802
        def ask(who: Any) -> wire.UnitScore:
            standing = self._app.rankings.unit(who, request.unit, request.period)
            score = standing.tree.score
            return wire.UnitScore(
                unit=request.unit,
                period=request.period,
                framework=f"{standing.framework.id}@{standing.framework.version}",
                score="" if score is None else points_text(score),
                coverage=share_text(standing.tree.coverage),
                rank=standing.rank or 0,
                ranked_units=standing.ranked_units,
                peer_group=standing.unit.group.id,
                tree=_node(standing.tree),
            )

        return await self._guard.call(context, ROLES, ask)

    async def GetRanking(self, request: wire.RankingRequest, context: Context) -> wire.Ranking:  # noqa: N802
        def ask(_who: Any) -> wire.Ranking:
            page = self._app.rankings.page(
                request.period,
                request.peer_group,
                offset=max(request.offset, 0),
                limit=_limit(request.limit, usual=100, most=MAX_ROWS),
            )
            return wire.Ranking(
                period=page.period,
                framework=f"{page.framework.id}@{page.framework.version}",
                peer_group=page.group.id,
                total=page.total,
                rows=[
                    wire.RankingRow(
                        rank=row.rank or 0,
                        unit=row.unit,
                        unit_name=row.unit_name,
                        score="" if row.score is None else points_text(row.score),
                        coverage=share_text(row.coverage),
                    )
                    for row in page.rows
                ],
            )

        return await self._guard.call(context, ROLES, ask)

    async def Explain(self, request: wire.ExplanationRequest, context: Context) -> wire.Explanation:  # noqa: N802
        def ask(who: Any) -> wire.Explanation:
            told = self._app.explanations.explain(
                who,
                request.unit,
                request.period,
                request.node,
                offset=max(request.offset, 0),
                limit=_limit(request.limit, usual=50, most=MAX_EVENTS),
            )
            return wire.Explanation(
                node=_node(told.node),
                tallies=[
                    wire.ProbeTally(
                        probe=tally.probe,
                        passed=tally.state.passed,
                        failed=tally.state.failed,
                        not_applicable=tally.state.not_applicable,
                        not_computable=tally.state.not_computable,
                        not_due=tally.state.not_due,
                    )
                    for tally in told.tallies
                ],
                events=[
                    wire.CountedEvent(
                        seq=event.seq,
                        id=event.leaf["event_id"],
                        probe=event.leaf["probe"],
                        outcome=event.leaf["outcome"],
                        score_milli=int(event.leaf["score"].replace(".", "")),
                        subject=event.leaf["subject"],
                        occurred_at=event.leaf["occurred_at"],
                        leaf_hash=event.leaf_hash,
                    )
                    for event in told.events
                ],
                events_total=told.events_total,
            )

        return await self._guard.call(context, ROLES, ask)

    async def FollowChanges(  # noqa: N802
        self, request: wire.ChangesRequest, context: Context
    ) -> AsyncIterator[wire.ScoreChanged]:
        """
        Every score that changes from now on, inside the caller's part of the unit tree.

        The initial metadata says that it has begun. It ends when the token runs out: who was moved or signed out
        follows no longer than that, and comes again with a fresh one.
        """

        def begin(who: Principal) -> tuple[Principal, tuple[int, datetime | None]]:
            if not YEAR.fullmatch(request.period):
                raise Invalid("请写明四位年度，例如 2026。", code="assessment.bad_period")
            return who, self._app.rankings.newest()

        who, (seen, since) = await self._guard.call(context, ROLES, begin, stream=True)
        prefix = request.unit_path if who.reaches(request.unit_path) else who.unit_path
        told: dict[str, tuple[int | None, int]] = {}
        await context.send_initial_metadata(())
        while not context.cancelled():
            try:
                self._guard.principal(context, ROLES, stream=True)
            except PlatformError as error:
                await refuse(context, error)
            changes = await asyncio.to_thread(self._app.rankings.changes, request.period, prefix, seen, since)
            for change in changes:
                seen, since = max(seen, change.at_seq), max(since or change.known_at, change.known_at)
                if told.get(change.unit) == (change.score, change.coverage):
                    continue  # reckoned again, and the same
                told[change.unit] = change.score, change.coverage
                yield wire.ScoreChanged(
                    unit=change.unit,
                    period=request.period,
                    score="" if change.score is None else points_text(change.score),
                    coverage=share_text(change.coverage),
                    at_seq=change.at_seq,
                )
            await asyncio.sleep(POLL_SECONDS)


def register(app: Assessment, server: aio.Server, guard: Guard) -> None:
    """Add the service to a server."""
    stubs.add_AssessmentQueryServicer_to_server(AssessmentQuery(app, guard), server)


def _limit(asked: int, *, usual: int, most: int) -> int:
    """How many rows are given; what is not a number of rows is as if it were not said."""
    return min(asked, most) if asked > 0 else usual


def _node(tree: NodeScore) -> wire.NodeScore:
    return wire.NodeScore(
        node=tree.node.code,
        title=tree.node.title,
        level=tree.node.level,
        points=points_text(tree.points),
        applicable=points_text(tree.amounts.applicable),
        earned=points_text(tree.amounts.earned),
        status=tree.status,
        coverage=share_text(tree.coverage),
        children=[_node(child) for child in tree.children],
    )
