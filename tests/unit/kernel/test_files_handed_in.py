"""A file handed in is kept as it came, or refused with a reason and nothing of it stays (R45, R46)."""

import hashlib
import io
import os
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from kernel.errors import Invalid, PermanentError, TooLarge
from kernel.files import reading
from kernel.files.intake import FileLimits, checked
from kernel.files.package import Package, PackageLimits
from kernel.storage.blobs import Blobs
from tests.support import papers

DTD = "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"


@pytest.fixture
def blobs() -> Blobs:
    return Blobs(MemoryStore())


@pytest.fixture
def quarantine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", papers.GOOD)
def test_every_allowed_kind_is_kept_as_it_came(name: str, blobs: Blobs, quarantine: Path) -> None:
    content = papers.GOOD[name]
    kept = checked(io.BytesIO(content), name, blobs)
    assert kept.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert (kept.size, kept.name) == (len(content), name)
    assert blobs.get(kept.digest) == content
    assert list(quarantine.iterdir()) == []


BAD = [
    ("空.pdf", b"", "files.empty_file"),
    ("程序.exe", b"MZ\x90\x00", "files.wrong_file_type"),
    ("无扩展名", b"hello", "files.wrong_file_type"),
    ("页面.html", b"<script>alert(1)</script>", "files.wrong_file_type"),
    ("图.svg", b"<svg onload='x'/>", "files.wrong_file_type"),
    ("旧.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "files.wrong_file_type"),
    ("加密.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "files.wrong_file_type"),
    ("假.pdf", papers.docx(), "files.wrong_file_type"),
    ("假.docx", papers.pdf(), "files.wrong_file_type"),
    ("假.docx", papers.xlsx(), "files.wrong_file_type"),
    ("假.ofd", papers.docx(), "files.wrong_file_type"),
    ("假.xlsx", papers.ofd(), "files.wrong_file_type"),
    ("假.jpg", papers.picture("PNG"), "files.wrong_file_type"),
    ("假.txt", papers.pdf(), "files.wrong_file_type"),
    ("假.csv", b"MZ\x90\x00\x03", "files.broken_file"),
    ("宏.docm", papers.docx(), "files.wrong_file_type"),
    ("坏.pdf", b"%PDF-1.7\nnothing", "files.broken_file"),
    ("坏.png", papers.picture("PNG")[:-20], "files.broken_file"),
    ("坏.jpg", b"\xff\xd8\xff\xe0 no picture", "files.broken_file"),
    ("坏.docx", papers.docx()[:-60], "files.broken_file"),
    ("坏.docx", papers.docx({"word/document.xml": "<open>"}), "files.broken_file"),
    ("坏.csv", b'1,"never closed\n', "files.broken_file"),
    ("坏.txt", b"\x81\xff\xff\x00", "files.broken_file"),
    ("宏.docx", papers.docx({"word/vbaProject.bin": b"x"}), "files.unsafe_file"),
    ("宏.docx", papers.docx({"[Content_Types].xml": papers._TYPES.format(
        '<Override PartName="/word/document.xml" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'
    )}), "files.unsafe_file"),
    ("嵌套.docx", papers.docx({"word/media/a.zip": papers.packed({"a": "b"})}), "files.unsafe_file"),
    ("嵌套.docx", papers.docx({"word/media/a.png": papers.packed({"a": "b"})}), "files.unsafe_file"),
    ("对象.docx", papers.docx({"word/embeddings/o.bin": b"x"}), "files.unsafe_file"),
    ("外链.docx", papers.docx({"word/_rels/document.xml.rels": papers.relations(
        "attachedTemplate", "http://evil.test/t.dotm", "External")}), "files.unsafe_file"),
    ("定义.docx", papers.docx({"word/document.xml": DTD}), "files.unsafe_file"),
    ("定义.docx", papers.docx({"word/document.xml": ("<?xml version='1.0' encoding='utf-16'?>" + DTD).encode(
        "utf-16")}), "files.unsafe_file"),
    ("路径.docx", papers.docx({"../evil.xml": "<a/>"}), "files.unsafe_file"),
    ("太多.ofd", papers.packed({f"{n}.xml": "<a/>" for n in range(1001)}), "files.unsafe_file"),
    ("怪压缩.ofd", papers.packed({"OFD.xml": "<OFD/>"}, zipfile.ZIP_LZMA), "files.unsafe_file"),
    ("炸弹.docx", papers.docx({"word/a.bin": bytes(60_000_000)}), "files.zip_bomb"),
    ("脚本.pdf", papers.pdf(script="app.alert(1)"), "files.unsafe_file"),
    ("附件.pdf", papers.pdf(attachment=b"MZ"), "files.unsafe_file"),
    ("密码.pdf", papers.pdf(password="secret"), "files.protected_file"),
    ("夹带.pdf", papers.pdf() + papers.packed({"a.exe": b"MZ"}), "files.unsafe_file"),
    ("夹带.png", papers.picture("PNG") + papers.packed({"a.exe": b"MZ"}), "files.unsafe_file"),
    ("巨图.png", papers.picture("PNG", (7000, 6000)), "files.too_many_pixels"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "code"), BAD, ids=[f"{n}-{name}" for n, (name, _, _) in enumerate(BAD)]
)
def test_a_bad_file_is_refused_with_its_code_and_nothing_stays(
    name: str, content: bytes, code: str, blobs: Blobs, quarantine: Path
) -> None:
    with pytest.raises(Invalid) as refused:
        checked(io.BytesIO(content), name, blobs)
    assert refused.value.stable_code == code
    assert refused.value.text.endswith("。")
    assert list(quarantine.iterdir()) == []
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    with pytest.raises(Exception, match="unknown_blob"):
        blobs.get(digest)


def test_a_hyperlink_in_a_document_is_no_reason_to_refuse_it(blobs: Blobs) -> None:
    linked = papers.docx(
        {"word/_rels/document.xml.rels": papers.relations("hyperlink", "https://www.gov.cn", "External")}
    )
    assert checked(io.BytesIO(linked), "意见.docx", blobs).size == len(linked)


def test_a_file_too_large_is_refused_while_it_comes_in(blobs: Blobs) -> None:
    read = 0

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            nonlocal read
            read += size
            return b"x" * size

    with pytest.raises(TooLarge) as refused:
        checked(Endless(), "a.txt", blobs, FileLimits(size_bytes=1024 * 1024))  # type: ignore[arg-type]
    assert refused.value.stable_code == "files.file_too_large"
    assert read <= 2 * 1024 * 1024


def test_declared_sizes_that_lie_are_found_while_inflating() -> None:
    honest = papers.packed({"a.bin": bytes(9_000_000)})
    with zipfile.ZipFile(io.BytesIO(honest)) as package:
        true_size = package.getinfo("a.bin").file_size.to_bytes(4, "little")
    lying = Package(
        honest.replace(true_size, (1000).to_bytes(4, "little")), PackageLimits(inflated_bytes=8_000_000)
    )
    with pytest.raises(Invalid) as refused:
        lying.inflate("a.bin", lambda _piece: None)
    assert refused.value.stable_code in ("files.zip_bomb", "files.broken_file")


def test_the_whole_package_counts_not_each_entry() -> None:
    package = Package(
        papers.packed({"a": os.urandom(600), "b": os.urandom(600)}), PackageLimits(inflated_bytes=1300)
    )
    package._limits = PackageLimits(inflated_bytes=1000)  # as if the directory had lied
    package.inflate("a", lambda _piece: None)
    with pytest.raises(Invalid, match="zip_bomb"):
        package.inflate("b", lambda _piece: None)


def test_a_folder_in_the_name_is_left_out(blobs: Blobs) -> None:
    assert checked(io.BytesIO("说明".encode()), "C:\\桌面\\..\\说明.txt", blobs).name == "说明.txt"


def test_only_the_kinds_a_door_names_pass_it(blobs: Blobs) -> None:
    with pytest.raises(Invalid) as refused:
        checked(io.BytesIO("说明".encode()), "说明.txt", blobs, FileLimits(kinds=("pdf", "ofd")))
    assert refused.value.stable_code == "files.wrong_file_type"


class TestTheChild:
    def test_a_parse_that_lingers_is_cut_off(self, blobs: Blobs) -> None:
        started = time.monotonic()
        with pytest.raises(Invalid) as refused:
            checked(io.BytesIO(papers.pdf()), "慢.pdf", blobs, FileLimits(seconds=0.01))
        assert refused.value.stable_code == "files.unreadable_file"
        assert time.monotonic() - started < 5

    def test_a_parse_that_wants_too_much_memory_takes_down_only_itself(
        self, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        greedy = tmp_path / "greedy"
        body = "import sys, kernel.files.reading as r; r._READERS['txt'] = lambda p, k: bytearray(2**30)"
        greedy.write_text(f"#!/bin/sh\nexec {sys.executable} -I -c \"{body}; r.main('txt', None)\"\n")
        greedy.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(greedy))
        with pytest.raises(Invalid) as refused:
            checked(io.BytesIO(b"text"), "大.txt", blobs)
        assert refused.value.stable_code == "files.unreadable_file"

    def test_it_limits_itself_before_it_opens_anything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[object] = []
        monkeypatch.setattr(resource, "setrlimit", lambda what, how: told.append((what, how)))
        monkeypatch.setattr(reading, "read", lambda kind, path: told.append("read"))
        reading.main("txt", Path("none"))
        assert told[-1] == "read"
        assert (resource.RLIMIT_AS, (512 * 1024 * 1024,) * 2) in told
        assert (resource.RLIMIT_CPU, (20, 20)) in told

    def test_it_sees_nothing_of_our_environment(
        self, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FAZHI_SECRET", "canary")
        nosy = tmp_path / "nosy"
        nosy.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
        nosy.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(nosy))
        checked(io.BytesIO(b"text"), "a.txt", blobs)
        assert "canary" not in (tmp_path / "seen").read_text()


SMALL = sorted(
    {name: body for name, body in papers.GOOD.items() if not name.endswith(("jpeg", "PNG"))}.items()
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.sampled_from(SMALL), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8))
def test_a_file_damaged_anywhere_is_read_or_refused_with_a_code(
    tmp_path_factory: pytest.TempPathFactory, paper: tuple[str, bytes], changes: list[tuple[int, int]]
) -> None:
    """What a parser meets that nobody thought of must end as a refusal, not as a crash."""
    name, content = paper
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(damaged)
    assert refusal_of(name.rpartition(".")[2], path).startswith("files.")


def refusal_of(kind: str, path: Path) -> str:
    """The code with which a file is refused, or "files.read" when it is not."""
    try:
        reading.read(kind, path)
    except PermanentError as refused:
        return refused.stable_code
    return "files.read"
