"""A checkpoint counts as witnessed only when others have really signed it, and a sick witness is never believed."""

import http.client
import http.server
import json
import shutil
import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from contracts.roles import REVIEWER
from fazhi.witness.process import running
from kernel.access.principal import Principal
from kernel.errors import Invalid, RuleViolation
from kernel.ledger.note import NoteSigner
from services.assessment.app import build, ledger_signer
from services.assessment.explanation.entries import Entries
from services.assessment.explanation.service import Explanations
from services.assessment.ledger.rules import BehindWitness, NotWitnessed, State, read_witnesses
from services.assessment.ledger.service import Ledger
from services.assessment.ledger.witnessing import Witnesses
from services.assessment.ranking.known import NOW
from tests.support.events import a_unit, an_event
from tests.support.witnesses import running_witness

REVIEWER_OF_COUNTY = Principal(account="r", unit_path="/15/150102/", roles=frozenset({REVIEWER}))


def some(count):
    return [an_event(subject=f"enforcement/cases/{n}") for n in range(count)]


class Town:
    """Assessment and its witnesses."""

    def __init__(self, fed, folder, running, needed):
        self.fed = fed
        self.app = fed.app
        self.folder = folder
        self.running = running
        self.use(*(one.setting for one in running), needed=needed)

    def use(self, *settings, needed):
        found = read_witnesses(",".join(settings))
        self.ledger = Ledger(self.app.store, self.app.ledger.origin, found, needed)
        self.witnesses = Witnesses(self.app.store, self.app.ledger.origin, found)

    def seal(self, count):
        self.fed.events(*some(count))
        self.app.sealer.seal()

    def require(self, seq):
        with self.app.store.reading() as session:
            return self.ledger.require_witnessed(session, seq)


@pytest.fixture
def town(fed, tmp_path):
    key = ledger_signer(fed.runtime)().key
    with ExitStack() as stack:
        running = [
            stack.enter_context(running_witness(tmp_path / name, f"{name}.example.gov.cn", key))
            for name in ("audit", "upper")
        ]
        yield Town(fed, tmp_path, running, 2)


def test_two_witnesses_sign_and_what_they_signed_may_be_published(town):
    town.seal(300)
    with pytest.raises(NotWitnessed):
        town.require(300)
    assert town.witnesses.round() == 2
    found = town.require(300)
    assert sorted(town.ledger.cosigners(found)) == ["audit.example.gov.cn", "upper.example.gov.cn"]
    town.seal(700)
    assert town.witnesses.round() == 2
    assert town.require(1000).size == 1000
    assert town.ledger.status().witnessed == 1000


def test_every_event_and_every_leaf_of_the_tree_says_how_far_it_has_come(town):
    """R20: 已入账, 已封块, 已见证; a leaf says that of the event behind it that has come least far."""
    town.fed.units(a_unit("150102-scjg", path="/15/150102/150102-scjg/"))
    town.seal(1)
    town.witnesses.round()
    assert states(town) == ([State.WITNESSED], {State.WITNESSED})
    town.seal(1)
    assert states(town) == ([State.SEALED, State.WITNESSED], {State.SEALED})
    town.fed.events(*some(1))
    newest_first = [State.SEQUENCED, State.SEALED, State.WITNESSED]
    assert states(town) == (newest_first, {State.SEQUENCED})
    town.use(needed=0)
    assert states(town)[0] == [State.SEQUENCED, State.SEALED, State.SEALED], (
        "nobody has seen it: never 已见证"
    )


def states(town):
    """The states of the events of the unit, newest first, and those of the leaves of its tree."""
    town.app.roll_up.catch_up()
    given = (town.app.store, town.app.frameworks, town.ledger)
    told = Explanations(*given).explain(REVIEWER_OF_COUNTY, "150102-scjg", "2026", "")
    leaves = Entries(*given).of_unit(REVIEWER_OF_COUNTY, "150102-scjg", "2026", "", NOW)
    return [event.state for event in told.events], set(leaves.values())


def test_nothing_is_sent_twice(town):
    town.seal(5)
    assert town.witnesses.round() == 2
    assert town.witnesses.round() == 0


@pytest.mark.parametrize("ask_all", [False, True])
def test_a_round_overtaken_by_another_worker_takes_nobody_for_an_old_copy(town, monkeypatch, ask_all):
    town.seal(5)
    town.witnesses.round()
    town.seal(5)
    submit, other = (
        town.witnesses._submit,
        Witnesses(town.app.store, town.ledger.origin, town.ledger.witnesses),
    )

    def overtaken(*asked):
        """Before the first checkpoint arrives, another worker has brought a later one."""
        monkeypatch.undo()
        town.seal(5)
        assert other.round() == 2
        return submit(*asked)

    monkeypatch.setattr(town.witnesses, "_submit", overtaken)
    town.witnesses.round(ask_all=ask_all)
    assert town.ledger.status().alarms == ()
    assert town.require(15).size == 15


def test_a_round_overtaken_between_two_answers_takes_nobody_for_another_log(town, monkeypatch):
    town.seal(5)
    submit, answers = town.witnesses._submit, []
    other = Witnesses(town.app.store, town.ledger.origin, town.ledger.witnesses)
    other.round()

    def overtaken(*asked):
        """Between the answer that names a size and the proof from there, another worker has gone on."""
        if len(answers) == 1:
            town.seal(5)
            other.round()
        answers.append(submit(*asked))
        return answers[-1]

    town.seal(5)
    monkeypatch.setattr(town.witnesses, "_submit", overtaken)
    monkeypatch.setattr(town.witnesses, "_cosigned", lambda _witness: 0)  # told before the others' was known
    town.witnesses.round()
    assert [answer.status for answer in answers][:2] == [409, 409]
    assert town.ledger.status().alarms == ()


def test_an_event_after_the_witnessed_checkpoint_is_not_covered(town):
    town.seal(5)
    town.witnesses.round()
    town.fed.events(*some(1))
    with pytest.raises(NotWitnessed, match="6"):
        town.require(6)


def test_one_of_two_is_not_enough(town):
    town.seal(5)
    Witnesses(town.app.store, town.ledger.origin, town.ledger.witnesses[:1]).round()
    with pytest.raises(NotWitnessed):
        town.require(5)


def test_a_row_that_only_says_it_was_signed_is_not_believed(town):
    town.seal(5)
    Witnesses(town.app.store, town.ledger.origin, town.ledger.witnesses[:1]).round()
    with town.app.store.work() as work:
        row = work.session.execute(text("SELECT * FROM cosignatures")).one()
        work.session.execute(
            text("INSERT INTO cosignatures VALUES (:size, :witness, :line, :witnessed_at, :received_at)"),
            {**row._mapping, "witness": "upper.example.gov.cn"},
        )
        work.commit()
    with pytest.raises(NotWitnessed):
        town.require(5)


def test_a_lost_answer_is_asked_for_again(town):
    """The witness has signed and we never heard of it: it says its size, and signs the same text once more."""
    town.seal(5)
    town.witnesses.round()
    with town.app.store.work() as work:
        if work.connection.dialect.name == "postgresql":
            work.session.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            work.session.execute(text("DROP TRIGGER cosignatures_no_delete"))
        work.session.execute(text("DELETE FROM cosignatures"))
        work.commit()
    assert town.witnesses.round() == 2
    town.require(5)


@contextmanager
def answering(status, body, content_type="text/plain"):
    """Something at a witness's address that is no witness."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    runner = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    runner.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        runner.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"garbage"),
        (200, "— upper.example.gov.cn AAAAAAAAAAAAAAAAAAAA\n".encode()),
        (200, b"\xff" * 100_000),
        (409, b"not a size"),
        (409, b"-1\n"),
        (500, b"oops"),
        (302, b""),
    ],
)
def test_garbage_is_no_signature_and_no_alarm(town, status, body):
    town.seal(5)
    with answering(status, body) as url:
        town.use(town.running[0].setting, f"{town.running[1].key} {url}", needed=2)
        assert town.witnesses.round() == 1
        with pytest.raises(NotWitnessed):
            town.require(5)
    assert town.ledger.status().alarms == ()


def test_a_witness_that_is_away_stops_publication_and_nothing_else(town):
    town.seal(5)
    town.use(town.running[0].setting, f"{town.running[1].key} http://127.0.0.1:9", needed=2)
    assert town.witnesses.round() == 1
    town.seal(5)  # entry goes on
    with pytest.raises(NotWitnessed):
        town.require(10)


def test_after_four_hours_the_refusal_says_so(town):
    town.seal(5)
    town.app.store.clock.advance(timedelta(hours=5))
    with pytest.raises(NotWitnessed, match="5 小时"), town.app.store.reading() as session:
        town.ledger.require_fresh(session)
    town.witnesses.round()
    with town.app.store.reading() as session:
        town.ledger.require_fresh(session)


def test_a_witness_restored_from_an_old_copy_is_retired(town):
    """F30: it remembers less than it has signed; nothing more is taken from it."""
    town.seal(5)
    town.witnesses.round()
    old = town.folder / "old"
    shutil.copytree(town.running[1].state, old)
    town.seal(5)
    town.witnesses.round()
    shutil.rmtree(town.running[1].state, ignore_errors=True)
    shutil.copytree(old, town.running[1].state)
    town.seal(5)
    assert town.witnesses.round() == 1
    assert [(a.kind, a.witness) for a in town.ledger.status().alarms] == [
        ("went_back", "upper.example.gov.cn")
    ]
    town.seal(5)
    assert town.witnesses.round() == 1


class TestAnOldCopyOfTheDatabase:
    """F31: the witnesses know more than the database that was put back."""

    @pytest.fixture
    def restored(self, town):
        if town.app.store.database.dialect != "sqlite":
            pytest.skip("copies of the database are made of files here; PostgreSQL answers alike")
        town.seal(5)
        town.witnesses.round()
        path = town.fed.runtime.settings.data / "assessment.db"
        copy = path.with_suffix(".copy")
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        town.seal(5)
        town.witnesses.round()
        town.app.store.database.close()
        for name in ("assessment.db", "assessment.db-wal", "assessment.db-shm"):
            (path.parent / name).unlink(missing_ok=True)
        shutil.copy(copy, path)
        return town

    def test_is_found_out_before_the_first_write(self, restored):
        restored.witnesses.compare()
        assert {alarm.kind for alarm in restored.ledger.status().alarms} == {"ahead"}
        with pytest.raises(BehindWitness), restored.app.store.reading() as session:
            restored.ledger.require_current(session)

    def test_and_cannot_grow_past_it_into_another_history(self, restored):
        restored.seal(50)
        assert restored.witnesses.round() == 0
        assert {alarm.kind for alarm in restored.ledger.status().alarms} == {"forked"}
        for witness in restored.running:
            assert witness.evidence


def test_one_key_under_two_names_is_one_witness(town):
    """Cosignatures do not say the name of who signed, so two witnesses with one key would be one voice twice."""
    again = NoteSigner.read("upper.example.gov.cn", town.folder / "audit" / "key.pem")
    with pytest.raises(Invalid, match="公钥"):
        read_witnesses(f"{town.running[0].setting},{again.witness_key} {town.running[1].url}")


def test_an_embedded_installation_starts_without_any_witness(fed):
    assert build(fed.runtime).ledger.status().needed == 1
    with pytest.raises(RuleViolation, match="见证方"), fed.app.store.reading() as session:
        fed.app.ledger.require_witnessed(session, 0)


def test_a_body_nobody_read_is_not_taken_for_the_next_request(tmp_path, monkeypatch):
    monkeypatch.setattr("fazhi.witness.server.AT_ONCE", 0)  # every submission is one too many
    with running(tmp_path / "state", tmp_path / "w.pem", "见证", [], ("127.0.0.1", 0), first=True) as setting:
        host, port = setting.rpartition("//")[2].split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        for path, status in (("/elsewhere", 404), ("/add-checkpoint", 503)):
            connection.request("POST", path, body="GET /checkpoint?origin=x HTTP/1.1\r\n\r\n")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (status, b"")
            connection.request("GET", "/healthz")
            assert json.loads(connection.getresponse().read())["status"] == "ok"
        connection.close()
