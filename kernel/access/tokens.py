"""
Tokens: who is asking, signed by the one that knows, checked by everybody (R38).

Ed25519 only, five minutes, bound to an audience. Service-to-service tokens are the same with the service's
own name as account and the called service as audience.
"""

from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

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
    """Signs tokens."""

    def __init__(self, private_pem: bytes, clock: Clock) -> None:
        self._key = OKPKey.import_key(private_pem)
        self._clock = clock

    def issue(self, principal: Principal, *, audience: str = STAFF_AUDIENCE, csrf: str = "") -> str:
        """A token for this principal, good for five minutes."""
        now = int(self._clock.now().timestamp())
        claims = {
            "aud": audience,
            "sub": principal.account,
            "unit": principal.unit,
            "path": principal.unit_path,
            "roles": sorted(principal.roles),
            "sid": principal.session,
            "csrf": csrf,
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
        }
        return jwt.encode({"alg": ALGORITHMS[0], "typ": "JWT"}, claims, self._key, algorithms=ALGORITHMS)

    @property
    def public_pem(self) -> bytes:
        """The public half, for verifiers."""
        return self._key.as_pem(private=False)


class Verifier:
    """Checks tokens; knows public keys only."""

    def __init__(self, public_pem: bytes, clock: Clock, audience: str = STAFF_AUDIENCE) -> None:
        self._key = OKPKey.import_key(public_pem)
        self._clock = clock
        self._audience = audience

    def principal(self, token: str) -> tuple[Principal, str]:
        """The principal and the CSRF value in a token; raises NotSignedIn or TokenExpired."""
        try:
            claims = jwt.decode(token, self._key, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            raise NotSignedIn() from error
        now = self._clock.now().timestamp()
        if claims.get("aud") != self._audience or claims.get("iat", 0) > now + LEEWAY_SECONDS:
            raise NotSignedIn()
        if claims.get("exp", 0) < now:
            raise TokenExpired()
        principal = Principal(
            account=claims["sub"],
            unit=claims["unit"],
            unit_path=claims["path"],
            roles=frozenset(claims["roles"]),
            session=claims["sid"],
        )
        return principal, claims["csrf"]


def make_key(path: Path) -> None:
    """Make a private key file (mode 0600) unless it exists."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(mode=0o600)
    path.write_bytes(pem)


def public_half(private_pem: bytes) -> bytes:
    """The public key (PEM) of a private key (PEM)."""
    return OKPKey.import_key(private_pem).as_pem(private=False)
