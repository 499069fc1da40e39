"""
The services' own rules, let loose on a made-up city, fail exactly the records that were planted.

No database: rows go through the case file's reader and the probes, decisions through the dossier and the
template. It is also the proof that the files of the generator are files the services take.
"""

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest

from contracts.findings import Outcome
from fazhi.province import Province, Row, Truth, case_key, faulty_case_file
from kernel.calendar import WorkingCalendar
from services.decisions.conformance.service import Conformance
from services.decisions.conformance.template import load_templates
from services.decisions.procedures.dossier import Dossier
from services.decisions.procedures.dossier_steps import steps_of
from services.decisions.procedures.rules.procedure import Procedure
from services.enforcement.cases.rules.basis import parse_bases
from services.enforcement.cases.rules.columns import ColumnSet
from services.enforcement.cases.rules.record import CaseRecord
from services.enforcement.cases.rules.rows import RowReader
from services.enforcement.law import KnownDocument, Law
from services.enforcement.probes import look
from services.enforcement.probes.facts import CaseFacts
from services.enforcement.registry.rules import (
    BodyOnDay,
    CertificateOnDay,
    PowerOnList,
    body_on,
    certificate_on,
)

CATALOG = Path(__file__).resolve().parents[3] / "catalog"
COLUMNS = ColumnSet.load(CATALOG / "imports" / "enforcement_cases.yaml")


class Office:
    """The enforcement service's view of one case, from the registers of a made-up province."""

    def __init__(self, box: Province) -> None:
        self.law, self.today = Law.load(CATALOG), box.frame.until
        self.bodies = {body.credit_code: body for body in box.bodies()}
        self.held = {c.number: (officer.code, c) for officer in box.officers() for c in officer.certificates}
        self.items = {(item.unit, item.code): item for item in box.power_items()}
        cited = {item.document for item in self.items.values()}
        self.documents = {name: KnownDocument(name, 200, None) for name in cited | {"行政处罚法"}}
        self.documents["行政处罚法"] = KnownDocument("行政处罚法", 86, None)
        self._readers: dict[tuple[str, ...], RowReader] = {}

    def record(self, row: Row) -> CaseRecord:
        """A row as the import reads it; it must have no fault."""
        names = tuple(row)
        if names not in self._readers:
            header = COLUMNS.match(1, list(row))
            assert header is not None
            self._readers[names] = RowReader(header, self.today)
        record, faults = self._readers[names].read(2, list(row.values()))
        assert record is not None, faults
        return record

    def outcomes(self, row: Row) -> dict[str, Outcome]:
        """What each probe says of a row."""
        return {finding.probe: finding.outcome for finding in look(self._facts(self.record(row)))}

    def _facts(self, case: CaseRecord) -> CaseFacts:
        body = self.bodies[case.body_code]
        lapsed = body_on(case.decided_on, body.confirmed_on, body.valid_from, body.valid_to)
        item = self.items.get((body.unit, case.power_item))
        cited = parse_bases(case.basis)
        return CaseFacts(
            case=case,
            law=self.law,
            today=self.today,
            field=body.field,
            body=BodyOnDay(not lapsed, body.field, body.principal, lapsed),
            certificates=tuple(
                self._certificate(number, case.decided_on) for number in case.officer_certificates
            ),
            power=item and PowerOnList(item.kind, item.field, item.review, item.document),
            has_power_list=True,
            cited=cited,
            documents={
                each.document: self.documents[each.document]
                for each in cited
                if each.document in self.documents
            },
        )

    def _certificate(self, number: str, day: date) -> CertificateOnDay:
        holder, held = self.held[number]
        why = certificate_on(day, held.valid_from, held.valid_to, held.status, held.status_on)
        return CertificateOnDay(number, holder, False, not why, held.field, why)


def test_enforcement_fails_the_planted_cases_and_no_other(city: Province, city_truths: list[Truth]) -> None:
    office = Office(city)
    found = {
        (case_key(row), probe)
        for row in city.cases()
        for probe, outcome in office.outcomes(row).items()
        if outcome is Outcome.FAIL
    }
    assert found == {(t.key, t.probe) for t in city_truths if t.subject == "enforcement_case" and t.probe}


def test_the_clean_file_is_judged_as_stated(county: Province) -> None:
    file, office = faulty_case_file(county, "clean"), Office(county)
    stated = dict(file.expected)
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
    assert len(rows) == len(stated) > 10
    for row in rows:
        judged = {probe: outcome.name.lower() for probe, outcome in office.outcomes(row).items()}
        expected = stated[row["决定书文号"]]
        assert {probe: judged[probe] for probe in expected} == expected, row["决定书文号"]


@pytest.mark.parametrize("fault", ["unknown_code", "impossible_date", "ruined_ids_csv"])
def test_faults_of_single_cells_are_told_by_line_column_and_code(county: Province, fault: str) -> None:
    file, today = faulty_case_file(county, fault), county.frame.until
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
    header = COLUMNS.match(1, lines[0])
    assert header is not None
    reader = RowReader(header, today)
    told = {
        (each.row, each.column, each.code)
        for number, cells in enumerate(lines[1:], start=2)
        for each in reader.read(number, cells)[1]
    }
    # A credit code that lost its tail is still a text; the register notices it, not the cell's reader.
    expected = {each for each in file.problems if each[1] != "决定机关统一社会信用代码"}
    assert told == expected


def test_decisions_fail_the_planted_items_and_no_other(city: Province, city_truths: list[Truth]) -> None:
    conformance = Conformance(load_templates(CATALOG / "templates"), WorkingCalendar())
    found = set()
    for decision in city.decisions():
        paper = {
            "number": decision.number,
            "unit": decision.unit,
            "title": decision.title,
            "facts": decision.facts,
        }
        facts = Dossier.model_validate_json(json.dumps(paper)).facts
        procedure = Procedure(tuple(steps_of(facts)))
        judged = conformance.judge(procedure, conformance.in_force(date(2026, 1, 1)), city.frame.until)
        found |= {
            (decision.number, item)
            for item, verdict in judged.verdicts.items()
            if verdict.outcome is Outcome.FAIL
        }
    assert found == {(t.key, t.probe) for t in city_truths if t.subject == "decision"}
