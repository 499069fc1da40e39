"""
Key ring 签名钥匙串: the keys that sign and check tokens, in one PEM file (R27, R53).

One key signs: the last that has become active. Every key that is not revoked checks, so what an earlier key signed
goes on being honoured, and a later key may be handed out before it is used. The name of a key is the hash of its
public half (RFC 7638). The lines before a PEM block, which RFC 7468 allows and `openssl` skips, say since when the
key may sign and since when it is revoked; a file with one plain key, or several joined with `cat`, is a ring too.

`KeyFile` reads the file again when it changes, so that no process is started anew for it; `KeyFolder` keeps one ring a
name. See tokens.py.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import OKPKey

from kernel.access.files import is_open_key
from kernel.telemetry.log import logger

log = logger(__name__)

CURVE = "Ed25519"
LOOK_SECONDS = 1.0
KEPT_RETIRED = timedelta(days=1)  # tokens live five minutes
_BLOCK = re.compile(
    rb"(?P<said>[^-]*(?:-[^-]+)*?)(?P<pem>-----BEGIN (?P<kind>PRIVATE|PUBLIC) KEY-----.+?-----END (?P=kind) KEY-----)",
    re.DOTALL,
)
_SAID = re.compile(rb"^(active-from|revoked-at): (\S+)$", re.MULTILINE)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class State(StrEnum):
    """What a key may do: pending keys only check, the active one signs, retired ones still check, revoked none."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class RingKey:
    """One key; `active_from` None means from the beginning."""

    kid: str
    key: OKPKey
    active_from: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """When it may begin to sign."""
        return self.active_from or _BEGINNING

    @property
    def public(self) -> "RingKey":
        """The same key without its private half."""
        return replace(self, key=OKPKey.import_key(self.key.as_pem(private=False)))

    def text(self) -> bytes:
        """Its block in the file, and the lines before it."""
        said = [f"kid: {self.kid}"]
        if self.active_from:
            said.append(f"active-from: {_moment(self.active_from)}")
        if self.revoked_at:
            said.append(f"revoked-at: {_moment(self.revoked_at)}")
        return "\n".join(said).encode() + b"\n" + self.key.as_pem(private=self.key.is_private)


class Ring:
    """Some keys; nothing here changes, operations return another ring."""

    def __init__(self, keys: Iterable[RingKey]) -> None:
        self.keys = tuple(sorted(keys, key=lambda each: each.since))
        self._by_kid = {each.kid: each for each in self.keys}

    def ring(self, *, afresh: bool = False) -> "Ring":  # noqa: ARG002
        """Itself: keys that are never replaced, where a KeyFile says those of its file."""
        return self

    def signing(self, now: datetime) -> RingKey:
        """The active key; raises LookupError when all are revoked or pending."""
        for each in reversed(self.keys):
            if self.state(each, now) is State.ACTIVE:
                return each
        raise LookupError("no key of this ring may sign now")

    def checking(self, kid: str) -> tuple[RingKey, ...]:
        """The keys that may have signed what names this key: that one; all, where none is named."""
        if kid:
            found = self._by_kid.get(kid)
            return () if found is None or found.revoked_at else (found,)
        return tuple(each for each in self.keys if not each.revoked_at)

    def state(self, key: RingKey, now: datetime) -> State:
        """What a key of this ring may do at a moment."""
        if key.revoked_at:
            return State.REVOKED
        if key.since > now:
            return State.PENDING
        return State.RETIRED if self._successor(key, now) else State.ACTIVE

    def rotated(self, now: datetime, *, after: timedelta, forgets: bool = True) -> "Ring":
        """
        With a new key that signs from `now + after`.

        What has retired loses its private half at the next turn, and is forgotten a day later, unless what it signed
        is kept for ever (`forgets` False); what was revoked stays named, so that nobody wonders where it went.
        """
        kept = [self._faded(each, now) for each in self.keys if not (forgets and self._is_over(each, now))]
        return Ring([*kept, new_key(active_from=now + after)])

    def revoked(self, kid: str, now: datetime) -> "Ring":
        """With this key revoked, and a new one active at once where nobody would sign. Raises LookupError."""
        if kid not in self._by_kid:
            raise LookupError(kid)
        taken = replace(self._by_kid[kid].public, revoked_at=self._by_kid[kid].revoked_at or now)
        left = Ring([taken, *(each for each in self.keys if each.kid != kid)])
        signers = [
            each for each in left.keys if left.state(each, now) is State.ACTIVE and each.key.is_private
        ]
        return left if signers else Ring([*left.keys, new_key(active_from=now)])

    def public_text(self) -> bytes:
        """The file for those who check."""
        return b"\n".join(each.public.text() for each in self.keys)

    def text(self) -> bytes:
        """The file for the one that signs, with the private halves it has."""
        return b"\n".join(each.text() for each in self.keys)

    def _successor(self, key: RingKey, now: datetime) -> RingKey | None:
        later = self.keys[self.keys.index(key) + 1 :]
        return next((each for each in later if not each.revoked_at and each.since <= now), None)

    def _faded(self, key: RingKey, now: datetime) -> RingKey:
        return key.public if self.state(key, now) is State.RETIRED else key

    def _is_over(self, key: RingKey, now: datetime) -> bool:
        successor = self._successor(key, now)
        return key.revoked_at is None and successor is not None and successor.since < now - KEPT_RETIRED


class KeyFile:
    """A ring in a file, read again when the file changed: looked at once a second, and at once when asked to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_as = self._stamp()
        self._ring = read_ring(path.read_bytes())
        self._looked_at = time.monotonic()

    def ring(self, *, afresh: bool = False) -> Ring:
        """The ring as the file has it; the last good one while the file cannot be read."""
        now = time.monotonic()
        if afresh or now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._look()
        return self._ring

    def _look(self) -> None:
        try:
            stamp = self._stamp()
            if stamp == self._read_as:
                return
            ring = read_ring(self._path.read_bytes())
        except (OSError, ValueError) as error:
            log.warning("keys_not_read", file=str(self._path), error=repr(error))
            return
        self._ring, self._read_as = ring, stamp
        log.info("keys_read", file=str(self._path), keys=[each.kid for each in ring.keys])

    def _stamp(self) -> tuple[int, ...]:
        found = self._path.stat()  # through links: Kubernetes replaces a mounted file by turning a link
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class KeyFolder:
    """
    Rings by name, each in a file of its own in a folder: PREFIX-NAME.pub.pem, or PREFIX-NAME.pem where keys are made.

    A file that comes later is found within a second. One that cannot be read is a ring without keys: nothing is
    believed of whose keys should be there.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._files: dict[str, KeyFile | None] = {}
        self._looked_at = 0.0
        self._look()

    @property
    def names(self) -> tuple[str, ...]:
        """Whose rings are there, in order."""
        self._look()
        return tuple(sorted(self._files))

    def ring(self, name: str, *, afresh: bool = False) -> Ring | None:
        """The ring of this name; None where nobody has put one there."""
        if self._files.get(name) is None:
            self._look(afresh=afresh)
        if name not in self._files:
            return None
        file = self._files[name]
        return Ring(()) if file is None else file.ring(afresh=afresh)

    def _look(self, *, afresh: bool = False) -> None:
        now = time.monotonic()
        if not afresh and self._looked_at and now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        for path in sorted(
            self._folder.glob(f"{self._prefix}-*.pem"), key=lambda each: ".pub" not in each.name
        ):
            name = path.name.removeprefix(f"{self._prefix}-").removesuffix(".pem").removesuffix(".pub")
            if self._files.get(name) is not None:
                continue
            try:
                self._files[name] = KeyFile(path)
            except (OSError, ValueError) as error:
                log.warning("keys_not_read", file=str(path), error=repr(error))
                self._files.setdefault(name, None)


def read_ring(content: bytes) -> Ring:
    """The keys in the text of a file; raises ValueError when there are none, or a block is no Ed25519 key."""
    found = [_read(match["said"], match["pem"]) for match in _BLOCK.finditer(content)]
    if not found or len(found) != content.count(b"-----BEGIN "):
        raise ValueError("not a ring of PEM keys")
    return Ring(found)


def new_key(*, active_from: datetime | None = None) -> RingKey:
    """A key nobody had before."""
    return private_key(Ed25519PrivateKey.generate().private_bytes_raw(), active_from=active_from)


def private_key(raw: bytes, *, active_from: datetime | None = None) -> RingKey:
    """The key of these 32 bytes."""
    private = Ed25519PrivateKey.from_private_bytes(raw)
    key = OKPKey.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return RingKey(key.thumbprint(), key, active_from)


def public_key(
    raw: bytes, *, active_from: datetime | None = None, revoked_at: datetime | None = None
) -> RingKey:
    """A key of which only the 32 bytes of the public half are known."""
    pem = Ed25519PublicKey.from_public_bytes(raw).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    key = OKPKey.import_key(pem)
    return RingKey(key.thumbprint(), key, active_from, revoked_at)


def warn_of_readers(path: Path) -> None:
    """Say aloud that others may read a private key; production refuses to start instead (kernel/settings.py)."""
    if is_open_key(path):
        log.warning("key_file_open", file=str(path), command=f"chmod 600 {path}")


def _read(said: bytes, pem: bytes) -> RingKey:
    key = OKPKey.import_key(pem)
    if key.curve_name != CURVE:
        raise ValueError(f"{key.curve_name} is no key for tokens")
    times = {name: datetime.fromisoformat(at.decode()) for name, at in _SAID.findall(said)}
    return RingKey(key.thumbprint(), key, times.get(b"active-from"), times.get(b"revoked-at"))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
