"""Units, bodies, officers and power items look like those of a real province."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from stdnum.cn import uscc

from contracts.directory.v1 import directory_pb2
from contracts.roles import TITLES
from fazhi.province import Province, UnknownProvince, headers

ROOT = Path(__file__).resolve().parents[3]
DIVISIONS = Path("/work/shared/data/divisions")
FIELDS = {
    row["code"] for row in yaml.safe_load((ROOT / "catalog/codes/fields.yaml").read_text("utf-8"))["codes"]
}


@pytest.fixture(scope="module")
def province() -> Province:
    return Province(seed=1, size="province")


def test_every_unit_hangs_on_one_that_came_before_it(county: Province, province: Province) -> None:
    for box in (county, Province(size="city"), province):
        paths: dict[str, str] = {"": "/"}
        for unit in box.units():
            assert unit.path == f"{paths[unit.parent]}{unit.code}/"
            assert unit.code not in paths
            paths[unit.code] = unit.path


def test_kinds_levels_and_fields_are_words_of_the_contracts(province: Province) -> None:
    for unit in province.units():
        directory_pb2.UnitKind.Value(f"UNIT_KIND_{unit.kind.upper()}")
        directory_pb2.UnitLevel.Value(f"UNIT_LEVEL_{unit.level.upper()}")
        assert unit.field in FIELDS or unit.kind == "dispatched"


def test_leagues_are_dispatched_organs_and_cities_governments(province: Province) -> None:
    kinds = {unit.name: unit.kind for unit in province.units()}
    assert kinds["兴安盟行政公署"] == "dispatched"
    assert kinds["呼和浩特市人民政府"] == "government"
    assert kinds["土默特左旗人民政府"] == "government"
    assert kinds["呼和浩特经济技术开发区管理委员会"] == "dispatched"
    assert kinds["呼和浩特市新城区海拉尔东路街道办事处"] == "township"


def test_a_merged_unit_names_its_successor(county: Province) -> None:
    units = {unit.code: unit for unit in county.units()}
    merged = units["150102-xczx"]
    assert merged.valid_to is not None
    assert units[merged.successor].name == "呼和浩特市新城区农牧局"


def test_all_credit_codes_are_valid_and_nobodys(province: Province) -> None:
    codes = [unit.credit_code for unit in province.units()]
    assert all(uscc.is_valid(code) for code in codes)
    assert len(set(codes)) == len(codes)
    assert all(code[8:10] == "XN" for code in codes)


def test_bodies_name_their_units_and_entrusted_ones_their_principals(county: Province) -> None:
    units = {unit.code: unit for unit in county.units()}
    for body in county.bodies():
        assert (body.name, body.credit_code) == (units[body.unit].name, units[body.unit].credit_code)
        assert (body.principal in units) is (body.kind == "entrusted")


def test_exactly_one_body_of_a_county_has_lost_its_qualification(county: Province) -> None:
    ended = [
        body for body in county.bodies() if body.valid_to is not None and body.valid_to < county.frame.first
    ]
    assert len(ended) == 1
    assert ended[0].kind == "entrusted"


def test_every_body_has_two_officers_whose_certificates_hold_all_year(county: Province) -> None:
    able: dict[str, int] = {}
    for officer in county.officers():
        latest = officer.certificates[-1]
        holds = latest.valid_from < county.frame.first and latest.valid_to > county.frame.until
        able[officer.unit] = able.get(officer.unit, 0) + (holds and latest.status == "valid")
    assert min(able.values()) >= 2


def test_certificate_numbers_are_unique_and_rare_characters_occur(city: Province) -> None:
    numbers = [c.number for officer in city.officers() for c in officer.certificates]
    assert len(set(numbers)) == len(numbers)
    assert any(ord(letter) > 0xFFFF for officer in city.officers() for letter in officer.name)


def test_power_items_rest_on_articles_that_stand_in_the_law(province: Province) -> None:
    folder = Path("/work/shared/data/laws")
    if not folder.exists():
        pytest.skip("the public law texts are not on this machine")
    for document, article in {(item.document, item.article) for item in province.power_items()}:
        texts = [path.read_text("utf-8") for path in folder.rglob(f"{document}(*).md")]
        assert any(f"\n{article} " in text or f"\n{article}　" in text for text in texts), (document, article)


def test_each_role_of_staff_has_an_account_at_each_level(county: Province) -> None:
    accounts = list(county.accounts())
    units = {unit.code for unit in county.units()}
    assert len({each.account for each in accounts}) == len(accounts) == 19
    assert all(role in TITLES for each in accounts for role in each.roles)
    assert {each.unit for each in accounts} <= units


def test_headers_are_those_of_the_import_catalog() -> None:
    assert len(headers()) == 34
    assert headers()["body_code"] == "决定机关统一社会信用代码"


@pytest.mark.skipif(not DIVISIONS.exists(), reason="the public division lists are not on this machine")
@pytest.mark.parametrize("code", ["11", "33", "44", "46", "65"])
def test_other_provinces_come_from_a_folder_of_divisions(code: str) -> None:
    box = Province(province=code, divisions=DIVISIONS)
    counts = box.counts()
    assert counts["bodies"] > 40
    assert next(iter(box.units())).code == f"{code}0000"
    assert sum(1 for _ in box.cases()) == counts["cases"]


def test_an_unknown_province_says_what_to_do() -> None:
    with pytest.raises(UnknownProvince, match="divisions"):
        Province(province="99")


@pytest.mark.parametrize(
    "wrong",
    [{"size": "village"}, {"focus": "999999"}, {"until": date(2026, 1, 3)}],
    ids=lambda each: next(iter(each)),
)
def test_arguments_that_make_no_province_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"规模|focus|截止日"):
        Province(**wrong)


def test_another_county_or_city_may_be_asked_for() -> None:
    banner = Province(size="county", focus="150421")
    assert next(iter(banner.bodies())).name.startswith("阿鲁科尔沁旗")
    league = Province(size="city", focus="152200")
    assert {body.region_code[:4] for body in league.bodies()} == {"1522"}
