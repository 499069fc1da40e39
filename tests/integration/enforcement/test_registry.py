"""Registers are loaded in bulk, repeated without harm, read by area, and checked by the public."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.events.v1.scored_pb2 import OUTCOME_PASS
from kernel.errors import Invalid, NotFound
from services.enforcement.registry.lookup import look_up
from services.enforcement.registry.rules import Body, Certificate, Officer, PowerItem
from services.enforcement.registry.service import CertificateTaken
from tests.integration.enforcement.conftest import (
    CLERK,
    HEAD,
    STRANGER,
    UNIT,
    Office,
    a_unit,
    an_officer,
    person,
)
from tests.support.enforcement import a_row, csv_file

ROOT = person("reviewer", path="/", unit="150000")


def bodies(count: int) -> list[Body]:
    return [
        Body(
            unit=f"U{n:05}",
            name=f"第{n}局",
            credit_code=f"11{n:016}",
            kind="statutory",
            field="market",
            region_code="150102",
            valid_from=date(2019, 1, 1),
            confirmed_on=date(2022, 5, 1),
        )
        for n in range(count)
    ]


def test_a_load_streams_and_a_second_one_changes_nothing(empty_office: Office) -> None:
    registry = empty_office.app.registry
    seen: list[int] = []
    assert registry.load_bodies(HEAD, iter(bodies(4500)), seen.append) == 4500
    assert seen == [2000, 4000, 4500]
    registry.load_bodies(HEAD, iter(bodies(4500)))
    total, page = registry.bodies(ROOT, offset=4490, limit=100)
    assert (total, len(page), page[-1]["unit"]) == (4500, 10, "U04499")
    assert empty_office.audited() == [("head", "registry.bodies_loaded")] * 2


def test_a_page_is_never_longer_than_two_hundred(empty_office: Office) -> None:
    empty_office.app.registry.load_bodies(HEAD, bodies(250))
    assert len(empty_office.app.registry.bodies(ROOT, limit=100_000)[1]) == 200


def test_everybody_sees_the_own_area(office: Office) -> None:
    registry = office.app.registry
    assert registry.bodies(CLERK)[0] == 1
    assert registry.officers(CLERK)[0] == 2
    assert registry.powers(CLERK, unit=UNIT, kind="penalty")[0] == 1
    assert registry.bodies(STRANGER)[0] == registry.officers(STRANGER)[0] == registry.powers(STRANGER)[0] == 0
    assert registry.officers(CLERK)[1][0]["certificates"][0]["number"] == "15000001"


def test_a_number_belongs_to_one_officer_of_a_province(office: Office) -> None:
    thief = replace(an_officer("15000001"), code="P9")
    with pytest.raises(CertificateTaken) as refused:
        office.app.registry.load_officers(HEAD, [an_officer("15000003"), thief])
    assert refused.value.problems[0].path == "15000001"
    assert office.app.registry.officers(CLERK)[0] == 2
    elsewhere = replace(thief, certificates=(replace(thief.certificates[0], issuer="11"),))
    assert office.app.registry.load_officers(HEAD, [elsewhere]) == 1


def test_unknown_codes_are_refused(office: Office) -> None:
    with pytest.raises(Invalid):
        office.app.registry.load_bodies(HEAD, [replace(bodies(1)[0], kind="private")])
    lost = replace(an_officer("15000009").certificates[0], status="lost")
    with pytest.raises(Invalid):
        office.app.registry.load_officers(HEAD, [replace(an_officer("15000009"), certificates=(lost,))])


class TestShowingACertificate:
    def test_the_public_learns_name_unit_and_validity_and_nothing_else(self, office: Office) -> None:
        answer = office.app.registry.check_certificate("15000001")
        assert answer == {
            "number": "15000001",
            "name": "王某",
            "unit": "新城区市场监督管理局",
            "valid": True,
            "reason": "",
            "valid_from": date(2023, 1, 1),
            "valid_to": date(2028, 12, 31),
        }

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"valid_to": date(2026, 11, 1)}, "已过有效期"),
            ({"valid_from": date(2026, 11, 3)}, "尚未生效"),
            ({"status": "revoked"}, "已吊销"),
            ({"status": "suspended", "status_on": date(2026, 11, 2)}, "已暂扣"),
            ({"status": "suspended", "status_on": date(2026, 11, 3)}, ""),
        ],
    )
    def test_validity_is_that_of_today(self, office: Office, changes: dict[str, object], why: str) -> None:
        base = an_officer("15000005")
        certificate: Certificate = replace(base.certificates[0], **changes)  # type: ignore[arg-type]
        office.app.registry.load_officers(HEAD, [replace(base, certificates=(certificate,))])
        answer = office.app.registry.check_certificate("15000005")
        assert (answer["valid"], answer["reason"]) == (not why, why)

    def test_auxiliary_staff_and_unknown_numbers_are_not_found(self, office: Office) -> None:
        helper: Officer = an_officer("15000006", kind="auxiliary")
        office.app.registry.load_officers(HEAD, [helper])
        for number in ("15000006", "99999999"):
            with pytest.raises(NotFound):
                office.app.registry.check_certificate(number)


def test_an_entrusted_body_acts_on_the_list_of_its_principal(office: Office) -> None:
    registry = office.app.registry
    entrusted = replace(
        bodies(1)[0], unit="150102-team", kind="entrusted", principal=UNIT, credit_code="12150102000000001X"
    )
    office.units(a_unit("150102-team", "/150000/150100/150102/150102-team/"))
    registry.load_bodies(HEAD, [entrusted])
    registry.load_powers(
        HEAD,
        [
            PowerItem(
                unit=UNIT,
                code="P-1",
                name="x",
                kind="penalty",
                field="market",
                document="d",
                article="第一条",
            )
        ],
    )
    with office.app.store.reading() as session:
        registers = look_up(session, ["150102-team"], [], ["P-1"])
    assert registers.power(["150102-team", UNIT], "P-1") is not None
    assert registers.with_list == {UNIT}


@pytest.mark.parametrize("written", ["某某促进法（试行）", "《中华人民共和国某某促进法(试行)》"])
def test_a_basis_that_a_power_list_names_is_known_however_the_list_writes_its_title(
    office: Office, written: str
) -> None:
    item = PowerItem(
        unit=UNIT,
        code="MKT-9",
        name="某处罚",
        kind="penalty",
        field="market",
        document=written,
        article="第九条",
    )
    office.app.registry.load_powers(HEAD, [item])
    office.enter(csv_file([a_row(处罚依据="《某某促进法（试行）》第九条", 权责清单事项编码="MKT-9")]))
    assert {e.probe: e.outcome for e in office.events()}["ENF-DOC-01"] == OUTCOME_PASS
