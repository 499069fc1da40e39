"""What the gRPC door refuses and how, asked of a real server (R43)."""

import asyncio
import threading

import grpc
import pytest
from sqlalchemy import select

from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.clock import SystemClock
from kernel.errors import NotFound
from kernel.hosting import rpc
from kernel.storage.db import open_database
from tests.support.toy import Toy

ECHO = "/toy.Echo/Say"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    make_key(path)
    issuer = Issuer(path.read_bytes(), SystemClock())
    return issuer, Verifier(issuer.public_pem, SystemClock())


@pytest.fixture(scope="module")
def token(keys):
    return keys[0].issue(Principal(account="wang", roles=frozenset({"inspector"})))


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    toy = Toy(open_database(f"sqlite:///{tmp_path_factory.mktemp('toy') / 'toy.db'}"))
    yield toy
    toy.store.database.close()


@pytest.fixture(scope="module")
def address(keys, toy):
    ready, ends = threading.Event(), []

    def read(raw):
        return raw.decode("utf-8")  # stands for a protobuf parser: raises on some bytes

    async def main():
        server = rpc.new_server()
        guard = rpc.Guard(keys[1], toy.store)

        async def say(request, context):
            def act(_who):
                if request == "lost":
                    raise NotFound()
                if request == "bug":
                    raise KeyError("inside")
                return ("x" * 2_000_000 if request == "long" else request).encode()

            return await guard.call(context, ("inspector",), act)

        handler = grpc.unary_unary_rpc_method_handler(say, request_deserializer=read)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("toy.Echo", {"Say": handler})])
        port = await rpc.serve(server, "127.0.0.1:0")
        stop = asyncio.Event()
        ends.extend([asyncio.get_running_loop(), stop, port])
        ready.set()
        await stop.wait()
        await server.stop(1)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait(10)
    yield f"127.0.0.1:{ends[2]}"
    ends[0].call_soon_threadsafe(ends[1].set)
    thread.join(10)


@pytest.fixture
def call(address, token):
    def calling(body, *, timeout=5.0, bearer=token, path=ECHO):
        metadata = (("authorization", f"Bearer {bearer}"),) if bearer else ()
        with grpc.insecure_channel(address) as channel:
            return channel.unary_unary(path)(body, timeout=timeout, metadata=metadata)

    return calling


def refusal(call, *args, **options):
    with pytest.raises(grpc.RpcError) as refused:
        call(*args, **options)
    return refused.value.code(), refused.value.details()


def test_a_good_call_is_answered(call):
    assert call("你好".encode()).decode() == "你好"


def test_bytes_that_cannot_be_read_are_the_callers_fault_not_ours(call):
    code, details = refusal(call, b"\xff\xfe")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("platform.undecodable")


def test_a_message_over_one_mebibyte_is_refused_both_ways(call):
    assert refusal(call, b"x" * 1_100_000)[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refusal(call, b"long")[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_a_call_needs_a_deadline_of_at_most_ten_seconds(call, timeout):
    code, details = refusal(call, b"x", timeout=timeout)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("platform.deadline_required")


@pytest.mark.parametrize("bearer", ["", "rubbish", "eyJhbGciOiJub25lIn0.e30."])
def test_nobody_calls_without_a_good_token(call, bearer):
    assert refusal(call, b"x", bearer=bearer)[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_caller_without_the_role_is_denied_and_that_is_recorded(call, keys, toy):
    other = keys[0].issue(Principal(account="li", roles=frozenset({"reporter"})))
    assert refusal(call, b"x", bearer=other)[0] is grpc.StatusCode.PERMISSION_DENIED
    with toy.store.reading() as session:
        (row,) = session.execute(select(toy.spine.audit)).fetchall()
    assert (row.actor, row.result, row.reason_code) == ("li", "denied", "identity.not_allowed")
    assert row.address


def test_errors_of_the_tree_have_their_status_and_a_bug_shows_nothing_of_itself(call):
    assert refusal(call, b"lost")[0] is grpc.StatusCode.NOT_FOUND
    code, details = refusal(call, b"bug")
    assert code is grpc.StatusCode.INTERNAL
    assert "inside" not in details


def test_reflection_is_off(call):
    path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    assert refusal(call, b"", path=path)[0] is grpc.StatusCode.UNIMPLEMENTED
