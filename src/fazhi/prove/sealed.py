"""
A sealed county 已封存的县 under proof: a history in a PostgreSQL of our own, checkpoints, and two witnesses beside it.

Every source signs what it tells, with a key that neither the database nor the ledger's thief has.

The witnesses are processes of their own, as at an audit office: `fazhi ledger witness` on loopback. Kept aside are a
copy of the database of yesterday, and of what the second witness remembered then: one who is shown another history
from that day on will sign it in good faith.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from contracts.roles import INSPECTOR
from fazhi.prove.history import GROUP, HISTORY_START, deliver, drawn, opened, units_told
from fazhi.prove.originals import Originals, lay, name_documents
from fazhi.services import NAMES
from kernel.access.files import make_file
from kernel.access.keyring import RingKey, new_key
from kernel.access.principal import Principal
from kernel.clock import FixedClock
from kernel.hosting.runtime import SOURCE_KEYS, Runtime
from kernel.ledger.note import NoteSigner
from kernel.settings import Settings
from kernel.storage.audit_seal import AuditSealer
from services.assessment.app import ledger_signer, publication_signer

MAIN, YESTERDAY, FORK = "assessment", "yesterday", "fork"
CHECKPOINTS, EARLIER = 10, 8
ASKS = Principal(account="ding", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR}))
AGREES = Principal(account="yi", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR}))


@dataclass(slots=True)
class Witness:
    """A running witness: what goes into the settings, and where it remembers."""

    setting: str
    state: Path

    @property
    def key(self) -> str:
        """Its public key."""
        return self.setting.partition(" ")[0]

    @property
    def remembered(self) -> tuple[Path, ...]:
        """The checkpoints it remembers, as files."""
        return tuple(sorted(self.state.glob("*.checkpoint")))


@dataclass(slots=True)
class Sealed:
    """What the experiment stands on."""

    folder: Path
    server: Any
    witnesses: list[Witness]
    signer: NoteSigner
    publisher: NoteSigner
    clock: FixedClock
    sources: dict[str, RingKey]
    publication: str = ""
    last_part: int = 0
    originals: Originals = field(default_factory=lambda: Originals(Path()))
    audit_note: Path = Path()
    other: Witness | None = None
    copies: int = field(default=0)

    @contextmanager
    def copy(self, of: str = MAIN) -> Iterator[str]:
        """A fresh copy of a database, gone afterwards; gives its name."""
        self.copies += 1
        name = f"copy_{self.copies}"
        _copied(self.server, of, name)
        try:
            yield name
        finally:
            _administer(self.server, "DROP DATABASE {} WITH (FORCE)", name)

    @contextmanager
    def app(self, database: str, *witnesses: Witness) -> Iterator[Any]:
        """Assessment over one of the databases."""
        url = self.server.url_of(database)
        with opened(self.folder, self.clock, url, **_settings(witnesses or self.witnesses)) as app:
            yield app

    def environment(self, database: str) -> dict[str, str]:
        """Under which the command line looks at one of the databases, from outside."""
        settings = {"data": self.folder, "database_url": self.server.url_of(database)}
        settings |= _settings(self.witnesses)
        return {f"FAZHI_{name.upper()}": str(value) for name, value in settings.items()}


@contextmanager
def sealed_county(folder: Path, server: Any, events: int, chance: random.Random) -> Iterator[Sealed]:
    """So many events, ten checkpoints, two witnesses, a published ranking, an audit log; then nobody is connected."""
    server.create_database(MAIN)
    keys = Runtime(Settings(data=folder))
    signer, publisher = ledger_signer(keys)(), publication_signer(keys)()
    keys.close()
    with ExitStack() as stack:
        witnesses = [
            stack.enter_context(_witness(folder / name, name, signer)) for name in ("audit", "upper")
        ]
        sources = _source_keys(folder)
        scene = Sealed(folder, server, witnesses, signer, publisher, FixedClock(HISTORY_START), sources)
        history = list(drawn(events, chance))
        scene.originals = name_documents(folder, history)
        earlier, step = events * EARLIER // CHECKPOINTS, events // CHECKPOINTS
        scene.last_part = events - (CHECKPOINTS - 1) * step
        with scene.app(MAIN) as app:
            units_told(app)
            lay(scene.originals, server.url_of(MAIN), scene.clock)
            _seal_by_parts(app, history[:earlier], step, scene)
        _copied(server, MAIN, YESTERDAY)
        _copied(server, MAIN, FORK)
        shutil.copytree(witnesses[1].state.parent, folder / "other")
        with scene.app(MAIN) as app:
            _seal_by_parts(app, history[earlier:], step, scene)
            scene.publication = _published(app, scene)
        scene.other = stack.enter_context(_witness(folder / "other", "upper", signer, first=False))
        with scene.app(FORK, scene.other) as app:
            other = list(drawn(events, random.Random(chance.random())))[earlier:]  # noqa: S311
            _seal_by_parts(app, other, step, scene)
        yield scene


def _source_keys(folder: Path) -> dict[str, RingKey]:
    """A key of each source, from the beginning, where this assessment looks for them."""
    keys = {name: new_key() for name in NAMES}
    for name, key in keys.items():
        make_file(folder / "keys" / f"{SOURCE_KEYS}-{name}.pem", key.text())
    return keys


def _seal_by_parts(app: Any, events: Sequence[Any], step: int, scene: Sealed) -> None:
    for start in range(0, len(events), step):
        deliver(app, events[start : start + step], scene.clock, scene.sources)
        app.sealer.seal()
        app.witnesses.round()


def _published(app: Any, scene: Sealed) -> str:
    """A ranking two people want, months closed on the way, and the audit log of it sealed and noted elsewhere."""
    for month in range(1, 7):
        app.closings.ask(ASKS, f"2026-{month:02d}", "close_asked", "月度结束")
        app.closings.confirm(AGREES, f"2026-{month:02d}", agreed=True)
    request: str = app.publications.ask(ASKS, "2026", "", GROUP, "")
    app.publications.decide(AGREES, request, agreed=True, reason="")
    app.publications.make_waiting()
    scene.audit_note = scene.folder / "audit.checkpoint"
    scene.audit_note.write_text(str(AuditSealer(app.store).seal()), encoding="utf-8")
    return request


@contextmanager
def _witness(folder: Path, name: str, signer: NoteSigner, *, first: bool = True) -> Iterator[Witness]:
    command: list[str | Path] = [sys.executable, "-W", "ignore", "-m", "fazhi", "ledger", "witness"]
    command += ["--state", folder / "state", "--key", folder / "key.pem", "--name", f"{name}.example.gov.cn"]
    command += ["--log-key", str(signer.key), "--port", "0", *(["--first"] if first else [])]
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ) | {"FAZHI_LOG_LEVEL": "ERROR"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            setting = process.stdout.readline().strip()
            assert setting, f"the witness {name} did not start"
            yield Witness(setting, folder / "state")
        finally:
            process.terminate()


def _settings(witnesses: Sequence[Witness]) -> dict[str, Any]:
    named = ",".join(one.setting for one in witnesses)
    return {"database_pool": 0, "ledger_witnesses": named, "ledger_witnesses_needed": len(witnesses)}


def _copied(server: Any, of: str, name: str) -> None:
    _administer(server, "CREATE DATABASE {} TEMPLATE {}", name, of)


def _administer(server: Any, statement: str, *names: str) -> None:
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))
