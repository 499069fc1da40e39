"""Files as people hand them in, one small good one of every kind, and ways to spoil them."""

import io
import zipfile
from collections.abc import Mapping

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def packed(entries: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as package:
        for name, body in entries.items():
            package.writestr(zipfile.ZipInfo(name), body, compression)  # the same bytes whenever it is made
    return out.getvalue()


def docx(more: Mapping[str, str | bytes] | None = None) -> bytes:
    """A Word document of one paragraph; `more` adds or replaces entries."""
    return packed(
        {
            "[Content_Types].xml": _TYPES.format(
                '<Override PartName="/word/document.xml" '
                f'ContentType="{_OFFICE}.wordprocessingml.document.main+xml"/>'
            ),
            "_rels/.rels": relations("officeDocument", "word/document.xml"),
            "word/document.xml": "<w:document xmlns:w='urn:w'><w:p>合法性审查意见</w:p></w:document>",
            **(more or {}),
        }
    )


def relations(kind: str, target: str, mode: str = "") -> str:
    """A part of relations with one in it."""
    outside = f' TargetMode="{mode}"' if mode else ""
    return _RELATIONS.format(f'<Relationship Id="r1" Type="{_REL}/{kind}" Target="{target}"{outside}/>')


def xlsx() -> bytes:
    """A workbook of one sheet."""
    return packed(
        {
            "[Content_Types].xml": _TYPES.format(
                '<Override PartName="/xl/workbook.xml" '
                f'ContentType="{_OFFICE}.spreadsheetml.sheet.main+xml"/>'
            ),
            "_rels/.rels": relations("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": "<workbook xmlns='urn:s'><sheets/></workbook>",
        }
    )


def ofd() -> bytes:
    """An OFD package (GB/T 33190) of one empty document."""
    root = '<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" DocType="OFD" Version="1.1"><ofd:DocBody/></ofd:OFD>'
    return packed({"OFD.xml": root, "Doc_0/Document.xml": "<ofd:Document xmlns:ofd='urn:o'/>"})


def pdf(*, script: str = "", attachment: bytes = b"", password: str = "") -> bytes:
    """A PDF of one page, with what it should not have when asked."""
    writer = PdfWriter()
    writer.add_blank_page(width=595, height=842)
    if script:
        action = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject(script)}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
            {NameObject(key): value for key, value in action.items()}
        )
    if attachment:
        writer.add_attachment("附件.bin", attachment)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def picture(format_: str, size: tuple[int, int] = (8, 8)) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("1" if format_ == "PNG" else "RGB", size).save(out, format_)
    return out.getvalue()


GOOD = {
    "会议纪要.pdf": pdf(),
    "审查意见.docx": docx(),
    "意见采纳情况.xlsx": xlsx(),
    "公布材料.ofd": ofd(),
    "照片.jpg": picture("JPEG"),
    "照片.jpeg": picture("JPEG"),
    "截图.PNG": picture("PNG"),
    "意见.csv": "编号,意见\r\n1,同意\r\n".encode("gb18030"),
    "说明.txt": "程序履行情况说明".encode(),
}
