"""The drawing procedure fazhi/draws/v1: the published generators it is made of, and the distributions it draws from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.ranking.draws import betas, keys_of, normals, uniforms, words

SAMPLES = 20_000
SHAPES = [(0.03, 3.0), (0.5, 1.5), (1.0, 1.0), (3.8, 1.2), (55.2, 4.8), (300.9, 20.1)]


def places(number):
    return np.arange(number, dtype=np.uint64)


def drawn(first, second, seed=1):
    keys = keys_of(seed, "test", [(str(first), str(second))])
    return betas(keys, np.array([first]), np.array([second]), SAMPLES)[0]


def distance(one, other):
    """The greatest distance of two empirical distributions (Kolmogorov and Smirnov)."""
    both = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(each), both, side="right") / len(each) for each in (one, other)]
    return np.abs(below[0] - below[1]).max()


def test_integers_are_those_of_splitmix64():
    """The first outputs of S. Vigna's splitmix64.c begun with 1234567."""
    found = words(np.array([1234567], dtype=np.uint64), places(5))
    assert found.tolist() == [
        *(6457827717110365317, 3203168211198807973, 9817491932198370423),
        *(4593380528125082431, 16408922859458223821),
    ]


def test_normal_quantiles_are_those_of_as_241():
    """The values that Wichura gives for a check, and the other side of one."""
    found = normals(np.array([0.25, 0.001, 1e-20, 0.75]))
    wanted = [-0.6744897501960817, -3.090232306167814, -9.262340089798408, 0.6744897501960817]
    assert found.tolist() == pytest.approx(wanted, rel=1e-15)


def test_the_procedure_of_this_name_never_changes():
    """Whoever changes a bit of it gives it another name: bundles published under this one are checked by it."""
    keys = keys_of(42, "finding", [("150102", "A.1", ""), ("150102", "A.1", "ENF-TIM-01")])
    assert keys.tolist() == [8985543754662272041, 10966208464382170391]
    found = betas(keys, np.array([9.8, 0.2]), np.array([1.2, 3.8]), 3)
    assert [[value.hex() for value in row] for row in found.tolist()] == [
        ["0x1.9c60ac05969f5p-1", "0x1.d436482b1a6bbp-1", "0x1.f11c571d52334p-1"],
        ["0x1.d1c0a5ae11791p-5", "0x1.e98bdfc392a79p-5", "0x1.13565851154a5p-10"],
    ]


@pytest.mark.parametrize(("first", "second"), SHAPES)
def test_mean_and_variance_are_those_of_beta(first, second):
    found, whole = drawn(first, second), first + second
    variance = first * second / whole**2 / (whole + 1)
    assert found.mean() == pytest.approx(first / whole, abs=4 * (variance / SAMPLES) ** 0.5)
    assert found.var() == pytest.approx(variance, rel=0.08)


@pytest.mark.parametrize(("first", "second"), SHAPES)
def test_the_distribution_is_that_of_numpys_beta(first, second):
    theirs = np.random.Generator(np.random.PCG64(7)).beta(first, second, SAMPLES)
    assert distance(drawn(first, second), theirs) < 1.95 * (2 / SAMPLES) ** 0.5  # p = 0.001


def test_even_numbers_lie_evenly_between_0_and_1():
    found = uniforms(keys_of(1, "test", [("even",)]), places(SAMPLES))
    assert 0 < found.min() < found.max() < 1
    assert distance(found, (np.arange(SAMPLES) + 0.5) / SAMPLES) < 1.95 / SAMPLES**0.5


def test_draws_of_other_names_samples_and_seeds_have_nothing_in_common():
    ours = drawn(3.8, 1.2)
    others = [drawn(3.8, 1.2, seed=2), drawn(3.8, 1.2000001), np.roll(ours, 1)]
    assert max(abs(np.corrcoef(ours, other)[0, 1]) for other in others) < 4 / SAMPLES**0.5


@given(st.lists(st.tuples(st.floats(0.02, 90), st.floats(1, 90)), min_size=2, max_size=9), st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_a_draw_does_not_depend_on_what_is_drawn_beside_it(shapes, samples):
    keys = keys_of(5, "test", [(str(place),) for place in range(len(shapes))])
    first, second = np.array(shapes).T
    together = betas(keys, first, second, samples)
    for place in range(len(shapes)):
        one = slice(place, place + 1)
        assert betas(keys[one], first[one], second[one], samples)[0].tolist() == together[place].tolist()
    assert betas(keys, first, second, samples + 7)[:, :samples].tolist() == together.tolist()


def test_draws_are_rates():
    found = betas(keys_of(1, "test", [("tiny",)]), np.array([1e-6]), np.array([2.0]), SAMPLES)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
