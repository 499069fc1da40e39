"""Catalog files: a fault names file and line, and nothing is dropped or altered silently."""

import os

import pytest

from kernel.catalog import CatalogInvalid, read, read_folder
from kernel.errors import Problem


def written(folder, content, name="a.yaml"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "catalog.repeated_key", 3),
        ("a: 1\nb: [1, 2\n", "catalog.syntax", 3),
        ("a: 1\npoints: 0.1\n", "catalog.binary_fraction", 2),
        ("a: &x [1]\nb: *x\n", "catalog.alias", 1),
        ("a: 1\n标题: 分值\n".encode("gbk"), "catalog.encoding", 2),
        ("a: 1\nb: !!python/object:os.system x\n", "catalog.syntax", 2),
        ("a: 1\nb: 2026-02-30\n", "catalog.syntax", 0),
        ("a: 1\nb: " + "[" * 100_000 + "]" * 100_000, "catalog.too_deep", 2),
        ("a: 1\ncode: 010\n", "catalog.ambiguous", 2),
        ("a: 1\nanswer: no\n", "catalog.ambiguous", 2),
        ("a: 1\nyes: 1\n", "catalog.ambiguous", 2),
        ("a: 1\nat: 12:30\n", "catalog.ambiguous", 2),
    ],
)
def test_a_fault_names_its_file_and_line(tmp_path, content, code, line):
    path = written(tmp_path, content)
    with pytest.raises(CatalogInvalid) as refused:
        read(path)
    assert [(p.path, p.code) for p in refused.value.problems] == [(f"{path}:{line}", code)]


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(CatalogInvalid) as refused:
        read(tmp_path / "none.yaml")
    assert refused.value.problems[0].code == "catalog.missing"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    assert read(written(tmp_path, b"\xef\xbb\xbfa: 1\n")).data == {"a": 1}


def test_a_problem_of_the_reader_gets_the_line_of_its_place(tmp_path):
    file = read(written(tmp_path, "nodes:\n  - code: A\n    points: {a: '1'}\n  - code: B\n"))
    error = file.located(
        [Problem("nodes[0].points.a", "x", "分值不对"), Problem("nodes[1].title", "y", "缺标题")]
    )
    assert [p.path.rsplit(":", 1)[1] for p in error.problems] == ["3", "4"]


def test_an_unchanged_file_is_read_once_and_a_changed_one_again(tmp_path):
    path = written(tmp_path, "a: 1\n")
    first = read(path)
    assert read(path) is first
    written(tmp_path, "a: 2\n")
    os.utime(path, ns=(1, 1))
    assert read(path).data == {"a": 2}


def test_a_folder_is_read_by_name(tmp_path):
    for name in ("b.yaml", "a.yaml", "c.txt"):
        written(tmp_path, "x: 1\n", name)
    assert [file.path.name for file in read_folder(tmp_path)] == ["a.yaml", "b.yaml"]
