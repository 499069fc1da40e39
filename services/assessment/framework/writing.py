"""
Writing a framework down: the document that is published, out of which the same framework is read again.

It carries everything it rests on (peer groups in full, nodes of other frameworks in their place), so a published
version can be recomputed from its own bytes alone. One form for JSON, YAML and workbook; what is default is left out.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import yaml

from contracts.findings import Basis
from services.assessment.framework.reading import decimal
from services.assessment.framework.values import Framework, Method, Node, PeerGroup

_YAML_WIDTH = 110
MILLI = 1000


def document_of(framework: Framework) -> dict[str, Any]:
    """The framework as plain values: points and shares are decimals in text."""
    document: dict[str, Any] = {
        "id": framework.id,
        "version": framework.version,
        "title": framework.title,
        "year": framework.year,
    }
    if framework.sample:
        document["sample"] = True
    _add(document, "notice", framework.notice)
    _add(document, "basis", _bases(framework.basis))
    document["levels"] = list(framework.levels)
    document["counts"] = {level: framework.count(level) for level in framework.levels}
    document["peer_groups"] = [_group(group) for group in framework.peer_groups]
    if not framework.components:
        document["nodes"] = [_node(node, top=True) for node in framework.root.children]
        return document
    document["components"] = [
        {
            "code": component.code,
            "title": component.title,
            "weight": decimal(component.weight),
            "source": component.source,
            **({"framework": component.origin} if component.origin else {}),
            **_duties(node),
            "nodes": [_node(child, top=True) for child in node.children],
        }
        for component, node in zip(framework.components, framework.root.children, strict=True)
    ]
    return document


def canonical(document: Mapping[str, Any]) -> str:
    """The bytes that are published, as text: JSON with sorted keys and nothing between."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def digest_of(text: str) -> str:
    """SHA-256 of published bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def yaml_of(document: Mapping[str, Any]) -> str:
    """The document as a file of the catalogue."""
    text: str = yaml.dump(
        dict(document), Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=_YAML_WIDTH
    )
    return text


def share(milli: int) -> str:
    """Thousandths as the shortest decimal."""
    return decimal(milli * MILLI)


def _node(node: Node, *, top: bool = False) -> dict[str, Any]:
    row: dict[str, Any] = {"code": node.code, "title": node.title}
    _add(row, "basis", _bases(node.basis))
    if top or node.method is not None:
        row["points"] = {group: decimal(value) for group, value in sorted(node.points.items())}
    row |= _duties(node)
    if node.method is None:
        row["children"] = [_node(child) for child in node.children]
        return row
    row["method"] = method_document(node.method)
    _add(row, "probes", list(node.probes))
    if node.veto_below_milli:
        row["veto_below"] = share(node.veto_below_milli)
    row["service"], row["evidence"] = node.service, node.evidence
    return row


def method_document(method: Method) -> dict[str, Any]:
    """A method as plain values."""
    row: dict[str, Any] = {"kind": method.kind}
    if method.floor_milli:
        row["floor"] = share(method.floor_milli)
    if method.target_milli != MILLI:
        row["target"] = share(method.target_milli)
    if method.step_milli:
        row["step"] = share(method.step_milli)
    _add(row, "measured", method.measured)
    _add(row, "responses_at_least", method.responses_at_least)
    return row


def _duties(node: Node) -> dict[str, Any]:
    row: dict[str, Any] = {}
    _add(row, "lead", node.lead)
    _add(row, "responsible", list(node.responsible))
    if node.warning_below_milli:
        row["warning_below"] = share(node.warning_below_milli)
    return row


def _group(group: PeerGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "title": group.title,
        "kinds": sorted(group.kinds),
        "levels": sorted(group.levels),
        "events": group.events,
    }


def _bases(bases: Iterable[Basis]) -> list[dict[str, str]]:
    return [
        {"document": basis.document, "version": basis.version, "article": basis.article} for basis in bases
    ]


def _add(row: dict[str, Any], key: str, value: object) -> None:
    if value:
        row[key] = value
