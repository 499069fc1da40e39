"""The room of real servers keeps its own promises: they start, answer, survive what they must, and are gone."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pika
import pika.exceptions
import psycopg
import pytest
from opensearchpy import OpenSearch as SearchClient

from tests.support.opensearch import OpenSearch
from tests.support.postgresql import PostgreSQL
from tests.support.processes import LOOPBACK, descendants
from tests.support.programs import ServerUnavailable
from tests.support.prometheus import Prometheus
from tests.support.rabbitmq import RabbitMQ
from tests.support.servers import Server, ServerFailed

# RabbitMQ 3.10 writes the register of its quorum queues lazily: one declared less than a second before
# SIGKILL cannot be read after the restart (`get` answers 541 after a minute), however well confirmed.
FLUSH_SECONDS = 3
TCP_LISTEN = "0A"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another account may enter, which pytest's own folders forbid."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("kind", [PostgreSQL, RabbitMQ, OpenSearch, Prometheus])
def test_a_server_is_gone_after_its_block(kind: type[Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENSEARCH_URL", raising=False)
    before = set(descendants(os.getpid()))
    server = kind()
    try:
        server.start()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    started = set(descendants(os.getpid())) - before
    folder = server.folder
    assert server.pid in started
    server.close()
    # Erlang's own children notice the end of their parent a moment later.
    assert _soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), seconds=2)
    assert not folder.exists()


def test_a_server_does_not_outlive_a_killed_owner(postgresql: PostgreSQL) -> None:
    script = (
        "import time; from tests.support.postgresql import PostgreSQL\n"
        "with PostgreSQL() as server: print(server.pid, server.folder, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert owner.stdout is not None
    with owner.stdout:
        pid, folder = owner.stdout.readline().split()
    owner.kill()
    owner.wait()
    assert _soon(lambda: not Path(f"/proc/{pid}").exists())
    assert _soon(lambda: not Path(folder).exists())


def test_a_server_that_cannot_start_says_why(postgresql: PostgreSQL, open_folder: Path) -> None:
    folder = open_folder / "broken"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("7\n")
    with pytest.raises(ServerFailed, match=r"(?s)PostgreSQL did not start.*data"):
        PostgreSQL(folder).start()


class TestRabbitMQ:
    @pytest.fixture
    def broker(self, rabbitmq: RabbitMQ) -> Iterator[RabbitMQ]:
        """A node of its own, because the test kills it; the session's tells whether one can be had."""
        with RabbitMQ() as node:
            yield node

    def test_a_confirmed_message_survives_sigkill(self, broker: RabbitMQ) -> None:
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
            channel.confirm_delivery()
            time.sleep(FLUSH_SECONDS)
            durable = pika.BasicProperties(delivery_mode=2)
            channel.basic_publish("", "kept", b"fact", durable, mandatory=True)
            pid = broker.pid
            broker.kill()
            assert not Path(f"/proc/{pid}").exists()
            with pytest.raises(pika.exceptions.AMQPError):
                channel.basic_publish("", "kept", b"lost", durable, mandatory=True)
        broker.start()
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            _, _, body = connection.channel().basic_get("kept", auto_ack=True)
        assert body == b"fact"

    def test_a_user_is_held_to_its_virtual_host_and_patterns(self, rabbitmq: RabbitMQ) -> None:
        rabbitmq.add_vhost("partner")
        address = rabbitmq.add_user("petition", "秘密/secret", ("", "^in$", ""), vhost="partner")
        with pika.BlockingConnection(pika.URLParameters(address)) as connection:
            with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="403"):
                connection.channel().queue_declare("mine")
        with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
            pika.BlockingConnection(pika.URLParameters(rabbitmq.url_of("/", "petition", "秘密/secret")))

    def test_the_node_listens_on_loopback_only(self, rabbitmq: RabbitMQ) -> None:
        listening = [
            address.rpartition(":")[0]
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            for _, address, _, state, *_ in map(str.split, Path(table).read_text().splitlines())
            if address.endswith(f":{rabbitmq.port:04X}") and state == TCP_LISTEN
        ]
        assert listening == ["0100007F"]  # 127.0.0.1 as the kernel writes it


class TestPostgreSQL:
    def test_pages_carry_checksums_and_commits_are_durable(self, postgresql: PostgreSQL) -> None:
        expected = {
            "data_checksums": "on",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
        }
        with psycopg.connect(_plain(postgresql.url)) as connection:
            rows = connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(expected)]
            ).fetchall()
        assert dict(rows) == expected

    @pytest.mark.parametrize("end", [PostgreSQL.stop_immediate, PostgreSQL.kill])
    def test_a_committed_row_survives(
        self, end: Callable[[PostgreSQL], None], postgresql: PostgreSQL
    ) -> None:
        with PostgreSQL() as cluster:
            address = _plain(cluster.create_database("kept"))
            with psycopg.connect(address) as connection:
                connection.execute("CREATE TABLE facts AS SELECT 41 AS number")
            end(cluster)
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(address)
            cluster.start()
            with psycopg.connect(address) as connection:
                assert connection.execute("SELECT number FROM facts").fetchone() == (41,)

    def test_a_frozen_cluster_is_silent_until_it_goes_on(self, postgresql: PostgreSQL) -> None:
        with psycopg.connect(_plain(postgresql.url), autocommit=True) as connection:
            postgresql.sigstop()
            try:
                connection.pgconn.send_query(b"SELECT 1")
                waiting = socket.socket(fileno=os.dup(connection.fileno()))
                with waiting:
                    waiting.settimeout(0.5)
                    with pytest.raises(TimeoutError):
                        waiting.recv(1, socket.MSG_PEEK)
            finally:
                postgresql.sigcont()
            result = connection.pgconn.get_result()
            assert result is not None
            assert result.get_value(0, 0) == b"1"
            assert connection.pgconn.get_result() is None

    def test_a_kept_folder_is_used_again(self, postgresql: PostgreSQL, open_folder: Path) -> None:
        folder = open_folder / "kept"
        with PostgreSQL(folder) as cluster:
            cluster.create_database("kept")
        with PostgreSQL(folder) as cluster:
            with psycopg.connect(_plain(cluster.url_of("kept"))) as connection:
                assert connection.info.dbname == "kept"


class TestOpenSearch:
    def test_a_two_character_word_is_found_by_the_cjk_analyzer(self, opensearch: OpenSearch) -> None:
        with SearchClient(opensearch.url) as client:
            body = {"properties": {"text": {"type": "text", "analyzer": "cjk"}}}
            client.indices.create(index="articles-1", body={"mappings": body})
            client.indices.put_alias(index="articles-1", name="articles")
            for number, text in enumerate(
                ("行政机关应当自行政处罚案件立案之日起九十日内作出", "听证应当公开举行")
            ):
                client.index(
                    index="articles", id=str(number), body={"text": text}, params={"refresh": "true"}
                )
            query = {"query": {"match_phrase": {"text": "处罚"}}, "highlight": {"fields": {"text": {}}}}
            hits = client.search(index="articles", body=query)["hits"]["hits"]
        assert [hit["_id"] for hit in hits] == ["0"]
        assert "<em>" in hits[0]["highlight"]["text"][0]

    def test_an_address_that_does_not_answer_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENSEARCH_URL", "http://127.0.0.1:9")
        with pytest.raises(ServerUnavailable, match=r"127\.0\.0\.1:9"):
            OpenSearch().start()


class TestPrometheus:
    def test_a_target_is_scraped(self, prometheus: Prometheus) -> None:
        prometheus.scrape({"itself": [f"{LOOPBACK}:{prometheus.port}"]})
        assert _soon(lambda: [series["value"][1] for series in prometheus.query('up{job="itself"}')] == ["1"])


def _plain(address: str) -> str:
    return address.replace("+psycopg", "")


def _soon(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
