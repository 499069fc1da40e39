"""
Cheating planted in the demonstration county 植入的弄虚作假: a few departments, known here and nowhere else.

Only departments whose year is mostly reports are taken: what is planted in them moves no case, and few scores. What
they do is told as ordinary reports, answers and sheets (`fazhi.assessed_county`), and the detector must find exactly
this, which `tests/end_to_end/test_run.py` holds it to.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from fazhi.province.gaming import QUARTERS
from fazhi.province.records import Unit
from fazhi.province.rng import Stream
from services.assessment.review.demonstration import Planted

QUIET = ("bm", "lc", "sb", "sj", "ty", "xf")  # 保密、林草、社保、审计、退役军人、信访


def plant(units: Iterable[Unit], county: str, seed: int, today: date) -> Planted:
    """Who cheats in a county (its code); nobody rushes before the year's first deadline has passed."""
    quiet = [f"{county}-{code}" for code in QUIET]
    found = sorted(unit.code for unit in units if unit.code in quiet and unit.valid_to is None)
    stream = Stream("planted", seed, county)
    order = sorted(found, key=lambda _: stream.below(1 << 30))
    over = [
        end for month, day in QUARTERS if (end := date(today.year, month, day)) < today - timedelta(days=7)
    ]
    return Planted(
        polished=frozenset(order[:2]),
        rushed=frozenset(order[2:3] if over else ()),
        deadline=over[-1] if over else None,
        copied=tuple(order[3:5]) if len(order) > 4 else (),
    )
