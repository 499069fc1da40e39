"""Bootstrap of assessment: a runtime in, a wired service out; nothing else builds things."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from kernel.access.tokens import make_key
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime
from kernel.ledger.note import NoteKey, NoteSigner, read_key
from kernel.storage.work import Store
from services.assessment.explanation.service import Explanations
from services.assessment.framework.service import Frameworks
from services.assessment.ledger.receipts import Receipts
from services.assessment.ledger.rules import read_witnesses
from services.assessment.ledger.sealing import Sealer
from services.assessment.ledger.service import Ledger
from services.assessment.ledger.witnessing import Witnesses
from services.assessment.ranking.service import Rankings
from services.assessment.scoring.rebuild import Rebuilt, rebuild
from services.assessment.scoring.roll_up import RollUp
from services.assessment.tables import SPINE

PACKAGE = "services.assessment"


@dataclass(frozen=True, slots=True)
class Assessment:
    """Assessment 考核, wired."""

    store: Store
    frameworks: Frameworks
    roll_up: RollUp
    rankings: Rankings
    explanations: Explanations
    ledger: Ledger
    sealer: Sealer
    witnesses: Witnesses
    receipts: Receipts

    def rebuild(self) -> Rebuilt:
        """Make every projection anew from the event log."""
        return rebuild(self.store, self.roll_up)

    def prepare(self) -> None:
        """After migration: publish the frameworks of the catalogue that are not published yet."""
        self.frameworks.publish_catalog()


def build(runtime: Runtime) -> Assessment:
    """Wire assessment into a runtime."""
    store = runtime.store("assessment", SPINE)
    frameworks = Frameworks(store, runtime.catalog)
    settings = runtime.settings
    witnesses = read_witnesses(settings.ledger_witnesses)
    ledger = Ledger(store, settings.ledger_origin, witnesses, settings.witnesses_needed)
    return Assessment(
        store=store,
        frameworks=frameworks,
        roll_up=RollUp(store, frameworks),
        rankings=Rankings(store, frameworks),
        explanations=Explanations(store, frameworks),
        ledger=ledger,
        sealer=Sealer(store, settings.ledger_origin, ledger_signer(runtime)),
        witnesses=Witnesses(store, settings.ledger_origin, witnesses),
        receipts=Receipts(store, frameworks, ledger),
    )


def ledger_signer(runtime: Runtime) -> Callable[[], NoteSigner]:
    """The key that signs checkpoints, read at the first need: only the process that seals has it."""

    @cache
    def signer() -> NoteSigner:
        given = runtime.settings.ledger_key_file
        if given is None and runtime.settings.production:
            raise Invalid(
                "正式环境须用 FAZHI_LEDGER_KEY_FILE 指明签署账本检查点的私钥（只给考核的后台进程）。",
                code="assessment.no_ledger_key",
            )
        path = given or runtime.folder("keys") / "ledger.pem"
        if given is None:
            make_key(path)
        return NoteSigner.read(runtime.settings.ledger_origin, path)

    return signer


def ledger_keys(runtime: Runtime) -> tuple[NoteKey, ...]:
    """The keys whose checkpoints are good: those the settings name, or that of the key that signs."""
    named = [one for one in runtime.settings.ledger_public_keys.split(",") if one.strip()]
    return tuple(read_key(one) for one in named) or (ledger_signer(runtime)().key,)
