"""
Draws 抽样 `fazhi/draws/v1`: every number that chance has in a ranking, so written that anybody can make it again.

A number depends on the seed, on what it is for (a name, hashed) and on its place; never on what was drawn before it,
with what it was grouped, or on the version of a library. From the integers of SplitMix64 on, only operations are used
that IEEE 754 rounds in one way (+, −, ×, ÷, square root, powers of two): logarithms and exponentials are polynomials
of this file and not of a machine's library. So another programme gets the same bits, not nearly the same numbers;
verifier/fazhi_verify.py is one. The procedure in words: docs/ranking.md; what uses it: uncertainty.py.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]
Words = NDArray[np.uint64]
PROCEDURE = "fazhi/draws/v1"

# SplitMix64: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014; constants as in
# S. Vigna's splitmix64.c.
_GOLDEN, _MIX_1, _MIX_2 = (
    np.uint64(word) for word in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_12, _27, _30, _31 = (np.uint64(bits) for bits in (12, 27, 30, 31))
# Normal quantiles: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988) 477-484; from the constant
# term upwards, numerator and denominator.
_CENTRE = (
    (
        *(3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4),
        *(4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    ),
    (
        *(1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3),
        *(2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
    ),
)
_TAIL = (
    (
        *(1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0),
        *(3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1),
        *(2.27238449892691845833e-2, 7.74545014278341407640e-4),
    ),
    (
        *(1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1),
        *(1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4),
        1.05075007164441684324e-9,
    ),
)
_FAR_TAIL = (
    (
        *(6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0),
        *(2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3),
        *(2.71155556874348757815e-5, 2.01033439929228813265e-7),
    ),
    (
        *(1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2),
        *(7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7),
        2.04426310338993978564e-15,
    ),
)
_ROOT_OF_HALF = 0.7071067811865476
_LN_2 = 0.6931471805599453
_LN_TERMS = tuple(1.0 / odd for odd in range(1, 23, 2))
_EXP_TERMS = tuple(1.0 / factorial for factorial in np.cumprod([1.0, *range(1, 15)]).tolist())
_EXP_NOTHING = -700.0  # e to this and less is taken for 0: no subnormal numbers
# Places within a draw of Beta; the number of the attempt stands above them, that of the sample between.
_ATTEMPT, _SAMPLE = np.uint64(32), np.uint64(3)
_FIRST, _SECOND = 0, 4
_NORMAL, _UNIFORM, _BOOST = 0, 1, 2


def keys_of(seed: int, purpose: str, names: Iterable[Sequence[str]]) -> Words:
    """The keys of these names: the first eight bytes of SHA-256 over procedure, seed, purpose and name."""
    start = hashlib.sha256(f"{PROCEDURE}\n{seed}\x1f{purpose}".encode())
    found = bytearray()
    for name in names:
        whole = start.copy()
        whole.update("".join(f"\x1f{part}" for part in name).encode())
        found += whole.digest()[:8]
    return np.frombuffer(bytes(found), dtype=">u8").astype(np.uint64)


def words(keys: Words, places: Words) -> Words:
    """The integers at these places (from 0) of SplitMix64 begun with these keys; shapes as numpy spreads them."""
    found: Words = keys + (places + np.uint64(1)) * _GOLDEN
    found ^= found >> _30
    found *= _MIX_1
    found ^= found >> _27
    found *= _MIX_2
    found ^= found >> _31
    return found


def uniforms(keys: Words, places: Words) -> Floats:
    """Even numbers between 0 and 1, neither of them: the middles of 2^52 equal steps."""
    found = (words(keys, places) >> _12).astype(np.float64)
    found += 0.5
    found *= 2.0**-52
    return found


def logarithm(x: Floats) -> Floats:
    """Natural logarithms of numbers above 0, as far as a double tells; the same bits everywhere."""
    fraction, exponent = np.frexp(x)
    is_low = fraction < _ROOT_OF_HALF
    fraction = np.where(is_low, fraction + fraction, fraction)
    s = (fraction - 1.0) / (fraction + 1.0)
    found = _polynomial(_LN_TERMS, s * s)
    found *= s
    found += found
    found += (exponent - is_low) * _LN_2
    return found


def exponential(x: Floats) -> Floats:
    """Powers of e of numbers up to 0, to thirteen digits; 0 below -700."""
    is_small = x < _EXP_NOTHING
    whole = np.rint(np.where(is_small, 0.0, x) / _LN_2)
    found = _polynomial(_EXP_TERMS, np.where(is_small, 0.0, x) - whole * _LN_2)
    return np.where(is_small, 0.0, np.ldexp(found, whole.astype(np.int32)))


def normals(even: Floats) -> Floats:
    """The quantiles of the standard normal distribution at these places."""
    from_middle = even - 0.5
    r = from_middle * from_middle
    np.subtract(0.180625, r, out=r)
    found = _ratio(_CENTRE, r)
    found *= from_middle
    outer = np.flatnonzero(np.abs(from_middle) > 0.425)
    found.ravel()[outer] = _in_tails(even.ravel()[outer])
    return found


def betas(keys: Words, first: Floats, second: Floats, samples: int) -> Floats:
    """
    Draws of Beta(first, second), a row for each of these and a column a sample: X ÷ (X + Y), two draws of Gamma.

    One of the two parameters at least must be 1 or more, or both draws may be nothing.
    """
    one = _gammas(keys, first, samples, _FIRST)
    other = _gammas(keys, second, samples, _SECOND)
    other += one
    one /= other
    return one


def _gammas(keys: Words, shape: Floats, samples: int, slot: int) -> Floats:
    """
    Draws of Gamma(shape, 1): Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000).

    What an attempt refuses is tried again at a place of its own, so that order means nothing.
    """
    small = np.flatnonzero(shape < 1.0)
    raised = shape.copy()
    raised[small] += 1.0
    d = raised - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    sample = np.arange(samples, dtype=np.uint64)
    spread = keys[:, None]
    v, squared = _tried(c[:, None], normals(uniforms(spread, _place(0, sample, slot + _NORMAL))))
    even = uniforms(spread, _place(0, sample, slot + _UNIFORM))
    taken = even < 1.0 - 0.0331 * (squared * squared)
    taken &= v > 0.0
    found = d[:, None] * v
    left = np.flatnonzero(~taken)
    _try_again(found.reshape(-1), left, v.ravel()[left], squared.ravel()[left], (keys, d, c), slot)
    if len(small):
        boost = uniforms(spread[small], _place(0, sample, slot + _BOOST))
        found[small] *= exponential(logarithm(boost) / shape[small][:, None])
    return found


def _try_again(
    found: Floats,
    left: Indexes,
    v: Floats,
    squared: Floats,
    rows: tuple[Words, Floats, Floats],
    slot: int,
) -> None:
    """Fill in the draws that the first look did not take: `left`, as many samples of each row one after another."""
    keys, d, c = rows
    samples = len(found) // max(1, len(keys))
    attempt = 0
    while len(left):
        row, sample = np.divmod(left, max(1, samples))
        even = uniforms(keys[row], _place(attempt, sample.astype(np.uint64), slot + _UNIFORM))
        good = (v > 0.0) & (even < 1.0 - 0.0331 * (squared * squared))
        close = np.flatnonzero((v > 0.0) & ~good)
        bound = 0.5 * squared[close] + d[row[close]] * ((1.0 - v[close]) + logarithm(v[close]))
        good[close] = logarithm(even[close]) < bound
        found[left[good]] = d[row[good]] * v[good]
        left, row, sample = left[~good], row[~good], sample[~good]
        attempt += 1
        even = uniforms(keys[row], _place(attempt, sample.astype(np.uint64), slot + _NORMAL))
        v, squared = _tried(c[row], normals(even))


def _tried(c: Floats, x: Floats) -> tuple[Floats, Floats]:
    w = 1.0 + c * x
    return w * w * w, x * x


def _place(attempt: int, sample: Words, slot: int) -> Words:
    return (np.uint64(attempt) << _ATTEMPT) | (sample << _SAMPLE) | np.uint64(slot)


def _in_tails(even: Floats) -> Floats:
    r = np.sqrt(-logarithm(np.minimum(even, 1.0 - even)))
    found = _ratio(_TAIL, r - 1.6)
    far = np.flatnonzero(r > 5.0)
    found[far] = _ratio(_FAR_TAIL, r[far] - 5.0)
    return np.where(even < 0.5, -found, found)


def _ratio(terms: tuple[Sequence[float], Sequence[float]], x: Floats) -> Floats:
    found = _polynomial(terms[0], x)
    found /= _polynomial(terms[1], x)
    return found


def _polynomial(terms: Sequence[float], x: Floats) -> Floats:
    """Horner's rule, `terms` from the constant upwards."""
    found: Floats = x * terms[-1]
    for term in terms[-2:0:-1]:
        found += term
        found *= x
    found += terms[0]
    return found
