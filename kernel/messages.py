"""
Messages: what travels between services, as the bus sees it: bytes with a name.

`source` is the publishing service, `name` the versioned wire name ("scored.v1"); together they are the
exchange ("<source>.events") and the routing key. What the bytes mean is agreed in proto/.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "application/x-protobuf"
MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, going out or come in."""

    id: str
    source: str
    name: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = CONTENT_TYPE

    @property
    def exchange(self) -> str:
        """The topic exchange of the publishing service."""
        return f"{self.source}.events"


@dataclass(frozen=True, slots=True)
class Queue:
    """
    A durable queue and the wire names it collects, as (source, name) pairs.

    Declared once, in contracts.topology; both buses and every @subscribe refer to that object.
    """

    name: str
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """
    One fact out of a message, the unit of de-duplication.

    `key` is unique with `source` for ever; `raw` are the exact bytes whose hash tells a repeat from a
    forgery with a used id; `value` is the decoded fact.
    """

    source: str
    key: str
    raw: bytes
    value: object

    @property
    def digest(self) -> bytes:
        """SHA-256 of the raw bytes."""
        return hashlib.sha256(self.raw).digest()


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A fact that cannot be taken: it goes to quarantine with its bytes and the reason.

    `raw` is a message body by itself, so that it can be released through the same door after a fix.
    """

    source: str
    raw: bytes
    code: str
    reason: str
