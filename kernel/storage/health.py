"""
Health of a database as numbers: how long its oldest transaction has been open, how far its clock is from ours.

A transaction left open anywhere in the cluster holds up everybody who reads by snapshot (R3), and a clock that
drifts puts facts into wrong periods; both are seen here before they hurt.
"""

from sqlalchemy import text

from kernel.storage.work import Store
from kernel.telemetry import metrics

_QUESTION = text(
    "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision) AS now,"
    " (SELECT CAST(coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) AS double precision)"
    " FROM pg_stat_activity WHERE backend_xid IS NOT NULL OR backend_xmin IS NOT NULL) AS oldest"
)


def measure(store: Store) -> None:
    """Refresh the database gauges of a service; SQLite has neither sessions nor a clock of its own."""
    if store.database.dialect != "postgresql":
        return
    with store.reading() as session:
        row = session.execute(_QUESTION).one()
    metrics.OLDEST_TRANSACTION_SECONDS.labels(store.source).set(row.oldest)
    metrics.CLOCK_OFFSET_SECONDS.labels(store.source).set(store.clock.now().timestamp() - row.now)
