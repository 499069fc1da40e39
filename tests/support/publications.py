"""A county whose rankings are published, and the verifier that judges what was published."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings import Outcome
from contracts.roles import INSPECTOR
from kernel.access.principal import Principal
from kernel.ledger.note import NoteKey, NoteSigner
from services.assessment.app import ledger_signer, publication_signer
from services.assessment.ledger.model import COSIGNATURES
from services.assessment.ledger.rules import Witness
from services.assessment.ledger.stored import newest_checkpoint
from tests.support.events import MARCH_5, a_unit, an_event

VERIFIER = Path(__file__).parents[2] / "verifier" / "fazhi_verify.py"
ASKS = Principal(account="ding", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR}))
AGREES = replace(ASKS, account="yi")
GROUP = "county_departments"


class County:
    """Departments of a county with findings, and a witness at hand."""

    def __init__(self, fed: Any) -> None:
        self.app, self.runtime, self._feed, self._tell = fed.app, fed.runtime, fed.events, fed.units
        government = UnitKind.UNIT_KIND_GOVERNMENT
        units = ["150102-scjg", "150102-sf", "150102-jt"]
        fed.units(
            a_unit("150102", path="/15/150102/", kind=government),
            *(a_unit(code, parent="150102", path=f"/15/150102/{code}/") for code in units),
        )
        self.witness = NoteSigner("witness.example", Ed25519PrivateKey.generate())
        self.app.ledger.witnesses = (Witness(self.witness.witness_key, "http://127.0.0.1:9"),)
        self.app.ledger.needed = 1
        for place, unit in enumerate(units):
            for number in range(6):
                outcome = Outcome.FAIL if number < place else Outcome.PASS
                self.finds(unit, f"{place}{number}", outcome)

    def finds(self, unit: str, case: str, outcome: Outcome, **more: Any) -> ScoredEvent:
        event = an_event(unit=unit, subject=f"enforcement/cases/{case}", outcome=outcome, **more)
        self._feed(event)
        return event

    def seal(self, *, witnessed: bool = True) -> None:
        self.app.sealer.seal()
        if not witnessed:
            return
        with self.app.store.work() as work:
            last = newest_checkpoint(work.session)
            assert last is not None
            line = self.witness.cosign(last.note.text, int(MARCH_5.timestamp())).line
            now = work.clock.now()
            work.session.execute(
                insert(COSIGNATURES).values(
                    size=last.size, witness="witness.example", line=line, witnessed_at=now, received_at=now
                )
            )
            work.commit()

    def dissolve(self, unit: str) -> None:
        told = a_unit(unit, parent="150102", path=f"/15/150102/{unit}/")
        told.version, told.valid_to = 2, "2026-03-04"
        self._tell(told)

    def publish(self, group: str = GROUP, upto: str = "") -> str:
        request: str = self.app.publications.ask(ASKS, "2026", upto, group, "")
        self.app.publications.decide(AGREES, request, agreed=True, reason="")
        self.app.publications.make_waiting()
        return request

    def check(self, bundle: Path, *more: str, key: NoteKey | None = None) -> subprocess.CompletedProcess[str]:
        keys = [
            *("--key", str(key or ledger_signer(self.runtime)().key)),
            *("--publisher", str(publication_signer(self.runtime)().key)),
            *("--witness", str(self.witness.witness_key), "--witnesses", "1"),
        ]
        return subprocess.run(
            [sys.executable, "-I", VERIFIER, bundle, *keys, *more],
            capture_output=True,
            text=True,
            check=False,
        )
