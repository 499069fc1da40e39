"""
Demonstration 演示: tasks of the year published for one area, some told as done; a framework put in force if asked.

Everything goes through the use cases of people, by two of them where two are needed.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from contracts.roles import INSPECTOR, REPORTER, REVIEWER
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import NotFound
from services.assessment.tables import UNITS
from services.assessment.tasks.model import DONE, PROGRESS
from services.assessment.tasks.service import PlanRequest

if TYPE_CHECKING:
    from services.assessment.app import Assessment

COMPOSITE = ("composite-50-30-20", "1")
_SOON, _LATER = 5, 25
_TOLD = 12


def demonstrate(app: "Assessment", *, area: str, in_force: tuple[str, str] | None = None) -> str:
    """
    Publish the tasks of the running year for `area` (the code of a county's government); returns the plan's id.

    `in_force`: (framework, version) to put in force for the year, by two people; nothing changes when it is None.
    A second call publishes nothing and returns the first plan. Raises NotFound for an unknown area.
    """
    with app.store.reading() as session:
        wanted = select(UNITS.table.c.path).where(UNITS.table.c.code == area)
        path = session.execute(wanted).scalar_one_or_none()
    if path is None:
        raise NotFound(f"单位目录中没有 {area}，请先装入单位目录。", code="assessment.no_such_unit")
    root = path.split("/")[1]
    reviewer = _person("demonstration.reviewer", root, f"/{root}/", REVIEWER)
    year = local_date(app.store.clock.now()).year
    if in_force is not None and _in_force(app, year) != in_force:
        proposal = app.framework_changes.propose_in_force(reviewer, *in_force, year, "演示")
        inspector = _person("demonstration.inspector", root, f"/{root}/", INSPECTOR)
        app.framework_changes.decide(inspector, proposal, "演示", approved=True)
    title = f"{year} 年度法治政府建设任务（演示）"
    known = next((plan.id for plan in app.task_views.plans(reviewer) if plan.title == title), None)
    if known is not None:
        return str(known)
    today = local_date(app.store.clock.now())
    nodes = [node.code for node in app.frameworks.in_force(year).results()]
    due = dict.fromkeys(nodes[::9], today + timedelta(days=_SOON)) | dict.fromkeys(
        nodes[4::9], today + timedelta(days=_LATER)
    )
    plan = app.tasks.publish(
        reviewer,
        PlanRequest(
            year, area, title, "演示数据：任务和时限为演示而拟。", due_on=_last_day(year, today), due=due
        ),
    ).plan
    for number, line in enumerate(app.task_views.table(reviewer, plan, area)[:_TOLD]):
        lead = _person("demonstration.reporter", line.lead[0], path, REPORTER)
        kind = DONE if number % 3 == 0 else PROGRESS
        app.tasks.tell(lead, plan, area, line.node, kind, "演示：已按任务分解表推进，材料齐备。")
    app.tasks.remind()
    return plan


def _person(account: str, unit: str, path: str, role: str) -> Principal:
    return Principal(account=account, unit=unit, unit_path=path, roles=frozenset({role}))


def _in_force(app: "Assessment", year: int) -> tuple[str, str]:
    framework = app.frameworks.in_force(year)
    return framework.id, framework.version


def _last_day(year: int, today: date) -> date:
    """The end of November, or of the year where that is past."""
    due = date(year, 11, 30)
    return due if due >= today else date(year, 12, 31)
