"""
Servers published on Maven Central as jars: fetched once, kept under .cache/, named by the content of their pom.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.programs import ServerUnavailable, program

_CACHE = Path(__file__).parents[2] / ".cache"
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def jars(pom: Path, title: str, variable: str) -> Path:
    """Folder of the jars that a pom names; `variable` may name a running server instead.

    Raises ServerUnavailable where Maven cannot fetch them.
    """
    folder = _CACHE / title.lower() / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    if folder.exists():
        return folder
    maven = program("mvn", package="maven")
    fresh = folder.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        [maven, "-q", "-B", "-f", pom, _GOAL, f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServerUnavailable(
            f"无法从 Maven 中央仓库取得 {title}；可用 {variable} 指定现有的服务"
            f" / {title} cannot be fetched by Maven, {variable} may name one:\n{done.stdout[-1500:]}"
        )
    fresh.rename(folder)
    return folder
