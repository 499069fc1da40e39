"""
A source service under proof: `python -m fazhi.prove.source NAME` answers POST /acts.

Each act writes a business row, its finding and the scored events in one transaction, through the product's own
unit of work and findings register; the answer is 2xx only after the commit. The same key gets the same answer.
Some transactions are slow and some roll back, because real ones are and do.
"""

import os
import random
import sys
import time
from datetime import timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from sqlalchemy import Column, Integer, MetaData, String, Table

from contracts.findings import Basis, Finding, Mode, Outcome
from contracts.findings.register import FindingsRegister, Found
from kernel.clock import SystemClock
from kernel.errors import TemporaryError
from kernel.storage.db import open_database
from kernel.storage.setwise import write_rows
from kernel.storage.spine import Spine
from kernel.storage.work import Store, Work

METADATA = MetaData()
SPINE = Spine(METADATA)
FINDINGS = FindingsRegister(METADATA)
ACTS = Table(
    "acts",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("unit", String(50), nullable=False),
    Column("probe", String(50), nullable=False),
    Column("score_milli", Integer, nullable=False),
)
UNITS = 20
SLOW_SECONDS = 0.6
PROBES = 5
SLOW_SHARE, ROLLBACK_SHARE = 0.1, 0.05


def application(store: Store, chance: random.Random) -> FastAPI:
    """POST /acts {key}: 200 when the act is committed, 503 when it may not be."""
    app = FastAPI(openapi_url=None)

    @app.post("/acts")
    def act(body: dict[str, Any]) -> Response:
        key = str(body["key"])
        slow, undone = chance.random() < SLOW_SHARE, chance.random() < ROLLBACK_SHARE
        try:
            with store.work() as work:
                _write(work, key)
                if slow:
                    work.flush()  # its place in the outbox is taken, its commit comes later
                    time.sleep(chance.random() * SLOW_SECONDS)
                if undone:
                    return Response(status_code=503)
                work.commit()
        except TemporaryError:
            return Response(status_code=503)
        return Response(status_code=200)

    return app


def _write(work: Work, key: str) -> None:
    number = int(key.rsplit("-", 1)[1])
    unit, probe, score = f"u{number % UNITS}", f"P-{number % PROBES}", (number * 37) % 1001
    row = {"key": key, "unit": unit, "probe": probe, "score_milli": score}
    if not write_rows(work.session, ACTS, [row], keys=("key",), on_conflict="nothing", returning=("key",)):
        return
    finding = Finding(
        probe=probe,
        probe_version=1,
        outcome=Outcome.PASS if score == 1000 else Outcome.FAIL,
        score_milli=score,
        occurred_at=work.clock.now() - timedelta(minutes=1),
        basis=(Basis("行政处罚法", "2021-01-22", "第六十条"),),
    )
    FINDINGS.record(work, [Found(f"prove/acts/{key}", unit, Mode.REAL_TIME, finding)])


def main(name: str) -> None:
    """Serve until killed."""
    database = open_database(os.environ["PROVE_DATABASE_URL"], pool_size=10)
    store = Store(database, SPINE, name, SystemClock())
    app = application(store, random.Random(int(os.environ["PROVE_SEED"])))  # noqa: S311  (not for secrets)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PROVE_PORT"]), log_config=None, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1])
