"""docs/settings.md lists every setting with the default and the meaning that the code gives it."""

import re
from pathlib import Path

from kernel.settings import _SECRETS, Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text()
ROW = re.compile(r"^\| `(FAZHI_\w+)` \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)


# Declared and read by nobody yet; the page must say so.
NOT_READ: set[str] = set()


def declared() -> dict[str, tuple[str, str]]:
    """Variable -> (default as shown, description)."""
    return {
        f"FAZHI_{name.upper()}": (shown(field.default), str(field.description))
        for name, field in Settings.model_fields.items()
    }


def shown(default: object) -> str:
    if default in ("", None):
        return "（空）"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Path) and default.is_absolute():
        return f"`{default.relative_to(ROOT)}`"
    return f"`{default}`"


def test_every_setting_is_documented_as_it_is() -> None:
    assert {name: (default, meaning) for name, default, _, meaning in ROW.findall(PAGE)} == declared()


def test_every_setting_is_explained_in_chinese() -> None:
    assert [
        name for name, _, chinese, _ in ROW.findall(PAGE) if not re.search(r"[\u4e00-\u9fff]", chinese)
    ] == []


def test_every_secret_that_may_come_from_a_file_is_named() -> None:
    assert [name for name in _SECRETS if f"FAZHI_{name.upper()}_FILE" not in PAGE] == []


def test_only_variables_that_exist_are_spoken_of() -> None:
    known = {*declared(), *(f"FAZHI_{name.upper()}_FILE" for name in _SECRETS)}
    for path in (ROOT / "tests").rglob("*.py"):  # what only tests read
        known |= set(re.findall(r"environ(?:\.get\(|\[)\"(FAZHI_\w+)\"", path.read_text()))
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*/*/README.md"),
    ]
    spoken = {
        (page.name, name)
        for page in pages
        if page.exists()
        for name in re.findall(r"\bFAZHI_[A-Z_]*[A-Z]\b", page.read_text())
    }
    assert {each for each in spoken if each[1] not in known} == set()


def test_every_setting_is_read_by_somebody_or_said_to_do_nothing() -> None:
    roots = ("kernel", "services", "gateway", "src/fazhi")
    source = "\n".join(path.read_text() for root in roots for path in (ROOT / root).rglob("*.py"))
    unread = {
        name
        for name in Settings.model_fields
        if not re.search(rf"\b(settings|self|Settings\(\))\.{name}\b", source)
    }
    assert unread <= NOT_READ
    silent = {
        name: chinese
        for name, _, chinese, _ in ROW.findall(PAGE)
        if name.removeprefix("FAZHI_").lower() in unread
    }
    assert [name for name, chinese in silent.items() if "尚未接入" not in chinese] == []
