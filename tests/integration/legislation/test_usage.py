"""Citations count once, in the version that was in force when the act was done."""

import pytest

from kernel.errors import Invalid
from services.legislation.usage.service import DocumentUsage
from tests.integration.legislation.conftest import Desk, a_citation


def usage(desk: Desk, document: str = "甲条例") -> DocumentUsage:
    return desk.app.usage.of_document(document, "2026-01", "2026-12")


def a_library(desk: Desk) -> None:
    desk.file(
        "甲条例(2020-01-02).md", "第一条 甲。", "第二条 乙。", "第三条 丙。", "第四条 自2020年3月1日起施行。"
    )


class TestCounting:
    def test_each_citation_counts_once_however_often_it_is_delivered(self, desk: Desk) -> None:
        a_library(desk)
        once = a_citation("《甲条例》", "第二条")
        desk.cite(once, a_citation("甲条例", "2"))
        desk.cite(once, redelivered=True)
        assert usage(desk).citations == 2
        assert usage(desk).articles == (("第二条", 2),)
        basis = desk.app.library.basis("甲条例", article="2")
        assert desk.app.usage.citations(basis.version.id, basis.article.key) == 2

    def test_the_version_is_the_one_in_force_on_the_day_of_the_act(self, desk: Desk) -> None:
        a_library(desk)
        desk.file("甲条例(2026-02-01).md", "第一条 甲。", "第二条 自2026年4月1日起施行。")
        desk.cite(a_citation("甲条例", "1", on="2026-03-31"), a_citation("甲条例", "1", on="2026-04-01"))
        old = desk.app.library.basis("甲条例", "2020-01-02", "1")
        new = desk.app.library.basis("甲条例", "2026-02-01", "1")
        assert desk.app.usage.citations(old.version.id, "1") == 1
        assert desk.app.usage.citations(new.version.id, "1") == 1

    def test_a_version_that_comes_late_takes_over_what_was_cited_of_it(self, desk: Desk) -> None:
        a_library(desk)
        cited = [
            a_citation("甲条例", "2", on="2019-12-31", unit="150101"),
            a_citation("甲条例", "2", on="2026-03-31", unit="150102"),
            a_citation("甲条例", "2", on="2026-04-01", unit="150103"),
            a_citation("甲条例", "2", on="2026-04-01", unit="150104", version="2020-01-02"),
        ]
        desk.cite(*cited)
        desk.file("甲条例(2026-02-01).md", "第一条 甲。", "第二条 自2026年4月1日起施行。")
        desk.file("甲条例(2010-01-01).md", "第一条 甲。", "第二条 自2010年4月1日起施行。")
        desk.worker.resolve_waiting_citations()
        versions = ("2010-01-01", "2020-01-02", "2026-02-01")
        bases = [desk.app.library.basis("甲条例", version, "2") for version in versions]
        assert [desk.app.usage.citations(basis.version.id, "2") for basis in bases] == [1, 2, 1]
        assert usage(desk).citations == 3
        assert usage(desk).u2.numerator == 3

    def test_u3_counts_articles_and_u2_organs(self, desk: Desk) -> None:
        a_library(desk)
        desk.file("乙条例(2020-01-02).md", "第一条 甲。")
        desk.cite(
            a_citation("甲条例", "1", unit="150102"),
            a_citation("甲条例", "1", unit="150102"),
            a_citation("甲条例", "3", unit="150103"),
            a_citation("乙条例", "1", unit="150104"),
        )
        found = usage(desk)
        assert (found.u3.numerator, found.u3.denominator, found.u3.milli) == (2, 4, 500)
        assert (found.u2.numerator, found.u2.denominator, found.u2.milli) == (2, 3, 666)

    def test_only_the_months_asked_for_count(self, desk: Desk) -> None:
        a_library(desk)
        desk.cite(a_citation("甲条例", "1", on="2025-12-31"), a_citation("甲条例", "1", on="2026-01-01"))
        assert usage(desk).citations == 1

    def test_an_unknown_article_counts_for_the_document_only(self, desk: Desk) -> None:
        a_library(desk)
        desk.cite(a_citation("甲条例", "第九十九条"), a_citation("甲条例", "有关规定"))
        assert usage(desk).citations == 2
        assert usage(desk).articles == ()

    def test_a_citation_waits_for_its_document(self, desk: Desk) -> None:
        desk.cite(a_citation("甲条例", "第一条"))
        assert desk.app.usage.resolve_waiting() == 0
        a_library(desk)
        desk.worker.resolve_waiting_citations()
        desk.worker.resolve_waiting_citations()
        assert usage(desk).articles == (("第一条", 1),)

    def test_a_thousand_citations_in_one_message_are_taken(self, desk: Desk) -> None:
        a_library(desk)
        desk.cite(*(a_citation("甲条例", str(n % 3 + 1), unit=f"15{n % 50:04d}") for n in range(1000)))
        assert usage(desk).citations == 1000
        assert usage(desk).u2.numerator == 50

    def test_the_most_cited_come_first(self, desk: Desk) -> None:
        a_library(desk)
        desk.file("乙条例(2020-01-02).md", "第一条 甲。")
        desk.cite(a_citation("乙条例", "1"), a_citation("乙条例", "1"), a_citation("甲条例", "1"))
        rows = desk.app.usage.most_cited("2026-01", "2026-12")
        assert [(row.title, row.citations, row.organs) for row in rows] == [
            ("乙条例", 2, 1),
            ("甲条例", 1, 1),
        ]

    @pytest.mark.parametrize("period", [("2026", "2026-12"), ("2026-13", "2026-14"), ("2026-05", "2026-01")])
    def test_an_impossible_period_is_refused(self, desk: Desk, period: tuple[str, str]) -> None:
        with pytest.raises(Invalid):
            desk.app.usage.most_cited(*period)


def test_a_document_nobody_cited_has_no_share_of_nothing(desk: Desk) -> None:
    a_library(desk)
    found = usage(desk)
    assert (found.citations, found.u2.milli, found.u3.milli) == (0, None, 0)
