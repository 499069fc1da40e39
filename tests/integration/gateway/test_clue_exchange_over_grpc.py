import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import grpc
import pytest
from grpc import aio

from contracts.clues.v1.clues_pb2 import Clue, FollowClueRequest, SubmitClueRequest
from contracts.clues.v1.clues_pb2_grpc import ClueExchangeStub
from gateway.partners.service import Sender
from gateway.rpc import register
from kernel.access.tokens import Verifier, public_half
from kernel.clock import microseconds
from kernel.hosting.rpc import Guard, new_server, serve
from tests.support.gateway import INSPECTOR, TREE, partner


def a_clue(**changes) -> Clue:
    values = {
        "system": "hotline", "external_id": "G-1", "external_version": 1, "kind": 1, "unit": "150102-scjg",
        "region_code": "150102", "title": "执法投诉", "content": "未亮证", "person_hash": "13800138000",
        "occurred_at_us": microseconds(datetime.now(UTC)) - 60_000_000, "attributes": {"call_type": "complaint"},
    }  # fmt: skip
    return Clue(**{**values, **changes})


@pytest.fixture
def talk(app, runtime):
    """Runs a conversation with a real server: talk(async function of a stub) -> result."""
    partner(app, "hotline")
    partner(app, "petition")
    app.partners.token(Sender("hotline", "x"))  # makes the key
    pem = (runtime.folder("keys") / "identity.pem").read_bytes()

    def run(conversation):
        async def whole():
            server = new_server()
            register(app, server, Guard(Verifier(public_half(pem), runtime.clock)))
            port = await serve(server, "127.0.0.1:0")
            async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                try:
                    return await conversation(ClueExchangeStub(channel))
                finally:
                    await server.stop(0)

        return asyncio.run(whole())

    return run


@pytest.fixture
def as_system(app):
    return lambda system: (("authorization", f"Bearer {app.partners.token(Sender(system, 'x'))}"),)


def refused(talk, request, metadata, timeout=5.0):
    async def conversation(stub):
        with pytest.raises(aio.AioRpcError) as caught:
            await stub.Submit(request, metadata=metadata, timeout=timeout)
        return caught.value

    return talk(conversation)


class TestSubmitting:
    def test_a_clue_gets_a_receipt_and_can_be_followed(self, talk, as_system):
        now = microseconds(datetime.now(UTC)) - 60_000_000
        fixed = a_clue(occurred_at_us=now)

        async def same(stub):
            first = await stub.Submit(SubmitClueRequest(clue=fixed), metadata=as_system("hotline"), timeout=5)
            again = await stub.Submit(SubmitClueRequest(clue=fixed), metadata=as_system("hotline"), timeout=5)
            history = await stub.Follow(
                FollowClueRequest(receipt=first.receipt), metadata=as_system("hotline"), timeout=5
            )
            return first, again, history

        first, again, history = talk(same)
        assert (first.duplicate, again.duplicate, again.receipt) == (False, True, first.receipt)
        assert [step.state for step in history.progress] == [1, 2]

    def test_nobody_speaks_for_another_system(self, app, talk, as_system):
        error = refused(talk, SubmitClueRequest(clue=a_clue(system="hotline")), as_system("petition"))
        assert error.code() == grpc.StatusCode.PERMISSION_DENIED
        assert "clues.foreign_system" in error.details()
        assert len(app.review.held(INSPECTOR, limit=10)) == 1

    def test_without_a_token_or_a_deadline_nothing_is_taken(self, talk, as_system):
        request = SubmitClueRequest(clue=a_clue())
        assert refused(talk, request, ()).code() == grpc.StatusCode.UNAUTHENTICATED
        assert (
            refused(talk, request, as_system("hotline"), timeout=None).code()
            == grpc.StatusCode.INVALID_ARGUMENT
        )

    def test_staff_are_not_an_outside_system(self, app, talk):
        from tests.support.gateway import PASSWORD

        token = app.sessions.sign_in("ducha", PASSWORD, address="x").token
        error = refused(talk, SubmitClueRequest(clue=a_clue()), (("authorization", f"Bearer {token}"),))
        assert error.code() == grpc.StatusCode.PERMISSION_DENIED

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"external_id": ""}, "clues.bad_identifier"),
            ({"external_id": "G-\u202e1"}, "clues.hidden_character"),
            ({"title": "\u200b"}, "clues.missing"),
            ({"title": "\x00"}, "platform.bad_character"),
            ({"external_id": "G\x00-1"}, "platform.bad_character"),
            ({"unit": "无此\x00局"}, "platform.bad_character"),
            ({"kind": 0}, "clues.unknown_code"),
            ({"kind": 77}, "clues.unknown_code"),
            ({"unit": "999"}, "clues.unknown_unit"),
            ({"region_code": "１５０１０２"}, "clues.not_ascii_digits"),
            ({"occurred_at_us": 2**62}, "clues.bad_time"),
            ({"occurred_at_us": 1}, "clues.time_out_of_range"),
        ],
    )
    def test_bad_clues_have_their_codes(self, app, talk, as_system, changes, code):
        error = refused(talk, SubmitClueRequest(clue=a_clue(**changes)), as_system("hotline"))
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert code in error.details()
        assert [entry.code for entry in app.review.held(INSPECTOR, limit=10)] == [code]

    def test_long_numbers_that_differ_at_their_end_are_two_clues(self, talk, as_system):
        numbers = [f"{'G' * 60}-{end}" for end in (1, 2)]

        async def both(stub):
            requests = [SubmitClueRequest(clue=a_clue(external_id=number)) for number in numbers]
            return [await stub.Submit(each, metadata=as_system("hotline"), timeout=5) for each in requests]

        receipts = talk(both)
        assert len({one.receipt for one in receipts}) == 2
        assert not any(one.duplicate for one in receipts)

    def test_what_is_held_is_taken_in_as_it_was_when_the_cause_is_mended(self, app, talk, as_system):
        refused(talk, SubmitClueRequest(clue=a_clue(unit="150102-new")), as_system("hotline"))
        (entry,) = app.review.held(INSPECTOR, limit=10)
        app.directory.load([*TREE, replace(TREE[3], code="150102-new", name="新设局", credit_code="")])
        receipt = app.review.release(INSPECTOR, entry.id)
        assert (receipt.state, receipt.is_repeat) == ("routed", False)
        assert app.review.held(INSPECTOR, limit=10) == []
