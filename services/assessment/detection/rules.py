"""
What looks made for the score, on paper (N9): five signs, each against the unit's own peers.

- gap 自报与外部观察的差距: the unit's own reports are marked far better than what outsiders find.
- bunching 临期突击: what is recorded comes in the last days before a deadline.
- backdating 倒签补录: what is recorded was true long before.
- copied 雷同佐证: the same file is the evidence of several units.
- reopened 关了又开: reported mended, and found again.

Peers are compared by median and median absolute deviation, which a few cheaters cannot move. Nothing here is a
verdict: a draft names numbers and says what to look at; a person confirms or dismisses it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["gap", "bunching", "backdating", "copied", "reopened"]
KINDS: Mapping[Kind, str] = {
    "gap": "自报与外部观察差距大",
    "bunching": "临期突击录入",
    "backdating": "长期滞后补录",
    "copied": "佐证材料雷同",
    "reopened": "整改后反复",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """When one share is too large: at least `floor` thousandths, out of at least so many findings."""

    floor: int
    findings_at_least: int
    days: int = 0


@dataclass(frozen=True, slots=True)
class Parameters:
    """The settings of the detector."""

    version: int
    deviations: int
    peers_at_least: int
    gap: Sign
    bunching: Sign
    backdating: Sign
    deadlines: tuple[str, ...]
    copied_units: int
    reopened_times: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What the log says of one unit in a year; sums of marks in thousandths with their counts."""

    unit: str
    group: str
    own_marks: int = 0
    own_count: int = 0
    outside_marks: int = 0
    outside_count: int = 0
    recorded: int = 0
    bunched: int = 0
    late: int = 0
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """One sign on one unit: what was seen, beside what is usual among its peers."""

    kind: Kind
    unit: str
    seen: Mapping[str, Any]
    words: str


def read_parameters(data: Mapping[str, Any]) -> Parameters:
    """The settings of catalog/assessment/detection.yaml."""

    def sign(name: str) -> Sign:
        row = data[name]
        return Sign(row["floor"], row["findings_at_least"], row.get("days", 0))

    return Parameters(
        version=data["version"],
        deviations=data["deviations"],
        peers_at_least=data["peers_at_least"],
        gap=sign("gap"),
        bunching=sign("bunching"),
        backdating=sign("backdating"),
        deadlines=tuple(data["deadlines"]),
        copied_units=data["copied"]["units_at_least"],
        reopened_times=data["reopened"]["times_at_least"],
    )


def drafts(
    observed: Sequence[Observed], copies: Mapping[str, Sequence[str]], settings: Parameters
) -> list[Draft]:
    """Every sign on every unit; `copies`: digest -> the units that handed it in."""
    by_group: dict[str, list[Observed]] = {}
    for one in observed:
        by_group.setdefault(one.group, []).append(one)
    found: list[Draft] = []
    for peers in by_group.values():
        found += _standing_out("gap", peers, _gap(settings), settings.gap, settings)
        found += _standing_out(
            "bunching", peers, _share("bunched", settings.bunching), settings.bunching, settings
        )
        found += _standing_out(
            "backdating", peers, _share("late", settings.backdating), settings.backdating, settings
        )
    found += [
        Draft(
            "reopened",
            one.unit,
            {"times": one.reopened},
            f"有 {one.reopened} 项被认定整改后又被发现同样的问题。",
        )
        for one in observed
        if one.reopened >= settings.reopened_times
    ]
    return found + list(_copied(copies, settings))


def _gap(settings: Parameters) -> Any:
    def value(one: Observed) -> int | None:
        if min(one.own_count, one.outside_count) < settings.gap.findings_at_least:
            return None
        return one.own_marks // one.own_count - one.outside_marks // one.outside_count

    return value


def _share(name: str, sign: Sign) -> Any:
    def value(one: Observed) -> int | None:
        if one.recorded < sign.findings_at_least:
            return None
        return int(getattr(one, name) * 1000 // one.recorded)

    return value


_WORDS: Mapping[str, str] = {
    "gap": "自报材料平均 {own}，外部观察平均 {outside}，相差 {value}；同类单位中位差 {median}。",
    "bunching": "全年记录的 {value} 集中在截止日前 {days} 天内；同类单位中位数 {median}。",
    "backdating": "全年记录的 {value} 在事项发生 {days} 天以后才录入；同类单位中位数 {median}。",
}


def _standing_out(
    kind: Kind, peers: Sequence[Observed], value: Any, sign: Sign, settings: Parameters
) -> Iterator[Draft]:
    values = {one.unit: share for one in peers if (share := value(one)) is not None}
    if len(values) < settings.peers_at_least:
        return  # what is usual cannot be said, and a number alone accuses the only county of its kind
    middle = _median(values.values())
    spread = _median(abs(share - middle) for share in values.values())
    line = max(sign.floor, middle + settings.deviations * max(spread, 10) + 1)
    for one in peers:
        share = values.get(one.unit)
        if share is None or share < line:
            continue
        seen = {"value": share, "median": middle, "spread": spread, "peers": len(values), "line": line}
        seen |= _sides(kind, one)
        words = _WORDS[kind].format(
            value=_thousandths(share),
            median=_thousandths(middle),
            days=sign.days,
            own=_thousandths(one.own_marks // one.own_count if one.own_count else 0),
            outside=_thousandths(one.outside_marks // one.outside_count if one.outside_count else 0),
        )
        yield Draft(kind, one.unit, seen, words)


def _sides(kind: Kind, one: Observed) -> dict[str, int]:
    """The two numbers that were held against one another: means in thousandths with their counts, or counts."""
    if kind == "gap":
        return {
            "own": one.own_marks // one.own_count,
            "own_count": one.own_count,
            "outside": one.outside_marks // one.outside_count,
            "outside_count": one.outside_count,
        }
    return {"part": one.bunched if kind == "bunching" else one.late, "recorded": one.recorded}


def _copied(copies: Mapping[str, Sequence[str]], settings: Parameters) -> Iterator[Draft]:
    shared: dict[str, list[str]] = {}
    for digest, units in copies.items():
        if len(set(units)) >= settings.copied_units:
            for unit in set(units):
                shared.setdefault(unit, []).append(digest)
    for unit, digests in sorted(shared.items()):
        others = sorted({other for digest in digests for other in copies[digest]} - {unit})
        seen = {"digests": sorted(digests)[:20], "units": others[:20]}
        yield Draft(
            "copied", unit, seen, f"有 {len(digests)} 份佐证材料与其他 {len(others)} 个单位完全相同。"
        )


def _median(values: Iterable[int]) -> int:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0


def _thousandths(value: int) -> str:
    sign, size = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{size // 10}.{size % 10}%"
