"""Which version applies on a day, and what that makes of the others."""

from dataclasses import dataclass
from datetime import date

from services.legislation.documents.rules import Status, in_force_on, status_on


@dataclass(frozen=True)
class AVersion:
    version_on: date | None
    effective_on: date | None


OLD = AVersion(date(2017, 9, 1), date(2017, 9, 1))
NEW = AVersion(date(2023, 9, 1), date(2024, 1, 1))
BOTH = (OLD, NEW)


class TestVersionInForce:
    def test_the_old_version_applies_until_the_new_one_takes_effect(self) -> None:
        assert in_force_on(BOTH, date(2023, 12, 31)) is OLD
        assert in_force_on(BOTH, date(2024, 1, 1)) is NEW

    def test_before_the_first_version_nothing_applies(self) -> None:
        assert in_force_on(BOTH, date(2017, 8, 31)) is None


class TestStatus:
    def test_between_promulgation_and_effect(self) -> None:
        day = date(2023, 10, 1)
        assert status_on(NEW, BOTH, day, None) is Status.NOT_YET
        assert status_on(OLD, BOTH, day, None) is Status.IN_FORCE

    def test_after_effect_the_old_version_is_amended(self) -> None:
        day = date(2024, 6, 1)
        assert status_on(NEW, BOTH, day, None) is Status.IN_FORCE
        assert status_on(OLD, BOTH, day, None) is Status.AMENDED

    def test_a_repealed_document_has_no_version_in_force_from_that_day(self) -> None:
        assert status_on(NEW, BOTH, date(2024, 12, 31), date(2025, 1, 1)) is Status.IN_FORCE
        assert status_on(NEW, BOTH, date(2025, 1, 1), date(2025, 1, 1)) is Status.REPEALED

    def test_a_case_is_for_reference(self) -> None:
        case = AVersion(None, None)
        assert status_on(case, (case,), date(2024, 1, 1), None) is Status.REFERENCE
