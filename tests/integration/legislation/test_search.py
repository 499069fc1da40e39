"""Articles are found as soon as the index has caught up, and slower when it is away."""

import shutil
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kernel.errors import Invalid
from kernel.search.embedded import EmbeddedIndex
from kernel.search.opensearch import OpenSearchIndex
from kernel.search.port import Document, Hits, SearchUnavailable
from services.legislation.search.service import SHAPE, ArticleSearch
from tests.integration.legislation.conftest import Desk


class AwayIndex:
    """An index whose engine does not answer."""

    def rebuild(self, documents: Iterable[Document]) -> int:
        raise SearchUnavailable

    def add(self, documents: Iterable[Document]) -> int:
        raise SearchUnavailable

    def remove(self, ids: Iterable[str]) -> None:
        raise SearchUnavailable

    def search(
        self,
        phrase: str,
        filters: Mapping[str, Collection[str]] | None = None,
        *,
        offset: int = 0,
        limit: int = 20,
    ) -> Hits:
        raise SearchUnavailable

    def count(self) -> int:
        raise SearchUnavailable


def two_texts(desk: Desk) -> None:
    desk.file("甲条例(2020-01-02).md", "第一条 行政处罚应当听证。", "第二条 自2020年3月1日起施行。")
    desk.file("甲条例(2026-02-01).md", "第一条 行政处罚应当公开听证。", "第二条 自2026年4月1日起施行。")


def found(search: ArticleSearch, phrase: str, **filters: Collection[str]) -> list[tuple[str, str]]:
    return sorted((row.version, row.article) for row in search.search(phrase, **filters).rows)


class TestSearch:
    def test_an_import_is_found_after_the_index_caught_up(self, desk: Desk) -> None:
        two_texts(desk)
        assert desk.app.search.search("处罚").total == 0
        desk.worker.keep_index()
        assert found(desk.app.search, "处罚") == [("2020-01-02", "第一条"), ("2026-02-01", "第一条")]
        row = desk.app.search.search("公开听证").rows[0]
        assert (row.title, row.kind, row.status) == ("甲条例", "administrative_regulation", "not_yet")
        assert "<em>公开听证</em>" in row.snippet

    def test_title_and_article_number_are_searched_too(self, desk: Desk) -> None:
        two_texts(desk)
        desk.worker.keep_index()
        assert found(desk.app.search, "甲条例 第二条", statuses=["in_force"]) == [("2020-01-02", "第二条")]

    def test_the_filter_follows_a_status_that_changed_with_the_day(self, desk: Desk) -> None:
        two_texts(desk)
        desk.worker.keep_index()
        assert found(desk.app.search, "处罚", statuses=["in_force"]) == [("2020-01-02", "第一条")]
        desk.clock.set(datetime(2026, 4, 2, tzinfo=UTC))
        desk.worker.look_again()
        desk.worker.keep_index()
        assert found(desk.app.search, "处罚", statuses=["in_force"]) == [("2026-02-01", "第一条")]

    def test_a_lost_index_is_made_again(self, desk: Desk) -> None:
        two_texts(desk)
        desk.worker.keep_index()
        search = ArticleSearch(desk.app.store, EmbeddedIndex(SHAPE))
        search.keep()
        assert len(found(search, "处罚")) == 2

    @pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("harm", ["meta.json", "current-v1", "*.term", "v1-*"])
    def test_a_damaged_index_heals_itself_and_the_database_answers_meanwhile(
        self, desk: Desk, tmp_path: Path, harm: str
    ) -> None:
        two_texts(desk)
        search = ArticleSearch(desk.app.store, EmbeddedIndex(SHAPE, tmp_path / "index"))
        search.keep()
        for file in (tmp_path / "index").rglob(harm):
            if file.is_dir():
                shutil.rmtree(file)
            else:
                file.unlink()
        reopened = ArticleSearch(desk.app.store, EmbeddedIndex(SHAPE, tmp_path / "index"))
        if harm != "current-v1":
            assert reopened.search("处罚").degraded
            assert len(found(reopened, "处罚")) == 2
        reopened.keep()
        hits = reopened.search("处罚")
        assert (hits.total, hits.degraded) == (2, False)

    def test_a_rebuild_keeps_what_came_in_meanwhile(self, desk: Desk) -> None:
        index = EmbeddedIndex(SHAPE)
        search = ArticleSearch(desk.app.store, index)
        desk.file("甲条例(2020-01-02).md", "第一条 行政处罚。")
        search.catch_up()
        honest = index.rebuild

        def interrupted(documents: Iterable[Document]) -> int:
            kept = list(documents)
            desk.file("乙条例(2021-01-02).md", "第一条 行政处罚。")
            search.catch_up()  # goes into the old index
            return honest(kept)

        index.rebuild = interrupted  # type: ignore[method-assign]
        search.rebuild()
        search.catch_up()
        assert {row.title for row in search.search("处罚").rows} == {"甲条例", "乙条例"}

    def test_a_rebuild_follows_a_status_that_changed_meanwhile(self, desk: Desk) -> None:
        index = EmbeddedIndex(SHAPE)
        search = ArticleSearch(desk.app.store, index)
        two_texts(desk)
        desk.file(
            "乙条例(2021-01-02).md", "第一条 自行车。"
        )  # stays as it is, so that the rest is added and not rebuilt
        search.catch_up()
        honest = index.rebuild

        def interrupted(documents: Iterable[Document]) -> int:
            kept = list(documents)
            desk.clock.set(datetime(2026, 4, 2, tzinfo=UTC))
            desk.worker.look_again()
            search.catch_up()  # goes into the old index
            return honest(kept)

        index.rebuild = interrupted  # type: ignore[method-assign]
        search.rebuild()
        search.catch_up()
        assert found(search, "处罚", statuses=["in_force"]) == [("2026-02-01", "第一条")]


class TestWhenTheIndexIsAway:
    def test_the_database_answers_and_says_so(self, desk: Desk) -> None:
        two_texts(desk)
        search = ArticleSearch(desk.app.store, AwayIndex())
        hits = search.search("处罚 公开", kinds=["administrative_regulation"], statuses=["not_yet"])
        assert (hits.degraded, hits.total) == (True, 1)
        assert "<em>公开</em>" in hits.rows[0].snippet

    def test_article_numbers_are_found_and_case_and_closing_marks_do_not_matter(self, desk: Desk) -> None:
        desk.file("乙条例(2020-01-02).md", "第一条 PM2.5浓度应当公开。", "第二条 自2020年3月1日起施行。")
        desk.worker.keep_index()
        for phrase in ("乙条例 第二条", "pm2.5", "浓度应当公开，", "“浓度”"):
            degraded = found(ArticleSearch(desk.app.store, AwayIndex()), phrase)
            assert degraded == found(desk.app.search, phrase) != [], phrase

    def test_wildcards_of_the_database_are_ordinary_characters(self, desk: Desk) -> None:
        two_texts(desk)
        assert ArticleSearch(desk.app.store, AwayIndex()).search("%处_罚%").total == 0

    def test_the_bounds_hold_all_the_same(self, desk: Desk) -> None:
        with pytest.raises(Invalid):
            ArticleSearch(desk.app.store, AwayIndex()).search("处罚", limit=1000)

    def test_the_clock_waits_for_the_engine(self, desk: Desk) -> None:
        two_texts(desk)
        ArticleSearch(desk.app.store, AwayIndex()).keep()
        desk.worker.keep_index()
        assert len(found(desk.app.search, "处罚")) == 2


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
def test_on_opensearch_the_same_articles_are_found(desk: Desk, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("opensearch").url
    two_texts(desk)
    search = ArticleSearch(desk.app.store, OpenSearchIndex(SHAPE, url, f"test-{id(desk)}", replicas=0))
    search.keep()
    assert found(search, "处罚") == [("2020-01-02", "第一条"), ("2026-02-01", "第一条")]
    assert found(search, "处罚", statuses=["in_force"]) == [("2020-01-02", "第一条")]


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
def test_an_opensearch_that_is_not_there_is_unavailable(desk: Desk) -> None:
    two_texts(desk)
    search = ArticleSearch(
        desk.app.store, OpenSearchIndex(SHAPE, "http://127.0.0.1:9", "test", timeout_seconds=1)
    )
    assert search.search("处罚").degraded
