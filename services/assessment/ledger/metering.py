"""Metering 计量: the ages of the ledger as metrics (R25, R54); deploy/ has the alarms on them."""

from kernel.clock import Clock
from kernel.telemetry import metrics
from services.assessment.ledger.rules import LedgerDamaged
from services.assessment.ledger.service import Ledger


def measure(ledger: Ledger, service: str, clock: Clock) -> None:
    """Set the gauges to what is now."""
    try:
        status, now = ledger.status(), clock.now()
    except LedgerDamaged:
        metrics.LEDGER_ALARMS.labels(service).set(1)  # what cannot be read any more calls too
        raise
    unsealed = status.oldest_unsealed.total_seconds() if status.oldest_unsealed else 0
    unwitnessed = status.oldest_unwitnessed.total_seconds() if status.oldest_unwitnessed else 0
    metrics.LEDGER_UNSEALED_SECONDS.labels(service).set(unsealed)
    metrics.LEDGER_UNWITNESSED_SECONDS.labels(service).set(unwitnessed if status.needed else 0)
    metrics.LEDGER_ALARMS.labels(service).set(len(status.alarms))
    for witness in status.witnesses:
        if witness.witnessed_at is not None:
            age = (now - witness.witnessed_at).total_seconds()
            metrics.LEDGER_WITNESS_AGE_SECONDS.labels(service, witness.name).set(age)
    if status.verdict is not None:
        metrics.LEDGER_VERIFY_FAULTS.labels(service).set(status.verdict.faults)
        metrics.LEDGER_VERIFY_AGE_SECONDS.labels(service).set(
            (now - status.verdict.verified_at).total_seconds()
        )
