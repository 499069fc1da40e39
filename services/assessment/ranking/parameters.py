"""Parameters of rank intervals and tiers, read from catalog/assessment/ranking.yaml."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from kernel import catalog
from kernel.catalog import CatalogFile
from services.assessment.framework.reading import Reading, join
from services.assessment.ranking.draws import PROCEDURE

Aggregation = Literal["arithmetic", "geometric"]
Missing = Literal["left_out", "group_mean"]
MOST_RUNS = 20_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """How ranks are simulated; shares are fractions of one."""

    version: str
    runs: int
    samples: int
    component_noise: float
    aspect_noise: float
    result_noise: float
    aggregation: tuple[Aggregation, ...]
    missing: tuple[Missing, ...]
    geometric_floor: float
    low: float
    high: float
    confidence: float
    reuse_seconds: int
    quick_runs: int
    quick_samples: int
    trend_units: int

    def quick(self) -> "Parameters":
        """The same with as few runs as do while sliders move."""
        return replace(self, runs=self.quick_runs, samples=self.quick_samples)

    def told(self) -> dict[str, Any]:
        """The values that shape a result, for whoever repeats it."""
        return {
            "procedure": PROCEDURE,
            "version": self.version,
            "runs": self.runs,
            "samples": self.samples,
            "noise": {
                "component": self.component_noise,
                "aspect": self.aspect_noise,
                "result": self.result_noise,
            },
            "aggregation": list(self.aggregation),
            "missing": list(self.missing),
            "geometric_floor": self.geometric_floor,
            "interval": [self.low, self.high],
            "confidence": self.confidence,
        }


def load(folder: Path) -> Parameters:
    """The parameters of a catalogue. Errors: `CatalogInvalid` with the lines that are wrong."""
    file = catalog.read(folder / "assessment" / "ranking.yaml")
    reader = _Reader()
    found = reader.parameters(file)
    if reader.problems:
        raise file.located(reader.problems)
    return found


class _Reader(Reading):
    """Reads the file, gathering what is wrong."""

    def parameters(self, file: CatalogFile) -> Parameters:
        data = self.mapping(file.data, "")
        noise = self.mapping(data.get("noise"), "noise")
        interval = self.mapping(data.get("interval"), "interval")
        quick = self.mapping(data.get("what_if"), "what_if")
        found = Parameters(
            version=self.text(data, "version", ""),
            runs=self._count(data, "runs", "", most=MOST_RUNS),
            samples=self._count(data, "samples", "", most=MOST_RUNS),
            component_noise=self._share(noise, "component", "noise"),
            aspect_noise=self._share(noise, "aspect", "noise"),
            result_noise=self._share(noise, "result", "noise"),
            aggregation=self._choices(data, "aggregation", get_args(Aggregation)),
            missing=self._choices(data, "missing", get_args(Missing)),
            geometric_floor=self._share(data, "geometric_floor", ""),
            low=self._share(interval, "low", "interval"),
            high=self._share(interval, "high", "interval"),
            confidence=self._share(data, "confidence", ""),
            reuse_seconds=self._count(data, "reuse_seconds", "", most=86_400),
            quick_runs=self._count(quick, "runs", "what_if", most=MOST_RUNS),
            quick_samples=self._count(quick, "samples", "what_if", most=MOST_RUNS),
            trend_units=self._count(data, "trend_units", "", most=10_000),
        )
        if found.low >= found.high:
            self.note("interval", "interval", "区间的下限应小于上限。")
        if not found.geometric_floor:
            self.note("geometric_floor", "geometric_floor", "几何平均的下限应大于 0。")
        return found

    def _count(self, data: Any, key: str, path: str, *, most: int) -> int:
        value = data.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        self.note(join(path, key), "count", f"“{key}”应为 1 至 {most} 的整数。")
        return 1

    def _share(self, data: Any, key: str, path: str) -> float:
        if key not in data:
            self.note(join(path, key), "share", f"请填写“{key}”。")
        return self.milli(data, key, path, default=0) / 1000

    def _choices(self, data: Any, key: str, known: tuple[Any, ...]) -> tuple[Any, ...]:
        values = self.list_of(data, key, "")
        if unknown := [value for value in values if value not in known]:
            self.note(key, "choice", f"{unknown} 不在可选范围 {'、'.join(known)} 内。")
        return tuple(value for value in values if value in known)
