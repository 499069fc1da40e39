"""Every event becomes a leaf that anybody can check, on both databases."""

import base64
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.roles import REPORTER
from fazhi.identity import verifier
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer
from kernel.errors import NotFound, RuleViolation
from kernel.hosting.api import build_api
from kernel.ledger.checkpoint import chain_hash, read_checkpoint
from kernel.ledger.note import NoteSigner, read_note
from kernel.ledger.tree import SHA256, SM3, root_of, verify_consistency, verify_inclusion
from services.assessment.app import ledger_signer
from services.assessment.http import routers
from services.assessment.ledger.alarms import Alarm, raise_alarm
from services.assessment.ledger.findings import Trust
from services.assessment.ledger.receipts import receipt
from services.assessment.ledger.rules import LIMITS, BehindWitness, LedgerDamaged, read_witnesses
from services.assessment.ledger.sealing import Sealer
from services.assessment.ledger.service import Ledger
from services.assessment.ledger.verification import Verification
from tests.support.events import a_unit, an_event
from tests.support.http import Client

ORIGIN = "fazhi.local/assessment"
VERIFIER = Path(__file__).parents[3] / "verifier" / "fazhi_verify.py"

OWN = Principal(
    account="z", unit="150102-scjg", unit_path="/15/150102/150102-scjg/", roles=frozenset({REPORTER})
)


@pytest.fixture
def county(fed):
    government = UnitKind.UNIT_KIND_GOVERNMENT
    fed.units(
        a_unit("150102", path="/15/150102/", kind=government),
        a_unit("150102-scjg", parent="150102", path="/15/150102/150102-scjg/"),
        a_unit("150102-sf", parent="150102", path="/15/150102/150102-sf/"),
    )
    return fed


def some(count, unit="150102-scjg"):
    return [an_event(unit=unit, subject=f"enforcement/cases/{n}") for n in range(count)]


def stored_leaves(app):
    with app.store.reading() as session:
        return [row.leaf.encode() for row in session.execute(text("SELECT leaf FROM event_log ORDER BY seq"))]


def query(app, statement):
    with app.store.reading() as session:
        return session.execute(text(statement)).all()


class TestSealing:
    def test_a_checkpoint_says_what_the_log_is(self, county):
        county.events(*some(5))
        assert county.app.sealer.seal() == 5
        found = read_checkpoint(county.app.ledger.checkpoint().text)
        leaves = stored_leaves(county.app)
        assert found.size == 5
        assert found.root == root_of(SHA256, [SHA256.leaf(leaf) for leaf in leaves])
        assert found.sm3_root == root_of(SM3, [SM3.leaf(leaf) for leaf in leaves])

    def test_each_checkpoint_names_the_one_before(self, county):
        for _ in range(3):
            county.events(*some(300))
            county.app.sealer.seal()
        notes = [
            read_note(row.note) for row in query(county.app, "SELECT note FROM checkpoints ORDER BY size")
        ]
        chain = [read_checkpoint(note.text).previous for note in notes]
        assert chain == [bytes(32), chain_hash(notes[0].text), chain_hash(notes[1].text)]

    def test_nothing_new_is_not_sealed_again(self, county):
        county.events(*some(5))
        county.app.sealer.seal()
        assert county.app.sealer.seal() == 0

    def test_a_few_events_wait_five_seconds_and_a_thousand_do_not(self, county):
        county.events(*some(5))
        assert county.app.sealer.keep_up() == 5  # the first of all is sealed at once
        county.events(*some(5))
        assert county.app.sealer.keep_up() == 0
        county.events(*some(995))
        assert county.app.sealer.keep_up() == 1000

    def test_a_row_changed_before_it_was_sealed_is_never_made_true(self, county):
        county.events(*some(5))
        with county.app.store.work() as work:
            forged = "UPDATE event_log SET leaf = replace(leaf, 'pass', 'fail') WHERE seq = 3"
            unguarded(work, forged)
            work.commit()
        with pytest.raises(LedgerDamaged, match="3"):
            county.app.sealer.seal()
        assert county.app.sealer.keep_up() == 0
        assert [alarm.kind for alarm in county.app.ledger.status().alarms] == ["damaged"]

    def test_a_sealer_killed_before_the_end_leaves_nothing(self, county, monkeypatch):
        county.events(*some(5))
        sealer = county.app.sealer
        monkeypatch.setattr(sealer, "_sign", killed)
        with pytest.raises(KeyboardInterrupt):
            sealer.seal()
        assert query(county.app, "SELECT * FROM ledger_tiles") == []
        monkeypatch.undo()
        assert sealer.seal() == 5

    def test_two_sealers_at_once_make_one_chain(self, county):
        county.events(*some(400))
        runners = [threading.Thread(target=county.app.sealer.seal) for _ in range(4)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join()
        assert [row.size for row in query(county.app, "SELECT size FROM checkpoints")] == [400]

    @pytest.mark.parametrize(
        "change",
        ["DELETE FROM ledger_tiles", "UPDATE checkpoints SET note = ''", "DELETE FROM checkpoints"],
    )
    def test_nothing_kept_can_be_changed(self, county, change):
        county.events(*some(5))
        county.app.sealer.seal()
        with pytest.raises(Exception, match="append-only"), county.app.store.work() as work:
            work.session.execute(text(change))


def killed(*_args):
    raise KeyboardInterrupt


def unguarded(work, statement):
    """What a superuser can do."""
    if work.connection.dialect.name == "postgresql":
        work.session.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        for trigger in query_names(work):
            work.session.execute(text(f"DROP TRIGGER {trigger}"))
    work.session.execute(text(statement))


def query_names(work):
    found = work.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    return [row.name for row in found]


class TestProofs:
    @pytest.fixture
    def sealed(self, county):
        for count in (1, 299, 500):
            county.events(*some(count))
            county.app.sealer.seal()
        return county.app

    @pytest.mark.parametrize("seq", [1, 2, 256, 257, 799, 800])
    def test_inclusion_leads_from_the_leaf_to_the_root(self, sealed, seq):
        found = sealed.ledger.inclusion(seq)
        verify_inclusion(
            SHA256,
            index=seq - 1,
            size=found.size,
            leaf_hash=SHA256.leaf(stored_leaves(sealed)[seq - 1]),
            proof=found.proof,
            expected_root=read_checkpoint(found.note.text).root,
        )

    def test_consistency_leads_from_one_checkpoint_to_the_next(self, sealed):
        old, new = (read_checkpoint(sealed.ledger.inclusion(1, size).note.text) for size in (300, 800))
        proof = sealed.ledger.consistency(300, 800)
        verify_consistency(SHA256, old=300, new=800, old_root=old.root, new_root=new.root, proof=proof)

    def test_what_is_not_sealed_has_no_proof(self, sealed, county):
        county.events(*some(1))
        for seq, size in ((801, 0), (301, 300), (1, 5)):
            with pytest.raises(NotFound):
                sealed.ledger.inclusion(seq, size)
        with pytest.raises(NotFound):
            sealed.ledger.consistency(1, 801)

    def test_tiles_are_the_hashes_and_nothing_beyond_the_checkpoint(self, sealed, county):
        hashes = [SHA256.leaf(leaf) for leaf in stored_leaves(sealed)]
        assert sealed.ledger.tile(SHA256, "tile/0/000") == b"".join(hashes[:256])
        assert sealed.ledger.tile(SHA256, "tile/0/003.p/32") == b"".join(hashes[768:])
        assert sealed.ledger.tile(SHA256, "tile/1/000.p/3") == b"".join(
            root_of(SHA256, hashes[i : i + 256]) for i in (0, 256, 512)
        )
        for path in ("tile/0/003", "tile/0/003.p/33", "tile/0/004.p/1", "tile/entries/000"):
            with pytest.raises(NotFound):
                sealed.ledger.tile(SHA256, path)


def judge(county, folder, written):
    """What the program of the verifier says of a receipt."""
    path = folder / "receipt.jsonl"
    path.write_bytes(written)
    words = ["--receipt", path, "--key", str(ledger_signer(county.runtime)().key)]
    return subprocess.run(
        [sys.executable, VERIFIER, *words], capture_output=True, text=True, check=False, timeout=60
    )


class TestReceipts:
    def test_a_unit_can_check_its_receipts_without_us(self, county):
        county.events(*some(300), *some(3, "150102-sf"))
        county.app.sealer.seal()
        head, *lines = map(orjson.loads, county.app.receipts.of_unit(OWN, "150102-scjg", "2026"))
        note = read_note(head["checkpoint"])
        ledger_signer(county.runtime)().key.require(note)
        found = read_checkpoint(note.text)
        assert len(lines) == 300
        assert head["limits"] == LIMITS
        for line in lines:
            leaf = line["leaf"].encode()
            assert orjson.loads(leaf)["unit"] == "150102-scjg"
            verify_inclusion(
                SHA256,
                index=line["seq"] - 1,
                size=found.size,
                leaf_hash=SHA256.leaf(leaf),
                proof=[base64.b64decode(one) for one in line["proof"]],
                expected_root=found.root,
            )

    def test_the_independent_program_judges_a_receipt_as_it_is(self, county, tmp_path):
        county.events(*some(20), *some(3, "150102-sf"))
        county.app.sealer.seal()
        lines = list(county.app.receipts.of_unit(OWN, "150102-scjg", "2026"))
        one = orjson.dumps(receipt(county.app.store, county.app.ledger, 7)) + b"\n"
        judged = [judge(county, tmp_path, written) for written in (b"".join(lines), one)]
        assert [(answer.returncode, answer.stderr) for answer in judged] == [(0, ""), (0, "")]
        assert "SHA-256 和 SM3" in judged[0].stdout
        altered = judge(county, tmp_path, b"".join(lines).replace(b"150102-scjg", b"150102-sthj"))
        assert (altered.returncode, "第 1 条记录" in altered.stderr) == (1, True)

    def test_more_than_a_batch_is_given_whole(self, county):
        county.events(*some(1100))
        county.app.sealer.seal()
        lines = list(county.app.receipts.of_unit(OWN, "150102-scjg", ""))
        assert [orjson.loads(line)["seq"] for line in lines[1:]] == list(range(1, 1101))

    def test_another_units_receipts_do_not_exist(self, county):
        county.events(*some(3, "150102-sf"))
        county.app.sealer.seal()
        with pytest.raises(NotFound):
            county.app.receipts.of_unit(OWN, "150102-sf", "")


class TestStates:
    def test_without_witnesses_nothing_can_be_published_and_the_reason_is_said(self, county):
        county.events(*some(3))
        county.app.sealer.seal()
        status = county.app.ledger.status()
        assert (status.sequenced, status.sealed, status.witnessed) == (3, 3, 0)
        assert "见证方" in status.refusal
        with pytest.raises(RuleViolation) as refused, county.app.store.reading() as session:
            county.app.ledger.require_witnessed(session, 3)
        assert refused.value.stable_code == "assessment.checkpoint_not_witnessed"


class TestHttp:
    PREFIX = "/api/assessment/v1"

    @pytest.fixture
    def web(self, county):
        county.events(*some(300), *some(3, "150102-sf"))
        county.app.sealer.seal()
        verifier_of_tokens = verifier(county.runtime)
        api = build_api("assessment", "考核", routers(county.app), verifier_of_tokens, county.app.store)
        county.client = Client(api)
        key = (county.runtime.settings.data / "keys" / "identity.pem").read_bytes()
        token = Issuer(key, county.runtime.clock).issue(OWN)
        county.signed_in = {"authorization": f"Bearer {token}"}
        return county

    def test_anybody_may_take_checkpoint_tiles_and_proofs(self, web):
        checkpoint = web.client.get(f"{self.PREFIX}/ledger/checkpoint")
        assert checkpoint.headers["content-type"].startswith("text/plain")
        found = read_checkpoint(read_note(checkpoint.text).text)
        tiles = b"".join(
            web.client.get(f"{self.PREFIX}/ledger/tile/{path}").content for path in ("0/000", "0/001.p/47")
        )
        hashes = [tiles[i : i + 32] for i in range(0, len(tiles), 32)]
        assert root_of(SHA256, hashes) == found.root
        proof = web.client.get(f"{self.PREFIX}/ledger/proofs/inclusion", params={"seq": 300}).json()
        verify_inclusion(
            SHA256,
            index=299,
            size=303,
            leaf_hash=base64.b64decode(proof["leaf_hash"]),
            proof=[base64.b64decode(one) for one in proof["proof"]],
            expected_root=found.root,
        )
        sm3 = web.client.get(f"{self.PREFIX}/ledger/sm3/tile/0/000")
        assert len(sm3.content) == 256 * 32
        answer = web.client.get(f"{self.PREFIX}/ledger/proofs/consistency", params={"from": 5, "to": 303})
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("ledger/tile/entries/000", 404),
            ("ledger/tile/0/..%2f000", 422),
            ("ledger/tile/0/999", 404),
            ("ledger/proofs/inclusion?seq=0", 422),
            ("ledger/proofs/inclusion?seq=304", 404),
            ("ledger/proofs/consistency?from=9&to=5", 404),
            ("ledger/status", 401),
            ("units/150102-scjg/receipts", 401),
        ],
    )
    def test_and_nothing_else(self, web, path, status):
        assert web.client.get(f"{self.PREFIX}/{path}").status_code == status

    def test_a_unit_takes_its_receipts_and_nobody_elses(self, web):
        own = web.client.get(f"{self.PREFIX}/units/150102-scjg/receipts", headers=web.signed_in)
        assert own.status_code == 200
        assert own.headers["content-disposition"].startswith("attachment")
        assert len(own.text.splitlines()) == 301
        other = web.client.get(f"{self.PREFIX}/units/150102-sf/receipts", headers=web.signed_in)
        assert other.status_code == 404

    def test_the_page_says_what_verification_cannot_show(self, web):
        told = web.client.get(f"{self.PREFIX}/ledger/status", headers=web.signed_in).json()
        assert told["states"] == {"已入账": 303, "已封块": 303, "已见证": 0}
        assert told["limits"] == LIMITS
        assert "见证方" in told["refusal"]

    def test_an_old_copy_serves_no_scores(self, web):
        """F31: whoever asks for a ranking is told that this database is not the current one."""
        witness = NoteSigner("w", Ed25519PrivateKey.generate()).witness_key
        ledger = Ledger(web.app.store, ORIGIN, read_witnesses(f"{witness} http://127.0.0.1:9"), 1)
        raise_alarm(web.app.store, ORIGIN, Alarm("w", "ahead", 999, "见证方见过 999 条"))
        with pytest.raises(BehindWitness):
            ledger.refuse_an_old_copy()
        app = replace(web.app, ledger=ledger)
        api = build_api("assessment", "考核", routers(app), verifier(web.runtime), app.store)
        answer = Client(api).get(f"{self.PREFIX}/rankings", headers=web.signed_in)
        assert (answer.status_code, answer.json()["code"]) == (503, "assessment.ledger_behind_witness")


def test_a_log_goes_on_under_another_key_only_when_the_earlier_one_is_named(county):
    """R27: the chain is not broken by a change of keys."""
    county.events(*some(5))
    county.app.sealer.seal()
    other = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    county.events(*some(5))
    with pytest.raises(LedgerDamaged):
        Sealer(county.app.store, ORIGIN, lambda: other).seal()
    earlier = ledger_signer(county.runtime)().key
    assert Sealer(county.app.store, ORIGIN, lambda: other, [earlier]).seal() == 5
    with county.app.store.reading() as session:
        both = Verification(session, Trust(ORIGIN, (earlier, other.key))).run()
        only_new = Verification(session, Trust(ORIGIN, (other.key,))).run()
    assert both.faults == []
    assert {fault.kind for fault in only_new.faults} == {"signature"}


def test_a_ledger_that_grows_while_it_is_verified_is_no_alarm(county, monkeypatch):
    """Checkpoints that come after the beginning belong to the next run, which goes on from this one."""
    county.events(*some(300))
    county.app.sealer.seal()
    trust = Trust(ORIGIN, (ledger_signer(county.runtime)().key,))
    compared = Verification._rows

    def meanwhile(self, *what):
        monkeypatch.undo()
        county.events(*some(300))
        county.app.sealer.seal()
        compared(self, *what)

    monkeypatch.setattr(Verification, "_rows", meanwhile)
    with county.app.store.reading() as session:
        first = Verification(session, trust).run()
    with county.app.store.reading() as session:
        second = Verification(session, trust).run(first.verified)
    assert (first.faults, first.sealed) == ([], 300)
    assert (second.faults, second.sealed, second.checkpoints) == ([], 600, 1)
