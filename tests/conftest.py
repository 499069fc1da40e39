"""
Fixtures and habits of every test.

Tests are marked by the folder they are in and run from the quick to the slow. Real servers are started
once a session, when the first test asks; a test whose server cannot be had is skipped, and the summary
says so in so many words. `unit` has its sockets closed by tests/unit/conftest.py.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from kernel.storage.reach import act_for_the_platform
from tests.support.chromium import launch_options
from tests.support.migrated_once import aside
from tests.support.opensearch import OpenSearch
from tests.support.postgresql import PostgreSQL
from tests.support.programs import ServerUnavailable
from tests.support.prometheus import Prometheus
from tests.support.rabbitmq import RabbitMQ
from tests.support.s3proxy import S3Proxy
from tests.support.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# In the order they run: a broken rule is told in seconds. `browser` comes last, because Playwright
# leaves its event loop running in the main thread.
FOLDERS = ("house", "unit", "contract", "integration", "end_to_end", "load", "browser")
_HERE = Path(__file__).parent
_numbers = itertools.count(1)

AnyServer = TypeVar("AnyServer", bound=Server)


def pytest_configure(config: pytest.Config) -> None:
    """One marker a folder, so that `-m integration` works everywhere; tests stand where workers do (support/doors.py)."""
    act_for_the_platform()
    for folder in FOLDERS:
        config.addinivalue_line("markers", f"{folder}: tests in tests/{folder}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its folder and put the folders in order."""
    for item in items:
        item.add_marker(_folder(item))
    items.sort(key=lambda item: FOLDERS.index(_folder(item)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what was not tested and why: a skipped test must not look like a passed one."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", ()))
    if reasons:
        terminalreporter.section(f"未执行 NOT TESTED: {reasons.total()}", sep="!", yellow=True, bold=True)
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count:5d} x {reason}", yellow=True)


def _folder(item: pytest.Item) -> str:
    folder = item.path.relative_to(_HERE).parts[0]
    if folder not in FOLDERS:
        raise pytest.UsageError(f"{item.path}: tests belong into one of {', '.join(FOLDERS)}")
    return folder


def _reason(report: Any) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(reason).removeprefix("Skipped: ").splitlines()[0]


def _running(server: AnyServer) -> Iterator[AnyServer]:
    try:
        server.start()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """The session's RabbitMQ node."""
    yield from _running(RabbitMQ())


@pytest.fixture
def rabbitmq_url(rabbitmq: RabbitMQ) -> str:
    """AMQP address of a virtual host nobody used before."""
    return rabbitmq.add_vhost(f"test-{next(_numbers)}")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The session's PostgreSQL cluster, in memory where there is room: no test kills it; those that kill have their own."""
    yield from _running(PostgreSQL(in_memory=True))


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """SQLAlchemy address of an empty database of a plain role, which row level security binds."""
    name = f"test_{next(_numbers)}"
    yield postgresql.create_plain(name)
    if postgresql.in_memory:
        postgresql.drop(name, aside(name))


@pytest.fixture(scope="session")
def opensearch() -> Iterator[OpenSearch]:
    """The session's OpenSearch node, or the one OPENSEARCH_URL names."""
    yield from _running(OpenSearch())


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Proxy]:
    """The session's S3-compatible server, or the bucket S3_TEST_URL names."""
    yield from _running(S3Proxy())


@pytest.fixture(scope="session")
def prometheus() -> Iterator[Prometheus]:
    """The session's Prometheus; a test tells it what to scrape."""
    yield from _running(Prometheus())


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """The session's Chromium, driven by Playwright."""
    # Imported late: only tests/browser needs Playwright, and its import costs half a second.
    from playwright.sync_api import sync_playwright

    try:
        options = launch_options()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**options)
        yield chromium
        chromium.close()
