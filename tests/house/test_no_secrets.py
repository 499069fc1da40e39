"""No secret is ever committed (R53): keys, tokens, and addresses with a password in them."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIGNS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*\n\s*[A-Za-z0-9+/]{20}"),
    "cloud key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    "webhook secret": re.compile(r"\bwhsec_[A-Za-z0-9+/=]{24,}"),
    "password in an address": re.compile(r"[a-z]+://[^\s:/@'\"{]+:[A-Za-z0-9_\-]{16,}@"),
}


def found_in(text: str) -> list[str]:
    return [name for name, sign in SIGNS.items() if sign.search(text)]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def test_no_tracked_file_holds_a_secret():
    texts = ((path, path.read_bytes().decode("utf-8", "ignore")) for path in tracked() if path.is_file())
    assert {str(path.relative_to(ROOT)): found for path, text in texts if (found := found_in(text))} == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("private key", "-----BEGIN PRIVATE " + "KEY-----\nMC4CAQAwBQYDK2VwBCIEIHxAbCdEf\n"),
        ("cloud key", "AKIA" + "ABCDEFGHIJKLMNOP"),
        ("signed token", "eyJ" + "a" * 24 + ".eyJ" + "b" * 24 + "." + "c" * 24),
        ("webhook secret", "whsec_" + "A" * 32),
        ("password in an address", "amqp://fazhi:" + "k3J9xQ27LmZp80Vb" + "@broker/x"),
    ],
)
def test_a_planted_secret_is_found(name, text):
    assert found_in(text) == [name]
