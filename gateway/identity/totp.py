"""
One-time codes 动态验证码 (RFC 6238) and recovery codes 恢复码.

SHA-1, six digits, thirty seconds: what every authenticator application understands. The key has 160 bits
(RFC 4226 R6); the code of the step before and of the step after is taken too, for clocks that go wrong by half a
minute. The step found is the caller's to remember: a code is taken once.
"""

import hashlib
import secrets
from datetime import datetime

import pyotp
import segno

ISSUER = "法治一体"
STEP_SECONDS = 30
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mistaken for one another
_GROUPS, _IN_A_GROUP = 4, 4


def new_key() -> str:
    """A key of 160 bits in base32."""
    return pyotp.random_base32(32)


def address(key: str, account: str) -> str:
    """The otpauth:// address an authenticator application reads."""
    return pyotp.TOTP(key).provisioning_uri(name=account, issuer_name=ISSUER)


def picture(text: str) -> str:
    """An address as a QR code 二维码: the data URI of an SVG picture."""
    return segno.make(text, error="m", micro=False).svg_data_uri(
        scale=5, border=4, dark="#101828", light="#fff"
    )


def matching_step(key: str, code: str, now: datetime) -> int | None:
    """The step a code belongs to, of this one, the one before and the one after; None when it is wrong."""
    generator, step, found = pyotp.TOTP(key), int(now.timestamp()) // STEP_SECONDS, None
    for near in (step - 1, step, step + 1):  # all of them, so that the time taken says nothing
        if secrets.compare_digest(generator.generate_otp(near), code):
            found = near
    return found


def is_code(text: str) -> bool:
    """Whether this is six digits, and not a recovery code."""
    return len(text) == 6 and text.isascii() and text.isdigit()


def typed(text: str) -> str:
    """What was typed, without blanks and dashes, in small letters."""
    return "".join(text.split()).replace("-", "").lower()


def new_recovery_codes() -> list[str]:
    """Ten codes of 79 bits, to be shown once."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_IN_A_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code; it is long enough that a fast hash cannot be searched."""
    return hashlib.sha256(b"fazhi/recovery/v1\n" + typed(code).encode()).hexdigest()
