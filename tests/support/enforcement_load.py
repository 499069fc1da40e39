"""
How long the registers and cases of a whole province take: one JSON line with seconds and peak memory.

    python -m tests.support.enforcement_load DATA_FOLDER [DATABASE_URL]

8,300 bodies with ten items each, 127,000 officers, one file of 20,000 cases: loaded, checked, confirmed, looked at.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kernel.access.principal import Principal
from kernel.clock import FixedClock
from services.enforcement.registry.rules import Body, Certificate, Officer, PowerItem
from tests.support.enforcement import a_row, csv_file
from tests.support.stores import built, postgresql_runtime, sqlite_runtime

BODIES, OFFICERS, ITEMS, CASES = 8_300, 127_000, 10, 20_000
WHO = Principal(account="load", unit="15", unit_path="/")
SINCE, UNTIL = date(2023, 1, 1), date(2029, 12, 31)


def bodies() -> Iterator[Body]:
    for n in range(BODIES):
        yield Body(
            unit=f"15{n:06}",
            name=f"第{n}执法局",
            credit_code=f"11{n:016}",
            kind="statutory",
            field="market",
            region_code="150102",
            valid_from=SINCE,
            confirmed_on=SINCE,
        )


def items() -> Iterator[PowerItem]:
    for n in range(BODIES):
        for k in range(ITEMS):
            yield PowerItem(
                unit=f"15{n:06}",
                code=f"P-{k}",
                name="某事项",
                kind="penalty",
                field="market",
                document="行政处罚法",
                article="第二十八条",
            )


def officers() -> Iterator[Officer]:
    for n in range(OFFICERS):
        unit = f"15{n % BODIES:06}"
        held = Certificate(number=f"15{n:08}", body=unit, field="market", valid_from=SINCE, valid_to=UNTIL)
        yield Officer(code=f"P{n}", name="王某", unit=unit, certificates=(held,))


def case_file() -> bytes:
    rows = []
    for n in range(CASES):
        body = n % BODIES
        row = a_row(
            决定书文号=f"执罚〔2026〕{n}号",
            权责清单事项编码="P-1",
            执法人员证号=f"15{body:08}、15{body + BODIES:08}",
        )
        row["决定机关统一社会信用代码"] = f"11{body:016}"
        rows.append(row)
    return csv_file(rows, "gb18030")


def measured(folder: Path, url: str) -> dict[str, Any]:
    """Seconds of each step, events told, and peak memory in MB."""
    clock = FixedClock(datetime(2026, 11, 2, 4, tzinfo=UTC))
    runtime = postgresql_runtime(folder, url, clock) if url else sqlite_runtime(folder, clock)
    app = built(runtime, "services.enforcement")
    seconds: dict[str, float] = {}

    def timed(step: str, act: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = act()
        seconds[step] = round(time.perf_counter() - started, 2)
        return result

    def look() -> int:
        total = 0
        while looked := app.cases.look_at_waiting():
            total += looked
        return total

    counts = {
        "bodies": timed("bodies", lambda: app.registry.load_bodies(WHO, bodies())),
        "items": timed("items", lambda: app.registry.load_powers(WHO, items())),
        "officers": timed("officers", lambda: app.registry.load_officers(WHO, officers())),
    }
    content = case_file()
    report = timed("check", lambda: app.cases.check_file(WHO, content, "案件.csv"))
    report = timed("confirm", lambda: app.cases.confirm(WHO, report.digest))
    counts["cases"] = timed("look", look)
    runtime.close()
    # VmHWM is this program's own; rusage would carry over the memory of whoever started it
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024
    return {
        "database": "postgresql" if url else "sqlite",
        "counts": counts,
        "seconds": seconds,
        "peak_mb": peak,
    }


if __name__ == "__main__":
    address = sys.argv[2] if len(sys.argv) > 2 else ""
    sys.stdout.write(json.dumps(measured(Path(sys.argv[1]), address)) + "\n")
