"""Settings of tasks from catalog/assessment/tasks.yaml and calendar.yaml, read once. Errors: `CatalogInvalid`."""

from datetime import date
from pathlib import Path
from typing import Any

from kernel import catalog
from services.assessment.framework.reading import Reading
from services.assessment.tasks.rules import StatutoryDate, TaskSettings

_MOST_DAYS = 180


def read_task_settings(folder: Path) -> TaskSettings:
    """Due day, reminders and the reporting dates of the law."""
    dates = _read_dates(folder)
    file = catalog.read(folder / "assessment" / "tasks.yaml")
    reader = Reading()
    data = reader.mapping(file.data, "")
    due = reader.mapping(data.get("due"), "due")
    month, day = _day(reader, due, "due")
    before = reader.list_of(data, "remind_before", "", required=False)
    if not all(isinstance(days, int) and 0 < days <= _MOST_DAYS for days in before):
        reader.note("remind_before", "days", f"提醒日应为 1 至 {_MOST_DAYS} 的整数。")
    if reader.problems:
        raise file.located(reader.problems)
    return TaskSettings(month, day, tuple(before), dates)


def _read_dates(folder: Path) -> tuple[StatutoryDate, ...]:
    file = catalog.read(folder / "assessment" / "calendar.yaml")
    reader = Reading()
    found = []
    for index, raw in enumerate(reader.list_of(reader.mapping(file.data, ""), "dates", "")):
        path = f"dates[{index}]"
        row = reader.mapping(raw, path)
        basis = reader.mapping(row.get("basis"), f"{path}.basis")
        month, day = _day(reader, row, path)
        found.append(
            StatutoryDate(
                reader.code(row, path),
                month,
                day,
                reader.text(row, "title", path),
                reader.text(row, "who", path),
                reader.text(basis, "document", f"{path}.basis"),
                reader.text(basis, "article", f"{path}.basis"),
                row.get("source") == "verified",
            )
        )
    if reader.problems:
        raise file.located(reader.problems)
    return tuple(found)


def _day(reader: Reading, row: Any, path: str) -> tuple[int, int]:
    month, day = reader.whole(row, "month", path), reader.whole(row, "day", path)
    try:
        date(2025, month, day)
    except ValueError:
        reader.note(path, "day", "月、日不存在，请核对（不使用 2 月 29 日）。")
    return month, day
