"""Ids: UUIDv7 as text, made by the caller before its transaction, so that a retry carries the same id."""

import hashlib
import re

import uuid_utils

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def new_id() -> str:
    """A fresh UUIDv7: unique, and sorted by the time it was made."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Whether this is a UUID in canonical lower-case form."""
    return _UUID.match(text) is not None


def derived_id(*parts: str) -> str:
    """
    The same id for the same parts, for facts that several attempts may make.

    Parts are hashed with their lengths, so ("ab", "c") and ("a", "bc") differ. The form is a UUIDv8.
    """
    hasher = hashlib.sha256(b"kernel/derived-id/v1\n")
    for part in parts:
        raw = part.encode()
        hasher.update(len(raw).to_bytes(4, "big") + raw)
    digest = bytearray(hasher.digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
