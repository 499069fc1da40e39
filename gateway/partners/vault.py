"""
Vault: seals what must not lie open in the database: partners' secrets and the bodies of clues; and turns person
fields into keyed hashes.

One root key of 32 bytes in a file (mode 0600) that only the gateway reads; each purpose has its own key derived
from it (R27, R53). The person hash is HMAC-SM3, so that the same person can be matched and nobody named.
"""

import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Keys of several purposes, all derived from one root."""

    def __init__(self, root: bytes) -> None:
        if len(root) != KEY_BYTES:
            raise ValueError(f"the partner key must be {KEY_BYTES} bytes, not {len(root)}")
        self._root = root

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt and authenticate; `purpose` must be given again to open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key("seal")).encrypt(nonce, plain, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """The inverse of `seal`; raises ValueError when the key, the purpose or the bytes are others."""
        try:
            return AESGCM(self._key("seal")).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode()
            )
        except InvalidTag as error:
            raise ValueError(f"{purpose} was sealed with another key, or altered") from error

    def person_hash(self, value: str) -> str:
        """A keyed hash of a telephone or identity number: the same for the same person, saying nothing else."""
        mac = hmac.HMAC(self._key("person"), hashes.SM3())
        mac.update(b"fazhi/person/v1\n" + value.encode())
        return mac.finalize().hex()

    def _key(self, purpose: str) -> bytes:
        info = f"fazhi/vault/v1/{purpose}".encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(self._root)


def make_root(path: Path) -> None:
    """Make a root key file (mode 0600) unless it exists; two processes starting at once get the same key."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    whole.touch(mode=0o600)
    whole.write_bytes(secrets.token_bytes(KEY_BYTES))
    with suppress(FileExistsError):
        path.hardlink_to(whole)
    whole.unlink()


def read_root(path: Path) -> bytes:
    """The root key; raises PermissionError when others may read or change the file (R53)."""
    if path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise PermissionError(f"{path} can be read or changed by others; run: chmod 640 {path}")
    return path.read_bytes()
