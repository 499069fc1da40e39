"""
The framework of the year: 50 points of system data, 30 of surveys, 20 of on-site checks, for departments and county.

Few results with round points, so that every score of the story can be reckoned on paper.
"""

from tests.support.the_year import County


def leaf(code: str, points: int, title: str, method: str, probe: str = "", source: str = "assessment") -> str:
    """A result in one line of YAML, so that a fault is told with the line of its result."""
    both = f'{{county_departments: "{points}", county_governments: "{points}"}}'
    bound = f"probes: [{probe}], " if probe else ""
    return (
        f"{{code: {code}, title: {title}, points: {both}, method: {{{method}}}, {bound}service: {source}, "
        "lead: market, evidence: 平台数据和材料, "
        'basis: [{document: 行政处罚法, version: "2021-01-22", article: 第四十八条}]}'
    )


FRAMEWORK = f"""
id: year-2026
version: "1"
title: 新城区法治政府建设考核体系
year: 2026
sample: true
notice: 测试用
levels: [aspect, measure, result]
peer_groups: [county_departments, county_governments]
components:
  - code: SY
    title: 系统监测
    weight: "50"
    source: framework
    nodes:
      - code: A1
        title: 规范执法
        children:
          - code: A1.M1
            title: 执法过程
            children:
              - {leaf("A1.M1.R1", 40, "决定按期公示", "kind: ratio", "ENF-PUB-01", "enforcement")}
              - {leaf("A1.M1.R2", 20, "决定按期送达", 'kind: ratio, floor: "0.5"', "ENF-TIM-02", "enforcement")}
              - {leaf("A1.M1.R3", 10, "督办整改", "kind: ratio", "ASM-02")}
          - code: A1.M2
            title: 制度建设
            children:
              - {leaf("A1.M2.R1", 20, "执法制度健全", "kind: reviewed")}
              - {leaf("A1.M2.R2", 10, "执法人员培训率", "kind: ratio")}
  - code: SU
    title: 民意调查
    weight: "30"
    source: survey
    nodes:
      - code: SU.M
        title: 满意度
        children:
          - {leaf("SU.WEB", 60, "网络调查", "kind: survey, responses_at_least: 3")}
          - {leaf("SU.TEL", 40, "电话调查", "kind: survey, responses_at_least: 5")}
  - code: OS
    title: 现场查验
    weight: "20"
    source: on_site
    nodes:
      - code: OS.M
        title: 查验单
        children:
          - {leaf("OS.R", 100, "场所和台账", "kind: reviewed")}
"""


def a_framework_is_written_by_one_and_put_in_force_by_another(county: County) -> None:
    """Dry run with a fault, draft, two proposals: whoever wrote decides neither."""
    faulty = FRAMEWORK.replace("ENF-PUB-01", "ENF-XXX-99")
    drafts = "/framework_drafts"
    dry = county.hand_in("shenhe", drafts, "体系.yaml", faulty.encode(), query={"dry_run": True}).json()
    (fault,) = [problem for problem in dry["problems"] if problem["code"] == "unknown_probe"]
    assert "ENF-XXX-99" in faulty.splitlines()[int(fault["path"].rsplit(":", 1)[1]) - 1]
    assert dry["draft"] == ""
    made = county.hand_in("shenhe", drafts, "体系.yaml", FRAMEWORK.encode(), query={"dry_run": False})
    assert made.status_code == 200, made.text
    publish = {"act": "publish", "draft": made.json()["draft"]}
    in_force = {"act": "in_force", "framework": "year-2026", "version": "1", "year": 2026}
    for asked in (publish, in_force):
        proposal = county.do("shenhe", "/framework_proposals", **asked)["id"]
        decision = f"/framework_proposals/{proposal}/decision"
        assert county.refused("shenhe", decision, approved=True) == (409, "assessment.same_person")
        county.do("ducha", decision, approved=True, note="同意")
    assert county.get("tianbao", "/frameworks/current")["id"] == "year-2026"
