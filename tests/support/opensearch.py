"""
A real OpenSearch 2.x node: its published jars by Maven, started on the machine's Java.

No Debian package exists and the distribution archive is not on Maven Central, but the server's own jars
are (opensearch/pom.xml names them); opensearch/SearchNode.java is all that the archive's start script
would add. The jars are fetched once and kept under .cache/, named by the content of the pom.

OPENSEARCH_URL, when set, names a node to use instead; then nothing is started and nothing is stopped.
"""

import hashlib
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.support.processes import LOOPBACK, free_port
from tests.support.programs import ServerUnavailable, program
from tests.support.servers import Server

_HERE = Path(__file__).with_name("opensearch")
_CACHE = Path(__file__).parents[2] / ".cache" / "opensearch"
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
        return [java, *heap, "-cp", f"{jars()}/*", launcher, self.folder, str(self.port), _CLUSTER]

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


def jars() -> Path:
    """Folder of the node's jars, fetched on first use. Raises ServerUnavailable where Maven cannot reach them."""
    pom = _HERE / "pom.xml"
    folder = _CACHE / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    if folder.exists():
        return folder
    maven = program("mvn", package="maven")
    fresh = folder.with_suffix(f".{os.getpid()}")
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    done = subprocess.run(
        [maven, "-q", "-B", "-f", pom, goal, f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServerUnavailable(
            "无法从 Maven 中央仓库取得 OpenSearch；可用 OPENSEARCH_URL 指定现有节点"
            f" / OpenSearch cannot be fetched by Maven, OPENSEARCH_URL may name a node:\n{done.stdout[-1500:]}"
        )
    fresh.rename(folder)
    return folder
