"""Pages of lists: every list is bounded, and nobody pages through all of it."""

from kernel.errors import Invalid

MOST_ROWS = 200
DEEPEST_ROW = 100_000


def check_page(offset: int, limit: int) -> None:
    """Raise `Invalid` unless the page lies within the bounds."""
    if not (1 <= limit <= MOST_ROWS and 0 <= offset <= DEEPEST_ROW):
        raise Invalid(
            f"每页条数应在 1 至 {MOST_ROWS} 之间，起始位置应在 0 至 {DEEPEST_ROW} 之间。",
            code="legislation.bad_page",
        )
