"""
Metrics of every process (R54). Labels name services, queues and results, never people or units.

The same names are on every `/metrics`; deploy/ has alert rules on them.
"""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

OUTBOX_OLDEST_SECONDS = Gauge("fazhi_outbox_oldest_seconds", "Age of the oldest unsent fact", ["service"])
OUTBOX_WAITING = Gauge("fazhi_outbox_waiting", "Unsent facts", ["service"])
PUBLISHED = Counter("fazhi_published_total", "Messages confirmed by the bus", ["service"])
PUBLISH_FAILURES = Counter(
    "fazhi_publish_failures_total", "Messages not confirmed, to be sent again", ["service", "reason"]
)
INBOX_LAG_SECONDS = Gauge(
    "fazhi_inbox_lag_seconds", "Age of the last message of a batch when taken", ["queue"]
)
BATCH_SIZE = Histogram(
    "fazhi_batch_items",
    "Facts committed at once",
    ["queue"],
    buckets=(1, 5, 10, 25, 50, 100, 250, 500, 1000, 2000),
)
TAKEN = Counter("fazhi_taken_total", "Facts taken and committed", ["queue"])
REPEATS_ABSORBED = Counter(
    "fazhi_redeliveries_absorbed_total", "Repeated facts that changed nothing", ["queue"]
)
QUARANTINED = Counter("fazhi_quarantined_total", "Facts put into quarantine", ["queue", "code"])
QUARANTINE_SIZE = Gauge("fazhi_quarantine_size", "Facts held in quarantine", ["service"])
QUARANTINE_OLDEST_SECONDS = Gauge(
    "fazhi_quarantine_oldest_seconds", "Age of the oldest held fact", ["service"]
)
QUEUE_DEPTH = Gauge("fazhi_queue_depth", "Messages waiting in a queue", ["queue"])
OLDEST_TRANSACTION_SECONDS = Gauge(
    "fazhi_database_oldest_transaction_seconds",
    "Age of the oldest open transaction of the cluster",
    ["service"],
)
CLOCK_OFFSET_SECONDS = Gauge(
    "fazhi_clock_offset_seconds", "How far this process's clock is ahead of its database's", ["service"]
)
WAITING = Gauge("fazhi_waiting", "Things that wait for a person", ["service", "kind"])
OVERDUE = Gauge("fazhi_overdue", "Things that wait for a person past their due day", ["service", "kind"])
AUDIT_DAMAGED = Gauge(
    "fazhi_audit_damaged", "1 while the audit log is not what it was when written or signed", ["service"]
)
WAITS = Counter("fazhi_waits_total", "Times a consumer waited for something that was away", ["queue"])
MATTERS_RUNNING = Gauge(
    "fazhi_matters_running", "Matters with a due time that have not ended", ["service", "kind"]
)
MATTERS_OVERDUE = Gauge("fazhi_matters_overdue", "Running matters past their due time", ["service", "kind"])
MATTERS_OLDEST_SECONDS = Gauge(
    "fazhi_matters_oldest_seconds", "Age of the oldest running matter", ["service", "kind"]
)
LEDGER_UNSEALED_SECONDS = Gauge(
    "fazhi_ledger_checkpoint_age_seconds", "Age of the oldest event without a checkpoint", ["service"]
)
LEDGER_UNWITNESSED_SECONDS = Gauge(
    "fazhi_ledger_unwitnessed_oldest_seconds", "Age of the oldest event no witness has seen", ["service"]
)
LEDGER_WITNESS_AGE_SECONDS = Gauge(
    "fazhi_ledger_witness_age_seconds", "Time since a witness last signed", ["service", "witness"]
)
LEDGER_ALARMS = Gauge("fazhi_ledger_alarms", "Contradictions found in a ledger", ["service"])
LEDGER_VERIFY_FAULTS = Gauge("fazhi_ledger_verify_faults", "Faults of the last verification", ["service"])
LEDGER_VERIFY_AGE_SECONDS = Gauge(
    "fazhi_ledger_verify_age_seconds", "Time since the last verification", ["service"]
)
SIGN_INS_REFUSED = Counter("fazhi_sign_ins_refused_total", "Sign-ins refused, by stable code", ["code"])
ROWS_REFUSED = Counter("fazhi_rows_refused_total", "Writes that row level security refused", ["table"])
REQUESTS = Histogram(
    "fazhi_request_seconds",
    "Time to answer a request",
    ["service", "route", "status"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10),
)


def exposition() -> bytes:
    """All metrics in Prometheus text form."""
    return generate_latest(REGISTRY)
