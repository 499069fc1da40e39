"""Rules of the house that a linter does not know: docstrings, size, names, metrics, libraries, foreign words."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from services.enforcement.cases.rules.record import CaseRecord

ROOT = Path(__file__).parents[2]
OURS = ("kernel", "proto/contracts", "services", "gateway", "src/fazhi", "tests", "scripts")
MOST_LINES = 400
# Longer ones, each with its reason.
LONG: dict[str, str] = {}
BANNED_MODULES = ("utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base")
# In requirements/runtime.in and not imported by the product; whoever imports or drops one takes it out.
UNUSED = {
    "psycopg": "loaded by SQLAlchemy from the database's address",
    "python-multipart": "loaded by FastAPI for uploads",
    "python-stdnum": "only tests compare with it",
    "rfc8785": "only tests compare with it",
    "standardwebhooks": "only tests sign with it",
    "tzdata": "data for zoneinfo",
}
IMPORTED_AS = {
    "argon2-cffi": "argon2",
    "chinesecalendar": "chinese_calendar",
    "grpcio": "grpc",
    "opensearch-py": "opensearchpy",
    "protobuf": "google",
    "pyyaml": "yaml",
    "python-calamine": "python_calamine",
    "python-docx": "docx",
    "pillow": "PIL",
    "python-multipart": "multipart",
    "python-stdnum": "stdnum",
}


def modules(*roots: str) -> Iterator[Path]:
    """Our modules, generated code apart."""
    for root in roots:
        for path in sorted((ROOT / root).rglob("*.py")):
            if "_pb2" not in path.name and "node_modules" not in path.parts:
                yield path


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules("kernel", "proto/contracts", "services", "gateway", "src/fazhi")
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


def test_no_module_outgrows_a_reader() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(*OURS)}
    assert {name: count for name, count in lines.items() if count > MOST_LINES and name not in LONG} == {}
    assert [name for name in LONG if lines.get(name, 0) <= MOST_LINES] == []


def test_no_room_is_a_cupboard() -> None:
    """Names under which everything would fit; `kernel.storage` and the like say what they hold."""
    found = [
        str(path.relative_to(ROOT))
        for path in modules(*OURS)
        if path.stem in BANNED_MODULES or path.parent.name in BANNED_MODULES
    ]
    assert found == []


def test_every_package_of_the_product_is_a_package() -> None:
    roots = ("kernel", "proto/contracts", "services", "gateway", "src/fazhi")
    bare = {
        str(path.parent.relative_to(ROOT))
        for path in modules(*roots)
        if "migrations" not in path.parts and not (path.parent / "__init__.py").exists()
    }
    assert bare == set()


def test_every_metric_is_measured() -> None:
    source = (ROOT / "kernel/telemetry/metrics.py").read_text()
    declared = set(re.findall(r"^([A-Z_]+) = (?:Gauge|Counter|Histogram)\(", source, re.MULTILINE))
    assert declared
    text = "\n".join(path.read_text() for path in modules(*OURS[:5]))
    unmeasured = {name for name in declared if f"metrics.{name}" not in text}
    assert unmeasured == set()


def test_every_library_of_the_runtime_is_used_by_the_product() -> None:
    lines = (ROOT / "requirements/runtime.in").read_text().splitlines()
    wanted = {line.split("[")[0].strip() for line in lines if line and not line.startswith("#")}
    imported = {
        name.split(".")[0]
        for path in modules(*OURS[:5])
        for node in ast.walk(ast.parse(path.read_text()))
        for name in names_imported(node)
    }
    # The benches measure other frameworks; what they import beyond the runtime comes with requirements/develop.in.
    unused = {name for name in wanted if IMPORTED_AS.get(name, name.replace("-", "_")) not in imported}
    assert unused <= set(UNUSED)


def names_imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


# Spelled in parts, so that this file does not find itself.
FOREIGN = re.compile(
    r"\b("
    + "|".join(
        ("clau" + "de", "anthro" + "pic", "open" + "ai", "chat" + "gpt", "co" + "pilot", "gem" + "ini")
    )
    + r"|as an "
    + r"ai\b|language "
    + r"model)",
    re.IGNORECASE,
)


def test_the_repository_speaks_of_its_matter_only() -> None:
    found = []
    for path in tracked():
        if path.suffix in (".png", ".ico", ".woff2", ".xlsx"):
            continue
        text = path.read_text(errors="replace")
        if FOREIGN.search(text):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


# One pattern a kind of secret; none of them matches its own text here.
SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=]{20,}"),
    re.compile(r"whsec_[A-Za-z0-9+/]{24,}"),
    re.compile(r"AKIA[0-9A-Z]{16}"),
)


def test_no_secret_lies_in_the_repository() -> None:
    assert [
        str(path.relative_to(ROOT)) for path in tracked() if is_secret(path.read_text(errors="replace"))
    ] == []


def test_a_secret_would_be_seen() -> None:
    assert is_secret("-----BEGIN PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEIJ" * 2)
    assert is_secret("whsec" + "_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert not is_secret("--secret whsec_… --count 5")


def is_secret(text: str) -> bool:
    return any(secret.search(text) for secret in SECRETS)


def test_nothing_left_to_do_is_left_in_the_code() -> None:
    marks = re.compile(r"#.*\b(" + "TO" + "DO|FIX" + r"ME|XX" + r"X)\b")
    found = [str(path.relative_to(ROOT)) for path in modules(*OURS) if marks.search(path.read_text())]
    assert found == []


def test_amounts_of_fines_reach_no_finding() -> None:
    """行政处罚法 Art. 74: a probe may use an amount to choose the procedure, never to measure or to grade."""
    amounts = {field.name for field in fields(CaseRecord) if field.name.endswith("_yuan")}
    assert amounts
    verdicts = [
        (path, node)
        for path in modules("services/enforcement/probes")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("passed", "failed", "graded")
    ]
    assert verdicts
    told = [
        f"{path.name}:{node.lineno}"
        for path, node in verdicts
        if any(word in ast.unparse(node) for word in amounts)
    ]
    assert told == []
