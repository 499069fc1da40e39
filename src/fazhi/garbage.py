"""Garbage collection in processes that take batches."""

import gc


def collect_rarely() -> None:
    """
    Look for garbage rarely.

    A batch makes some ten thousand short-lived objects without cycles; looking through them at every seven
    hundredth finds nothing and costs a tenth of the time (docs/benchmarks.md). What is there now is left out
    for good.
    """
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
