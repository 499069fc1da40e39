"""
Signatures of sources 来源签名, checked (R21): at assessment's door, and again on every leaf of its log.

A source whose public keys are known must have signed; of one whose keys nobody has given us nothing can be said, and
its events are taken as they are. What was told before a source began to sign is let be, and so is, for a day, what was
recorded before and was still on its way. The signature of a message is checked once, however many events it has.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.findings.signing import named, signed_text
from contracts.findings.statement import canonical
from kernel.access.keyring import Ring, RingKey, public_key
from kernel.errors import Invalid
from kernel.ledger.batch import ProofMalformed, read_proof, sign_batch
from kernel.ledger.note import ED25519, NoteKey, read_key
from kernel.ledger.tree import ProofWrong
from kernel.storage.types import parse_time

Rings = Callable[[str, bool], Ring | None]
Fault = tuple[str, str]
IN_FLIGHT = timedelta(days=1)  # what was told unsigned may still be on its way when a source begins to sign
# A revocation reaches every process within ten minutes; what the door took until then is no fault of the log.
SPREADING = timedelta(minutes=10)
_REASONS = {
    "missing": (
        "来源 {source} 已有签名的钥匙，这一事件却没有签名：请核对该服务的 FAZHI_SOURCE_KEY_FILE；"
        "确是来源所告知的，拒收这一条，再用 fazhi reconcile --resend 签名补发"
    ),
    "malformed": "来源签名的格式有误：请核对来源服务的版本；拒收这一条，再用 fazhi reconcile --resend 签名补发",
    "unknown_key": (
        "签名所用的钥匙 {key} 不在来源 {source} 的公钥之列：请把该来源的公钥文件分发到考核"
        "（FAZHI_SOURCE_PUBLIC_KEYS），再放行这一条"
    ),
    "revoked_key": (
        "签名所用的钥匙 {key} 已于 {at} 撤销：请向来源核实；属实的，拒收这一条，"
        "再用 fazhi reconcile --resend 以新钥匙签名补发"
    ),
    "wrong": (
        "签名不成立：这一事件不是来源 {source} 告知的，或在途中被改动。请不要放行，报告安全管理员，"
        "并用 fazhi reconcile 与来源核对"
    ),
}


class Standing(StrEnum):
    """What is known of who said an event."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"  # told before the source began to sign
    UNCHECKED = "unchecked"  # no key of the source is known here
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SourceKey:
    """Public key 来源公钥 of a source, with since when it signs and since when it is revoked."""

    key: NoteKey
    signs_from: datetime | None = None
    revoked_at: datetime | None = None

    def __str__(self) -> str:
        """For the independent verifier: name+id+base64, and after commas from= and revoked=."""
        said = [str(self.key)]
        said += [
            f"{name}={at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            for name, at in (("from", self.signs_from), ("revoked", self.revoked_at))
            if at
        ]
        return ",".join(said)


@dataclass(frozen=True, slots=True)
class _Known:
    ring: Ring
    keys: Mapping[bytes, tuple[NoteKey, RingKey]]

    @property
    def since(self) -> datetime | None:
        """Since when this source signs; None: it always has."""
        starts = [each.active_from for each in self.ring.keys]
        return None if None in starts or not starts else min(filter(None, starts))

    def is_before(self, at: datetime, recorded_at: str) -> bool:
        """Whether an event of these times may be older than the signing."""
        since = self.since
        if since is None:
            return False
        return at < since or (at < since + IN_FLIGHT and parse_time(recorded_at) < since)


class Signatures:
    """Checks what sources have signed against their public keys, which may change while we run."""

    def __init__(self, rings: Rings) -> None:
        self._rings = rings
        self._known: dict[str, _Known] = {}

    def judge_message(
        self, told: Sequence[tuple[Mapping[str, Any], str]], at: datetime
    ) -> list[tuple[Standing, Fault | None]]:
        """The same of what one message told: a batch that is whole is known by its root, without each way to it."""
        if len(told) > 1 and self._is_whole(told):
            return [(Standing.SIGNED, None)] * len(told)
        return [self.judge(said, written, at) for said, written in told]

    def _is_whole(self, told: Sequence[tuple[Mapping[str, Any], str]]) -> bool:
        """Whether these are all events of one signed batch, in order, and it is good beyond doubt."""
        source = told[0][0]["source"]
        known = self._of(source)
        try:
            first = read_proof(told[0][1])
        except ProofMalformed:
            return False
        if known is None or first.size != len(told) or first.key_id not in known.keys:
            return False
        key, ring_key = known.keys[first.key_id]
        roots: list[bytes] = []
        expected = sign_batch(
            [canonical(said) for said, _ in told],
            first.key_id,
            lambda root: roots.append(root) or first.signature,  # type: ignore[func-returns-value]
        )
        return (
            ring_key.revoked_at is None
            and expected == [written for _, written in told]
            and _signed(key, first.signature, roots[0])
        )

    def judge(self, said: Mapping[str, Any], written: str, at: datetime) -> tuple[Standing, Fault | None]:
        """
        Whether its source said this, by a signature as written, of an event received at this moment.

        A fault is a stable code and a reason in words; it comes with REFUSED only.
        """
        source = said["source"]
        known = self._of(source)
        if known is None:
            return Standing.UNCHECKED, None
        fault = self._fault(known, source, said, written, at)
        if fault is None:
            return Standing.SIGNED, None
        if known.is_before(at, said["recorded_at"]):
            return Standing.UNSIGNED, None
        return Standing.REFUSED, fault

    def _fault(
        self, known: _Known, source: str, said: Mapping[str, Any], written: str, at: datetime
    ) -> Fault | None:
        if not written:
            return _refusal("missing", source=source)
        try:
            proof = read_proof(written)
            root = proof.root(canonical(said))
        except ProofMalformed:
            return _refusal("malformed")
        except ProofWrong:
            return _refusal("wrong", source=source)
        if proof.key_id not in known.keys:  # perhaps it was made a moment ago
            known = self._of(source, afresh=True) or known
        if (found := known.keys.get(proof.key_id)) is None:
            return _refusal("unknown_key", source=source, key=proof.key_id.hex())
        key, ring_key = found
        if ring_key.revoked_at is not None and at >= ring_key.revoked_at:
            return _refusal(
                "revoked_key", key=proof.key_id.hex(), at=f"{ring_key.revoked_at:%Y-%m-%d %H:%M:%S} UTC"
            )
        return None if _signed(key, proof.signature, root) else _refusal("wrong", source=source)

    def _of(self, source: str, *, afresh: bool = False) -> _Known | None:
        ring = self._rings(source, afresh)
        if ring is None:
            return None
        known = self._known.get(source)
        if known is None or known.ring is not ring:
            pairs = [(named(source, each), each) for each in ring.keys]
            known = self._known[source] = _Known(ring, {key.key_id: (key, each) for key, each in pairs})
        return known


@lru_cache(maxsize=4096)
def _signed(key: NoteKey, signature: bytes, root: bytes) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        public.verify(signature, signed_text(key.name, root))
    except InvalidSignature:
        return False
    return True


def _refusal(kind: str, **about: str) -> Fault:
    return f"contracts.signature_{kind}", _REASONS[kind].format(**about)


def keys_of(source: str, ring: Ring) -> tuple[SourceKey, ...]:
    """The public keys of a source's ring."""
    return tuple(SourceKey(named(source, each), each.active_from, each.revoked_at) for each in ring.keys)


def read_source_key(written: str) -> SourceKey:
    """A key as `str` writes it; raises Invalid."""
    vkey, *said = written.strip().split(",")
    key = read_key(vkey)
    if key.kind != ED25519:
        raise Invalid(f"“{written[:60]}”不是来源的公钥。", code="contracts.source_key")
    try:
        times = {name: parse_time(at) for name, _, at in (one.partition("=") for one in said)}
    except ValueError as error:
        raise Invalid(f"“{written[:100]}”里的时刻有误。", code="contracts.source_key") from error
    if not times.keys() <= {"from", "revoked"}:
        raise Invalid(f"“{written[:100]}”里只认 from= 和 revoked=。", code="contracts.source_key")
    return SourceKey(key, times.get("from"), times.get("revoked"))


def rings_of(keys: Iterable[SourceKey]) -> Rings:
    """The rings of keys given one by one."""
    given: dict[str, list[RingKey]] = {}
    for each in keys:
        ring_key = public_key(each.key.public, active_from=each.signs_from, revoked_at=each.revoked_at)
        given.setdefault(each.key.name, []).append(ring_key)
    rings = {source: Ring(found) for source, found in given.items()}
    return lambda source, _afresh: rings.get(source)
