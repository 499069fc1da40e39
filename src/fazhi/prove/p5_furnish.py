"""What the demonstration county has not, over the platform's own doors: documents to guess at, a survey of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
from pyotp import TOTP

from fazhi.prove.p5_table import ROLES, Thing
from fazhi.prove.p5_world import AREA, BESIDE, COUNTY, OWN, World
from gateway.identity.locks import hash_of
from kernel.access.principal import Principal
from kernel.ids import new_id

# Kind of document -> (kind of object it belongs to, its door, states in which it may be handed in).
DOORS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "order_file": ("order", "/api/assessment/v1/orders/{}/files", ("open", "answered", "checked")),
    "objection_file": ("objection", "/api/assessment/v1/objections/{}/files", ("filed", "accepted")),
    "report_file": ("report", "/api/assessment/v1/reports/{}/files", ("draft",)),
}
CLERK = "fuzeren.xian"
ROWS = "案件类型,决定书文号\n行政处罚,证明〔2026〕1号\n"


def furnish(place: World) -> None:
    """Hand documents in, lose a second factor, set a survey up, and take them up among the objects."""
    asyncio.run(_handed_in(place))
    _lost_factor(place)
    _own_survey(place)
    place.look()
    for kind, found in _KEPT.items():
        place.things.setdefault(kind, []).extend(found)


_KEPT: dict[str, list[Thing]] = {}


async def _handed_in(place: World) -> None:
    _KEPT.clear()
    transport = httpx.ASGITransport(place.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://prove.test", timeout=60) as client:
        for kind, (owner, door, states) in DOORS.items():
            things = [one for one in place.things[owner] if one.more["state"] in states]
            for thing in sorted(
                things, key=lambda one: one.path not in (f"{AREA}{OWN}/", f"{AREA}{BESIDE}/")
            ):
                if any(kept.path == thing.path for kept in _KEPT.get(kind, ())):
                    continue
                name = next(iter(thing.params.values()))
                content = f"{kind} {thing.unit}\n".encode()
                answer = await _sent(client, place, thing.path, door.format(name), content)
                if answer.is_success:
                    params = {**thing.params, "digest": answer.json()["digest"]}
                    _KEPT.setdefault(kind, []).append(Thing(kind, params, thing.path, thing.more))
                if len(_KEPT.get(kind, ())) == 2:
                    break
        await _sent(
            client, place, f"{AREA}{OWN}/", "/api/enforcement/v1/case-files", ROWS.encode(), "案件.csv"
        )


def _lost_factor(place: World) -> None:
    """Somebody of the unit looked at enrols a second factor, and their leader asks that it be removed."""
    gateway = place.platform.services["gateway"].app
    shown = {each.account: each.password for each in gateway.demonstrations.shown().accounts}
    clerk = gateway.sessions.sign_in(CLERK, shown[CLERK], address="prove")
    who = Principal(account=CLERK, unit=OWN, session=hash_of(clerk.session))
    key = gateway.enrolment.begin(who, shown[CLERK], "").key
    gateway.enrolment.confirm(who, TOTP(key).at(gateway.store.clock.now()))
    leader = Principal(account="prove-leader", unit=OWN, unit_path=f"{AREA}{OWN}/")
    gateway.removals.propose(leader, account=CLERK, reason="证明用：手机遗失")


def _own_survey(place: World) -> None:
    """The county asks the questions of the province's survey once more, in a survey of its own."""
    surveys = place.platform.services["assessment"].app.surveys
    office = Principal(account="prove-survey", unit=f"{COUNTY}-sf", unit_path=AREA)
    asked, _ = surveys.every(office)[0]
    surveys.set_up(office, replace(asked, id=new_id(), title="证明用：本县测评"))


async def _sent(
    client: httpx.AsyncClient, place: World, path: str, door: str, content: bytes, name: str = "材料.txt"
) -> Any:
    unit = path.strip("/").rpartition("/")[2]
    who = Principal(account=f"clerk-{unit}", unit=unit, unit_path=path, roles=frozenset({ROLES["R"]}))
    headers = {"authorization": f"Bearer {place.token(who)}"}
    return await client.post(door, headers=headers, files={"file": (name, content)})
