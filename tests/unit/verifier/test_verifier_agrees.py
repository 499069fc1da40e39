"""The independent verifier and the platform share no code; here they must agree to the last digit."""

import base64
import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.catalog import read
from services.assessment.framework.rules import parse, parse_peer_groups
from services.assessment.ranking.rules import points_text
from services.assessment.scoring.log import COUNTS
from services.assessment.scoring.plan import plan_for
from services.assessment.scoring.rules import ProbeState, roll_up_totals

ROOT = Path(__file__).parents[3]
FILE = ROOT / "verifier" / "fazhi_verify.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fazhi_verify", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verify = load()
GROUPS = parse_peer_groups(read(ROOT / "catalog/frameworks/peer_groups.yaml").data)
DOCUMENT = read(ROOT / "catalog/frameworks/outline-2015-2020.yaml").data
SURVEY = {
    "code": "SUR.1",
    "title": "满意度",
    "points": dict.fromkeys(DOCUMENT["peer_groups"], "100"),
    "method": {"kind": "survey", "responses_at_least": 30},
    "service": "assessment",
    "evidence": "测评",
}
COMPOSITE = {
    **{key: DOCUMENT[key] for key in ("year", "levels", "peer_groups", "basis")},
    "id": "composite",
    "version": "1",
    "title": "综合",
    "components": [
        {"code": "SYS", "title": "系统", "weight": "50", "source": "framework", "nodes": DOCUMENT["nodes"]},
        {
            "code": "SUR",
            "title": "测评",
            "weight": "30",
            "source": "survey",
            "nodes": [{"code": "SUR.A", "title": "测评", "children": [SURVEY]}],
        },
        {
            "code": "SITE",
            "title": "现场",
            "weight": "20",
            "source": "on_site",
            "nodes": [
                {
                    "code": "SITE.A",
                    "title": "现场",
                    "children": [{**SURVEY, "code": "SITE.1", "method": {"kind": "reviewed"}}],
                }
            ],
        },
    ],
}
GROUP = "county_governments"


@st.composite
def a_state(draw):
    passed, failed = draw(st.integers(0, 30)), draw(st.integers(0, 30))
    denominator = draw(st.integers(1, 90_000)) if passed + failed else 0
    return ProbeState(
        passed,
        failed,
        passed * 1000 + draw(st.integers(0, 999 * failed)),
        draw(st.integers(0, 3)),
        draw(st.integers(0, 3)),
        draw(st.integers(0, 3)),
        draw(st.integers(0, denominator)),
        denominator,
    )


@pytest.mark.parametrize("document", [DOCUMENT, COMPOSITE], ids=["outline", "composite"])
@given(data=st.data())
@settings(deadline=None)
def test_scores_and_coverage_agree_to_the_last_digit(document, data):
    framework = parse(document, peer_groups=GROUPS)
    plan = plan_for(framework, GROUP)
    probes = sorted({probe for leaf in plan.leaves for probe in leaf.probes} | set(plan.collected))
    chosen = data.draw(st.lists(st.sampled_from(probes), unique=True, max_size=40))
    states = {probe: data.draw(a_state()) for probe in chosen}
    ours = roll_up_totals(framework, GROUP, states)
    counts = {probe: [getattr(state, name) for name in COUNTS[:8]] for probe, state in states.items()}
    assert verify.score(document, GROUP, counts) == (ours.score, ours.coverage)


@given(st.integers(0, 10**9))
def test_numbers_are_written_alike(micro):
    assert verify.points_text(micro) == points_text(micro)


@given(st.binary(max_size=300))
def test_sm3_without_a_library_is_sm3(content):
    reference = hashes.Hash(hashes.SM3())
    reference.update(content)
    assert verify.sm3_plain(content) == reference.finalize()


def test_sm3_of_the_standard():
    """GB/T 32905-2016, Annex A.1."""
    assert (
        verify.sm3_plain(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.integers(0, 511))
def test_signatures_of_a_library_hold_and_one_bit_less_does_not(message, seed, bit):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify.ed25519_holds(public, signature, message)
    wrong = bytearray(signature)
    wrong[bit // 8] ^= 1 << bit % 8
    assert not verify.ed25519_holds(public, bytes(wrong), message)


def test_a_key_whose_id_is_not_its_own_is_refused():
    raw = b"\x01" + Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    right = hashlib.sha256(b"log\n" + raw).digest()[:4].hex()
    assert verify.Key(f"log+{right}+{base64.b64encode(raw).decode()}").name == "log"
    with pytest.raises(verify.WrongUsage):
        verify.Key(f"log+00000000+{base64.b64encode(raw).decode()}")


def test_it_needs_nothing_but_the_standard_library():
    names = {
        line.split()[1].split(".")[0]
        for line in FILE.read_text(encoding="utf-8").splitlines()
        if line.startswith(("import ", "from "))
    }
    assert names <= sys.stdlib_module_names
