"""
Libraries 第三方库 of the runtime with their licences, from the lock file and the installed packages.

Permissive is what lets a province ship the platform under any terms it likes. What is not plainly permissive is
marked, and docs/decisions says of each why it is used and what that asks of whoever passes the platform on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

PERMISSIVE = ("MIT", "BSD", "Apache", "ISC", "PSF", "Python Software Foundation")
COPYLEFT = ("GPL", "MPL", "GNU", "Mozilla", "EPL", "CDDL")
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$", re.MULTILINE)
_PAGE = """# 运行时第三方库 Libraries

由 `python -m fazhi.docs` 从 `requirements/runtime.txt` 和已安装的包生成，请勿手改。“直接”指 `requirements/runtime.in`
列出的库，其余由它们带入。许可栏取自包自己的元数据。标有 **⚠** 的不是单纯的宽松许可，理由和义务见
[决策 0009](decisions/0009-libraries-and-their-licences.md)。

| 库 | 版本 | 直接 | 许可 |
|---|---|---|---|
{rows}

共 {count} 个；不属于单纯宽松许可的 {marked} 个：{names}。
"""


@dataclass(frozen=True, slots=True)
class Library:
    """One locked package; `licence` is empty when the package is not for this kind of machine."""

    name: str
    version: str
    is_direct: bool
    licence: str
    only_where: str

    @property
    def is_permissive(self) -> bool:
        """Whether a plainly permissive licence suffices, alone or as one of several to choose from."""
        if " AND " in self.licence:
            return all(_is_permissive(part) for part in self.licence.split(" AND "))
        return _is_permissive(self.licence)


def libraries(root: Path) -> Iterator[Library]:
    """Every package of the runtime lock, in its order."""
    wanted = (root / "requirements" / "runtime.in").read_text()
    direct = {line.split("[")[0].strip() for line in wanted.splitlines() if line and not line.startswith("#")}
    for name, version, marker in _LOCKED.findall((root / "requirements" / "runtime.txt").read_text()):
        try:
            licence = _licence(metadata(name))
        except PackageNotFoundError:
            licence = ""
        yield Library(name, version, name in direct, licence, marker)


def page(root: Path) -> str:
    """The page of libraries."""
    every = list(libraries(root))
    marked = [one for one in every if one.licence and not one.is_permissive]
    return _PAGE.format(
        rows="\n".join(_row(one) for one in every),
        count=len(every),
        marked=len(marked),
        names="、".join(one.name for one in marked),
    )


def _row(one: Library) -> str:
    sign = "" if one.is_permissive or not one.licence else " **⚠**"
    said = f"{one.licence}{sign}" if one.licence else f"未安装（仅 `{one.only_where}`）"
    return f"| {one.name} | {one.version} | {'是' if one.is_direct else ''} | {said} |"


def _licence(said: PackageMetadata) -> str:
    """The licence a package states: the expression, else the classifiers, else the free text's first line."""
    given = said.json
    expression = given.get("license_expression")
    classifiers = [
        line.split(" :: ")[-1] for line in given.get("classifier", []) if line.startswith("License ::")
    ]
    free = str(given.get("license", "")).strip().splitlines()
    if isinstance(expression, str) and expression:
        return expression
    return " / ".join(classifiers) or (free[0][:60] if free else "未注明")


def _is_permissive(licence: str) -> bool:
    if " OR " in licence:
        return any(_is_permissive(part.strip("() ")) for part in licence.split(" OR "))
    return any(word in licence for word in PERMISSIVE) and not any(word in licence for word in COPYLEFT)
