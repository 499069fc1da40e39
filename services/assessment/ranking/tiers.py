"""
Tiers 档 and bands 段: what of a ranking the data supports.

Both are cut out of the published order, so they are contiguous, and a unit is in exactly one, so "in the same
tier" is transitive. Two units are told apart where one is above the other in at least the stated share of the
runs (uncertainty.py). Equal scores are never cut.

- A tier ends only where every unit above is told apart from every unit below: units in different tiers are always
  told apart. A large group whose scores lie close together may be one tier, and then no order in it is certain.
- A band ends at the first unit that is told apart from the best of the band. Bands are finer, for maps and
  overviews; the last of one and the first of the next need not be told apart.
"""

from collections.abc import Sequence

import numpy as np

from services.assessment.ranking.matrix import Floats


def tiers_of(found: Floats, published: Sequence[int], confidence: float) -> list[int]:
    """The tier of every row, 1 the best; rows are units in published order with their scores, columns runs."""
    return _numbered(len(found), _cuts_between_all(found, published, confidence))


def bands_of(found: Floats, published: Sequence[int], confidence: float) -> list[int]:
    """The band of every row, 1 the best."""
    return _numbered(len(found), _cuts_at_leaders(found, published, confidence))


def above_next(found: Floats) -> list[float]:
    """In which share of the runs each row is above the next one."""
    return [float(share) for share in (found[:-1] > found[1:]).mean(axis=1)]


def _numbered(rows: int, cuts: Sequence[int]) -> list[int]:
    starts = np.zeros(rows, dtype=np.intp)
    starts[list(cuts)] = 1
    return [int(number) + 1 for number in np.cumsum(starts)]


def _cuts_at_leaders(found: Floats, published: Sequence[int], confidence: float) -> list[int]:
    cuts: list[int] = []
    leader = 0
    for row in range(1, len(found)):
        differs = published[row] != published[row - 1]
        if differs and (found[leader] > found[row]).mean() >= confidence:
            cuts.append(row)
            leader = row
    return cuts


def _cuts_between_all(found: Floats, published: Sequence[int], confidence: float) -> list[int]:
    """
    Rows that begin a tier. Neighbours are looked at first; then only pairs whose tails overlap are compared.

    Where a unit's low tail lies above another's high tail, both tails together holding no more than what may
    be doubted, the two are told apart without counting.
    """
    if not len(found):
        return []
    doubt = int((1 - confidence) / 2 * (found.shape[1] - 1))
    ordered = np.sort(found, axis=1)
    low, high = ordered[:, doubt], ordered[:, -1 - doubt]
    neighbours = (found[:-1] > found[1:]).mean(axis=1)
    candidates = [int(row) + 1 for row in np.flatnonzero(neighbours >= confidence)]
    return [
        cut
        for cut in candidates
        if published[cut] != published[cut - 1] and _stands(found, cut, low, high, confidence)
    ]


def _stands(found: Floats, cut: int, low: Floats, high: Floats, confidence: float) -> bool:
    above = np.flatnonzero(low[:cut] <= high[cut:].max())
    below = np.flatnonzero(high[cut:] >= low[:cut].min()) + cut
    return all(_told_apart(found[row], found[below], confidence) for row in above[::-1])


def _told_apart(one: Floats, others: Floats, confidence: float) -> bool:
    shares: Sequence[float] = (one > others).mean(axis=1)
    return not len(others) or bool(np.min(shares) >= confidence)
