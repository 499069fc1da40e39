"""
Attacks 篡改 on a ledger under proof, each as thorough as its attacker can be, by a superuser with triggers disabled.

An attack is a function of a session that gives the first and last number of what it touched. Whoever can write a row
can write its hash, its tiles and its checkpoints too; what he cannot write are signatures of keys he does not have,
and what others remember. Attacks on the audit log stand beside them.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from kernel.ids import new_id
from kernel.ledger.checkpoint import Checkpoint, chain_hash, read_checkpoint
from kernel.ledger.note import Note, NoteSigner, read_note
from kernel.ledger.tiles import Edge
from kernel.ledger.tree import SHA256, SM3
from kernel.storage.audit_log import leaf_of
from kernel.storage.setwise import write_rows
from services.assessment.ledger.model import LEDGER_TILES
from services.assessment.ledger.stored import tile_rows
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.tables import SPINE

Touched = tuple[int, int]
Attack = Callable[[Session, random.Random], Touched]
DISABLED = text("SET LOCAL session_replication_role = replica")
_REST = ", ".join(column.name for column in EVENT_LOG.c if column.name not in ("seq", "event_id"))


def one_digit(session: Session, chance: random.Random) -> Touched:
    """A better mark in the leaf and its column; the stored hash is forgotten."""
    seq = _a_failure(session, chance)
    edited(session, seq, rehashed=False, score="0.950", columns={"score_milli": 950})
    return seq, seq


def one_digit_in_a_column(session: Session, chance: random.Random) -> Touched:
    """Only the figure that scores are counted from; the leaf stays good. One that moves a score: not below the floor."""
    seq = _a_failure(session, chance, _MOVES)
    _run(session, "UPDATE event_log SET score_milli = 950 WHERE seq = :seq", seq=seq)
    return seq, seq


def a_time(session: Session, chance: random.Random) -> Touched:
    """An act moved by a second, with its hash."""
    seq = _somewhere(session, chance)
    row = session.execute(text("SELECT leaf FROM event_log WHERE seq = :seq"), {"seq": seq}).one()
    before = orjson.loads(row.leaf)["occurred_at"]
    second = "00" if before[17:19] != "00" else "01"
    moved = f"{before[:17]}{second}{before[19:]}"
    edited(session, seq, occurred_at=moved, columns={"occurred_at": moved})
    return seq, seq


def swapped(session: Session, chance: random.Random) -> Touched:
    """Two rows exchange their places, and say so in their leaves and hashes."""
    first, last = sorted(chance.sample(range(2, _size(session)), 2))
    for old, new in ((first, -1), (last, first), (-1, last)):
        _run(session, "UPDATE event_log SET seq = :new WHERE seq = :old", old=old, new=new)
    for seq in (first, last):
        edited(session, seq, seq=seq)
    return first, last


def one_deleted(session: Session, chance: random.Random) -> Touched:
    """One row is gone."""
    seq = _somewhere(session, chance)
    _run(session, "DELETE FROM event_log WHERE seq = :seq", seq=seq)
    return seq, seq


def tail_deleted(count: int) -> Attack:
    """So many of the last rows are gone, and the head agrees."""

    def attack(session: Session, chance: random.Random) -> Touched:
        del chance
        size = _size(session)
        _run(session, "DELETE FROM event_log WHERE seq > :left", left=size - count)
        _run(session, "UPDATE log_head SET size = :left", left=size - count)
        return size - count + 1, size

    return attack


def one_inserted(session: Session, chance: random.Random) -> Touched:
    """A copy of an event under a fresh UUIDv7 in the middle; all later ones move on, and the head agrees."""
    seq = _somewhere(session, chance)
    _run(session, "UPDATE event_log SET seq = -seq - 1 WHERE seq >= :seq", seq=seq)
    _run(session, "UPDATE event_log SET seq = -seq WHERE seq < 0")
    _run(
        session,
        f"INSERT INTO event_log (seq, event_id, {_REST}) "  # noqa: S608  (names of ours)
        f"SELECT CAST(:seq AS bigint), CAST(:id AS uuid), {_REST} FROM event_log WHERE seq = :next",
        seq=seq,
        id=(fresh := new_id()),
        next=seq + 1,
    )
    edited(session, seq, event_id=fresh, seq=seq)
    _run(session, "UPDATE log_head SET size = size + 1")
    return seq, _size(session)


def other_unit(session: Session, chance: random.Random) -> Touched:
    """An event is laid at another unit's door, in leaf, hash and column."""
    seq = _somewhere(session, chance)
    query = text("SELECT min(unit) FROM event_log WHERE unit <> (SELECT unit FROM event_log WHERE seq = :s)")
    unit = session.execute(query, {"s": seq}).scalar_one()
    edited(session, seq, unit=unit, columns={"unit": unit})
    return seq, seq


def everything_recomputed(session: Session, chance: random.Random) -> Touched:
    """An edit, and every hash, tile and chain column made anew; only the signatures stay what they were."""
    touched = other_unit(session, chance)
    recomputed(session)
    sealed_anew(session, None)
    return touched


def signed_anew(signer: NoteSigner | None = None) -> Attack:
    """The same, signed anew: with a key of the attacker's own under the log's name, or with the log's, stolen."""

    def attack(session: Session, chance: random.Random) -> Touched:
        touched = other_unit(session, chance)
        recomputed(session)
        _run(session, "DELETE FROM cosignatures")
        sealed_anew(session, signer or _stranger(session))
        return touched

    return attack


def one_digit_signed_anew(signer: NoteSigner) -> Attack:
    """A better mark, every hash recomputed, and all of it signed with the log's own key, stolen."""

    def attack(session: Session, chance: random.Random) -> Touched:
        seq = _a_failure(session, chance)
        edited(session, seq, score="0.950", columns={"score_milli": 950})
        recomputed(session)
        _run(session, "DELETE FROM cosignatures")
        sealed_anew(session, signer)
        return seq, seq

    return attack


def appended(session: Session, chance: random.Random) -> Touched:
    """An event no source told, at the end, where it will be sealed in good faith; its signature is another's."""
    seq, fresh = _size(session) + 1, new_id()
    _run(
        session,
        f"INSERT INTO event_log (seq, event_id, {_REST}) "  # noqa: S608  (names of ours)
        f"SELECT CAST(:seq AS bigint), CAST(:id AS uuid), {_REST} FROM event_log WHERE seq = :like",
        seq=seq,
        id=fresh,
        like=_somewhere(session, chance),
    )
    edited(session, seq, event_id=fresh, seq=seq)
    _run(session, "UPDATE log_head SET size = size + 1")
    return seq, seq


def recomputed(session: Session) -> None:
    """All tiles of both trees made anew from the leaves, as far as the checkpoints go."""
    leaves = _leaves(session)
    newest = session.execute(text("SELECT max(size) FROM checkpoints")).scalar_one()
    _run(session, "DELETE FROM ledger_tiles")
    for hasher in (SHA256, SM3):
        pieces = Edge(hasher).append([hasher.leaf(leaf) for leaf in leaves[:newest]])
        write_rows(session, LEDGER_TILES, tile_rows(hasher, pieces))


def sealed_anew(session: Session, signer: NoteSigner | None) -> None:
    """Checkpoints made anew over the leaves there are; without a signer under the signatures of before."""
    leaves, previous, done = _leaves(session), bytes(32), 0
    edges = (Edge(SHA256), Edge(SM3))
    for size, written in session.execute(text("SELECT size, note FROM checkpoints ORDER BY size")).all():
        for hasher, edge in zip((SHA256, SM3), edges, strict=True):
            edge.append([hasher.leaf(leaf) for leaf in leaves[done:size]])
        done, note = size, read_note(written)
        said = read_checkpoint(note.text)
        made = Checkpoint(
            origin=said.origin,
            size=size,
            root=edges[0].root(),
            sm3_root=edges[1].root(),
            previous=previous,
            time=said.time,
        ).text
        fresh = Note(made, (signer.sign(made),) if signer else note.signatures)
        _run(session, "UPDATE checkpoints SET note = :note WHERE size = :size", note=str(fresh), size=size)
        previous = chain_hash(made)


def edited(
    session: Session,
    place: int,
    *,
    rehashed: bool = True,
    columns: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Change the leaf of the event at a place, and the columns and the hash that go with it."""
    query = text("SELECT leaf FROM event_log WHERE seq = :place")
    written = session.execute(query, {"place": place}).scalar_one()
    leaf = orjson.dumps(orjson.loads(written) | changes, option=orjson.OPT_SORT_KEYS)
    values = {**(columns or {}), "leaf": leaf.decode()}
    if rehashed:
        values["leaf_hash"] = hashlib.sha256(b"\x00" + leaf).hexdigest()
    named = ", ".join(f"{name} = :{name}" for name in values)
    _run(session, f"UPDATE event_log SET {named} WHERE seq = :place", place=place, **values)  # noqa: S608


# ---- the audit log ---------------------------------------------------------------------------------------------------


def audit_altered(session: Session, chance: random.Random) -> Touched:
    """Somebody else did it."""
    number, record = _an_audit_record(session, chance)
    session.execute(update(SPINE.audit).where(SPINE.audit.c.id == record).values(actor="somebody-else"))
    return number, number


def audit_altered_with_its_hash(session: Session, chance: random.Random) -> Touched:
    """Somebody else did it, and the hash beside the record agrees."""
    number, record = _an_audit_record(session, chance)
    session.execute(update(SPINE.audit).where(SPINE.audit.c.id == record).values(actor="somebody-else"))
    row = session.execute(select(SPINE.audit).where(SPINE.audit.c.id == record)).mappings().one()
    leaves = SPINE.audit_leaves
    session.execute(update(leaves).where(leaves.c.id == record).values(leaf_hash=leaf_of(row)[1]))
    return number, number


def audit_deleted(session: Session, chance: random.Random) -> Touched:
    """A record is gone; its hash stays."""
    number, record = _an_audit_record(session, chance)
    session.execute(delete(SPINE.audit).where(SPINE.audit.c.id == record))
    return number, number


def audit_inserted(session: Session, chance: random.Random) -> Touched:
    """A record that nobody made, beside the log."""
    _, record = _an_audit_record(session, chance)
    row = session.execute(select(SPINE.audit).where(SPINE.audit.c.id == record)).mappings().one()
    values = {name: value for name, value in row.items() if name != "seq"} | {"id": new_id()}
    session.execute(insert(SPINE.audit).values(values))
    return 0, 0


def audit_rewritten(session: Session, chance: random.Random) -> Touched:
    """Record and hash altered, and every checkpoint in the database taken away: only one kept elsewhere knows."""
    touched = audit_altered_with_its_hash(session, chance)
    session.execute(delete(SPINE.audit_checkpoints))
    return touched


def _an_audit_record(session: Session, chance: random.Random) -> tuple[int, str]:
    leaves = SPINE.audit_leaves
    rows = session.execute(select(leaves.c.number, leaves.c.id).order_by(leaves.c.number)).all()
    chosen = rows[chance.randrange(len(rows))]
    return chosen.number, str(chosen.id)


def _stranger(session: Session) -> NoteSigner:
    written = session.execute(text("SELECT note FROM checkpoints LIMIT 1")).scalar_one()
    return NoteSigner(read_checkpoint(read_note(written).text).origin, Ed25519PrivateKey.generate())


# Probes that count from 0.6 on, where the unit is above that.
_MOVES = (
    " AND probe IN ('ENF-TIM-01', 'ENF-TIM-02', 'ENF-TIM-04', 'ENF-PUB-01', 'ENF-REC-01') AND (SELECT avg(score_milli) "
    "FROM event_log o WHERE o.unit = e.unit AND o.probe = e.probe AND o.outcome IN (1, 2)) BETWEEN 650 AND 999"
)


def _a_failure(session: Session, chance: random.Random, which: str = "") -> int:
    """An event whose mark counts: neither corrected nor a correction."""
    wanted = (
        "SELECT seq FROM event_log e WHERE outcome = 2 AND corrects IS NULL AND seq <= :end AND NOT EXISTS "
        "(SELECT 1 FROM event_log c WHERE c.corrects = e.event_id)"
    )
    query = text(wanted + which + " ORDER BY seq")
    return int(chance.choice(session.execute(query, {"end": _sealed(session)}).scalars().all()))


def _somewhere(session: Session, chance: random.Random) -> int:
    return chance.randrange(2, _sealed(session))


def _size(session: Session) -> int:
    return int(session.execute(text("SELECT max(seq) FROM event_log")).scalar_one())


def _sealed(session: Session) -> int:
    return int(session.execute(text("SELECT max(size) FROM checkpoints")).scalar_one())


def _leaves(session: Session) -> list[bytes]:
    return [row.leaf.encode() for row in session.execute(text("SELECT leaf FROM event_log ORDER BY seq"))]


def _run(session: Session, statement: str, **values: Any) -> None:
    session.execute(text(statement), values)
