"""One county and one city of seed 1, made once: the rows are values, no test can change them for another."""

import pytest

from fazhi.province import Province, Row, Truth


@pytest.fixture(scope="session")
def county() -> Province:
    return Province(seed=1, size="county")


@pytest.fixture(scope="session")
def rows(county: Province) -> list[Row]:
    return list(county.cases())


@pytest.fixture(scope="session")
def truths(county: Province) -> list[Truth]:
    return list(county.truths())


@pytest.fixture(scope="session")
def city() -> Province:
    return Province(seed=1, size="city")


@pytest.fixture(scope="session")
def city_truths(city: Province) -> list[Truth]:
    return list(city.truths())
