"""Bootstrap of assessment: a runtime in, a wired service out; nothing else builds things."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import orjson

from contracts.findings.signatures import Signatures, keys_of
from kernel import catalog
from kernel.access.keyring import KeyFolder
from kernel.access.tokens import make_key
from kernel.calendar import WorkingCalendar, load_years
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime
from kernel.ledger.note import NoteKey, NoteSigner, read_key
from kernel.storage.blobs import Blobs
from kernel.storage.work import Store
from services.assessment.bulletins.service import Bulletins
from services.assessment.detection.rules import read_parameters
from services.assessment.detection.service import Detection
from services.assessment.explanation.entries import Entries
from services.assessment.explanation.service import Explanations
from services.assessment.framework.changes import FrameworkChanges
from services.assessment.framework.overview import FrameworkOverview
from services.assessment.framework.service import Frameworks
from services.assessment.ledger.receipts import Receipts
from services.assessment.ledger.rules import read_witnesses
from services.assessment.ledger.sealing import Sealer
from services.assessment.ledger.service import Ledger
from services.assessment.ledger.witnessing import Witnesses
from services.assessment.publication.closing import Closings
from services.assessment.publication.keys import PublicKeys
from services.assessment.publication.service import Publications
from services.assessment.ranking import parameters as ranking_parameters
from services.assessment.ranking.analyses import Analyses
from services.assessment.ranking.service import Rankings
from services.assessment.replay.service import Replays
from services.assessment.reporting.evidence import EvidenceFiles
from services.assessment.reporting.service import Reports
from services.assessment.reporting.settings import read_settings
from services.assessment.reporting.workbooks import Workbooks
from services.assessment.review.assigning import Assigning
from services.assessment.review.looking import Looking
from services.assessment.review.roster import Roster
from services.assessment.review.service import Reviews
from services.assessment.scoring.door import ScoredDoor
from services.assessment.scoring.rebuild import Rebuilt, rebuild
from services.assessment.scoring.roll_up import RollUp
from services.assessment.sheets.service import Sheets
from services.assessment.supervision import Supervision, wire
from services.assessment.surveys.service import Surveys
from services.assessment.tables import SPINE
from services.assessment.tasks.looking import TaskViews
from services.assessment.tasks.service import Tasks
from services.assessment.tasks.settings import read_task_settings

PACKAGE = "services.assessment"


@dataclass(frozen=True, slots=True)
class Assessment:
    """Assessment 考核, wired."""

    store: Store
    door: ScoredDoor
    frameworks: Frameworks
    framework_changes: FrameworkChanges
    framework_overview: FrameworkOverview
    tasks: Tasks
    task_views: TaskViews
    roll_up: RollUp
    rankings: Rankings
    analyses: Analyses
    replays: Replays
    explanations: Explanations
    entries: Entries
    ledger: Ledger
    sealer: Sealer
    witnesses: Witnesses
    receipts: Receipts
    supervision: Supervision
    closings: Closings
    publications: Publications
    public_keys: Callable[[], PublicKeys]
    bulletins: Bulletins
    detection: Detection
    surveys: Surveys
    sheets: Sheets
    blobs: Blobs
    reports: Reports
    evidence_files: EvidenceFiles
    workbooks: Workbooks
    assigning: Assigning
    reviews: Reviews
    looking: Looking
    roster: Roster

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
    task_settings = read_task_settings(runtime.catalog)
    settings = runtime.settings
    calendar = WorkingCalendar(load_years(runtime.catalog / "calendars"))
    limits, review = read_settings(runtime.catalog)
    reports = Reports(store, frameworks, calendar, limits)
    assigning = Assigning(store, calendar, review)
    witnesses = read_witnesses(settings.ledger_witnesses)
    ledger = Ledger(store, settings.ledger_origin, witnesses, settings.witnesses_needed)
    rankings = Rankings(store, frameworks, ranking_parameters.load(runtime.catalog))
    publications = Publications(
        store,
        frameworks,
        ledger,
        runtime.blobs("assessment"),
        ranking_parameters.load(runtime.catalog),
        publication_signer(runtime),
    )
    return Assessment(
        store=store,
        door=ScoredDoor(source_signatures(runtime), runtime.clock),
        frameworks=frameworks,
        framework_changes=FrameworkChanges(store, frameworks),
        framework_overview=FrameworkOverview(store),
        tasks=Tasks(store, frameworks, task_settings),
        task_views=TaskViews(store, task_settings),
        roll_up=RollUp(store, frameworks),
        rankings=rankings,
        analyses=Analyses(store, frameworks, rankings),
        replays=Replays(store, frameworks, rankings),
        explanations=Explanations(store, frameworks, ledger),
        entries=Entries(store, frameworks, ledger),
        ledger=ledger,
        sealer=Sealer(store, settings.ledger_origin, ledger_signer(runtime), _named_keys(runtime)),
        witnesses=Witnesses(store, settings.ledger_origin, witnesses),
        receipts=Receipts(store, frameworks, ledger),
        supervision=wire(runtime, store, frameworks, rankings),
        closings=Closings(store, ledger),
        publications=publications,
        public_keys=told_keys(runtime),
        detection=Detection(
            store,
            frameworks,
            read_parameters(catalog.read(runtime.catalog / "assessment" / "detection.yaml").data),
            orjson.loads((runtime.catalog / "assessment" / "detection_trial.json").read_bytes()),
        ),
        bulletins=Bulletins(store, frameworks, publications, runtime.blobs("assessment")),
        surveys=Surveys(store, frameworks, runtime.blobs("assessment")),
        sheets=Sheets(store, frameworks),
        blobs=runtime.blobs("assessment"),
        reports=reports,
        evidence_files=EvidenceFiles(store, runtime.blobs("assessment"), limits),
        workbooks=Workbooks(store, reports),
        assigning=assigning,
        reviews=Reviews(store, frameworks, assigning),
        looking=Looking(store, frameworks, runtime.blobs("assessment"), review),
        roster=Roster(store),
    )


def ledger_signer(runtime: Runtime) -> Callable[[], NoteSigner]:
    """The key that signs checkpoints, read at the first need: only the process that seals has it."""
    settings = runtime.settings
    return cache(lambda: _signer(runtime, "ledger", settings.ledger_origin, settings.ledger_key_file))


def publication_signer(runtime: Runtime) -> Callable[[], NoteSigner]:
    """The key that signs published rankings: another than the ledger's, for one key has one purpose (R27)."""
    settings = runtime.settings
    name = f"{settings.ledger_origin}/publication"
    return cache(lambda: _signer(runtime, "publication", name, settings.publication_key_file))


def _signer(runtime: Runtime, purpose: str, name: str, given: Path | None) -> NoteSigner:
    if given is None and runtime.settings.production:
        raise Invalid(
            f"正式环境须用 FAZHI_{purpose.upper()}_KEY_FILE 指明签署用的私钥（只给考核的后台进程）。",
            code=f"assessment.no_{purpose}_key",
        )
    path = given or runtime.folder("keys") / f"{purpose}.pem"
    if given is None:
        make_key(path)
    return NoteSigner.read(name, path)


def ledger_keys(runtime: Runtime) -> tuple[NoteKey, ...]:
    """The keys whose checkpoints are good: those the settings name, or that of the key that signs."""
    return _named_keys(runtime) or (ledger_signer(runtime)().key,)


def public_keys(runtime: Runtime) -> PublicKeys:
    """Every key by which the public checks; in production only those the settings name, for the API holds no other."""
    settings = runtime.settings
    ledger, publisher = _named_keys(runtime), settings.publication_public_key
    if not settings.production:
        ledger = ledger or ledger_keys(runtime)
        publisher = publisher or str(publication_signer(runtime)().key)
    return PublicKeys(
        origin=settings.ledger_origin,
        ledger=tuple(str(key) for key in ledger),
        publisher=str(read_key(publisher)) if publisher else None,
        witnesses=tuple(str(one.key) for one in read_witnesses(settings.ledger_witnesses)),
        witnesses_needed=settings.witnesses_needed,
    )


def told_keys(runtime: Runtime) -> Callable[[], PublicKeys]:
    """The same for whoever asks: those of sources, which are rotated while we run, as they are when asked for."""
    once = cache(lambda: public_keys(runtime))
    rings = runtime.source_rings()
    return lambda: replace(once(), sources=source_keys(rings))


def source_signatures(runtime: Runtime) -> Signatures:
    """What checks the signatures of sources; it follows the files of their public keys."""
    rings = runtime.source_rings()
    return Signatures(lambda source, afresh: rings.ring(source, afresh=afresh))


def source_keys(rings: KeyFolder) -> tuple[str, ...]:
    """The public keys of the sources as the independent verifier takes them."""
    known = ((name, rings.ring(name)) for name in rings.names)
    return tuple(str(key) for name, ring in known if ring is not None for key in keys_of(name, ring))


def _named_keys(runtime: Runtime) -> tuple[NoteKey, ...]:
    return tuple(read_key(one) for one in runtime.settings.ledger_public_keys.split(",") if one.strip())
