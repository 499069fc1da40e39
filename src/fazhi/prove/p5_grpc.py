"""
The matrix of P5 over gRPC: every method for every person and object, in the form of the table of routes.

Beside roles and places, every method is tried without a token and with one that is forged, expired, meant for
somebody else, or of a session that may only enrol; and methods that do not exist are asked for. A stream is opened by
everybody at once, scores in several places change, and each hears of his own place and of nothing else.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
from google.protobuf.message import Message
from sqlalchemy import func, select

from contracts.assessment.v1 import assessment_pb2 as wire
from contracts.clues.v1 import clues_pb2 as clues
from contracts.findings import Basis, Finding, Mode, Outcome
from contracts.findings.wire import scored_event
from fazhi.identity import verifier
from fazhi.prove.p5_bodies import YEAR, unknown
from fazhi.prove.p5_matrix import Matrix
from fazhi.prove.p5_table import ROLES, SCOPES, Thing
from fazhi.prove.p5_world import A_UUID, AREA, OWN
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, make_key
from kernel.clock import FixedClock, microseconds
from kernel.hosting import rpc
from kernel.ids import new_id
from services.assessment.scoring.log import append

SERVICES = {
    "assessment": "/contracts.assessment.v1.AssessmentQuery/",
    "gateway": "/contracts.clues.v1.ClueExchange/",
}
# A line is: service, method, roles, the kind of object (`*` is a stream about many), and the scope; as in p5_table.py.
TABLE = """
assessment  GetScore       RHVITAX  unit   detail
assessment  GetRanking     RHVITAX  -      all
assessment  Explain        RHVITAX  unit   detail
assessment  FollowChanges  RHVITAX  *unit  detail
gateway     Submit         X        -      all
gateway     Follow         X        clue   clue
"""
ANSWERS: Mapping[str, Any] = {
    "GetScore": wire.UnitScore,
    "GetRanking": wire.Ranking,
    "Explain": wire.Explanation,
    "FollowChanges": wire.ScoreChanged,
    "Submit": clues.ClueReceipt,
    "Follow": clues.ClueHistory,
}
REQUESTS: Mapping[str, Callable[[Mapping[str, str]], Message]] = {
    "GetScore": lambda asked: wire.ScoreRequest(unit=asked["unit"], period=YEAR),
    "GetRanking": lambda _asked: wire.RankingRequest(period=YEAR, peer_group="county_departments"),
    "Explain": lambda asked: wire.ExplanationRequest(unit=asked["unit"], period=YEAR),
    "FollowChanges": lambda asked: wire.ChangesRequest(period=YEAR, unit_path=asked.get("path", "")),
    "Submit": lambda _asked: clues.SubmitClueRequest(clue=clues.Clue(system="somebody-else")),
    "Follow": lambda asked: clues.FollowClueRequest(receipt=asked["receipt"]),
}
UNKNOWN = (
    "/contracts.assessment.v1.AssessmentQuery/SetScore",
    "/contracts.assessment.v2.AssessmentQuery/GetScore",
)
ENDS_SECONDS, STREAM_SECONDS = 9, 60
QUIET_SECONDS = 2.5  # more than two rounds of the stream
DENIED, HIDDEN, STRANGE = "PERMISSION_DENIED", "NOT_FOUND", "UNAUTHENTICATED"


@dataclass(frozen=True, slots=True)
class Method:
    """A line of the table."""

    service: str
    name: str
    roles: frozenset[str]
    kind: str
    scope: str

    @property
    def path(self) -> str:
        """Where it is called."""
        return SERVICES[self.service] + self.name


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended: the status, the words of a refusal, the text of an answer."""

    code: str
    words: str = ""
    text: str = ""


def methods() -> list[Method]:
    """The lines of the table."""
    lines = (line.split() for line in TABLE.strip().splitlines())
    return [
        Method(service, name, frozenset(ROLES[one] for one in letters), kind, scope)
        for service, name, letters, kind, scope in lines
    ]


def over_grpc(matrix: Matrix) -> None:
    """Ask everything."""
    asyncio.run(_ask_all(matrix))


async def _ask_all(matrix: Matrix) -> None:
    denials = _denials(matrix)
    async with _served(matrix) as channel:
        caller = Caller(matrix, channel)
        for method in methods():
            await _strangers(caller, method)
            for _, who in matrix.world.people:
                await _asked_by(caller, method, who)
        for path in UNKNOWN:
            code = await caller.raw(path, b"", matrix.world.token(matrix.world.people[0][1]))
            caller.judge(path, "", code, "UNIMPLEMENTED")
        await _streams(caller)
    if (found := _denials(matrix) - denials) != matrix.grpc["refused"]:
        matrix.deviations.append(f"grpc denials: {matrix.grpc['refused']} refused, {found} in the audit log")


@asynccontextmanager
async def _served(matrix: Matrix) -> AsyncIterator[grpc.aio.Channel]:
    """Every gRPC service of the platform on one server; what is registered is what the table names."""
    server = rpc.new_server()
    found: set[str] = set()
    for service in matrix.world.platform.services.values():
        register = service.rpc()
        if register is not None:
            listening = _Noted(server, found)
            register(
                service.app, listening, rpc.Guard(verifier(matrix.world.platform.runtime), service.app.store)
            )
    named = {method.path for method in methods()}
    matrix.deviations += [f"grpc unknown method {path}" for path in found - named]
    matrix.deviations += [f"grpc no such method {path}" for path in named - found]
    matrix.grpc["methods"] = len(found)
    port = await rpc.serve(server, "127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


class _Noted:
    """Stands before a server while services register, and notes their methods."""

    def __init__(self, server: Any, found: set[str]) -> None:
        self._server = server
        self._found = found

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Hand them on."""
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Note them, and hand them on."""
        self._found |= {f"/{service}/{name}" for name in handlers}
        self._server.add_registered_method_handlers(service, handlers)


class Caller:
    """Calls methods as somebody, and notes what deviates."""

    def __init__(self, matrix: Matrix, channel: grpc.aio.Channel) -> None:
        self.matrix = matrix
        self.channel = channel

    async def ask(
        self,
        method: Method,
        params: Mapping[str, str],
        token: str | None,
        seconds: float | None = ENDS_SECONDS,
    ) -> Answer:
        """One call; a stream is asked for its first answer."""
        self.matrix.grpc["calls"] += 1
        metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        request = REQUESTS[method.name](params)
        try:
            if method.kind.startswith("*"):
                await self.stream(method)(request, metadata=metadata, timeout=seconds).read()
                return Answer("OK")
            answer = await self.channel.unary_unary(
                method.path, type(request).SerializeToString, ANSWERS[method.name].FromString
            )(request, metadata=metadata, timeout=seconds)
        except grpc.aio.AioRpcError as refused:
            words = refused.details() or ""
            for value in params.values():
                words = words.replace(value, "…")
            return Answer(refused.code().name, words)
        return Answer("OK", text=str(answer))

    def stream(self, method: Method) -> Any:
        """The stream of a method, to be opened."""
        return self.channel.unary_stream(
            method.path, lambda request: request.SerializeToString(), ANSWERS[method.name].FromString
        )

    async def raw(self, path: str, body: bytes, token: str) -> str:
        """The status of a call by bytes."""
        self.matrix.grpc["calls"] += 1
        try:
            unknown_method: Any = self.channel.unary_unary(path)
            await unknown_method(body, metadata=(("authorization", f"Bearer {token}"),), timeout=ENDS_SECONDS)
        except grpc.aio.AioRpcError as refused:
            return refused.code().name
        return "OK"

    def judge(self, place: str, who: Principal | str, found: str, wanted: str) -> None:
        """Note a deviation."""
        if found != wanted:
            person = who if isinstance(who, str) else f"{who.account} {'/'.join(sorted(who.roles))}"
            self.matrix.deviations.append(f"grpc {place} {person}: {found} instead of {wanted}"[:300])


async def _strangers(caller: Caller, method: Method) -> None:
    """Without a good token nothing is said, and without an end no call is taken."""
    place = caller.matrix.world
    things = place.some(method.kind.lstrip("*"), 1)
    params = things[0].params if things else {}
    who = next(who for _, who in place.people if who.has(*method.roles))
    for kind, token in _bad_tokens(place.issuer, place.platform.runtime.folder("keys"), who).items():
        answer = await caller.ask(method, params, token)
        caller.judge(method.name, kind, answer.code, DENIED if kind == "enrolling" else STRANGE)
        if kind == "enrolling":
            caller.matrix.grpc["refused"] += 1
    if not method.kind.startswith("*"):
        answer = await caller.ask(method, params, place.token(who), None)
        caller.judge(method.name, "without an end", answer.code, "INVALID_ARGUMENT")


def _bad_tokens(issuer: Issuer, keys: Path, who: Principal) -> Mapping[str, str | None]:
    key = keys / "forged.pem"
    make_key(key)
    now = datetime.now(UTC)
    ours = (keys / "identity.pem").read_bytes()
    return {
        "no token": None,
        "no token at all": "nonsense",
        "forged": Issuer(key.read_bytes(), FixedClock(now)).issue(who),
        "expired": Issuer(ours, FixedClock(now - timedelta(minutes=10))).issue(who),
        "of the future": Issuer(ours, FixedClock(now + timedelta(minutes=10))).issue(who),
        "other audience": issuer.issue(who, audience="somebody-else"),
        "enrolling": issuer.issue(replace(who, is_enrolling=True)),
    }


async def _asked_by(caller: Caller, method: Method, who: Principal) -> None:
    """One person asks about a few objects."""
    matrix, token = caller.matrix, caller.matrix.world.token(who)
    things = matrix.world.some(method.kind.lstrip("*"), max(matrix.objects, 3))
    if not who.has(*method.roles):
        answer = await caller.ask(method, things[0].params if things else {}, token)
        matrix.grpc["refused"] += 1
        caller.judge(method.name, who, answer.code, DENIED)
        return
    if method.kind.startswith("*"):
        return  # opened together with everybody else's, below
    if method.kind == "-":
        answer = await caller.ask(method, {}, token)
        is_foreign = method.name == "Submit"  # a clue in another system's name; a ranking is for everybody
        matrix.grpc["refused"] += is_foreign
        caller.judge(method.name, who, answer.code, DENIED if is_foreign else "OK")
        return
    never: Answer | None = None
    for thing in things:
        answer = await caller.ask(method, thing.params, token)
        if SCOPES[method.scope](who, thing):
            matrix.grpc["shown"] += 1
            caller.judge(method.name, who, answer.code, "OK")
            _judge_named(caller, method, who, answer)
            continue
        matrix.grpc["hidden"] += 1
        never = never or await caller.ask(method, unknown(thing), token)
        caller.judge(method.name, who, answer.code, HIDDEN)
        caller.judge(f"{method.name} tells apart", who, answer.words, never.words)


def _judge_named(caller: Caller, method: Method, who: Principal, answer: Answer) -> None:
    """No answer names an object of a unit that does not exist for the reader."""
    for name in set(A_UUID.findall(answer.text)):
        thing = caller.matrix.world.by_id.get(name)
        if thing and not SCOPES["area"](who, thing) and not who.has("external_system"):
            caller.judge(f"{method.name} names", who, f"{thing.kind} {name} of {thing.path}", "nothing of it")


async def _streams(caller: Caller) -> None:
    """Everybody follows, twice: their own place, and one unit that they ask for by name."""
    (method,) = (one for one in methods() if one.kind.startswith("*"))
    place = caller.matrix.world
    touched = place.some("unit", 3)
    opened: list[tuple[Principal, set[str], Any]] = []
    for _, who in place.people:
        if who.has(*method.roles):
            metadata = (("authorization", f"Bearer {place.token(who)}"),)
            for asked in ("", f"{AREA}{OWN}/"):
                caller.matrix.grpc["streams"] += 1
                call = caller.stream(method)(
                    REQUESTS[method.name]({"path": asked}), metadata=metadata, timeout=STREAM_SECONDS
                )
                opened.append((who, set(), call))
    await asyncio.gather(*(call.initial_metadata() for _, _, call in opened))
    readers = [asyncio.create_task(_heard(call, heard)) for _, heard, call in opened]
    await asyncio.to_thread(_change, place, touched)
    await asyncio.sleep(QUIET_SECONDS)
    for _, _, call in opened:
        call.cancel()
    await asyncio.gather(*readers)
    for number, (who, heard, _) in enumerate(opened):
        _judge_heard(caller, method, who, heard, touched, is_own=number % 2 == 0)


def _judge_heard(
    caller: Caller, method: Method, who: Principal, heard: set[str], touched: list[Thing], *, is_own: bool
) -> None:
    units = {thing.params["code"]: thing for thing in caller.matrix.world.things["unit.code"]}
    caller.matrix.grpc["heard"] += len(heard)
    for unit in heard:
        if not SCOPES[method.scope](who, units[unit]):
            caller.judge(f"{method.name} tells of {unit}", who, units[unit].path, "nothing")
    theirs = {thing.unit for thing in touched if SCOPES[method.scope](who, thing)}
    if is_own and not theirs <= heard:
        caller.judge(method.name, who, f"heard {sorted(heard)}", f"at least {sorted(theirs)}")


async def _heard(call: Any, heard: set[str]) -> None:
    try:
        async for change in call:
            heard.add(change.unit)
    except (grpc.aio.AioRpcError, asyncio.CancelledError):
        return


def _change(place: Any, touched: list[Thing]) -> None:
    """A scored event for each, counted."""
    app = place.platform.services["assessment"].app
    now = app.store.clock.now()
    finding = Finding(
        probe="ENF-TIM-01",
        probe_version=1,
        outcome=Outcome.PASS,
        score_milli=1000,
        occurred_at=now,
        basis=(Basis("行政处罚法", "2021-01-22", "第六十条"),),
    )
    with app.store.work() as work:
        append(
            work,
            [
                scored_event(
                    finding,
                    event_id=new_id(),
                    source="enforcement",
                    unit=thing.unit,
                    subject="enforcement/cases/prove",
                    mode=Mode.ENTERED,
                    recorded_at_us=microseconds(now),
                )
                for thing in touched
            ],
        )
        work.commit()
    app.roll_up.catch_up()


def _denials(matrix: Matrix) -> int:
    total = 0
    for service in SERVICES:
        store = matrix.world.platform.services[service].app.store
        audit = store.spine.audit
        with store.reading() as session:
            total += session.execute(
                select(func.count()).select_from(audit).where(audit.c.result == "denied")
            ).scalar_one()
    return total
