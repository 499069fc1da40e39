"""From the door into the log and out of it again: what a source signed is in its leaf, and nothing else stays unnoticed."""

from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy import select, text

from contracts.findings import Mode, passed
from contracts.findings.signing import sign_with
from contracts.findings.values import Finding
from kernel.access.files import replace_file
from kernel.access.keyring import new_key
from kernel.storage import quarantine
from services.assessment.app import ledger_signer, source_signatures
from services.assessment.ledger.findings import Trust
from services.assessment.ledger.verification import Verification
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.scoring.own import OwnFact, append_own
from tests.integration.assessment.test_ledger_attacks import guards_away
from tests.support.events import MARCH_5, an_event

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def key(fed):
    """That of enforcement, known here."""
    key = new_key(active_from=LONG_AGO)
    for name, ring in (("enforcement.pub", key.public), ("assessment", new_key(active_from=LONG_AGO))):
        replace_file(fed.runtime.folder("keys") / f"source-{name}.pem", ring.text())
    fed.app.door._signatures = source_signatures(fed.runtime)  # as when the process starts
    return key


def verified(fed):
    trust = Trust(
        fed.app.ledger.origin, (ledger_signer(fed.runtime)().key,), signatures=source_signatures(fed.runtime)
    )
    with fed.app.store.reading() as session:
        return Verification(session, trust).run()


def test_one_event_altered_on_the_way_is_held_and_its_neighbours_count(fed, key):
    events = [an_event() for _ in range(3)]
    sign_with(key, "enforcement", events)
    events[1].score_milli = 999
    fed.events(*events)
    with fed.app.store.reading() as session:
        leaves = [
            orjson.loads(leaf) for leaf in session.scalars(select(EVENT_LOG.c.leaf).order_by(EVENT_LOG.c.seq))
        ]
        (held,) = quarantine.entries(session, fed.app.store)
    assert [leaf["event_id"] for leaf in leaves] == [events[0].id, events[2].id]
    assert [leaf["source_sig"] for leaf in leaves] == [events[0].source_sig, events[2].source_sig]
    assert held.code == "contracts.signature_wrong"


def test_assessment_signs_its_own_facts_and_every_leaf_verifies(fed, key):
    events = [an_event()]
    sign_with(key, "enforcement", events)
    fed.events(*events)
    own = Finding(
        probe="X", probe_version=1, outcome=passed("好").outcome, score_milli=1000, occurred_at=MARCH_5
    )
    with fed.app.store.work() as work:
        append_own(
            work,
            [
                OwnFact(unit="u", subject=f"assessment/x/{n}", mode=Mode.ENTERED, finding=own)
                for n in range(130)
            ],
        )
        work.commit()
    fed.app.sealer.seal()
    report = verified(fed)
    assert report.faults == []
    assert report.sources == {"enforcement": {"signed": 1}, "assessment": {"signed": 130}}


@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_leaf_whose_signature_was_taken_away_is_named(fed, key, signature):
    events = [an_event() for _ in range(3)]
    sign_with(key, "enforcement", events)
    fed.events(*events)
    with fed.app.store.database.writing() as session:
        guards_away(session)
        leaf = orjson.loads(session.execute(text("SELECT leaf FROM event_log WHERE seq = 2")).scalar_one())
        altered = orjson.dumps(leaf | {"source_sig": signature}, option=orjson.OPT_SORT_KEYS).decode()
        session.execute(text("UPDATE event_log SET leaf = :leaf WHERE seq = 2"), {"leaf": altered})
        session.commit()
    faults = {(fault.kind, fault.first, fault.last) for fault in verified(fed).faults}
    assert ("source", 2, 2) in faults


def test_without_public_keys_everything_is_taken_and_counted_as_not_checked(fed):
    fed.events(an_event(), an_event())
    fed.app.sealer.seal()
    report = verified(fed)
    assert (report.faults, report.sources) == ([], {"enforcement": {"unchecked": 2}})
