"""
Signing of scored events 来源签名 (R21): one signature of the source over the statements of a message.

It is made in the transaction that writes the outbox, over the root of a tree of the statements, under a prefix of its
own (R22). Every event carries its own proof (kernel/ledger/batch.py), so one may be taken out of its message, held and
released alone, and end as a leaf, and still prove that its source said it. signatures.py checks.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.findings.statement import canonical, statement
from kernel.access.keyring import RingKey
from kernel.ledger.batch import sign_batch
from kernel.ledger.note import ED25519, NoteKey
from kernel.storage.work import Work
from kernel.telemetry.log import logger

log = logger(__name__)

PREFIX = b"fazhi/source/v1\n"


def signed_text(source: str, root: bytes) -> bytes:
    """What a source signs of a batch with this root."""
    return PREFIX + source.encode() + b"\n" + root


def named(source: str, key: RingKey) -> NoteKey:
    """A key of a source as signatures name it: the key id is bound to the source's name."""
    public = key.key.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return NoteKey(source, ED25519, public)


def signed_again(work: Work, body: bytes) -> bytes:
    """A message body of this service, signed with the key that is active now; as it is where the service has none."""
    told = ScoredEvents.FromString(body)
    sign(work, told.events)
    return told.SerializeToString(deterministic=True)


def sign(work: Work, events: Sequence[ScoredEvent]) -> None:
    """
    Sign these events, one message of them, with the active key of the service; without keys they stay unsigned.

    Which key is active is a matter of the real time, in which people rotate keys, also where a demonstration's clock
    stands in the past. While all keys are pending nothing is signed: so an installation that was upgraded begins to
    sign at a moment known beforehand.
    """
    keys = work.source_keys() if events else None
    if keys is None:
        return
    try:
        key = keys.ring().signing(datetime.now(UTC))
    except LookupError:
        log.warning("source_not_signing", service=work.source)
        return
    if not key.key.is_private:  # a file of public keys was put in its place
        log.warning("source_not_signing", service=work.source, key=key.kid)
        return
    sign_with(key, work.source, events)


def sign_with(key: RingKey, source: str, events: Sequence[ScoredEvent]) -> None:
    """Sign these events of a source, one message of them; raises ValueError for a key without its private half."""
    if not key.key.is_private:
        raise ValueError(f"the private half of {key.kid} is not here")
    private = cast(Ed25519PrivateKey, key.key.private_key)  # a ring has no other kind
    written = sign_batch(
        [canonical(statement(event)) for event in events],
        named(source, key).key_id,
        lambda root: private.sign(signed_text(source, root)),
    )
    for event, proof in zip(events, written, strict=True):
        event.source_sig = proof
