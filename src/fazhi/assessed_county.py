"""
Assessment of the demonstration county 考核演示: the year as the people in it would have lived it.

The composite framework is put in force, tasks are published, units report and are reviewed, people outside are asked
and somebody looks on site, orders and objections run, signs are looked for, and a ranking is asked for, confirmed and
published. Everything goes through the services' own use cases, by different people where two are needed; done again
it does nothing. Other years and counties are untouched.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from sqlalchemy import func, select

from contracts.roles import INSPECTOR, REVIEWER, THIRD_PARTY
from fazhi import supervised_county
from fazhi.province.rng import Stream
from fazhi.services import build
from kernel.access.principal import Principal
from kernel.clock import FixedClock, local_date
from kernel.files.intake import Kept, checked
from kernel.hosting.runtime import Runtime
from kernel.ids import new_id
from services.assessment.ledger.rules import NotWitnessed
from services.assessment.review import demonstration as reviewed
from services.assessment.review.demonstration import Planted
from services.assessment.scoring.tallies import assessed_units
from services.assessment.sheets.model import SHEETS
from services.assessment.sheets.rules import Item
from services.assessment.surveys.model import SURVEYS
from services.assessment.surveys.rules import WAYS, Option, Question, Survey
from services.assessment.tables import UNITS
from services.assessment.tasks import demonstration as tasked

SCALE = (
    Option("满意", 1000),
    Option("比较满意", 800),
    Option("一般", 600),
    Option("不太满意", 300),
    Option("不满意", 0),
)
WAY_OF = {"SV.TEL": "telephone", "SV.SITE": "on_site", "SV.WEB": "web", "SV.PAPER": "questionnaire"}
ANSWERS = 120
MARKS = (950, 900, 850, 800, 700)
POOR = (600, 550, 450)
POOR_ANSWERS = (15, 15, 25, 25, 20)
Step = Callable[[int], None]


def demonstrate(runtime: Runtime, *, county: str, seed: int, planted: Planted, moved: Step) -> None:
    """Tell the year of a county (its code) into assessment; `planted` cheat, `moved` hears of every chapter."""
    now = runtime.clock.now()
    clock = FixedClock(now)
    past = Runtime(runtime.settings, clock)
    app = build("assessment", past).app
    people = _people(app, county)
    tasked.demonstrate(app, area=county, in_force=tasked.COMPOSITE)
    app.roll_up.catch_up()
    moved(1)
    year = local_date(now).year
    reviewed.demonstrate(
        app, area=people["path"], year=year, seed=seed, reviewers=(people["reviewer"],), planted=planted
    )
    moved(1)
    _asked_outside(app, people, year, seed, planted)
    _looked_on_site(app, people, year, seed, planted)
    moved(1)
    supervised_county.demonstrate(app, clock, county=county, now=now)
    clock.set(now)
    app.roll_up.catch_up()
    app.detection.look(str(year))
    moved(1)
    _published(app, people, year)
    moved(1)
    past.close()


def _people(app: Any, county: str) -> dict[str, Any]:
    """Those of the justice department of the county's superior and of a company from outside."""
    with app.store.reading() as session:
        path = session.execute(select(UNITS.table.c.path).where(UNITS.table.c.code == county)).scalar_one()
    root = path.split("/")[1]

    def person(account: str, role: str) -> Principal:
        return Principal(account=account, unit=f"{root}-sf", unit_path=f"/{root}/", roles=frozenset({role}))

    return {
        "path": path,
        "reviewer": person("shenhe.sheng", REVIEWER),
        "inspector": person("ducha.sheng", INSPECTOR),
        "second": person("fuhe.sheng", INSPECTOR),
        "company": Principal(account="pinggu", roles=frozenset({THIRD_PARTY})),
    }


def _departments(app: Any, path: str) -> list[Any]:
    framework = app.frameworks.current()
    with app.store.reading() as session:
        return [unit for unit in assessed_units(session, framework) if unit.path.startswith(path)]


def _asked_outside(app: Any, people: dict[str, Any], year: int, seed: int, planted: Planted) -> None:
    """One survey a way of asking, its answers handed in as a file by whoever asked, and counted."""
    with app.store.reading() as session:
        if session.execute(select(func.count()).select_from(SURVEYS)).scalar_one():
            return
    units = _departments(app, people["path"])
    framework = app.frameworks.current()
    component = next(one.code for one in framework.components if one.source == "survey")
    for group in framework.node(component).children:
        way = WAY_OF[group.code]
        survey = Survey(
            id=new_id(),
            framework=framework.id,
            period=str(year),
            title=f"{year}年法治政府建设{WAYS[way]}（演示）",  # type: ignore[index]  # the keys are those of WAYS
            way=way,  # type: ignore[arg-type]
            opens_on=date(year, 5, 1),
            closes_on=min(date(year, 12, 20), local_date(app.store.clock.now()) + timedelta(days=30)),
            questions=tuple(
                Question(f"q{number}", leaf.title.partition("：")[2] or leaf.title, leaf.code, SCALE)
                for number, leaf in enumerate(group.children, 1)
            ),
        )
        app.surveys.set_up(people["reviewer"], survey)
        kept = _answers(app, survey, [unit.code for unit in units], seed, planted)
        app.surveys.take_file(people["reviewer"], survey.id, kept, confirm=True)
        app.surveys.count(people["reviewer"], survey.id)


def _answers(app: Any, survey: Survey, units: Sequence[str], seed: int, planted: Planted) -> Kept:
    def lines() -> Iterator[str]:
        yield ",".join(("单位代码", *(question.id for question in survey.questions)))
        for unit in units:
            stream = Stream("survey", seed, survey.way, unit)
            weights = (40 + stream.below(30), 25, 15, 5 + stream.below(8), 2 + stream.below(6))
            if unit in planted.polished:
                weights = POOR_ANSWERS
            for _ in range(ANSWERS):
                yield ",".join((unit, *(SCALE[stream.weighted(weights)].text for _ in survey.questions)))

    content = "\n".join(lines()).encode("utf-8-sig")
    return checked(BytesIO(content), f"{WAYS[survey.way]}.csv", app.blobs)


def _looked_on_site(app: Any, people: dict[str, Any], year: int, seed: int, planted: Planted) -> None:
    """Half of the departments looked at by a company from outside; the last ones still wait."""
    with app.store.reading() as session:
        if session.execute(select(func.count()).select_from(SHEETS)).scalar_one():
            return
    framework = app.frameworks.current()
    component = next(one.code for one in framework.components if one.source == "on_site")
    items = [node for node in framework.node(component).walk() if node.method is not None]
    units = [unit for unit in _departments(app, people["path"]) if unit.group.events == "own"][::2]
    by_results: dict[tuple[str, ...], list[str]] = {}
    for unit in units:
        asked = tuple(node.code for node in items if unit.group.id in node.points)
        by_results.setdefault(asked, []).append(unit.code)
    due_on = local_date(app.store.clock.now()) + timedelta(days=12)
    for results, codes in by_results.items():
        if not results:
            continue
        sheets = app.sheets.hand_out(
            people["inspector"], "third_party", str(year), codes, results, people["company"].account, due_on
        )
        for number, sheet in enumerate(sheets[: len(sheets) * 3 // 4]):
            stream = Stream("sheet", seed, codes[number])
            marks = [
                Item(
                    code,
                    stream.pick(POOR if codes[number] in planted.polished else MARKS),
                    "现场查阅台账并抽查案卷，见评估报告。",
                )
                for code in results
            ]
            app.sheets.add_file(people["company"], sheet, _found_on_site(app, codes[number], marks))
            app.sheets.hand_in(people["company"], sheet, 0, marks, "")


def _found_on_site(app: Any, unit: str, marks: Sequence[Item]) -> Kept:
    """What the company wrote about one department."""
    lines = (
        "第三方评估报告（演示）",
        f"评估对象：{unit}",
        *(f"{mark.result}：{mark.reasons}" for mark in marks),
    )
    return checked(BytesIO("\n".join(lines).encode()), f"评估报告-{unit}.txt", app.blobs)


def _published(app: Any, people: dict[str, Any], year: int) -> None:
    """One ranking confirmed, which the worker publishes once a witness has signed; another still waits for somebody."""
    if app.publications.requests(limit=1):
        return
    # without a witness beside it (fazhi demo alone) nothing may be published, and nothing is asked for
    with suppress(NotWitnessed):
        request = app.publications.ask(people["inspector"], str(year), "", "county_departments", "演示公布")
        app.publications.decide(people["second"], request, agreed=True, reason="核对无误")
        app.publications.ask(people["inspector"], str(year), "", "townships", "请复核后公布")
