"""gRPC AssessmentQuery: the same answers as over HTTP, with tokens, deadlines and clear refusals."""

import asyncio
from datetime import timedelta

import grpc
import pytest
from grpc import aio
from sqlalchemy import select

from contracts.assessment.v1 import assessment_pb2 as wire
from contracts.assessment.v1.assessment_pb2_grpc import AssessmentQueryStub
from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.findings import Outcome
from contracts.roles import EXTERNAL_SYSTEM, REPORTER, REVIEWER
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.hosting import rpc
from services.assessment.rpc import register
from tests.support.events import a_unit, an_event


@pytest.fixture
def keys(tmp_path, fed):
    path = tmp_path / "identity.pem"
    make_key(path)
    issuer = Issuer(path.read_bytes(), fed.app.store.clock)
    return issuer, Verifier(issuer.public_pem, fed.app.store.clock)


@pytest.fixture
def ask(fed, keys):
    """Call a method of the service as somebody; a fresh server for each call."""
    issuer, verifier = keys
    fed.units(a_unit("150102-scjg"), a_unit("150102-sf"))
    fed.events(an_event(), an_event(outcome=Outcome.FAIL, subject="enforcement/cases/2"))
    fed.events(an_event(unit="150102-sf"))
    fed.app.roll_up.catch_up()

    def call(method, request, *, roles=(REVIEWER,), path="/15/", timeout=5.0, token=None):
        who = Principal(account="programme", unit_path=path, roles=frozenset(roles))
        metadata = [("authorization", f"Bearer {token or issuer.issue(who)}")]

        async def run():
            server = rpc.new_server()
            register(fed.app, server, rpc.Guard(verifier))
            port = await rpc.serve(server, "127.0.0.1:0")
            try:
                async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                    return await getattr(AssessmentQueryStub(channel), method)(
                        request, timeout=timeout, metadata=metadata
                    )
            finally:
                await server.stop(0)

        return asyncio.run(run())

    return call


def refused(ask, *arguments, **options):
    with pytest.raises(aio.AioRpcError) as refusal:
        ask(*arguments, **options)
    return refusal.value


def test_a_ranking_and_a_score_agree(ask):
    ranking = ask("GetRanking", wire.RankingRequest(period="2026", peer_group="county_departments"))
    first = ranking.rows[0]
    assert (first.rank, first.unit, first.score) == (1, "150102-sf", "100.0000")
    score = ask("GetScore", wire.ScoreRequest(unit="150102-scjg", period="2026"))
    assert (score.rank, score.ranked_units) == (2, 2)
    assert score.score == ranking.rows[1].score
    assert score.tree.children


def test_an_explanation_has_tallies_and_events(ask):
    told = ask("Explain", wire.ExplanationRequest(unit="150102-scjg", period="2026"))
    assert told.events_total == 2
    assert told.events[0].outcome == "fail"
    assert len(told.events[0].leaf_hash) == 64


def test_a_number_of_rows_that_is_none_gives_as_many_as_usual(ask):
    for limit in (-1, -(2**31)):
        ranking = ask(
            "GetRanking", wire.RankingRequest(period="2026", peer_group="county_departments", limit=limit)
        )
        assert [row.unit for row in ranking.rows] == ["150102-sf", "150102-scjg"]
        told = ask("Explain", wire.ExplanationRequest(unit="150102-scjg", period="2026", limit=limit))
        assert len(told.events) == 2


def test_refusals_have_their_own_codes(ask):
    request = wire.ScoreRequest(unit="150102-scjg", period="2026")
    stranger = {"roles": (REPORTER,), "path": "/15/150102-sf/"}
    assert refused(ask, "GetScore", request, **stranger).code() == grpc.StatusCode.NOT_FOUND
    assert refused(ask, "GetScore", request, roles=("system_admin_of_mars",)).code() == (
        grpc.StatusCode.PERMISSION_DENIED
    )
    assert refused(ask, "GetScore", request, token="nonsense").code() == grpc.StatusCode.UNAUTHENTICATED
    without_deadline = refused(ask, "GetScore", request, timeout=None)
    assert without_deadline.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "platform.deadline_required" in without_deadline.details()


def test_changes_are_told_as_they_happen(fed, keys):
    issuer, verifier = keys
    fed.units(a_unit("150102-scjg"), a_unit("150102-sf"))
    fed.app.roll_up.catch_up()
    who = Principal(account="programme", unit_path="/15/150102-scjg/", roles=frozenset({REVIEWER}))

    async def run():
        server = rpc.new_server()
        register(fed.app, server, rpc.Guard(verifier))
        port = await rpc.serve(server, "127.0.0.1:0")
        try:
            async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                metadata = [("authorization", f"Bearer {issuer.issue(who)}")]
                changes = AssessmentQueryStub(channel).FollowChanges(
                    wire.ChangesRequest(period="2026"), metadata=metadata, timeout=30
                )
                reading = asyncio.ensure_future(changes.read())
                await asyncio.sleep(1.5)
                await asyncio.to_thread(fed.events, an_event(unit="150102-sf"), an_event())
                await asyncio.to_thread(fed.app.roll_up.catch_up)
                return await asyncio.wait_for(reading, 15)
        finally:
            await server.stop(0)

    change = asyncio.run(run())
    assert (change.unit, change.score) == ("150102-scjg", "100.0000")  # and nothing of the neighbour


@pytest.fixture
def followed(fed, keys):
    """What somebody hears on a stream while every score changes: (units heard, how it ended)."""
    issuer, verifier = keys
    fed.units(a_unit("150102-scjg"), a_unit("150102-sf"))

    def follow(path, *, period="2026", role=REVIEWER, later=lambda: None):
        who = Principal(account="programme", unit_path=path, roles=frozenset({role}))

        async def run():
            server, heard = rpc.new_server(), []
            register(fed.app, server, rpc.Guard(verifier, fed.app.store))
            port = await rpc.serve(server, "127.0.0.1:0")
            try:
                async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                    metadata = [("authorization", f"Bearer {issuer.issue(who)}")]
                    stream = AssessmentQueryStub(channel).FollowChanges(
                        wire.ChangesRequest(period=period), metadata=metadata, timeout=20
                    )
                    await stream.initial_metadata()
                    await asyncio.to_thread(fed.events, an_event(unit="150102-sf"), an_event())
                    await asyncio.to_thread(fed.app.roll_up.catch_up)
                    later()
                    while (change := await stream.read()) is not aio.EOF:
                        heard.append(change.unit)
            except aio.AioRpcError as ended:
                return heard, ended.code()
            finally:
                await server.stop(0)

        return asyncio.run(run())

    return follow


def test_a_stream_ends_with_the_token_it_was_opened_with(fed, followed):
    ended = followed("/15/", later=lambda: fed.app.store.clock.advance(timedelta(minutes=6)))
    assert ended[1] == grpc.StatusCode.UNAUTHENTICATED


def test_who_has_no_place_in_the_tree_hears_of_nobody(fed, followed):
    at_once = lambda: fed.app.store.clock.advance(timedelta(minutes=6))  # noqa: E731  (which ends the stream)
    assert followed("", role=EXTERNAL_SYSTEM, later=at_once) == ([], grpc.StatusCode.UNAUTHENTICATED)
    assert fed.app.rankings.changes("2026", "", 0) == []
    assert {one.unit for one in fed.app.rankings.changes("2026", "/15/", 0)} >= {"150102-sf", "150102-scjg"}


def test_a_score_that_a_move_in_the_directory_changed_is_told_though_no_event_came(fed):
    government = UnitKind.UNIT_KIND_GOVERNMENT
    fed.units(
        a_unit("150102", path="/15/150102/", kind=government),
        a_unit("150102-sf", parent="150102", path="/15/150102/150102-sf/"),
    )
    fed.events(an_event(unit="150102-sf"))
    fed.app.roll_up.catch_up()
    seen = fed.app.rankings.newest()
    assert fed.app.rankings.changes("2026", "/15/", *seen) == []
    fed.app.store.clock.advance(timedelta(seconds=1))
    fed.units(a_unit("150102-sf", parent="150103", path="/15/150103/150102-sf/", version=2))
    fed.app.roll_up.catch_up()
    told = {change.unit: change.score for change in fed.app.rankings.changes("2026", "/15/", *seen)}
    assert told["150102"] is None  # it had the department's hundred points


def test_a_refused_stream_is_on_record_and_a_year_is_four_digits(fed, followed):
    assert followed("/15/", role="system_admin")[1] == grpc.StatusCode.PERMISSION_DENIED
    assert followed("/15/", period="")[1] == grpc.StatusCode.INVALID_ARGUMENT
    audit = fed.app.store.spine.audit
    with fed.app.store.reading() as session:
        denied = session.execute(select(audit.c.action).where(audit.c.result == "denied")).scalars().all()
    assert denied == ["AssessmentQuery.FollowChanges"]
