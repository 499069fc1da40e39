"""
Signatures of outside systems 外部系统签名, after Standard Webhooks (R29).

The library `standardwebhooks` is not used: it reads the machine's clock, raises on bytes that are not UTF-8 and on
half a signature, and takes one key only. The scheme is the same, and tests hold the two against each other.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.errors import NotSignedIn

TOLERANCE = timedelta(seconds=300)
MAX_SIGNATURES = 8
ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
SYSTEM_HEADER = "x-fazhi-system"
_ID = re.compile(r"[A-Za-z0-9_:/=+-]{1,64}\Z")  # no full stop: it separates the parts that are signed
_TIME = re.compile(r"[0-9]{1,12}\Z")


class Unsigned(NotSignedIn):
    """The signature headers are missing or malformed."""

    code = "clues.unsigned"
    message = "请求未签名或签名头不完整，请带上 webhook-id、webhook-timestamp、webhook-signature 三个请求头。"


class BadSignature(NotSignedIn):
    """No key of that system fits."""

    code = "clues.bad_signature"
    message = "签名校验未通过，请核对系统名称、密钥和签名内容（编号.时间.正文原文）。"


class StaleSignature(NotSignedIn):
    """Signed too long ago, or ahead of time."""

    code = "clues.stale_signature"
    message = "签名时间与本系统相差超过 300 秒，请校准时钟后重新签名发送。"


@dataclass(frozen=True, slots=True)
class SignatureHeaders:
    """The three headers, well formed."""

    id: str
    timestamp: int
    signatures: tuple[bytes, ...]


def sign(secret: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers for a body."""
    timestamp = int(at.timestamp())
    mac = base64.b64encode(_mac(secret, message_id, timestamp, body)).decode()
    return {ID_HEADER: message_id, TIME_HEADER: str(timestamp), SIGNATURE_HEADER: f"v1,{mac}"}


def read_headers(headers: Mapping[str, str]) -> SignatureHeaders:
    """The signature headers of a request; raises Unsigned."""
    message_id, timestamp = headers.get(ID_HEADER, ""), headers.get(TIME_HEADER, "")
    given = headers.get(SIGNATURE_HEADER, "").split(" ")[:MAX_SIGNATURES]
    signatures = tuple(mac for mac in map(_decode, given) if mac)
    if not _ID.match(message_id) or not _TIME.match(timestamp) or not signatures:
        raise Unsigned()
    return SignatureHeaders(message_id, int(timestamp), signatures)


def demand_fresh(headers: SignatureHeaders, now: datetime) -> None:
    """Raise StaleSignature unless signed within 300 seconds of now."""
    if abs(now.timestamp() - headers.timestamp) > TOLERANCE.total_seconds():  # no date holds every number
        raise StaleSignature()


def fits(secret: bytes, headers: SignatureHeaders, body: bytes) -> bool:
    """Whether one of the signatures was made with this secret; compares all in constant time."""
    expected = _mac(secret, headers.id, headers.timestamp, body)
    return sum(hmac.compare_digest(expected, given) for given in headers.signatures) > 0


def read_secret_text(text: str) -> bytes:
    """The bytes of a secret written as `whsec_<base64>`."""
    return base64.b64decode(text.removeprefix("whsec_"))


def secret_text(secret: bytes) -> str:
    """A secret as it is handed to the partner."""
    return "whsec_" + base64.b64encode(secret).decode()


def _mac(secret: bytes, message_id: str, timestamp: int, body: bytes) -> bytes:
    return hmac.new(secret, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()


def _decode(signature: str) -> bytes:
    version, _, encoded = signature.partition(",")
    if version != "v1":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def lower_names(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; a name given twice is dropped, because nobody knows which one counts."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name, value in pairs:
        key = name.lower()
        if key in found:
            twice.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in twice}
