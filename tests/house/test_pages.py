"""What the pages for people say exists: commands, options, endpoints, files, links, decisions, door plates."""

import importlib
import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer

from contracts import topology
from fazhi.cli import app
from fazhi.commands.prove import PROMISES
from fazhi.services import NAMES, package_of
from kernel.bus.rabbit import DEAD_QUEUE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MADE = {"libraries.md", "probes.md"}  # from code, which has its own test
PLATES = [ROOT.joinpath(*package_of(name).split(".")) / "README.md" for name in NAMES]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "tests" / "README.md",
    *sorted(page for page in DOCS.rglob("*.md") if page.name not in MADE),
]
COMMANDS: Any = typer.main.get_command(app)
TREES = (
    "kernel",
    "proto",
    "services",
    "gateway",
    "src",
    "console",
    "catalog",
    "docs",
    "tests",
    "scripts",
    "requirements",
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def spoken_commands(page: Path) -> list[list[str]]:
    """The words after ./fazhi or fazhi in code of a page."""
    text = page.read_text()
    code = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    code += [
        line
        for block in re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL)
        for line in block.splitlines()
    ]
    said = [re.match(r"(?:\./)?fazhi ([a-z-].*)", line.strip()) for line in code]
    return [match[1].split("#")[0].split() for match in said if match]


# A decision may speak of what is to come.
@pytest.mark.parametrize(
    "page", [page for page in [*PAGES, *PLATES] if page.parent.name != "decisions"], ids=name_of
)
def test_every_command_spoken_of_exists_with_its_options(page: Path) -> None:
    for words in spoken_commands(page):
        if words[0] in ("ARGS", ">", "--help"):
            continue
        command: Any = COMMANDS
        rest = list(words)
        while rest and (known := getattr(command, "commands", None)):
            assert rest[0] in known, f"fazhi {' '.join(words)}"
            command = known[rest.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= options, f"fazhi {' '.join(words)}"


def test_run_takes_the_fixed_options() -> None:
    run = COMMANDS.commands["run"]
    options = {option for parameter in run.params for option in parameter.opts}
    assert options >= {"--port", "--data", "--size", "--seed", "--fresh"}
    for option in re.findall(r"`\./run (--[a-z]+)", (ROOT / "README.md").read_text()):
        assert option in options


def test_every_command_of_the_program_is_in_a_page() -> None:
    spoken = {words[0] for page in PAGES for words in spoken_commands(page)}
    assert set(COMMANDS.commands) - spoken == {"run"}  # people start ./run
    assert "`./run" in (ROOT / "README.md").read_text()


def test_every_endpoint_in_the_readme_exists() -> None:
    known = {
        (method.upper(), path)
        for name in NAMES
        for path, item in orjson.loads((DOCS / "api" / f"{name}.json").read_bytes())["paths"].items()
        for method in item
    }
    spoken = re.findall(r"`(GET|POST|PUT|DELETE) (/api/[^`…]+)`", (ROOT / "README.md").read_text())
    assert spoken
    assert [each for each in spoken if each not in known] == []


@pytest.mark.parametrize("page", [*PAGES, *PLATES], ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        target
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    listed = re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text())
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page.parent.name != "decisions"}
    assert pages - set(listed) - {"README.md"} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_spoken_of_exists(page: Path) -> None:
    """Whole paths only; what a service's folder is called inside is said without its roots."""
    spoken = re.findall(r"`((?:" + "|".join(TREES) + r")/[A-Za-z0-9_./-]+)`", page.read_text())
    missing = [path for path in spoken if not (ROOT / path).exists() and "NNNN" not in path]
    assert [path for path in missing if not path.startswith(("console/dist", "services/enforcement/x"))] == []


def test_every_test_spoken_of_in_the_rules_exists() -> None:
    spoken = re.findall(
        r"`((?:unit|contract|integration|house|end_to_end)/[\w/]+\.py)`", (DOCS / "rules.md").read_text()
    )
    assert spoken
    assert [path for path in spoken if not (ROOT / "tests" / path).exists()] == []


QUEUE_NAMES = {queue.name for queue in topology.QUEUES} | {DEAD_QUEUE}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_module_spoken_of_can_be_imported(page: Path) -> None:
    spoken = re.findall(r"`((?:kernel|contracts|fazhi|gateway)(?:\.[A-Za-z_]+)+)[`(]", page.read_text())
    assert [name for name in spoken if name not in QUEUE_NAMES and not is_there(name)] == []


def is_there(dotted: str) -> bool:
    """Whether this is a module, or something in one."""
    module, _, attribute = dotted.rpartition(".")
    try:
        if importlib.util.find_spec(dotted) is not None:
            return True
    except ModuleNotFoundError:
        pass
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        holder, _, kind = module.rpartition(".")
        return bool(holder) and hasattr(getattr(importlib.import_module(holder), kind, None), attribute)


def test_pictures_are_named_from_docs() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert pictures == ["docs/pictures/ranking.png"]


# --- decisions ------------------------------------------------------------------------------------------------

RECORDS = sorted(path for path in (DOCS / "decisions").glob("*.md") if path.name != "README.md")


def test_every_decision_is_in_the_index_and_nothing_else() -> None:
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text())
    assert sorted(listed) == [path.name for path in RECORDS]


def test_numbers_of_decisions_are_given_once() -> None:
    numbers = [path.name[:4] for path in RECORDS]
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_decision_is_half_a_page_with_its_four_parts(record: Path) -> None:
    text = record.read_text()
    for chinese, english in (
        ("背景", "Context"),
        ("决定", "Decision"),
        ("后果", "Consequences"),
        ("其他办法", "Alternatives"),
    ):
        if chinese != "其他办法" or record.name != "0041-signatures-of-partners.md":
            assert f"**{chinese}" in text or f"**{english}" in text, chinese
    assert len(text.splitlines()) <= 60


# --- door plates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_a_door_plate_that_names_its_subjects_and_facts(name: str) -> None:
    folder = ROOT.joinpath(*package_of(name).split("."))
    plate = (folder / "README.md").read_text()
    rooms = {"model.py", "service.py", "api.py", "rules.py"}
    subjects = [
        path.name
        for path in folder.iterdir()
        if path.is_dir() and any((path / room).exists() for room in rooms)
    ]
    assert [subject for subject in subjects if f"{subject}/" not in plate] == []
    told = {key for queue in topology.QUEUES for source, key in queue.keys if source == name}
    heard = {key for queue in topology.QUEUES if queue.name.startswith(f"{name}.") for _, key in queue.keys}
    assert [fact for fact in sorted(told | heard) if fact not in plate] == []


# --- promises and licence -------------------------------------------------------------------------------------


def test_the_promises_page_lists_all_fourteen_and_only_provable_ones_as_provable() -> None:
    rows = re.findall(r"^\| (P\d+) \| [^|]+ \| ([^|]+) \|", (DOCS / "promises.md").read_text(), re.MULTILINE)
    assert [number for number, _ in rows] == [f"P{number}" for number in range(1, 15)]
    assert {number for number, state in rows if "**能**" in state} == set(PROMISES)


def test_the_licence_is_the_one_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "LICENSE").read_text()
    assert project["license"] == "MulanPSL-2.0"
    assert "木兰宽松许可证, 第2版" in text
    assert "END OF THE TERMS AND CONDITIONS" in text


# --- rules ----------------------------------------------------------------------------------------------------

RULES = [f"R{number}" for number in (*range(1, 19), 35, 36, *range(39, 44), 45, 46, *range(50, 56))]


def test_the_architecture_says_of_every_rule_where_it_is_held_and_by_which_test() -> None:
    rows = re.findall(r"^\| (R\d+) \|(.+)\|$", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    assert [rule for rule, _ in rows] == RULES
    for rule, said in rows:
        _, state, code, tests = (cell.strip() for cell in said.split("|"))
        assert state.startswith(("守住", "部分", "不适用")), rule
        if state.startswith("守住"):
            assert "`" in code, rule
            assert re.search(r"`(tests/|fazhi prove)", tests), rule
