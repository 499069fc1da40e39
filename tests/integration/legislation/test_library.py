"""Files become documents, versions and articles; a basis is found in the version that was in force."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kernel.errors import Invalid, NotFound
from services.legislation.documents.rules import Kind, Status
from tests.integration.legislation.conftest import PROVINCE, Desk, a_text

LAWS = Path(__file__).parents[4] / "shared" / "data" / "laws"
FIRST = ("第一条 为了规范。", "第二条 本条例自2020年3月1日起施行。")


class TestImport:
    def test_the_same_file_twice_changes_nothing(self, desk: Desk) -> None:
        assert desk.file("甲条例(2020-01-02).md", *FIRST) == "imported"
        assert desk.file("甲条例(2020-01-02).md", *FIRST) == "unchanged"
        assert desk.app.library.documents()[0] == 1

    def test_the_same_text_in_another_encoding_is_the_same_text(self, desk: Desk) -> None:
        raw = a_text("甲条例", *FIRST)
        gbk = raw.decode().encode("gbk")
        report = desk.files(("甲条例(2020-01-02).md", raw), ("别处/甲条例(2020-01-02).md", gbk))
        assert [file.outcome for file in report.files] == ["imported", "unchanged"]
        assert desk.files(("甲条例(2020-01-02).md", gbk)).files[0].outcome == "unchanged"

    def test_another_text_of_the_same_version_is_refused_and_changes_nothing(self, desk: Desk) -> None:
        desk.file("甲条例(2020-01-02).md", *FIRST)
        assert desk.file("甲条例(2020-01-02).md", "第一条 改过的话。") == "legislation.version_differs"
        assert desk.app.library.basis("甲条例", article="1").text == "为了规范。"

    def test_a_namesake_of_another_kind_is_refused(self, desk: Desk) -> None:
        desk.file("甲条例(2020-01-02).md", *FIRST)
        report = desk.files(("甲条例(2021-01-02).md", a_text("甲条例", *FIRST)), kind=Kind.LOCAL_REGULATION)
        assert report.files[0].code == "legislation.kind_differs"

    def test_bad_files_are_listed_and_the_good_ones_are_in(self, desk: Desk) -> None:
        report = desk.files(
            ("好条例(2020-01-02).md", a_text("好条例", *FIRST)),
            ("表格.xlsx", b"PK\x03\x04..."),
            ("冒充(2020-01-02).md", b"PK\x03\x04..."),
            ("乱码(2020-01-02).md", b"\x81\x20\xff\xff" * 50),
            ("空(2020-01-02).md", a_text("空")),
            ("太大(2020-01-02).md", b"#" * 5_000_001),
            ("无日期.md", "# 无日期\n<!-- INFO END -->\n第一条 甲。".encode()),
        )
        assert [(file.outcome, file.code) for file in report.files] == [
            ("imported", ""),
            ("refused", "legislation.wrong_file_type"),
            ("refused", "legislation.wrong_file_type"),
            ("refused", "legislation.unknown_encoding"),
            ("refused", "legislation.empty_body"),
            ("refused", "legislation.file_too_large"),
            ("refused", "legislation.date_missing"),
        ]
        assert all(file.reason for file in report.files if file.outcome == "refused")
        assert (report.count("imported"), report.count("refused")) == (1, 6)

    def test_a_folder_says_what_kind_its_files_are(self, desk: Desk, tmp_path: Path) -> None:
        folder = tmp_path / "laws" / "部门规章" / "公安部"
        folder.mkdir(parents=True)
        text = "# 某某规定\n<!-- INFO END -->\n第一条 甲。"
        (folder / "某某规定(2018-01-25).md").write_text(text, encoding="utf-8")
        seen: list[tuple[int, int]] = []
        report = desk.app.intake.import_folder(PROVINCE, tmp_path / "laws", lambda *done: seen.append(done))
        assert report.count("imported") == 1
        _, rows = desk.app.library.documents()
        assert (rows[0].document.kind, rows[0].youngest.issuing_body) == ("department_rule", "公安部")
        assert seen == [(1, 1)]

    def test_a_folder_that_is_not_there_is_said(self, desk: Desk, tmp_path: Path) -> None:
        with pytest.raises(Invalid) as refused:
            desk.app.intake.import_folder(PROVINCE, tmp_path / "nowhere")
        assert refused.value.stable_code == "legislation.no_folder"


class TestBasis:
    def versions(self, desk: Desk) -> None:
        desk.file("甲条例(2020-01-02).md", "第一条 旧话。", "第二条 本条例自2020年3月1日起施行。")
        desk.file("甲条例(2026-02-01).md", "第一条 新话。\n新的一款。", "第二条 本条例自2026年4月1日起施行。")

    def test_without_a_version_the_one_in_force_that_day_is_meant(self, desk: Desk) -> None:
        self.versions(desk)
        library = desk.app.library
        assert library.basis("《甲条例》", article="第一条").text == "旧话。"
        assert library.basis("甲条例", article="第一条", on=date(2026, 4, 1)).text == "新话。\n新的一款。"

    def test_a_version_is_named_by_its_day_or_the_day_of_its_effect(self, desk: Desk) -> None:
        self.versions(desk)
        for name in ("2026-02-01", "2026-04-01"):
            found = desk.app.library.basis("甲条例", name, "1")
            assert (found.version.version, found.status) == ("2026-02-01", Status.NOT_YET)

    def test_a_paragraph_is_found_inside_its_article(self, desk: Desk) -> None:
        self.versions(desk)
        assert desk.app.library.basis("甲条例", "2026-02-01", "第一条第二款").text == "新的一款。"

    @pytest.mark.parametrize(
        ("basis", "code"),
        [
            (("乙条例", "", "1"), "legislation.unknown_document"),
            (("甲条例", "2019-01-01", "1"), "legislation.unknown_version"),
            (("甲条例", "", "第九条"), "legislation.unknown_article"),
            (("甲条例", "", "第一条第七款"), "legislation.unknown_article"),
            (("00000000-0000-0000-0000-00000000ffff", "", "1"), "legislation.unknown_document"),
        ],
    )
    def test_what_is_not_there_is_named(self, desk: Desk, basis: tuple[str, str, str], code: str) -> None:
        self.versions(desk)
        with pytest.raises(NotFound) as missing:
            desk.app.library.basis(*basis)
        assert missing.value.stable_code == code


class TestStatus:
    def statuses(self, desk: Desk, title: str) -> dict[str, str]:
        _, versions = desk.app.library.document(title)
        return {version.version: version.status for version in versions}

    def test_the_day_of_effect_changes_statuses_without_any_import(self, desk: Desk) -> None:
        desk.file("甲条例(2020-01-02).md", "第一条 自2020年3月1日起施行。")
        desk.file("甲条例(2026-02-01).md", "第一条 自2026年4月1日起施行。")
        assert self.statuses(desk, "甲条例") == {"2020-01-02": "in_force", "2026-02-01": "not_yet"}
        desk.clock.set(datetime(2026, 3, 31, 16, tzinfo=UTC))  # midnight in Shanghai
        desk.worker.look_again()
        assert self.statuses(desk, "甲条例") == {"2020-01-02": "amended", "2026-02-01": "in_force"}

    def test_a_repeal_counts_from_the_day_the_repealing_text_takes_effect(self, desk: Desk) -> None:
        desk.file("旧条例(2010-01-02).md", "第一条 甲。")
        desk.file("新条例(2026-01-02).md", "第一条 自2026年4月1日起施行。《旧条例》同时废止。")
        assert self.statuses(desk, "旧条例") == {"2010-01-02": "in_force"}
        assert desk.app.library.basis("旧条例", article="1", on=date(2026, 4, 1)).status is Status.REPEALED
        desk.clock.set(datetime(2026, 4, 2, tzinfo=UTC))
        desk.worker.look_again()
        assert self.statuses(desk, "旧条例") == {"2010-01-02": "repealed"}

    def test_a_younger_namesake_of_what_was_repealed_stays_in_force(self, desk: Desk) -> None:
        desk.file("新条例(2015-01-02).md", "第一条 自2015年4月1日起施行。《旧条例》同时废止。")
        desk.file("旧条例(2020-01-02).md", "第一条 甲。")
        assert self.statuses(desk, "旧条例") == {"2020-01-02": "in_force"}


@pytest.fixture
def collection(desk: Desk) -> Desk:
    """The library with all real texts."""
    if not LAWS.is_dir():
        pytest.skip(f"真实法律文本不在 {LAWS} / the real law texts are not there")
    report = desk.app.intake.import_folder(PROVINCE, LAWS)
    assert (report.count("imported"), report.count("refused"), len(report.files)) == (953, 3, 956)
    return desk


def test_the_whole_collection_is_imported_once(collection: Desk) -> None:
    again = collection.app.intake.import_folder(PROVINCE, LAWS)
    assert (again.count("imported"), again.count("unchanged"), again.count("refused")) == (0, 953, 3)
    assert collection.app.library.documents()[0] == 906
    assert collection.app.library.basis("行政处罚法", "2021-01-22", "60").text.startswith("行政机关应当自")
    assert collection.app.library.basis("个体工商户条例", article="1").status is Status.REPEALED


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
def test_the_whole_collection_is_found(collection: Desk) -> None:
    assert collection.app.search.catch_up() == 953
    hits = collection.app.search.search("行政处罚案件立案之日起九十日内")
    assert [(row.title, row.article) for row in hits.rows] == [("中华人民共和国行政处罚法", "第六十条")]
