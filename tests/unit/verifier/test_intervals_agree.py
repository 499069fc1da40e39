"""Rank intervals, tiers and bands made by the platform and by the verifier, which shares no code: the same to the bit."""

import math
import random
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.framework.values import Framework, Method, PeerGroup
from services.assessment.framework.writing import canonical, document_of
from services.assessment.publication.bundle import score_lines
from services.assessment.ranking import uncertainty
from services.assessment.ranking.boards import Board
from services.assessment.ranking.draws import betas, exponential, keys_of, logarithm, normals, words
from services.assessment.ranking.intervals import intervals_of
from services.assessment.ranking.parameters import load as parameters_of
from services.assessment.ranking.periods import window
from services.assessment.scoring.log import COUNTS
from services.assessment.scoring.rules import ProbeState, roll_up_totals
from services.assessment.scoring.tallies import Assessed
from tests.support.frameworks import GROUP, POINT, above, framework, result
from tests.unit.verifier.test_verifier_agrees import COMPOSITE, GROUPS, load, parse

verify = load()
PARAMETERS = replace(parameters_of(Path(__file__).parents[3] / "catalog"), runs=48, samples=6)
COUNTIES = PeerGroup(GROUP, "县", frozenset({"government"}), frozenset({"county"}))
EVERY_METHOD = framework(
    above(
        "X",
        "aspect",
        result("X.1", 20 * POINT, "P1", method=Method("ratio", floor_milli=600, target_milli=950), veto=300),
        above("X.A", "measure", result("X.2", 10 * POINT, "P2", method=Method("ratio", measured=True))),
        result("X.3", 10 * POINT, "P1", "P3", method=Method("ratio")),
    ),
    above(
        "Y",
        "aspect",
        result("Y.1", 15 * POINT, "P3", method=Method("deduct", step_milli=100)),
        result("Y.2", 15 * POINT, "P4", method=Method("add", step_milli=250), veto=200),
    ),
    above(
        "Z",
        "aspect",
        result("Z.1", 15 * POINT, "P5", "P6", "P7", method=Method("checklist")),
        result("Z.2", 10 * POINT, method=Method("survey", responses_at_least=5)),
        result("Z.3", 5 * POINT, method=Method("reviewed")),
    ),
)
PROBES = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "f/Z.2", "f/Z.3")


def state(chance: random.Random) -> ProbeState:
    passed, failed = (0, 0) if chance.random() < 0.15 else (chance.randint(0, 30), chance.randint(0, 12))
    heard = passed + failed
    full = chance.randint(1, 4 * heard) * 1000 if heard else 0
    reported = chance.randint(0, heard)
    return ProbeState(
        passed,
        failed,
        passed * 1000 + chance.randint(0, 999 * failed),
        chance.randint(0, 2),
        chance.randint(0, 2),
        chance.randint(0, 1),
        chance.randint(0, full),
        full,
        reported,
        heard - reported,
    )


def a_board(built: Framework, group: PeerGroup, probes: tuple[str, ...], seed: int, units: int = 7) -> Board:
    """Some units that heard of some probes each; the first two of the same, the last of none."""
    chance = random.Random(seed)
    codes = [f"u{number}" for number in range(units)]
    states = {code: {probe: state(chance) for probe in probes if chance.random() < 0.8} for code in codes}
    states |= {codes[1]: states[codes[0]], codes[-1]: {}}
    return Board(
        framework=built,
        group=group,
        window=window("2026", "2026-09"),
        at_seq=1,
        known_at=None,
        units={code: Assessed(code, f"县{code}", f"/{code}/", "150102", group) for code in codes},
        states=states,
        totals={code: roll_up_totals(built, group.id, states[code]) for code in codes},
    )


def published(board: Board) -> tuple[dict, bytes, dict, dict]:
    """Manifest, framework, units as the verifier counts them, and the published lines."""
    ranges = intervals_of(board, PARAMETERS)
    written = canonical(document_of(board.framework)).encode()
    document, units = orjson.loads(written), {}
    for code, unit in board.units.items():
        counts = {
            probe: [getattr(found, name) for name in COUNTS] for probe, found in board.states[code].items()
        }
        parts = [
            (weight, verify.met(document, nodes, board.group.id, counts))
            for weight, _, nodes in verify.parts_of(document)
        ]
        told = {"name": unit.name, "region_code": unit.region_code}
        units[code] = verify.Unit(told, counts, parts, *verify.scored(parts))
    manifest = {"period": "2026", "upto": "2026-09", "peer_group": board.group.id, "intervals": ranges.method}
    lines = [orjson.loads(line) for line in score_lines(board, ranges, {})]
    return orjson.loads(orjson.dumps(manifest)), written, units, {line["unit"]: line for line in lines}


def check(manifest: dict, written: bytes, units: dict, lines: dict) -> None:
    verify.check_beside(orjson.loads(written), units, lines, verify.check_scores(units, lines))
    verify.check_intervals(manifest, written, units, lines)


@pytest.mark.parametrize("seed", range(12))
def test_everything_told_of_a_place_is_made_again(seed):
    check(*published(a_board(EVERY_METHOD, COUNTIES, PROBES, seed)))


@pytest.mark.parametrize("seed", range(2))
def test_a_framework_of_components_too(seed):
    built = parse(COMPOSITE, peer_groups=GROUPS)
    group = next(group for group in built.peer_groups if group.id == "county_governments")
    probes = sorted({probe for node in built.root.walk() for probe in node.probes})[:40]
    board = a_board(built, group, (*probes, "composite/SUR.1", "composite/SITE.1"), seed, units=4)
    check(*published(board))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("interval", [1, 7]),
        ("median", "99"),
        ("tier", 9),
        ("band", 9),
        ("above_next", "0.123"),
        ("place_at_worst", 8),
        ("credibility", {}),
        ("vetoes", 5),
        ("tied", None),
        ("name", "别的县"),
    ],
)
def test_what_was_told_otherwise_is_named_with_its_unit(name, value):
    manifest, written, units, lines = published(a_board(EVERY_METHOD, COUNTIES, PROBES, 1))
    lines["u3"] = lines["u3"] | {name: value}
    with pytest.raises(verify.Tampered, match=f"u3 的{verify.TOLD[name]}公布为"):
        check(manifest, written, units, lines)


def test_units_in_another_order_and_in_other_blocks_come_to_the_same(monkeypatch):
    board = a_board(EVERY_METHOD, COUNTIES, PROBES, 3)
    turned = replace(
        board, units=dict(reversed(board.units.items())), totals=dict(reversed(board.totals.items()))
    )
    rows = intervals_of(board, PARAMETERS).rows
    monkeypatch.setattr(uncertainty, "UNITS_A_STEP", 2)
    monkeypatch.setattr(uncertainty, "DRAWS_A_STEP", 5)
    assert intervals_of(turned, PARAMETERS).rows == rows
    manifest, written, units, lines = published(board)
    check(manifest, written, dict(reversed(units.items())), lines)


def test_a_seed_of_the_publishers_own_choice_is_refused():
    manifest, *rest = published(a_board(EVERY_METHOD, COUNTIES, PROBES, 1))
    manifest["intervals"]["seed"] = "1"
    with pytest.raises(verify.Tampered, match="种子"):
        check(manifest, *rest)


class TestDraws:
    @given(st.floats(0.02, 400), st.floats(1, 400), st.integers(0, 2**64 - 1))
    @settings(max_examples=60, deadline=None)
    def test_a_draw_of_beta_is_the_same_bits(self, first, second, key):
        keys = np.array([key], dtype=np.uint64)
        found = betas(keys, np.array([first]), np.array([second]), 20)[0]
        assert found.tolist() == [verify.beta(key, first, second, sample) for sample in range(20)]

    @given(st.lists(st.floats(1e-300, 1e300), min_size=1))
    @settings(max_examples=60, deadline=None)
    def test_logarithms_and_powers_are_the_same_bits_and_right(self, numbers):
        found = logarithm(np.array(numbers)).tolist()
        assert found == [verify.logarithm(number) for number in numbers]
        assert found == pytest.approx([math.log(number) for number in numbers], rel=1e-14, abs=1e-15)
        below = [-abs(one) for one in found]
        powers = exponential(np.array(below)).tolist()
        assert powers == [verify.exponential(one) for one in below]
        assert powers == pytest.approx([math.exp(one) for one in below], rel=1e-12, abs=1e-300)

    @given(st.lists(st.floats(1e-16, 1 - 1e-16), min_size=1))
    @settings(max_examples=60, deadline=None)
    def test_normal_quantiles_are_the_same_bits_and_right(self, places):
        found = normals(np.array(places)).tolist()
        assert found == [verify.normal(place) for place in places]
        assert found == pytest.approx([NormalDist().inv_cdf(place) for place in places], rel=1e-12, abs=1e-14)

    @given(st.integers(0, 2**128), st.text(max_size=9), st.text(max_size=9))
    @settings(max_examples=60, deadline=None)
    def test_a_name_has_the_same_key(self, seed, one, other):
        assert int(keys_of(seed, "finding", [(one, other)])[0]) == verify.key_of(seed, "finding", one, other)

    @given(st.integers(0, 2**64 - 1), st.integers(0, 2**40))
    @settings(max_examples=60, deadline=None)
    def test_the_integers_are_the_same(self, key, place):
        found = words(np.array([key], dtype=np.uint64), np.array([place], dtype=np.uint64))
        assert int(found[0]) == verify.word(key, place)
