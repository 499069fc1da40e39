"""
Planted bugs that a proof must notice: the first of each proof in every run, all of them before a release.

    FAZHI_EVERY_PLANT=1 ./test tests/end_to_end/test_proofs.py
"""

import os
from typing import TypeVar

T = TypeVar("T")


def planted(*bugs: T) -> tuple[T, ...]:
    """The bugs to plant in this run."""
    return bugs if os.environ.get("FAZHI_EVERY_PLANT") == "1" else bugs[:1]
