"""Judge: whether everything that was sent was counted, once each. If not, the contender's number is void."""

from collections import Counter

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from fazhi.bench.room import BenchFailed, Trial
from fazhi.bench.workload import State

COLUMNS = (
    "passed",
    "failed",
    "graded_milli",
    "not_applicable",
    "not_computable",
    "not_due",
    "numerator",
    "denominator",
    "entered",
)


def judge(trial: Trial) -> None:
    """Compare log, inbox and aggregate with what the workload must give; raises BenchFailed."""
    wanted = trial.workload.total
    engine = create_engine(trial.url_of("assessment"), poolclass=NullPool)
    with engine.connect() as connection:
        found = {
            "event_log": connection.execute(
                text("SELECT count(DISTINCT event_id) FROM event_log")
            ).scalar_one(),
            "log_head": connection.execute(text("SELECT size FROM log_head")).scalar_one(),
            "inbox": connection.execute(text("SELECT count(*) FROM inbox")).scalar_one(),
        }
        held = connection.execute(text("SELECT count(*) FROM quarantine")).scalar_one()
        rows = connection.execute(text("SELECT * FROM probe_states"))
        sums: Counter[State] = Counter()
        for row in rows:
            for column in COLUMNS:
                sums[row.unit, row.period, row.probe, column] = getattr(row, column)
    wrong = [f"{table} {size}" for table, size in found.items() if size != wanted]
    if wrong or held:
        raise BenchFailed(f"应计 {wanted} 个事件，实为 {'、'.join(wrong) or '全部'}，隔离 {held}")
    if +sums != trial.workload.sums():
        raise BenchFailed("聚合结果与应有的合计不符")
