"""
A real OpenSearch 2.x node: its published jars by Maven, started on the machine's Java.

No Debian package exists and the distribution archive is not on Maven Central, but the server's own jars
are (opensearch/pom.xml names them); opensearch/SearchNode.java is all that the archive's start script
would add. maven.py fetches the jars.

OPENSEARCH_URL, when set, names a node to use instead; then nothing is started and nothing is stopped.
"""

import json
import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.support.maven import jars
from tests.support.processes import LOOPBACK, free_port
from tests.support.programs import ServerUnavailable, program
from tests.support.servers import Server

_HERE = Path(__file__).with_name("opensearch")
_CLUSTER = "fazhi"


class OpenSearch(Server):
    """One node on a free port with 512 MB of heap and the standard analyzers (`cjk` among them)."""

    title: ClassVar[str] = "OpenSearch"
    # The jars lie in this working copy, which an account of the system may not be able to read.
    accounts: ClassVar[tuple[str, ...]] = ()
    boot_seconds: ClassVar[float] = 90.0

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self._external = os.environ.get("OPENSEARCH_URL", "").rstrip("/")
        self.port = 0 if self._external else free_port()

    def start(self) -> None:
        """Start the node, or make sure that the one named by OPENSEARCH_URL answers."""
        if not self._external:
            super().start()
        elif not self.is_ready():
            raise ServerUnavailable(
                f"OPENSEARCH_URL 指向的 OpenSearch 没有应答 / no answer from OPENSEARCH_URL {self._external}"
            )

    def prepare(self) -> None:
        """An empty folder of configuration; the settings are in the launcher."""
        (self.folder / "config").mkdir(exist_ok=True)

    def command(self) -> Sequence[str | Path]:
        """The launcher, compiled by Java as it starts."""
        java = program("java", package="default-jdk-headless")
        heap = ("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        launcher = _HERE / "SearchNode.java"
        return [
            java,
            *heap,
            "-cp",
            f"{jars(_HERE / 'pom.xml', self.title, 'OPENSEARCH_URL')}/*",
            launcher,
            self.folder,
            str(self.port),
            _CLUSTER,
        ]

    def is_ready(self) -> bool:
        """OpenSearch has no tool of its own: asked for a healthy cluster over HTTP."""
        try:
            with urllib.request.urlopen(f"{self.url}/_cluster/health", timeout=5) as answer:
                return bool(json.load(answer)["status"] in {"green", "yellow"})
        except OSError:
            return False

    @property
    def url(self) -> str:
        """Address for opensearch-py."""
        return self._external or f"http://{LOOPBACK}:{self.port}"
