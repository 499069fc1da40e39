"""
Findings 认定: what a probe says about one subject, before it becomes a scored event.

A probe is a pure function "business facts in, finding out". It cites its basis, declares a version and
knows nothing of weights. `register.py` turns findings into scored events and corrections.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Generic, TypeVar

FULL_MARKS_MILLI = 1000
F = TypeVar("F")


class Outcome(IntEnum):
    """What was found; the numbers are those of scored.proto."""

    PASS = 1  # 符合
    FAIL = 2  # 不符合
    NOT_APPLICABLE = 3  # 不适用
    NOT_COMPUTABLE = 4  # 无法计算
    NOT_DUE = 5  # 未到期


class Mode(IntEnum):
    """How the facts reached us 接入模式; it bounds the credibility of the score."""

    REPORTED = 1  # 数据报送式
    ENTERED = 2  # 事后录入式
    REAL_TIME = 3  # 在线实时式
    EXTERNAL = 4  # 外部系统


@dataclass(frozen=True, slots=True)
class Basis:
    """Legal basis 依据: one article of one dated version of one document."""

    document: str
    version: str
    article: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of evidence 佐证材料, named by the digest of its bytes."""

    digest: str
    media_type: str
    name: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One probe's answer about one subject.

    `score_milli` is 0..1000 and means something only for PASS and FAIL; `occurred_at` (aware UTC) is when
    it was true, which decides the period; `reason` is a short Chinese sentence without personal data.
    """

    probe: str
    probe_version: int
    outcome: Outcome
    score_milli: int
    occurred_at: datetime
    basis: tuple[Basis, ...] = ()
    numerator: int = 0
    denominator: int = 0
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe function returns; the probe adds its name, version and basis."""

    outcome: Outcome
    score_milli: int
    reason: str
    numerator: int = 0
    denominator: int = 0


def passed(reason: str = "", numerator: int = 0, denominator: int = 0) -> Verdict:
    """符合."""
    return Verdict(Outcome.PASS, FULL_MARKS_MILLI, reason, numerator, denominator)


def failed(reason: str, numerator: int = 0, denominator: int = 0) -> Verdict:
    """不符合."""
    return Verdict(Outcome.FAIL, 0, reason, numerator, denominator)


def graded(score_milli: int, reason: str, numerator: int = 0, denominator: int = 0) -> Verdict:
    """Between full marks and nothing; below full marks it counts as FAIL with part of the score."""
    if not 0 <= score_milli <= FULL_MARKS_MILLI:
        raise ValueError(f"score_milli must be 0..1000, not {score_milli}")
    outcome = Outcome.PASS if score_milli == FULL_MARKS_MILLI else Outcome.FAIL
    return Verdict(outcome, score_milli, reason, numerator, denominator)


def not_applicable(reason: str) -> Verdict:
    """不适用: the rule does not reach this subject; it leaves the denominator."""
    return Verdict(Outcome.NOT_APPLICABLE, 0, reason)


def not_computable(reason: str) -> Verdict:
    """无法计算: the facts needed were not supplied; it lowers coverage, never the score."""
    return Verdict(Outcome.NOT_COMPUTABLE, 0, reason)


def not_due(reason: str = "") -> Verdict:
    """未到期: the time allowed has not run out yet."""
    return Verdict(Outcome.NOT_DUE, 0, reason)


@dataclass(frozen=True, slots=True)
class Probe(Generic[F]):
    """A declared probe 探针: its name, version, official title and basis, and the rule itself."""

    name: str
    version: int
    title: str
    basis: tuple[Basis, ...]
    rule: Callable[[F], Verdict]

    def look(self, facts: F, occurred_at: datetime) -> Finding:
        """Apply the rule to the facts of one subject."""
        verdict = self.rule(facts)
        return Finding(
            probe=self.name,
            probe_version=self.version,
            outcome=verdict.outcome,
            score_milli=verdict.score_milli,
            numerator=verdict.numerator,
            denominator=verdict.denominator,
            reason=verdict.reason,
            basis=self.basis,
            occurred_at=occurred_at,
        )


@dataclass(slots=True)
class ProbeSet(Generic[F]):
    """The probes of one kind of subject, in order of declaration."""

    probes: dict[str, Probe[F]] = field(default_factory=dict)

    def probe(
        self, name: str, *, version: int, title: str, basis: tuple[Basis, ...]
    ) -> Callable[[Callable[[F], Verdict]], Callable[[F], Verdict]]:
        """Declare the decorated rule as a probe; a name may be declared once."""

        def declare(rule: Callable[[F], Verdict]) -> Callable[[F], Verdict]:
            if name in self.probes:
                raise ValueError(f"probe {name} is declared twice")
            self.probes[name] = Probe(name, version, title, basis, rule)
            return rule

        return declare

    def look(self, facts: F, occurred_at: datetime) -> list[Finding]:
        """Every probe's finding about one subject."""
        return [probe.look(facts, occurred_at) for probe in self]

    def __iter__(self) -> Iterator[Probe[F]]:
        return iter(self.probes.values())
