"""
A real Prometheus that scrapes what a test names, and promtool to judge rules and metric names.
"""

import json
import signal
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.support.processes import LOOPBACK, free_port, signal_family
from tests.support.programs import program
from tests.support.servers import Server


class Prometheus(Server):
    """One server on a free port, scraping every second. `targets` maps a job to its host:port addresses."""

    title: ClassVar[str] = "Prometheus"
    accounts: ClassVar[tuple[str, ...]] = ("prometheus", "nobody")

    def __init__(
        self, targets: Mapping[str, Sequence[str]] | None = None, folder: Path | None = None
    ) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._targets = dict(targets or {})

    def prepare(self) -> None:
        """Write the configuration. It is JSON, which is YAML."""
        jobs = [
            {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
            for job, addresses in self._targets.items()
        ]
        text = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
        self.write("prometheus.yml", json.dumps(text, indent=1))

    def command(self) -> Sequence[str | Path]:
        """The server in the foreground."""
        return [
            program("prometheus", package="prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{self.port}",
        ]

    def is_ready(self) -> bool:
        """Asked with promtool."""
        return self.succeeds(promtool(), "query", "instant", self.url, "vector(1)")

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://{LOOPBACK}:{self.port}"

    def scrape(self, targets: Mapping[str, Sequence[str]]) -> None:
        """Scrape these jobs from now on instead of the former ones."""
        self._targets = dict(targets)
        self.prepare()
        signal_family(self.pid, signal.SIGHUP)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The vector an expression gives now: one mapping with `metric` and `value` a series."""
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            series: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return series


def promtool() -> Path:
    """Path of promtool, which checks rules, metric names and configuration."""
    return program("promtool", package="prometheus")
