"""Whose rows a transaction may see: said once, and nothing where it was not."""

import threading

import pytest

from kernel.access.principal import ANONYMOUS, SYSTEM, Principal
from kernel.storage import reach
from kernel.storage.reach import EVERYTHING, NOTHING, Reach, beyond, current, of, within


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch):
    monkeypatch.setattr(reach, "_unsaid", NOTHING)


def test_nobody_and_nowhere_reach_nothing():
    assert of(ANONYMOUS).path == of(SYSTEM).path == ""
    assert of(Principal(account="a", unit="15")) == Reach("", "15", "a")


@pytest.mark.parametrize("path", ["*", "15/", "%", ""])
def test_what_is_no_place_in_the_tree_reaches_nothing(path):
    assert of(Principal(account="a", unit_path=path)).path == ""


def test_the_root_of_the_tree_reaches_everything():
    assert of(Principal(account="operator", unit_path="/")) == EVERYTHING
    assert of(Principal(account="a", unit_path="/15/")).path == "/15/"


def test_a_reach_ends_with_its_block_and_is_not_another_thread_s():
    seen = []
    with within(EVERYTHING):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
        with within(Reach("/15/")):
            assert current() == Reach("/15/")
        assert current() == EVERYTHING
    assert current() == NOTHING
    assert seen == [NOTHING]


def test_whoever_looks_beyond_says_why():
    with pytest.raises(ValueError, match="why"), beyond(""):
        pass
    with beyond("to count all"):
        assert current() == EVERYTHING
    assert current() == NOTHING


def test_only_a_process_that_acts_for_the_platform_says_so_to_its_connections(monkeypatch):
    assert reach.connection_options() == ""
    monkeypatch.setattr(reach, "_unsaid", EVERYTHING)
    assert reach.connection_options() == " -c fazhi.reach=*"
