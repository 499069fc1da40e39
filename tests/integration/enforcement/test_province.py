"""The made-up county knows which faults were planted: the probes find those and no others."""

import csv
import io
from dataclasses import fields
from typing import Any

from sqlalchemy import select

from contracts.events.v1.scored_pb2 import OUTCOME_FAIL
from fazhi.province.case_file import headers
from fazhi.province.province import Province
from kernel.access.principal import Principal
from services.enforcement.cases.model import CASES
from services.enforcement.registry import rules
from tests.integration.enforcement.conftest import Office

BOSS = Principal(account="boss", unit="150000", unit_path="/")


def as_entry(kind: Any, row: Any, **more: Any) -> Any:
    names = {f.name for f in fields(kind)} - more.keys()
    return kind(**{name: getattr(row, name) for name in names if hasattr(row, name)}, **more)


def load(office: Office, county: Province) -> None:
    registry = office.app.registry
    registry.load_bodies(BOSS, (as_entry(rules.Body, row) for row in county.bodies()))
    registry.load_powers(BOSS, (as_entry(rules.PowerItem, row) for row in county.power_items()))
    officers = (
        as_entry(
            rules.Officer, row, certificates=tuple(as_entry(rules.Certificate, c) for c in row.certificates)
        )
        for row in county.officers()
    )
    registry.load_officers(BOSS, officers)


def file_of(county: Province) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(headers().values()))
    writer.writeheader()
    for row in county.cases():
        writer.writerow(row[0] if isinstance(row, tuple) else row)
    return out.getvalue().encode("gb18030")


def test_exactly_the_planted_faults_are_found(empty_office: Office) -> None:
    county = Province(size="county")
    load(empty_office, county)
    empty_office.enter(file_of(county), who=BOSS)
    codes = {body.unit: body.credit_code for body in county.bodies()}
    with empty_office.app.store.reading() as session:
        keys = {
            f"enforcement/cases/{r.id}": f"{codes[r.unit]}|{r.number}" for r in session.execute(select(CASES))
        }
    planted = {
        (t.key, t.probe) for t in county.truths() if t.subject == "enforcement_case" and t.expected == "fail"
    }
    found = {(keys[e.subject], e.probe) for e in empty_office.events() if e.outcome == OUTCOME_FAIL}
    assert len(planted) > 100
    assert found == planted
