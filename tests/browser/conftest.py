"""One county for every file of tests/browser that only looks: loading it takes longer than most of them."""

from collections.abc import Iterator

import pytest

from tests.support.forms import Form
from tests.support.shown_county import shown_county


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Form]:
    """The county that nobody changes; a file that changes things shows one of its own."""
    with shown_county(tmp_path_factory.mktemp("console") / "data") as form:
        yield form
