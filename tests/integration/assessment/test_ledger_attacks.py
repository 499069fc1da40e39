"""
What a superuser of the database changes is found, and named, on both databases (P3).

Every attack is made inside a transaction, verified there, and rolled back: all stand on the same good database. Each
is as thorough as its attacker can be: whoever can write rows can write their hashes, tiles and checkpoints too.
"""

import hashlib
from contextlib import ExitStack

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from fazhi.witness.memory import remembered
from kernel.clock import FixedClock
from kernel.errors import NotFound
from kernel.ledger.checkpoint import Checkpoint, chain_hash, read_checkpoint
from kernel.ledger.note import Note, NoteSigner, read_note
from kernel.ledger.tiles import Edge
from kernel.ledger.tree import SHA256, SM3
from kernel.storage.blobs import BlobDamaged
from kernel.storage.setwise import write_rows
from services.assessment.app import ledger_signer
from services.assessment.ledger.findings import Trust, Verified
from services.assessment.ledger.model import LEDGER_TILES
from services.assessment.ledger.rules import read_witnesses
from services.assessment.ledger.stored import tile_rows
from services.assessment.ledger.verification import Verification
from services.assessment.ledger.witnessing import Witnesses
from tests.integration.assessment.conftest import Fed
from tests.support.events import MARCH_5, an_event
from tests.support.stores import built, postgresql_runtime, sqlite_runtime
from tests.support.witnesses import running_witness

SIZES = (500, 1000, 1300)
ORIGIN = "fazhi.local/assessment"


class Scene:
    """A good ledger of 1,300 events, three checkpoints, two witnesses, and 20 events not sealed yet."""

    def __init__(self, app, signer, witnesses, states):
        self.app = app
        self.signer = signer
        self.witness_keys = tuple(one.key for one in witnesses)
        self.memories = [remembered(state) for state in states]

    def trust(self, *memories, keys=()):
        return Trust(
            origin=ORIGIN,
            log_keys=keys or (self.signer.key,),
            witness_keys=self.witness_keys,
            remembered=tuple(note for memory in memories for note in memory),
        )

    def after(self, attack=None, *, trust=None, since=None, held=None):
        """The report on the database as this attack left it; nothing of it stays."""
        with self.app.store.database.writing() as session:
            if attack is not None:
                guards_away(session)
                attack(session)
            report = Verification(session, trust or self.trust(), held=held).run(since)
            session.rollback()
        return report


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    clock = FixedClock(MARCH_5)
    if request.param == "sqlite":
        runtime = sqlite_runtime(folder, clock)
    else:
        server = request.getfixturevalue("postgresql")
        runtime = postgresql_runtime(folder, server.create_database("attacked"), clock)
    app = built(runtime, "services.assessment")
    signer = ledger_signer(runtime)()
    with ExitStack() as stack:
        running = [
            stack.enter_context(running_witness(folder / name, f"{name}.example.gov.cn", signer.key))
            for name in ("audit", "upper")
        ]
        witnesses = read_witnesses(",".join(one.setting for one in running))
        fed, at = Fed(app, runtime), 0
        for size in SIZES:
            fed.events(*(an_event(subject=f"enforcement/cases/{n}") for n in range(at, size)))
            app.sealer.seal()
            assert Witnesses(app.store, ORIGIN, witnesses).round() == 2
            at = size
        fed.events(*(an_event(subject=f"enforcement/cases/late-{n}") for n in range(20)))
        yield Scene(app, signer, witnesses, [one.state for one in running])
    runtime.close()


def guards_away(session):
    if session.connection().dialect.name == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))
        return
    names = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    for name in names:
        session.execute(text(f"DROP TRIGGER {name}"))
    session.execute(text("PRAGMA defer_foreign_keys = ON"))


def run(*statements):
    def attack(session):
        for statement in statements:
            session.execute(text(statement))

    return attack


def edited(session, seq, **changes):
    """Change an event and everything about it that its row alone says: leaf, hash and columns agree again."""
    leaf = orjson.loads(
        session.execute(text("SELECT leaf FROM event_log WHERE seq = :seq"), {"seq": seq}).scalar_one()
    )
    content = orjson.dumps(leaf | changes, option=orjson.OPT_SORT_KEYS)
    session.execute(
        text("UPDATE event_log SET leaf = :leaf, leaf_hash = :hash, unit = :unit WHERE seq = :seq"),
        {
            "leaf": content.decode(),
            "hash": hashlib.sha256(b"\x00" + content).hexdigest(),
            "unit": (leaf | changes)["unit"],
            "seq": seq,
        },
    )


def recomputed(session):
    """All tiles of both trees made anew from the leaves, as far as the checkpoints go."""
    size = session.execute(text("SELECT coalesce(max(size), 0) FROM checkpoints")).scalar_one()
    query = text("SELECT leaf FROM event_log WHERE seq <= :size ORDER BY seq")
    leaves = [row.leaf.encode() for row in session.execute(query, {"size": size})]
    session.execute(text("DELETE FROM ledger_tiles"))
    for hasher in (SHA256, SM3):
        pieces = Edge(hasher).append([hasher.leaf(leaf) for leaf in leaves])
        write_rows(session, LEDGER_TILES, tile_rows(hasher, pieces))


def resigned(session, signer):
    """Checkpoints made anew over the tiles there are, with this key; the cosignatures cannot be."""
    leaves = [row.leaf.encode() for row in session.execute(text("SELECT leaf FROM event_log ORDER BY seq"))]
    rows = session.execute(text("SELECT size, note FROM checkpoints ORDER BY size")).all()
    previous = bytes(32)
    for row in rows:
        roots = []
        for hasher in (SHA256, SM3):
            edge = Edge(hasher)
            edge.append([hasher.leaf(leaf) for leaf in leaves[: row.size]])
            roots.append(edge.root())
        said = read_checkpoint(read_note(row.note).text)
        checkpoint = Checkpoint(
            origin=ORIGIN, size=row.size, root=roots[0], sm3_root=roots[1], previous=previous, time=said.time
        )
        note = Note(checkpoint.text, (signer.sign(checkpoint.text),))
        session.execute(
            text("UPDATE checkpoints SET note = :note WHERE size = :size"),
            {"note": str(note), "size": row.size},
        )
        previous = chain_hash(checkpoint.text)


def stranger():
    return NoteSigner(ORIGIN, Ed25519PrivateKey.generate())


def named(report):
    """What the report names: kinds, and the numbers from the lowest to the highest."""
    return {fault.kind for fault in report.faults}, [(fault.first, fault.last) for fault in report.faults]


def test_an_untouched_ledger_raises_no_alarm(scene):
    report = scene.after(trust=scene.trust(*scene.memories))
    assert report.faults == []
    assert (report.events, report.sealed, report.witnessed) == (1320, 1300, 1300)
    assert (report.checkpoints, report.cosignatures, report.remembered) == (3, 6, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event_log SET score_milli = 999 WHERE seq = 700",
        "UPDATE event_log SET numerator = numerator + 1 WHERE seq = 700",
        "UPDATE event_log SET denominator = 7 WHERE seq = 700",
        "UPDATE event_log SET outcome = 2 WHERE seq = 700",
        "UPDATE event_log SET probe = 'ENF-TIM-02' WHERE seq = 700",
        "UPDATE event_log SET unit = '150102-sf' WHERE seq = 700",
        "UPDATE event_log SET source = 'disputes' WHERE seq = 700",
        "UPDATE event_log SET mode = 4 WHERE seq = 700",
        "UPDATE event_log SET period = '2026-04' WHERE seq = 700",
        "UPDATE event_log SET occurred_at = '2026-03-06T02:00:00.000000Z' WHERE seq = 700",
        "UPDATE event_log SET recorded_at = '2026-03-06T02:00:00.000000Z' WHERE seq = 700",
        "UPDATE event_log SET received_at = '2026-03-06T02:00:00.000000Z' WHERE seq = 700",
        "UPDATE event_log SET event_id = '01993a5c-0000-7000-8000-000000000000' WHERE seq = 700",
        "UPDATE event_log SET corrects = '01993a5c-0000-7000-8000-000000000000' WHERE seq = 700",
        "UPDATE event_log SET leaf = replace(leaf, '1.000', '0.900') WHERE seq = 700",
        "UPDATE event_log SET leaf_hash = 'no hash at all' WHERE seq = 700",
    ],
)
def test_any_changed_column_names_the_record(scene, statement):
    report = scene.after(run(statement))
    assert report.faults
    assert {(fault.first, fault.last) for fault in report.faults} == {(700, 700)}


def test_a_row_whose_columns_leaf_and_hash_were_changed_alike_is_named(scene):
    report = scene.after(lambda session: edited(session, 700, unit="150102-sf"))
    assert named(report) == ({"sealed"}, [(700, 700)])


def test_swapped_rows_are_named(scene):
    swap = run(
        "UPDATE event_log SET seq = -1 WHERE seq = 10",
        "UPDATE event_log SET seq = 10 WHERE seq = 900",
        "UPDATE event_log SET seq = 900 WHERE seq = -1",
    )
    report = scene.after(swap)
    assert {fault.first for fault in report.faults} == {10, 900}


def test_a_deleted_row_is_named(scene):
    report = scene.after(run("DELETE FROM event_log WHERE seq = 700"))
    assert named(report) == ({"missing"}, [(700, 700)])


def test_a_cut_tail_is_named_as_a_range(scene):
    report = scene.after(
        run("DELETE FROM event_log WHERE seq > 300", "UPDATE log_head SET size = 300 WHERE id = 1")
    )
    assert named(report) == ({"missing"}, [(301, 1300)])


def test_an_unsealed_tail_cut_is_named_too(scene):
    report = scene.after(run("DELETE FROM event_log WHERE seq > 1310"))
    assert named(report) == ({"tail"}, [(1311, 1320)])


def insert_at(seq):
    columns = (
        "source, unit, period, probe, outcome, score_milli, numerator, denominator, mode, "
        "occurred_at, recorded_at, received_at"
    )
    return (
        f"INSERT INTO event_log (seq, event_id, leaf, leaf_hash, {columns}) "  # noqa: S608  (all of it ours)
        f"SELECT {seq}, '01993a5c-0000-7000-8000-00000000000a', leaf, leaf_hash, {columns} FROM event_log WHERE seq = 5"
    )


def test_an_inserted_event_is_named(scene):
    report = scene.after(run(insert_at(1321)))
    kinds, ranges = named(report)
    assert "tail" in kinds
    assert {first for first, _ in ranges} == {1321}


def test_an_event_inserted_before_the_first_is_named(scene):
    report = scene.after(run(insert_at(0)))
    assert named(report)[1][0] == (0, 0)


def test_an_edit_with_every_hash_recomputed_is_found_by_the_signed_roots(scene):
    def attack(session):
        edited(session, 700, unit="150102-sf")
        recomputed(session)

    report = scene.after(attack)
    assert named(report)[0] == {"root"}
    assert {(501, 1000), (1001, 1300)} == set(named(report)[1])


def test_a_new_signature_by_another_key_is_no_signature(scene):
    def attack(session):
        edited(session, 700, unit="150102-sf")
        recomputed(session)
        resigned(session, stranger())

    report = scene.after(attack)
    assert {"signature", "cosignature"} <= named(report)[0]


def test_whoever_holds_the_logs_own_key_is_found_by_the_cosignatures(scene):
    def attack(session):
        edited(session, 700, unit="150102-sf")
        recomputed(session)
        resigned(session, scene.signer)

    report = scene.after(attack)
    assert named(report)[0] == {"cosignature"}


def rewritten(signer):
    def attack(session):
        edited(session, 700, unit="150102-sf")
        recomputed(session)
        session.execute(text("DELETE FROM cosignatures"))
        resigned(session, signer)

    return attack


def test_and_without_cosignatures_only_by_what_a_witness_remembers(scene):
    """M17: a history rewritten whole, with the log's own key, looks perfect from inside."""
    assert scene.after(rewritten(scene.signer)).faults == []
    report = scene.after(rewritten(scene.signer), trust=scene.trust(scene.memories[0]))
    assert named(report)[0] == {"witness"}


def test_a_log_key_replaced_on_the_machine_is_found_by_what_a_witness_remembers(scene):
    other = stranger()
    report = scene.after(rewritten(other), trust=scene.trust(scene.memories[1], keys=(other.key,)))
    assert {"signature", "witness"} <= named(report)[0]


YESTERDAY = run(
    "DELETE FROM cosignatures WHERE size > 1000",
    "DELETE FROM checkpoints WHERE size > 1000",
    "DELETE FROM event_log WHERE seq > 1000",
    "UPDATE log_head SET size = 1000 WHERE id = 1",
)


def rolled_back(session):
    YESTERDAY(session)
    recomputed(session)


def test_the_whole_database_of_yesterday_is_found_by_what_a_witness_remembers(scene):
    assert scene.after(rolled_back).faults == []
    report = scene.after(rolled_back, trust=scene.trust(scene.memories[0]))
    assert named(report) == ({"rollback"}, [(1001, 1300)])


def test_two_witnesses_shown_different_histories_cannot_both_be_satisfied(scene):
    """A split view: B was shown another event 700, signed by the same log."""
    shown = []

    def attack(session):
        rewritten(scene.signer)(session)
        query = text("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")
        shown.append(read_note(session.execute(query).scalar_one()))

    scene.after(attack)
    a, b = scene.memories[0], [shown[0]]
    assert scene.after(trust=scene.trust(a)).faults == []
    assert named(scene.after(trust=scene.trust(a, b)))[0] == {"witness"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_tiles SET hashes = replace(hashes, 'A', 'B') WHERE level = 0 AND tile = 2 AND tree = 'sha256'",
        "UPDATE ledger_tiles SET hashes = replace(hashes, 'A', 'B') WHERE level = 1 AND tree = 'sm3'",
        "DELETE FROM ledger_tiles WHERE level = 1 AND tree = 'sha256'",
        "DELETE FROM ledger_tiles WHERE level = 0 AND tile = 1 AND tree = 'sm3'",
        "DELETE FROM checkpoints WHERE size = 1000",
        "UPDATE checkpoints SET note = replace(note, 'time 2026', 'time 2025') WHERE size = 1000",
        "UPDATE checkpoints SET note = 'nothing' WHERE size = 1300",
        "UPDATE cosignatures SET line = replace(line, 'A', 'B')",
    ],
)
def test_what_the_ledger_keeps_for_itself_is_verified_too(scene, statement):
    assert scene.after(run(statement)).faults


def test_a_later_run_goes_on_where_the_last_one_ended(scene, tmp_path):
    state = scene.after().verified
    state.keep(tmp_path / "state")
    state = Verified.read(tmp_path / "state")
    again = scene.after(since=state)
    assert again.faults == []
    assert again.checkpoints == 0
    late = scene.after(run("UPDATE event_log SET score_milli = 1 WHERE seq = 1310"), since=state)
    assert named(late)[1] == [(1310, 1310)]
    rewritten_tiles = scene.after(rewritten(scene.signer), since=state)
    assert rewritten_tiles.faults


@pytest.mark.parametrize("lost", [BlobDamaged, NotFound])
def test_replaced_or_removed_evidence_names_the_event(scene, lost):
    digest = "sha256:" + "a" * 64

    def attack(session):
        edited(session, 1310, doc_sha=[[digest, "application/pdf", "决定书", "/x"]])

    def held(source, asked):
        assert (source, asked) == ("enforcement", digest)
        if is_lost:
            raise lost

    is_lost = False
    assert scene.after(attack, held=held).faults == []
    is_lost = True
    assert named(scene.after(attack, held=held)) == ({"evidence"}, [(1310, 1310)])


def test_nothing_of_the_attacks_has_stayed(scene):
    assert scene.after(trust=scene.trust(*scene.memories)).faults == []
