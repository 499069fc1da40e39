"""
Tokens: who is asking, signed by the one that knows, checked by everybody (R38).

Ed25519 only, five minutes, bound to an audience. Service-to-service tokens are the same with the service's
own name as account and the called service as audience. A token names the key that signed it (`kid`); which keys
there are, keyring.py says, and they may change while we run.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from kernel.access.files import make_file
from kernel.access.keyring import KeyFile, RingKey, new_key, read_ring
from kernel.access.principal import Principal
from kernel.clock import Clock
from kernel.errors import NotSignedIn

ALGORITHMS = ["Ed25519"]
LIFETIME = timedelta(minutes=5)
LEEWAY_SECONDS = 60
STAFF_AUDIENCE = "fazhi"


class TokenExpired(NotSignedIn):
    """The token was good and has run out; a new one may be had."""

    code = "identity.token_expired"
    message = "登录凭证已过期，请续期后重试。"


class Issuer:
    """Signs tokens, with the key that is active when it signs."""

    def __init__(self, keys: KeyFile | bytes, clock: Clock) -> None:
        self._keys = read_ring(keys) if isinstance(keys, bytes) else keys
        self._clock = clock

    def issue(self, principal: Principal, *, audience: str = STAFF_AUDIENCE, csrf: str = "") -> str:
        """A token for this principal, good for five minutes. Raises LookupError when no key may sign."""
        signing = self._keys.ring().signing(self._clock.now())
        now = int(self._clock.now().timestamp())
        claims = {
            "aud": audience,
            "sub": principal.account,
            "unit": principal.unit,
            "path": principal.unit_path,
            "home": principal.home,
            "roles": sorted(principal.roles),
            "sid": principal.session,
            "csrf": csrf,
            "enrolling": principal.is_enrolling,
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
        }
        header = {"alg": ALGORITHMS[0], "kid": signing.kid, "typ": "JWT"}
        return jwt.encode(header, claims, signing.key, algorithms=ALGORITHMS)

    @property
    def public_pem(self) -> bytes:
        """The public halves, for verifiers."""
        return self._keys.ring().public_text()


class Verifier:
    """Checks tokens against every key that is not revoked."""

    def __init__(self, keys: KeyFile | bytes, clock: Clock, audience: str = STAFF_AUDIENCE) -> None:
        self._keys = read_ring(keys) if isinstance(keys, bytes) else keys
        self._clock = clock
        self._audience = audience

    def principal(self, token: str) -> tuple[Principal, str]:
        """The principal and the CSRF value in a token; raises NotSignedIn or TokenExpired."""
        claims = self._claims(token)
        now = self._clock.now().timestamp()
        if claims.get("aud") != self._audience or claims.get("iat", 0) > now + LEEWAY_SECONDS:
            raise NotSignedIn()
        if claims.get("exp", 0) < now:
            raise TokenExpired()
        principal = Principal(
            account=claims["sub"],
            unit=claims["unit"],
            unit_path=claims["path"],
            home=claims.get("home", ""),  # a token of an older gateway, good for five minutes more
            roles=frozenset(claims["roles"]),
            session=claims["sid"],
            is_enrolling=bool(claims.get("enrolling", False)),
        )
        return principal, claims["csrf"]

    def _claims(self, token: str) -> dict[str, Any]:
        """What a token says, if one of our keys signed it; raises NotSignedIn."""
        try:
            kid = str(jws.extract_compact(token.encode()).headers().get("kid", ""))
        except (JoseError, ValueError, TypeError) as error:  # the library looks into what it has not checked
            raise NotSignedIn() from error
        # A key we do not know may have been made a moment ago.
        for key in self._keys.ring().checking(kid) or self._keys.ring(afresh=True).checking(kid):
            if (claims := _signed_by(key, token)) is not None:
                return claims
        raise NotSignedIn()


def make_key(path: Path) -> None:
    """Make a private key file (mode 0600) unless it exists."""
    if not path.exists():
        make_file(path, new_key().text())


def public_half(pem: bytes) -> bytes:
    """The public keys (PEM) of a ring (PEM)."""
    return read_ring(pem).public_text()


def _signed_by(key: RingKey, token: str) -> dict[str, Any] | None:
    try:
        return jwt.decode(token, key.key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError):
        return None
