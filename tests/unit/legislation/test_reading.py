"""Files as they come: three decades of encodings, and what is no text at all."""

import io
import random
import zipfile

import pytest

from kernel.errors import Invalid
from services.legislation.documents.rules import read_text

TEXT = "# 某某市市容管理办法\n\n第一条 为了加强市容管理，制定本办法。\n"


class TestWhatIsRead:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb2312", "gb18030", "utf-16"])
    def test_every_usual_encoding_gives_the_same_text(self, encoding: str) -> None:
        assert read_text("a.md", TEXT.encode(encoding))[0] == TEXT

    def test_rare_characters_of_gb18030_are_read(self) -> None:
        text = TEXT + "㐀䶵𠮷"
        assert read_text("a.txt", text.encode("gb18030"))[0] == text

    def test_line_ends_and_invisible_characters_do_not_matter(self) -> None:
        raw = ("\ufeff" + TEXT.replace("\n", "\r\n") + "\u200b").encode()
        assert read_text("a.md", raw)[0] == TEXT


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("name", "raw", "code"),
        [
            ("a.docx", TEXT.encode(), "legislation.wrong_file_type"),
            ("a.md", b"%PDF-1.7\n...", "legislation.wrong_file_type"),
            ("a.md", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "legislation.wrong_file_type"),
            ("a.md", b"{\\rtf1\\ansi}", "legislation.wrong_file_type"),
            ("a.md", b"", "legislation.empty_file"),
            ("a.md", b" \n\n", "legislation.empty_file"),
            ("a.md", TEXT.encode() + b"\x00", "legislation.not_text"),
            ("a.md", TEXT.encode() + b"\xff\xfe\xff", "legislation.unknown_encoding"),
            ("a.md", TEXT.encode("big5", "replace"), "legislation.unknown_encoding"),
            ("a.md", b"\xff\xfe\x00", "legislation.unknown_encoding"),
            ("a.md", b"x" * 5_000_001, "legislation.file_too_large"),
        ],
    )
    def test_the_reason_has_a_stable_code(self, name: str, raw: bytes, code: str) -> None:
        with pytest.raises(Invalid) as refused:
            read_text(name, raw)
        assert refused.value.stable_code == code

    def test_a_word_document_renamed_to_md_is_named_as_such(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("word/document.xml", TEXT)
        with pytest.raises(Invalid, match="Word"):
            read_text("a.md", packed.getvalue())

    def test_random_bytes_never_become_a_text(self) -> None:
        luck = random.Random(7)
        for _ in range(200):
            with pytest.raises(Invalid):
                read_text("a.md", b"\x90" + luck.randbytes(400))
