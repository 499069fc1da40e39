"""A worker process as it is hosted in the product: it ends in order, and starts whatever is away (R55)."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from kernel.bus.rabbit import RabbitBus
from kernel.ids import new_id
from kernel.messages import Message
from kernel.storage.db import open_database
from tests.support.postgresql import PostgreSQL
from tests.support.processes import free_port
from tests.support.programs import ServerUnavailable
from tests.support.rabbitmq import RabbitMQ
from tests.support.toy import COUNTED, Toy


@contextmanager
def worker(database_url, broker_url, log, seconds=0.0):
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": ".:proto:src",
        "TOY_DATABASE_URL": database_url,
        "TOY_BROKER_URL": broker_url,
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.toy_worker", str(port), str(seconds)],
            env=environment,
            stderr=out,
        )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def eventually(condition, seconds=60, log=None):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, log.read_text()[-3000:] if log else "it did not happen in time"
        time.sleep(0.1)


def publish(bus, number):
    messages = [Message(id=new_id(), source="toy", name="counted.v1", body=b"a") for _ in range(number)]
    assert len(bus.publish(messages)) == number


def answers(address):
    try:
        return httpx.get(f"{address}/readyz", timeout=2).status_code
    except httpx.TransportError:
        return 0


def test_sigterm_finishes_the_batch_in_hand_and_leaves_the_rest_to_the_next_life(
    postgresql_url, rabbitmq_url, tmp_path
):
    toy = Toy(open_database(postgresql_url))
    bus = RabbitBus(rabbitmq_url, [COUNTED])
    log = tmp_path / "worker.log"
    publish(bus, 25)
    with worker(postgresql_url, rabbitmq_url, log, seconds=4) as (process, address):
        eventually(lambda: answers(address) == 200, log=log)
        eventually(lambda: "fazhi_outbox_waiting" in httpx.get(f"{address}/metrics").text)
        eventually(lambda: toy.total() >= 10, log=log)
        time.sleep(1)  # now the next batch is in hand
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) == 0, log.read_text()[-3000:]
        assert time.monotonic() - asked < 20
    assert toy.total() == 20, "the batch in hand was finished"
    assert bus.depth(COUNTED) == 5, "and settled; no other was begun"
    with worker(postgresql_url, rabbitmq_url, log) as (process, address):
        eventually(lambda: toy.total() == 25, log=log)
        eventually(lambda: bus.depth(COUNTED) == 0)
        toy.tell(b"a", b"a")
        eventually(lambda: toy.total() == 27, log=log)
        eventually(
            lambda: 'fazhi_queue_depth{queue="fazhi.dead"} 0.0' in httpx.get(f"{address}/metrics").text
        )
    bus.close()
    toy.store.database.close()


def test_a_worker_started_before_its_servers_waits_for_them(tmp_path):
    database, broker = PostgreSQL(), RabbitMQ()
    log = tmp_path / "worker.log"
    try:
        database.start()
        url = database.create_database("toy")
        broker.start()
        broker_url = broker.add_vhost("toy")
        database.stop()
        broker.stop()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    try:
        with worker(url, broker_url, log) as (process, address):
            time.sleep(5)
            assert process.poll() is None, log.read_text()[-3000:]
            assert answers(address) == 0
            database.start()
            eventually(
                lambda: answers(address) == 200, log=log
            )  # ready without the broker: own database only
            toy = Toy(open_database(url))
            toy.tell(b"a", b"a", b"a")
            time.sleep(3)
            assert process.poll() is None, log.read_text()[-3000:]
            back = threading.Thread(target=broker.start)
            back.start()
            back.join()
            eventually(lambda: toy.total() == 3, log=log)
            toy.store.database.close()
    finally:
        database.close()
        broker.close()


PARTS = """
import eventlet; eventlet.monkey_patch()
import json, sys
from pathlib import Path
from fazhi.buses import open_bus
from fazhi.services import build
from kernel.bus.markers import Part
from kernel.hosting.runtime import Runtime
from kernel.hosting.worker import service_class
from kernel.settings import Settings
runtime = Runtime(Settings(data=Path(sys.argv[1]), broker_url="amqp://127.0.0.1:1/nowhere"))
service = build("assessment", runtime)
service.migrate()
worker, found = service.worker(), {}
for part in Part:
    body = vars(service_class(service.app.store, open_bus(runtime), worker, part))
    found[part] = sorted(name for name, value in body.items() if hasattr(value, "nameko_entrypoints"))
print(json.dumps(found))
"""


def test_hearing_and_clocks_are_two_parts_of_one_worker_that_miss_and_share_nothing(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", PARTS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["hears"] == ["carry", "holders", "measure", "scored", "units"]
    assert {"seal", "roll_up", "seal_audit", "escalate"} <= set(found["clocks"])
    assert sorted(found["hears"] + found["clocks"]) == found["all"]
