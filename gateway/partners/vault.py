"""
Vault: seals what must not lie open in the database: partners' secrets and the bodies of clues; and turns person
fields into keyed hashes.

A root key is 32 bytes; the file (mode 0600), which only the gateway reads, holds one or several, newest first. The
newest when the process started seals, any opens, and what none of them opens is tried with the file read again: so a
new root is handed out first and seals after one rolling restart, with nothing refused in between (R27, R53). Each
purpose has its own key derived from the root. The person hash is HMAC-SM3 with the oldest root, which therefore
stays: the same person must be matched across all years and nobody named.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kernel.access.files import is_open, make_file, replace_file

KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Keys of several purposes, all derived from roots. `again` reads the roots anew."""

    def __init__(self, roots: bytes, again: Callable[[], bytes] | None = None) -> None:
        self._roots = split_roots(roots)
        self._seals_with = self._roots[0]
        self._again = again

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt and authenticate; `purpose` must be given again to open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(_derived(self._seals_with, "seal")).encrypt(nonce, plain, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """The inverse of `seal`; raises ValueError when the key, the purpose or the bytes are others."""
        opened = _opened(self._roots, purpose, sealed)
        if opened is None and self._again is not None:
            self._roots = split_roots(self._again())
            opened = _opened(self._roots, purpose, sealed)
        if opened is None:
            raise ValueError(f"{purpose} was sealed with another key, or altered")
        return opened

    def person_hash(self, value: str) -> str:
        """A keyed hash of a telephone or identity number: the same for the same person, saying nothing else."""
        mac = hmac.HMAC(_derived(self._roots[-1], "person"), hashes.SM3())
        mac.update(b"fazhi/person/v1\n" + value.encode())
        return mac.finalize().hex()


def split_roots(content: bytes) -> list[bytes]:
    """The roots in a file, newest first. Raises ValueError for anything but whole roots."""
    if not content or len(content) % KEY_BYTES:
        raise ValueError(f"the partner keys must be {KEY_BYTES} bytes each, not {len(content)} in all")
    return [content[place : place + KEY_BYTES] for place in range(0, len(content), KEY_BYTES)]


def make_root(path: Path) -> None:
    """Make a root key file (mode 0600) unless it exists; two processes starting at once get the same key."""
    make_file(path, secrets.token_bytes(KEY_BYTES))


def add_root(path: Path) -> int:
    """Put a new root before those in a file; returns how many there are now."""
    roots = [secrets.token_bytes(KEY_BYTES), *split_roots(read_root(path))]
    replace_file(path, b"".join(roots))
    return len(roots)


def read_root(path: Path) -> bytes:
    """The roots in a file; raises PermissionError when others may read or change the file (R53)."""
    if is_open(path):
        raise PermissionError(f"{path} can be read or changed by others; run: chmod 600 {path}")
    return path.read_bytes()


def _opened(roots: list[bytes], purpose: str, sealed: bytes) -> bytes | None:
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    for root in roots:
        with suppress(InvalidTag):
            return AESGCM(_derived(root, "seal")).decrypt(nonce, body, purpose.encode())
    return None


def _derived(root: bytes, purpose: str) -> bytes:
    info = f"fazhi/vault/v1/{purpose}".encode()
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(root)
