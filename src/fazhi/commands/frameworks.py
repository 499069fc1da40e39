"""
Frameworks 考核指标体系 on the command line: list, export, import as a draft, difference.

Importing makes a draft and nothing more: publishing and putting in force take two people in the console (R37).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings

if TYPE_CHECKING:
    from services.assessment.app import Assessment

STATES = {"published": "已发布", "in_force": "启用", "retired": "停用"}
DRAFT_STATES = {"draft": "草案", "proposed": "待审批", "returned": "已退回"}
Name = Annotated[str, typer.Argument(help="编号@版本，例如 outline-2015-2020@1")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="指标体系：查看、导出、导入草案、比较。", no_args_is_help=True)
    group.command("list")(list_versions)
    group.command()(export)
    group.command("import")(import_draft)
    group.command()(diff)
    app.add_typer(group, name="frameworks")


def list_versions() -> None:
    """列出全部版本及其状态。"""
    for line in _assessment().framework_overview.versions(drafts=True):
        state = (STATES | DRAFT_STATES)[line.state]
        years = f"（{'、'.join(map(str, line.years))} 年度）" if line.years else ""
        console.print(
            f"{line.id}@{line.version}  {state}{years}  {line.title}", highlight=False, soft_wrap=True
        )


def export(name: Name, file: Annotated[Path, typer.Argument(help="写到的文件，.yaml 或 .xlsx")]) -> None:
    """导出一个已发布的版本。"""
    from services.assessment.framework.workbook import workbook_of
    from services.assessment.framework.writing import document_of, yaml_of

    document = document_of(_assessment().frameworks.get(*_parts(name)))
    content = workbook_of(document) if file.suffix.lower() == ".xlsx" else yaml_of(document).encode()
    file.write_bytes(content)
    console.print(f"已导出 {name} 到 {file}。", highlight=False)


def import_draft(
    file: Annotated[Path, typer.Argument(help="YAML 或 XLSX 文件")],
    *,
    check: Annotated[bool, typer.Option("--check", help="只检查，不保存草案")] = False,
) -> None:
    """导入为草案；发布和启用须在页面上由另一人审批。"""
    from kernel.access.principal import Principal
    from kernel.errors import Invalid

    if not file.is_file():
        raise Invalid(f"找不到文件 {file}，请核对路径。", code="assessment.no_file")
    changes = _assessment().framework_changes
    report = changes.hand_in(Principal(account="operator"), file.name, file.read_bytes(), dry_run=check)
    if report.problems:
        raise Invalid(
            "指标体系文件有误，未予采用。", code="assessment.framework_invalid", problems=report.problems
        )
    for change in report.changes:
        console.print(change.sentence, highlight=False, soft_wrap=True)
    console.print("检查通过，未保存。" if check else f"已保存为草案 {report.draft}。", highlight=False)


def diff(name: Name, against: Annotated[str, typer.Argument(help="同一体系的另一版本，例如 1")]) -> None:
    """比较两个已发布的版本：NAME 相对 AGAINST 改了什么。"""
    framework, version = _parts(name)
    found = _assessment().framework_changes.compare(framework, against, version)
    for change in found:
        console.print(change.sentence, highlight=False, soft_wrap=True)
    console.print(f"共 {len(found)} 处变更。", highlight=False)


def _assessment() -> "Assessment":
    from fazhi.services import build
    from kernel.hosting.runtime import Runtime

    app: Assessment = build("assessment", Runtime(Settings())).app
    return app


def _parts(name: str) -> tuple[str, str]:
    framework, _, version = name.partition("@")
    return framework, version
