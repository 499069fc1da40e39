"""Who may import whom is held by the contracts in pyproject.toml, and each of them bites."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

# A small house in which every contract is broken once: module -> what it imports.
BROKEN_HOUSE = {
    "kernel.clock": "contracts.findings",
    "kernel.telemetry": "prometheus_client",
    "kernel.access": "",
    "kernel.bus.partner": "",
    "kernel.bus.rabbit": "",
    "kernel.bus.rabbit_publisher": "",
    "kernel.files.intake": "PIL.Image",
    "kernel.files.package": "pypdf.generic",
    "kernel.files.reading": "",
    "kernel.hosting.api": "kernel.hosting.worker",
    "kernel.hosting.rpc": "",
    "kernel.hosting.worker": "nameko.timer",
    "kernel.search": "tantivy",
    "kernel.storage": "",
    "contracts.findings": "",
    "services.disputes.worker": "fastapi",
    "services.disputes.rpc": "",
    "services.disputes.mediation.rules": "sqlalchemy",
    "services.disputes.mediation.model": "services.disputes.mediation.service",
    "services.disputes.mediation.service": "services.decisions.steps.service",
    "services.disputes.mediation.api": "eventlet.event",
    "services.decisions.steps.service": "pika.spec",
    "services.decisions.steps.model": "grpc.aio",
    "services.decisions.steps.api": "opensearchpy.helpers",
    "services.decisions.app": "alembic.config",
    "gateway.links.rules": "structlog.processors",
    "gateway.links.service": "joserfc.jwt",
    "gateway.links.model": "pyotp.totp",
    "gateway.links.fake": "segno.encoder",
    "gateway.identity.totp": "",
    "fazhi.bench": "",
    "fazhi.prove.p5_beside": "",
    "fazhi.prove.p5_grpc": "",
    "fazhi.prove.p5_furnish": "",
    "fazhi.prove.worker": "",
    "fazhi.worker_process": "",
}


def test_the_platform_keeps_them() -> None:
    done = _lint(ROOT, [ROOT, ROOT / "proto", ROOT / "src"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_broken_house_breaks_every_one(tmp_path: Path) -> None:
    for module, imported in BROKEN_HOUSE.items():
        path = tmp_path.joinpath(*module.split("."))
        path.mkdir(parents=True, exist_ok=True)
        for folder in (path, *path.relative_to(tmp_path).parents):
            (tmp_path / folder / "__init__.py").touch()
        (path / "__init__.py").write_text(f"import {imported}\n" if imported else "")
    done = _lint(tmp_path, [tmp_path])
    kept = [contract["name"] for contract in CONTRACTS if f"{contract['name']} BROKEN" not in done.stdout]
    assert kept == [], done.stdout + done.stderr


def _lint(folder: Path, roots: list[Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", ROOT / "pyproject.toml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots)), "COLUMNS": "300", "NO_COLOR": "1"},
    )
