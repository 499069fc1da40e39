"""Probes 探针 of every service: name, version, title and basis as declared in code, with the catalogue's titles."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from contracts.findings import Probe, ProbeSet
from fazhi.services import NAMES, TITLES, package_of

_ROOT = Path(__file__).parents[3]
_PAGE = """# 探针表 Probes

由 `python -m fazhi.docs` 从代码生成，请勿手改。探针是来源服务中的一个纯函数：输入业务事实，输出认定（符合、不符合、
不适用、无法计算、未到期）。权重不在探针里，在当年的考核指标体系里（`catalog/frameworks/`）。指标体系只能引用下列名称
（`catalog/codes/probes.yaml`）。改了判断方法就提高版本号。

{sections}"""


def declared(service: str) -> Iterator[tuple[str, Probe[Any]]]:
    """The (module, probe) pairs a service declares, in order of name."""
    found: dict[str, tuple[str, Probe[Any]]] = {}
    for module in _rule_modules(service):
        for value in vars(import_module(module)).values():
            if isinstance(value, ProbeSet):
                for probe in value:
                    found[probe.name] = (probe.rule.__module__, probe)
    for _, pair in sorted(found.items()):
        yield pair


def page() -> str:
    """The page of probes, one section a service."""
    sections = []
    for service in NAMES:
        rows = [_row(module, probe) for module, probe in declared(service)]
        if rows:
            head = f"## {TITLES[service]} {service}\n\n| 探针 | 版本 | 判断什么 | 依据 | 代码 |\n|---|---|---|---|---|\n"
            sections.append(head + "\n".join(rows) + "\n")
    return _PAGE.format(sections="\n".join(sections))


def _row(module: str, probe: Probe[Any]) -> str:
    basis = "；".join(f"《{one.document}》（{one.version}）{one.article}" for one in probe.basis)
    return f"| {probe.name} | {probe.version} | {probe.title} | {basis} | `{module.replace('.', '/')}` |"


def _rule_modules(service: str) -> Iterator[str]:
    folder = _ROOT.joinpath(*package_of(service).split("."))
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(_ROOT).with_suffix("").parts
        if any(part in ("rules", "probes") for part in parts):
            yield ".".join(parts).removesuffix(".__init__")
