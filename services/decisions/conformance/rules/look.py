"""
Look 评价所见: what a check may see, and how it answers.

A check answers what fails before what is not known, and only then that all is well: a fault that is recorded
stays a fault even where other facts are missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.findings import Basis, ProbeSet, Verdict, failed, not_applicable, not_computable, passed
from kernel.calendar import WorkingCalendar
from services.decisions.procedures.rules.procedure import Procedure

REGULATION = ("重大行政决策程序暂行条例", "2019-04-20")

Settings = Mapping[str, int | bool]


@dataclass(frozen=True, slots=True)
class Look:
    """A procedure with the numbers of its pinned template, as of a day."""

    procedure: Procedure
    settings: Mapping[str, Settings]
    calendar: WorkingCalendar
    today: date

    def number(self, item: str, name: str) -> int:
        """A number of the template: days, counts, or a part of the score in thousandths."""
        return int(self.settings[item][name])

    def optional(self, item: str, name: str) -> int | None:
        """A number that a province may leave out."""
        value = self.settings.get(item, {}).get(name)
        return None if value is None else int(value)


PROBES: ProbeSet[Look] = ProbeSet()


def articles(*names: str) -> tuple[Basis, ...]:
    """Articles of the regulation."""
    return tuple(Basis(*REGULATION, name) for name in names)


def answered(problems: list[str], unknown: list[str], well: str = "") -> Verdict:
    """Fail with every problem; else not computable with what is missing; else pass."""
    if problems:
        return failed("；".join(problems))
    if unknown:
        return not_computable("；".join(unknown))
    return passed(well)


def technical(look: Look) -> Verdict | None:
    """None where the matter is technical (Art. 19); otherwise the answer that takes its place."""
    started = look.procedure.started
    return _flag(
        flag=None if started is None else started.technical,
        happened=look.procedure.has("experts_argued"),
        waived=look.procedure.waived("expert"),
        no="专业性、技术性不强，无须组织专家论证",
        unknown="未登记专业性、技术性是否较强",
    )


def risky(look: Look) -> Verdict | None:
    """None where the matter may harm stability or public safety (Art. 22); otherwise the answer instead."""
    started = look.procedure.started
    return _flag(
        flag=None if started is None else started.risky,
        happened=look.procedure.has("risk_appraised"),
        waived=look.procedure.waived("risk"),
        no="不涉及社会稳定、公共安全，无须风险评估",
        unknown="未登记是否可能影响社会稳定、公共安全",
    )


def open_to_public(look: Look) -> Verdict | None:
    """None where the public takes part (Art. 14); otherwise not applicable with the recorded reason."""
    waived = look.procedure.waived("participation")
    if waived is not None and not look.procedure.has("comment_opened"):
        return not_applicable(waived.because)
    return None


def _flag(*, flag: bool | None, happened: bool, waived: object, no: str, unknown: str) -> Verdict | None:
    if flag or happened:
        return None
    if flag is False:
        return not_applicable(no)
    if waived is not None:
        return not_applicable(getattr(waived, "because", no))
    return not_computable(unknown)
