"""
Bootstrap of the gateway: settings in, wired use cases out; nothing else builds things.

Keys are files that only the gateway reads: those that sign tokens, and those that seal partners' secrets and second
factors. Embedded, both are made at the first need; distributed, settings name them. Both are read again when they
change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from contracts.corrections.reading import Corrections
from gateway.clues.amendments import Amendments
from gateway.clues.answers import Answers
from gateway.clues.intake import Intake
from gateway.clues.letters import INBOX, Letters, outbox_of
from gateway.clues.originals import Originals
from gateway.clues.progress import Progress
from gateway.clues.review import Review
from gateway.directory.query import DirectoryQuery
from gateway.directory.service import Directory
from gateway.identity.accounts import Accounts
from gateway.identity.demonstration import Demonstrations
from gateway.identity.enrolment import Enrolment
from gateway.identity.factors import Factors
from gateway.identity.holders import Holders
from gateway.identity.locks import Locks
from gateway.identity.passwords import Passwords, load_policy
from gateway.identity.register import Register
from gateway.identity.removals import Removals
from gateway.identity.sessions import Sessions
from gateway.identity.terms import Terms
from gateway.links.link import Link, load_links
from gateway.partners.service import Partners
from gateway.partners.vault import Vault, make_root, read_root
from gateway.tables import CORRECTIONS, SPINE, UNITS
from kernel.access.keyring import KeyFile, warn_of_readers
from kernel.access.tokens import Issuer, make_key
from kernel.bus.partner import PartnerDoor
from kernel.calendar import WorkingCalendar, load_years
from kernel.hosting.runtime import Runtime
from kernel.storage.work import Store
from kernel.telemetry.log import logger

log = logger(__name__)

PACKAGE = "gateway"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The use cases of the gateway."""

    store: Store
    directory: Directory
    units: DirectoryQuery
    sessions: Sessions
    accounts: Accounts
    terms: Terms
    holders: Holders
    register: Register
    factors: Factors
    enrolment: Enrolment
    removals: Removals
    demonstrations: Demonstrations
    partners: Partners
    links: dict[str, Link]
    intake: Intake
    review: Review
    originals: Originals
    amendments: Amendments
    corrections: Corrections
    progress: Progress
    answers: Answers
    letters: Letters
    doors: dict[str, PartnerDoor]
    cookie_secure: bool

    def prepare(self) -> None:
        """After migration: tell once who holds which role, where that was never told."""
        self.holders.tell_untold()


def build(runtime: Runtime) -> Gateway:
    """The gateway over this runtime; opens its database, starts nothing."""
    store = runtime.store("gateway", SPINE)
    issuer = _issuer(runtime)
    links = load_links(runtime.catalog)
    passwords = Passwords(load_policy(runtime.catalog))
    vault = _vault(runtime)
    locks, factors = Locks(store), _factors(runtime, store, vault)
    sessions = Sessions(store, passwords, issuer, factors, locks)
    partners = Partners(store, vault, issuer)
    calendar = WorkingCalendar(load_years(runtime.catalog / "calendars"))
    intake = Intake(store, vault, links, calendar)
    doors = _doors(runtime.settings.partner_brokers)
    return Gateway(
        store=store,
        directory=Directory(store),
        units=DirectoryQuery(store),
        sessions=sessions,
        accounts=Accounts(store, passwords, sessions),
        terms=Terms(store),
        holders=Holders(store),
        register=Register(store),
        factors=factors,
        enrolment=Enrolment(store, sessions, factors, locks),
        removals=Removals(store),
        demonstrations=Demonstrations(store, passwords, production=runtime.settings.production),
        partners=partners,
        links=links,
        intake=intake,
        review=Review(store, intake),
        originals=Originals(store, vault),
        amendments=Amendments(store),
        corrections=Corrections(store, CORRECTIONS, UNITS),
        progress=Progress(store, links),
        answers=Answers(store, partners, {system: door.send for system, door in doors.items()}),
        letters=Letters(store, partners, intake),
        doors=doors,
        cookie_secure=runtime.settings.cookie_secure,
    )


def _issuer(runtime: Runtime) -> Callable[[], Issuer]:
    @cache
    def issuer() -> Issuer:
        given = runtime.settings.identity_key_file
        path = given or runtime.folder("keys") / "identity.pem"
        if given is None:
            make_key(path)
        warn_of_readers(path)
        return Issuer(KeyFile(path), runtime.clock)

    return issuer


def _factors(runtime: Runtime, store: Store, vault: Vault) -> Factors:
    settings = runtime.settings
    required = settings.second_factor == "required"
    if settings.production and not required:
        log.warning("second_factor_optional", setting="FAZHI_SECOND_FACTOR")
    return Factors(store, vault, required=required, production=settings.production)


def _vault(runtime: Runtime) -> Vault:
    given = runtime.settings.partner_key_file
    path = given or runtime.folder("keys") / "partners.key"
    if given is None:
        make_root(path)
    warn_of_readers(path)
    return Vault(read_root(path), partial(read_root, path))


def _doors(brokers: str) -> dict[str, PartnerDoor]:
    """Doors by system, from "petition=amqp://…,hotline=amqp://…"."""
    pairs = (entry.strip().partition("=") for entry in brokers.split(",") if entry.strip())
    return {system: PartnerDoor(url, inbox=INBOX, outbox=outbox_of(system)) for system, _, url in pairs}
