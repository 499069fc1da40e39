"""
The walk: a case file with known faults changes the ranking exactly as computed by hand.

The framework of this story has three results worth 50, 30 and 20 points, so that the numbers can be reckoned on
paper. The story is told twice, embedded and distributed, and must end with the same totals to the last digit.
"""

import itertools
import shutil
from datetime import date
from pathlib import Path

import pytest

from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
from contracts.roles import INSPECTOR, REVIEWER
from fazhi.services import NAMES
from gateway.directory.rules import UnitState
from gateway.identity.demonstration import DemonstrationPerson
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.settings import Settings
from services.assessment.review.roster import reviewers
from services.enforcement.registry.rules import Body, Certificate, Officer, PowerItem
from tests.support.enforcement import a_row, csv_file
from tests.support.forms import distributed, embedded

FRAMEWORK = """
id: outline-2015-2020
version: "walk"
title: 走查用指标体系
year: 2026
sample: true
notice: 走查用
basis: [{document: 法治政府建设实施纲要（2015—2020年）, version: "2015-12-27", article: 第四部分}]
levels: [aspect, result]
counts: {aspect: 1, result: 3}
peer_groups: [county_departments]
nodes:
  - code: A4
    title: 严格规范公正文明执法
    points: {county_departments: "100"}
    children:
      - code: A4.R1
        title: 决定按期公示
        points: {county_departments: "50"}
        method: {kind: ratio}
        probes: [ENF-PUB-01]
        service: enforcement
        evidence: 执法案件
        basis: [{document: 法治政府建设实施纲要（2015—2020年）, version: "2015-12-27", article: 第22项措施}]
      - code: A4.R2
        title: 决定按期送达
        points: {county_departments: "30"}
        method: {kind: ratio, floor: "0.5", target: "1"}
        probes: [ENF-TIM-02]
        service: enforcement
        evidence: 执法案件
        basis: [{document: 行政处罚法, version: "2021-01-22", article: 第六十一条}]
      - code: A4.R3
        title: 两人以上执法
        points: {county_departments: "20"}
        method: {kind: deduct, step: "0.1"}
        probes: [ENF-OFF-01]
        service: enforcement
        evidence: 执法案件
        basis: [{document: 行政处罚法, version: "2021-01-22", article: 第四十二条}]
"""
WALKS = itertools.count(1)
OPERATOR = Principal(account="operator", unit_path="/")
CREDIT = {"A": "11150102MB0000019B", "B": "11150102MB00000276", "C": "11150102MB00000351"}
LATE_PUBLICATION = {"公示日期": "2026-04-10"}
LATE_SERVICE = {"送达日期": "2026-04-10"}
ONE_OFFICER = {"执法人员证号": "{unit}-1"}


@pytest.fixture
def catalog(tmp_path):
    folder = tmp_path / "catalog"
    shutil.copytree(Settings().catalog, folder)
    for path in (folder / "frameworks").glob("*.yaml"):
        if path.name != "peer_groups.yaml":
            path.unlink()
    (folder / "frameworks" / "walk.yaml").write_text(FRAMEWORK, encoding="utf-8")
    return folder


@pytest.fixture(params=["embedded", "distributed"])
def form(request, tmp_path, catalog):
    if request.param == "embedded":
        with embedded(tmp_path / "data", catalog) as form:
            yield form
        return
    server, broker = request.getfixturevalue("postgresql"), request.getfixturevalue("rabbitmq_url")
    walk = f"walk{next(WALKS)}"
    urls = [
        server.create_plain(f"{walk}_{name}") for name in NAMES
    ]  # of a role that row level security binds
    url = urls[0].replace(f"{walk}_{NAMES[0]}", f"{walk}_{{service}}")
    with distributed(tmp_path / "data", url, broker, catalog) as form:
        yield form


def test_a_case_file_with_known_faults_moves_the_ranking_as_reckoned_by_hand(form, tmp_path):
    reader = _settled_county(form)

    _import(form, tmp_path, "B", [{}, {}, {}, LATE_PUBLICATION])
    _import(form, tmp_path, "C", [{}, {}])
    # B: 50 × 3/4 + 30 + 20 = 87.5; C: nothing wrong
    assert _ranking(reader) == [(1, "C", "100.0000"), (2, "B", "87.5000")]

    _import(form, tmp_path, "A", [{}] * 6 + [LATE_PUBLICATION] * 2 + [LATE_SERVICE, ONE_OFFICER])
    # A: 50 × 8/10 = 40; rate 9/10 between 0.5 and 1 is 0.8 × 30 = 24; one fault costs a tenth of 20: 18
    assert _ranking(reader) == [(1, "C", "100.0000"), (2, "B", "87.5000"), (3, "A", "82.0000")]

    _import(form, tmp_path, "B", [LATE_PUBLICATION] * 3 + [LATE_SERVICE], first=5)
    # B: 50 × 4/8 = 25; rate 7/8 is 0.75 × 30 = 22.5; 20; together 67.5
    assert _ranking(reader) == [(1, "C", "100.0000"), (2, "A", "82.0000"), (3, "B", "67.5000")]

    told = reader.get(
        "/api/assessment/v1/units/B/explanation", params={"node": "A4.R1", "outcome": "fail"}
    ).json()
    assert told["events"]["total"] == 4
    assert told["node"]["contribution"] == "25.0000"
    event = told["events"]["rows"][0]
    assert event["basis"]
    subject = reader.get(f"/api/enforcement/v1/cases/{event['subject'].rsplit('/', 1)[1]}")
    assert subject.status_code == 200

    before = _ranking(reader)
    form.app("assessment").rebuild()
    assert _ranking(reader) == before


def test_what_is_refused_or_taken_back_counts_no_more(form, tmp_path):
    reader = _settled_county(form)
    _a_file_with_one_bad_row_changes_nothing(form, tmp_path, reader)
    _a_reviewer_whose_role_is_revoked_leaves_the_roster(form)


def _a_reviewer_whose_role_is_revoked_leaves_the_roster(form):
    """Revoked at the gateway, told over the bus, and gone from the roster of assessment; granted anew, and back."""
    accounts, assessment = form.app("gateway").accounts, form.app("assessment")
    reviewer = Principal(
        account="shenhe", unit="150102", unit_path="/150102/", home="A", roles=frozenset({REVIEWER})
    )
    assert [one.account for one in _roster(assessment)] == []  # holds the role, has not joined
    assessment.roster.join(reviewer)
    assert [(one.account, one.place.unit, one.area) for one in _roster(assessment)] == [
        ("shenhe", "A", "/150102/")
    ]
    (held,) = form.app("gateway").register.grants(
        OPERATOR, state="active", account="shenhe", limit=9, offset=0
    )
    accounts.revoke(OPERATOR, held.id, note="轮岗")
    form.settle()
    assert _roster(assessment) == []
    grant = accounts.propose(
        Principal(account="xitong", unit_path="/"), account="shenhe", role=REVIEWER, unit="150102"
    )
    accounts.decide(OPERATOR, grant, approve=True)
    form.settle()
    assert [one.account for one in _roster(assessment)] == ["shenhe"]


def _roster(assessment):
    with assessment.store.reading() as session:
        return reviewers(session, local_date(assessment.store.clock.now()))


def _a_file_with_one_bad_row_changes_nothing(form, tmp_path, reader):
    _import(form, tmp_path, "B", [{}])
    before = _ranking(reader)
    report = _import(form, tmp_path, "A", [{}, {"决定日期": "2026-02-30"}], expect="refused")
    assert [(fault.row, fault.column) for fault in report.faults] == [(3, "决定日期")]
    assert _ranking(reader) == before


def _settled_county(form):
    """A county with three departments, each with a body and two officers; somebody who may look."""
    county, department = UnitKind.UNIT_KIND_GOVERNMENT, UnitKind.UNIT_KIND_DEPARTMENT
    level = UnitLevel.UNIT_LEVEL_COUNTY
    since = {"region_code": "150102", "valid_from": "2020-01-01"}
    units = [UnitState(code="150102", name="新城区人民政府", kind=county, level=level, parent="", **since)]
    units += [
        UnitState(
            code=unit,
            name=f"{unit}局",
            kind=department,
            level=level,
            parent="150102",
            credit_code=code,
            **since,
        )
        for unit, code in CREDIT.items()
    ]
    form.app("gateway").directory.load(units)
    registry = form.app("enforcement").registry
    registry.load_bodies(OPERATOR, [_body(unit, code) for unit, code in CREDIT.items()])
    registry.load_officers(OPERATOR, [_officer(unit, number) for unit in CREDIT for number in (1, 2)])
    registry.load_powers(OPERATOR, [_item(unit) for unit in CREDIT])
    people = [
        DemonstrationPerson(
            account="ducha", name="督察员", title="督察员", unit="150102", roles=(INSPECTOR,)
        ),
        DemonstrationPerson(
            account="shenhe", name="审核员", title="审核员", unit="A", roles=(REVIEWER,), area="150102"
        ),
    ]
    shown = form.app("gateway").demonstrations.create_demonstration(
        people, province="15", size="walk", seed=0
    )
    form.settle()
    return form.sign_in("ducha", shown.accounts[0].password)


def _body(unit, code):
    return Body(
        unit=unit,
        name=f"{unit}局",
        credit_code=code,
        kind="statutory",
        field="market",
        region_code="150102",
        valid_from=date(2020, 1, 1),
        confirmed_on=date(2020, 1, 1),
    )


def _officer(unit, number):
    held = Certificate(
        number=f"{unit}-{number}",
        body=unit,
        field="market",
        valid_from=date(2020, 1, 1),
        valid_to=date(2030, 1, 1),
    )
    return Officer(code=f"{unit}{number}", name=f"执法员{number}", unit=unit, certificates=(held,))


def _item(unit):
    return PowerItem(
        unit=unit,
        code="MKT-1",
        name="食品标签",
        kind="penalty",
        field="market",
        document="行政处罚法",
        article="二十八",
    )


def _import(form, folder: Path, unit: str, cases, *, first=1, expect="imported"):
    rows = [
        a_row(
            **{
                "决定书文号": f"{unit}监罚〔2026〕{number}号",
                "决定机关": f"{unit}局",
                "决定机关统一社会信用代码": CREDIT[unit],
                "执法人员证号": f"{unit}-1、{unit}-2",
                **{key: value.format(unit=unit) for key, value in changes.items()},
            }
        )
        for number, changes in enumerate(cases, first)
    ]
    path = folder / f"{unit}-{first}-{expect}.csv"
    path.write_bytes(csv_file(rows, encoding="gb18030"))
    report = form.app("enforcement").cases.import_file(OPERATOR, path)
    assert report.state == expect, report.faults
    form.settle()
    return report


def _ranking(reader):
    answer = reader.get(
        "/api/assessment/v1/rankings", params={"period": "2026", "peer_group": "county_departments"}
    )
    assert answer.status_code == 200, answer.text
    return [(row["rank"], row["unit"]["code"], row["score"]) for row in answer.json()["rows"] if row["score"]]
