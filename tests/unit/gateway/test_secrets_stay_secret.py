"""No secret somebody uses or is shown lies open afterwards: in no table, no log line, no measured number (R52, R53)."""

from base64 import b64decode

import pytest
from pyotp import TOTP
from sqlalchemy import text

from gateway.partners.signature import sign
from kernel.access.principal import SYSTEM
from kernel.telemetry import log, metrics
from tests.support.gateway import NOW, PASSWORD, body_of, hotline_order

ROOT = "/api/gateway/v1"
SENT = (
    ("/partners/tokens", b'{"purpose": "token"}'),
    ("/clues", body_of(hotline_order())),
    ("/clues", b"{}"),
)
FRESH, WRONG = "Xin-kouling-2027", "Cuo-kouling-2026"


@pytest.fixture
def logged(capfd):
    log.configure(level="DEBUG", process="gateway.api")
    yield lambda: capfd.readouterr().err
    log.configure()


class Person:
    """Somebody at a browser, whose secrets are noted."""

    def __init__(self, http) -> None:
        self.http = http
        self.secrets: dict[str, str] = {}
        self.csrf = ""

    def post(self, path, body, key="", **headers):
        given = {"x-fazhi-csrf": self.csrf} | ({"idempotency-key": key} if key else {}) | headers
        answer = self.http.post(f"{ROOT}{path}", json=body, headers=given)
        self.note(answer)
        return answer

    def sign_in(self, account, password, code=""):
        answer = self.post("/sessions", {"account": account, "password": password, "code": code})
        self.csrf = answer.json().get("csrf", "")
        return answer

    def note(self, answer) -> None:
        place = f"{len(self.secrets)} {answer.url.path}"
        self.secrets |= {f"{place} {name}": value for name, value in answer.cookies.items()}


def dump(app) -> bytes:
    """Every value of every table."""
    with app.store.reading() as session:
        names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        return b"\n".join(
            value if isinstance(value, bytes) else str(value).encode()
            for name in names
            for row in session.execute(text(f'SELECT * FROM "{name}"'))  # noqa: S608 - our own tables
            for value in row
        )


def test_after_signing_in_enrolling_and_giving_keys_none_is_found_anywhere(app, http, clock, logged):
    person = Person(http)
    person.sign_in("anquan", WRONG)
    person.sign_in("anquan", PASSWORD)
    person.post("/passwords", {"account": "anquan", "password": PASSWORD, "new_password": FRESH})
    person.sign_in("anquan", FRESH)
    offer = person.post("/second-factor", {"password": FRESH}, key="e-1").json()
    code = TOTP(offer["key"]).at(clock.now())
    done = person.post("/second-factor/confirmation", {"code": code}, key="e-2").json()
    recovery = done["recovery_codes"]
    person.sign_in("anquan", FRESH, "000000")
    assert person.sign_in("anquan", FRESH, recovery[0]).status_code == 201
    app.partners.register(SYSTEM, "hotline", title="12345")
    secret = person.post("/partners/hotline/keys", None, key="k-1").json()["secret"]
    again = person.post("/partners/hotline/keys", None, key="k-1").json()["secret"]
    raw = b64decode(secret.removeprefix("whsec_"))
    for path, body in SENT:
        headers = sign(raw, f"m-{len(body)}", NOW, body)
        answer = http.post(f"{ROOT}{path}", content=body, headers=headers)
        assert answer.status_code in (200, 202, 422), answer.text
        person.secrets[f"signature of {body!r}"] = headers["webhook-signature"].removeprefix("v1,")
        person.secrets |= {"partner token": token} if (token := answer.json().get("token")) else {}
    person.secrets |= {
        "wrong password": WRONG, "password": PASSWORD, "fresh password": FRESH, "factor key": offer["key"],
        "partner secret": secret.removeprefix("whsec_"), "second secret": again.removeprefix("whsec_"),
        **{f"recovery {number}": one for number, one in enumerate(recovery)},
    }  # fmt: skip
    assert len(person.secrets) > 25
    said = logged().encode() + metrics.exposition()
    kept = dump(app)
    assert b"session.opened" in kept
    for name, value in person.secrets.items():
        assert value.encode() not in said, f"{name} in a log line or a metric"
        assert value.encode() not in kept, f"{name} in a table"
    assert raw not in kept
