"""
The matrix of P5: every route for every person and object, asked over HTTP and held against the table.

Who lacks the role is refused (403) before anything is looked for. For whom an object does not exist gets the very
answer that an object gets that never was. Nothing in an answer may name an object that does not exist for the reader.
Writes are sent only by those to whom they must be refused; whether they reach further than that question is tried
once a route by somebody who may.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import orjson

from fazhi.prove.p5_bodies import address, sent, unknown
from fazhi.prove.p5_table import SCOPES, Route, Thing, routes
from fazhi.prove.p5_world import A_UUID, World
from kernel.access.principal import Principal
from kernel.access.rules import rule_of
from kernel.errors import NotAllowed
from kernel.hosting.api import walk

AT_ONCE = 4
SHOWN = 40
MOST_TRIES = 40


@dataclass(slots=True)
class Matrix:
    """What was asked, and what deviated."""

    world: World
    objects: int
    chance: random.Random
    asked: int = 0
    routes: int = 0
    grpc: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)
    hidden: int = 0
    shown: int = 0
    lists: int = 0
    deviations: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)

    def blame(self, kind: str, route: Route, who: Principal | None, words: str) -> None:
        """Note a deviation: which kind, where, for whom."""
        person = f"{who.account} {'/'.join(sorted(who.roles))}" if who else ""
        self.deviations.append(f"{kind} {route.method} {route.path} {person}: {words}"[:300])


Ask = Callable[[Principal, Route, Mapping[str, str]], Awaitable[httpx.Response]]


async def run(matrix: Matrix) -> None:
    """Ask everything."""
    table = routes()
    matrix.routes = len(table)
    compare_declarations(matrix, table)
    transport = httpx.ASGITransport(matrix.world.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://prove.test", timeout=60) as client:

        async def ask(who: Principal, route: Route, params: Mapping[str, str]) -> httpx.Response:
            matrix.asked += 1
            headers = {"authorization": f"Bearer {matrix.world.token(who)}"}
            answer = await client.request(
                route.method, address(route, params), headers=headers, **sent(route, params)
            )
            if answer.status_code == 403 and answer.json()["code"] == NotAllowed.code:
                matrix.denied[route.path.split("/")[1]] += 1
            return answer

        closed = [route for route in table if route.roles]
        await _side_by_side(_refusals(matrix, ask, route) for route in closed)
        await _side_by_side(_existence(matrix, ask, route) for route in closed if _is_about_one(route))
        await _side_by_side(_listing(matrix, ask, route) for route in closed if route.is_list)
        await _side_by_side(_guessing(matrix, ask, route) for route in closed if "{digest}" in route.path)
        for route in closed:
            if route.method != "GET" and _is_about_one(route):
                await _reaching(matrix, ask, route)


def compare_declarations(matrix: Matrix, table: Sequence[Route]) -> None:
    """The applications' routes and roles are those of the table, no more and no fewer."""
    declared = {(route.method, route.path): route for route in table}
    found = set()
    for name, service in matrix.world.platform.services.items():
        for router in service.routers():
            for route in walk(router.routes):
                rule = rule_of(route.endpoint)
                for method in route.methods or ():
                    place = (method, f"/{name}{route.path}")
                    found.add(place)
                    line = declared.get(place)
                    if line is None:
                        matrix.deviations.append(f"unknown route {method} {place[1]}")
                    elif rule is None or rule.roles != line.roles:
                        matrix.deviations.append(f"declared otherwise {method} {place[1]}")
    matrix.deviations += [f"no such route {method} {path}" for method, path in declared.keys() - found]


async def _refusals(matrix: Matrix, ask: Ask, route: Route) -> None:
    """One holder of each role that the table does not name is refused."""
    for role, who in {next(iter(who.roles)): who for _, who in matrix.world.people}.items():
        if role in route.roles:
            continue
        things = matrix.world.some(route.kind, 1)
        answer = await ask(who, route, things[0].params if things else {})
        service = route.path.split("/")[1]
        matrix.refused[service] += 1
        if answer.status_code != 403 or answer.json()["code"] != NotAllowed.code:
            matrix.blame("not refused", route, who, f"{answer.status_code}")


async def _existence(matrix: Matrix, ask: Ask, route: Route) -> None:
    """An object exists for those the scope names; for everybody else it is as if it had never been."""
    things = matrix.world.some(route.kind, matrix.objects)
    if not things:
        matrix.bare.add(route.kind)
    for _, who in matrix.world.people:
        if not who.has(*route.roles):
            continue
        never = None
        for thing in things:
            exists = SCOPES[route.scope](who, thing)
            if exists and route.method != "GET":
                continue
            answer = await ask(who, route, thing.params)
            if exists:
                matrix.shown += 1
                _judge_shown(matrix, route, who, answer)
                continue
            matrix.hidden += 1
            if any(SCOPES[scope](who, thing) for scope in reading_scopes(route.kind)):
                _judge_kept(matrix, route, who, answer)
                continue
            never = never or await ask(who, route, unknown(thing))
            _judge_hidden(matrix, route, who, thing, answer, never)


def _judge_shown(matrix: Matrix, route: Route, who: Principal, answer: httpx.Response) -> None:
    if answer.status_code != 200:
        matrix.blame("not shown", route, who, f"{answer.status_code} {answer.text[:120]}")
        return
    matrix.reached.add(f"{route.method} {route.path}")
    _judge_named(matrix, route, who, answer)


def _judge_kept(matrix: Matrix, route: Route, who: Principal, answer: httpx.Response) -> None:
    """What may be read and not written: the refusal may say so."""
    if answer.status_code not in (403, 404, 409, 422):
        matrix.blame("written", route, who, f"{answer.status_code} {answer.text[:100]}")


def _judge_hidden(
    matrix: Matrix, route: Route, who: Principal, thing: Thing, answer: httpx.Response, never: httpx.Response
) -> None:
    wanted = 403 if route.scope == "top" else 404
    # a form refused before anything is looked for says nothing either, as long as it is refused to everybody alike
    is_form = route.method != "GET" and answer.status_code == never.status_code == 422
    if answer.status_code != wanted and not is_form:
        matrix.blame("exists", route, who, f"{answer.status_code} {dict(thing.params)} {answer.text[:100]}")
    elif _words(answer, thing.params) != _words(never, unknown(thing)):
        matrix.blame("tells apart", route, who, f"{answer.text[:90]} and {never.text[:90]}")


def _judge_named(matrix: Matrix, route: Route, who: Principal, answer: httpx.Response) -> None:
    """No answer names an object that lies outside the reader's part of the tree, unless it is his by its scope."""
    for name in set(A_UUID.findall(answer.text)):
        thing = matrix.world.by_id.get(name)
        if thing is None or SCOPES["area"](who, thing) or SCOPES["own"](who, thing):
            continue
        if not any(SCOPES[scope](who, thing) for scope in reading_scopes(thing.kind)):
            matrix.blame("names", route, who, f"{thing.kind} {name} of {thing.path}")


@cache
def reading_scopes(kind: str) -> frozenset[str]:
    """The scopes by which objects of a kind are read."""
    plain = kind.partition(".")[0]
    return frozenset(
        route.scope
        for route in routes()
        if route.method == "GET" and route.kind.lstrip("*").partition(".")[0] == plain
    )


async def _listing(matrix: Matrix, ask: Ask, route: Route) -> None:
    """Only what exists for the reader is in a list and is counted."""
    for _, who in matrix.world.people:
        if not who.has(*route.roles):
            continue
        answer = await ask(who, route, {})
        if answer.status_code == 404 and not who.unit:
            continue  # a list of one's own unit, asked for by somebody who has none
        if answer.status_code != 200:
            if answer.status_code != 404:
                matrix.blame("list not shown", route, who, f"{answer.status_code} {answer.text[:100]}")
            continue
        matrix.lists += 1
        _judge_named(matrix, route, who, answer)
        _judge_total(matrix, route, who, answer)


def _judge_total(matrix: Matrix, route: Route, who: Principal, answer: httpx.Response) -> None:
    shown = answer.json()
    things = matrix.world.things.get(route.kind.lstrip("*"))
    if things is None or not isinstance(shown, dict) or "total" not in shown:
        return
    theirs = sum(SCOPES[route.scope](who, thing) for thing in things)
    if shown["total"] > theirs:
        matrix.blame("counts", route, who, f"{shown['total']} where {theirs} exist")


async def _guessing(matrix: Matrix, ask: Ask, route: Route) -> None:
    """The digest of somebody else's document opens nothing under an object of one's own."""
    things = matrix.world.things.get(route.kind, [])
    for _, who in matrix.world.people:
        own = next((one for one in things if who.has(*route.roles) and SCOPES[route.scope](who, one)), None)
        foreign = next((one for one in things if not SCOPES[route.scope](who, one)), None)
        if own is None or foreign is None or "digest" not in own.params or len(own.params) < 2:
            continue
        if foreign.params["digest"] == own.params["digest"]:
            continue
        answer = await ask(who, route, {**own.params, "digest": foreign.params["digest"]})
        never = await ask(who, route, {**own.params, "digest": unknown(own)["digest"]})
        matrix.hidden += 1
        _judge_hidden(matrix, route, who, foreign, answer, never)


async def _reaching(matrix: Matrix, ask: Ask, route: Route) -> None:
    """Somebody for whom the object exists comes further than the question whether it does."""
    place = f"{route.method} {route.path}"
    said, tries = "nobody may", 0
    pairs = (
        (thing, who) for thing in matrix.world.things.get(route.kind, []) for _, who in matrix.world.people
    )
    for thing, who in pairs:
        if not who.has(*route.roles) or not SCOPES[route.scope](who, thing):
            continue
        answer = await ask(who, route, thing.params)
        if answer.status_code not in (403, 404, 422) or _is_about_itself(answer):
            matrix.reached.add(place)
            return
        said, tries = f"{answer.status_code} {answer.text[:150]}", tries + 1
        if tries == MOST_TRIES:
            break
    if matrix.world.things.get(route.kind):
        matrix.blame("never reached", route, None, said)


def _is_about_itself(answer: httpx.Response) -> bool:
    """A refusal by the rules of the subject, not by the form of the request."""
    return answer.status_code == 422 and not str(answer.json()["code"]).startswith(("platform.", "request."))


def _is_about_one(route: Route) -> bool:
    return route.kind != "-" and not route.is_list


def _words(answer: httpx.Response, asked: Mapping[str, str]) -> Any:
    """The words of an answer, without the request's id and without what the asker named himself."""
    said = answer.text
    for value in asked.values():
        said = said.replace(value, "…")
    return {name: value for name, value in orjson.loads(said).items() if name != "request_id"}


async def _side_by_side(tasks: Iterable[Awaitable[None]]) -> None:
    """A few routes at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(task: Awaitable[None]) -> None:
        async with places:
            await task

    await asyncio.gather(*(one(task) for task in tasks))
