"""The ages of the ledger can be watched (R25, R54)."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.assessment.app import ledger_signer
from services.assessment.ledger.findings import Trust
from services.assessment.ledger.metering import measure
from services.assessment.ledger.rules import LedgerDamaged
from services.assessment.ledger.verdicts import keep_verdict
from services.assessment.ledger.verification import Verification
from tests.support.events import an_event


def gauge(name):
    return REGISTRY.get_sample_value(f"fazhi_ledger_{name}", {"service": "assessment"})


def measured(fed):
    measure(fed.app.ledger, "assessment", fed.app.store.clock)


def test_what_waits_grows_older_and_what_is_sealed_waits_no_more(fed):
    fed.events(an_event())
    fed.app.store.clock.advance(timedelta(minutes=11))
    measured(fed)
    assert (gauge("checkpoint_age_seconds"), gauge("unwitnessed_oldest_seconds")) == (660, 660)
    fed.app.sealer.seal()
    measured(fed)
    assert (gauge("checkpoint_age_seconds"), gauge("unwitnessed_oldest_seconds")) == (0, 660)


def test_the_verdict_of_a_verification_is_kept_and_shown(fed):
    fed.events(an_event())
    fed.app.sealer.seal()
    trust = Trust(fed.app.ledger.origin, (ledger_signer(fed.runtime)().key,))
    with fed.app.store.reading() as session:
        report = Verification(session, trust).run()
    keep_verdict(fed.app.store, report)
    fed.app.store.clock.advance(timedelta(hours=1))
    measured(fed)
    assert (gauge("verify_faults"), gauge("verify_age_seconds")) == (0, 3600)
    assert fed.app.ledger.status().verdict.size == 1


def test_a_ledger_that_cannot_be_read_calls(fed):
    fed.events(an_event())
    fed.app.sealer.seal()
    with fed.app.store.work() as work:
        if work.connection.dialect.name == "postgresql":
            work.session.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            work.session.execute(text("DROP TRIGGER checkpoints_no_update"))
        work.session.execute(text("UPDATE checkpoints SET note = 'nothing'"))
        work.commit()
    with pytest.raises(LedgerDamaged):
        measured(fed)
    assert gauge("alarms") == 1
