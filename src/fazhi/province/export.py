"""
The province as files, for tests and for people who want to see the formats.

CSV for tables, JSON lines for nested facts, and the cases of those who enter their cases as a workbook too,
but not for a whole province. `manifest.json` tells how the files were made. The same province gives the same
bytes; `digest` is one number over all of them.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any

from fazhi.province.case_file import headers, reported_headers
from fazhi.province.province import GENERATOR_VERSION, Province
from fazhi.province.records import (
    Account,
    Body,
    Certificate,
    Clue,
    Decision,
    NormativeDocument,
    Officer,
    PowerItem,
    Reconsideration,
    Row,
    Truth,
    Unit,
)
from fazhi.province.workbook import xlsx_bytes

_MODE = "接入模式"
_SYSTEMS = ("hotline", "petition", "litigation")
_BESIDE = ("unit", "due_on", "answered_on")  # columns of ours beside a message


def export(box: Province, folder: Path) -> None:
    """Write everything into a folder, which is made if need be; files of the same name are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    _table(folder / "units.csv", _names(Unit), map(_flat, box.units()))
    _table(folder / "bodies.csv", _names(Body), map(_flat, box.bodies()))
    _table(folder / "officers.csv", _names(Officer)[:-1], map(_officer, box.officers()))
    _table(folder / "certificates.csv", ["officer", *_names(Certificate)], _certificates(box))
    _table(folder / "power_items.csv", _names(PowerItem), map(_flat, box.power_items()))
    _table(
        folder / "normative_documents.csv", _names(NormativeDocument), map(_flat, box.normative_documents())
    )
    _table(folder / "accounts.csv", _names(Account), map(_flat, box.accounts()))
    _cases(box, folder)
    _clues(box, folder)
    _lines(folder / "decisions.jsonl", box.decisions())
    _lines(folder / "reconsiderations.jsonl", box.reconsiderations())
    _lines(folder / "truths.jsonl", box.truths())
    manifest = {
        "generator_version": GENERATOR_VERSION,
        "seed": box.seed,
        "size": box.size,
        "province": box.code,
        "year": box.frame.year,
        "until": box.frame.until.isoformat(),
        "counts": box.counts(),
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files in a folder, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.name} {content}\n".encode())
    return whole.hexdigest()


def _cases(box: Province, folder: Path) -> None:
    """Units that only report hand in files without the procedure columns."""
    entered = list(headers().values())
    _table(folder / "cases-reported.csv", reported_headers(), (r for r in box.cases() if r[_MODE] == "报送"))
    _table(folder / "cases.csv", entered, (r for r in box.cases() if r[_MODE] != "报送"))
    if box.size != "province":
        cells = ([row[header] for header in entered] for row in box.cases() if row[_MODE] != "报送")
        (folder / "cases.xlsx").write_bytes(xlsx_bytes(entered, cells))


def _clues(box: Province, folder: Path) -> None:
    """Each system's records in its own words; a system that sent none has no file."""
    for system in _SYSTEMS:
        mine = (clue for clue in box.clues() if clue.system == system)
        words = dict.fromkeys(word for clue in box.clues() if clue.system == system for word in clue.record)
        if words:
            rows = (
                {**clue.record, **{name: _word(getattr(clue, name)) for name in _BESIDE}} for clue in mine
            )
            _table(folder / f"clues-{system}.csv", [*words, *_BESIDE], rows)


def _officer(officer: Officer) -> Row:
    return {"code": officer.code, "name": officer.name, "unit": officer.unit}


def _certificates(box: Province) -> Iterator[Row]:
    for officer in box.officers():
        for certificate in officer.certificates:
            yield {"officer": officer.code, **_flat(certificate)}


def _names(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind)]


def _flat(record: Any) -> Row:
    return {name: _word(getattr(record, name)) for name in _names(type(record))}


def _word(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "、".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _table(path: Path, columns: list[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as lines:
        writer = csv.DictWriter(lines, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _lines(path: Path, records: Iterable[Decision | Reconsideration | Truth | Clue]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for record in records:
            lines.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
