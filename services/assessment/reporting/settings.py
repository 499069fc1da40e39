"""Settings of self-report and review from catalog/assessment/review.yaml, read once. Errors: `CatalogInvalid`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel import catalog
from kernel.errors import Problem
from services.assessment.framework.reading import Reading, micro
from services.assessment.reporting.rules import Limits

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Days (working), the share that is reviewed twice and the tolerance between two scores, in thousandths."""

    first_days: int
    second_days: int
    arbitration_days: int
    second_share_milli: int
    tolerance_milli: int
    seed: str


def read_settings(folder: Path) -> tuple[Limits, ReviewSettings]:
    """The limits of reports and the settings of reviews."""
    file = catalog.read(folder / "assessment" / "review.yaml")
    reader = _Reader()
    data = reader.mapping(file.data, "")
    reporting = reader.mapping(data.get("reporting"), "reporting")
    due = reader.mapping(reporting.get("due"), "reporting.due")
    review = reader.mapping(data.get("review"), "review")
    limits = Limits(
        due_month=reader.count(due, "month", "reporting.due", most=12),
        due_day=reader.count(due, "day", "reporting.due", most=28),
        days_after_month=reader.count(reporting, "days_after_month", "reporting", most=60),
        closes_days_after_due=reader.count(reporting, "closes_days_after_due", "reporting", most=365),
        statement_characters=reader.count(reporting, "statement_characters", "reporting", most=2000),
        evidence_items=reader.count(reporting, "evidence_items", "reporting", most=50),
        quota_bytes=reader.count(reporting, "quota_mb", "reporting", most=100_000) * _MB,
    )
    settings = ReviewSettings(
        first_days=reader.count(review, "first_days", "review", most=365),
        second_days=reader.count(review, "second_days", "review", most=365),
        arbitration_days=reader.count(review, "arbitration_days", "review", most=365),
        second_share_milli=reader.share(review, "second_share"),
        tolerance_milli=reader.share(review, "tolerance"),
        seed=reader.text(review, "seed", "review"),
    )
    if reader.problems:
        raise file.located(reader.problems)
    return limits, settings


class _Reader(Reading):
    def count(self, data: Any, key: str, path: str, *, most: int) -> int:
        """A whole number from 1 to `most`."""
        value = data.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        self.problems.append(Problem(f"{path}.{key}", "assessment.setting", f"应为 1 至 {most} 的整数。"))
        return 1

    def share(self, data: Any, key: str) -> int:
        """A quoted share 0..1 in thousandths; 0 and 1 are both allowed."""
        value = micro(data.get(key))
        if value is not None and value <= 1_000_000 and value % 1000 == 0:
            return value // 1000
        self.problems.append(
            Problem(f"review.{key}", "assessment.setting", "应为带引号的 0 至 1 的小数，最多三位。")
        )
        return 0
