"""
Reading 试读: the real parse of a handed-in file, in a child process with little memory and time (R46).

Run as `python -m kernel.files.reading KIND PATH`: it limits itself before it opens anything, and prints what is
wrong as JSON, or nothing. A parser that is led astray takes down this child and no server. See intake.py.
"""

import csv
import resource
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

import orjson

from kernel.errors import Invalid, PermanentError
from kernel.files.package import Package, PackageLimits
from kernel.text import has_controls

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 20
MAX_PIXELS = 40_000_000
MOST_ELEMENTS = 100_000  # of a list of parts or relations
Element = tuple[str, dict[str, str]]
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MAIN_TYPE = {
    "docx": f"{_OFFICE}wordprocessingml.document.main+xml",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet.main+xml",
}
_ACTIVE_PDF = ("/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA")


class Unreadable(Invalid):
    """The file is not what it says it is, or is damaged."""

    code = "files.broken_file"
    message = "文件已损坏或不是所标的类型，无法读取，请重新导出后上传。"


class Unsafe(Invalid):
    """The file carries what a document has no use for."""

    code = "files.unsafe_file"


def read(kind: str, path: Path) -> None:
    """Parse a file of this kind to its end. Raises Invalid."""
    reader = _READERS[kind]
    if reader not in (_office, _ofd) and zipfile.is_zipfile(path):
        raise Unsafe("文件内夹带压缩包，请去除后重新上传。")
    reader(path, kind)


def _office(path: Path, kind: str) -> None:
    with Package(path.read_bytes(), PackageLimits()) as package:
        types: list[Element] = []
        for name in package.names:
            found = _entry(package, name)
            if name == "[Content_Types].xml":
                types = found
        declared = [attributes.get("ContentType", "") for _, attributes in types]
        if any("macroEnabled" in each or "vbaProject" in each for each in declared):
            raise Unsafe("文件含有宏，请另存为不含宏的文件后上传。")
        mains = [
            a["PartName"] for _, a in types if a.get("ContentType") == _MAIN_TYPE[kind] and "PartName" in a
        ]
        if not any(main.removeprefix("/") in package.names for main in mains):
            raise Unreadable(f"文件不是 .{kind}，请核对类型后重新上传。", code="files.wrong_file_type")


def _ofd(path: Path, _kind: str) -> None:
    with Package(path.read_bytes(), PackageLimits()) as package:
        roots = {name: found[0][0] for name in package.names if (found := _entry(package, name))}
        if roots.get("OFD.xml") != "OFD":
            raise Unreadable("文件不是 .ofd，请核对类型后重新上传。", code="files.wrong_file_type")


def _entry(package: Package, name: str) -> list[Element]:
    """Inflate one entry; of an XML its first elements. Relations may lead outside by hyperlink only."""
    lower = name.lower()
    if not lower.endswith((".xml", ".rels")):
        package.inflate(name, lambda _piece: None)
        return []
    is_list = lower.endswith((".rels", "[content_types].xml"))
    found = _elements(package, name, most=MOST_ELEMENTS if is_list else 1)
    for _, attributes in found:
        # A hyperlink is followed by the reader's own hand; any other outside part is fetched by the program.
        outside = attributes.get("TargetMode", "").lower() == "external"
        if outside and not attributes.get("Type", "").endswith("/hyperlink"):
            raise Unsafe("文件引用了外部内容，请改为嵌入图片或断开链接后上传。")
    return found


def _elements(package: Package, name: str, most: int) -> list[Element]:
    """(local name, attributes) of the first elements of a well-formed XML without DTD, whatever its encoding."""
    found: list[Element] = []

    def refuse(*_declared: object) -> None:
        raise Unsafe("文件含有文档类型定义，未予读取，请重新保存后上传。")

    def note(name: str, attributes: dict[str, str]) -> None:
        if len(found) < most:
            found.append((name.rpartition(":")[2], attributes))
        elif most > 1:
            raise Unsafe("文件的目录过长，请重新保存后上传。")  # what is not looked at is not let in

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = note
    try:
        package.inflate(name, lambda piece: parser.Parse(piece, False))  # noqa: FBT003 - its own last argument
        parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as broken:
        raise Unreadable() from broken
    return found


def _pdf(path: Path, _kind: str) -> None:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError
    from pypdf.generic import IndirectObject

    try:
        document = PdfReader(path, strict=False)
        if document.is_encrypted:
            raise Unsafe("文件设有密码，请取消密码后上传。", code="files.protected_file")
        if not [page.mediabox for page in document.pages]:
            raise Unreadable("PDF 中没有页面，请重新导出后上传。")
        places = [(number, generation) for generation, of in document.xref.items() for number in of]
        places += [(number, 0) for number in document.xref_objStm]
        for number, generation in places:
            _no_active_content(document.get_object(IndirectObject(number, generation, document)))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as broken:
        raise Unreadable() from broken


def _no_active_content(found: object) -> None:
    """Refuse an object that runs, launches or carries another file; references are looked at by themselves."""
    if isinstance(found, dict):
        words = {str(key) for key in found} | {
            str(value) for value in found.values() if isinstance(value, str)
        }
        if words.intersection(_ACTIVE_PDF):
            raise Unsafe("PDF 含有脚本、可执行动作或附件，请打印为普通 PDF 后上传。")
    for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        if isinstance(inner, dict | list):
            _no_active_content(inner)


def _image(path: Path, _kind: str) -> None:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # counted below, with words of our own
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unsafe("图片超过 4000 万像素，请缩小后上传。", code="files.too_many_pixels")
            image.verify()  # checksums and chunks to the end
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as broken:
        raise Unreadable() from broken


def _text(path: Path, _kind: str) -> str:
    content = path.read_bytes()
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if has_controls(text):
            break
        return text
    raise Unreadable("文件不是文本（含有二进制内容或无法识别的编码），请另存为 UTF-8 后上传。")


def _csv(path: Path, kind: str) -> None:
    try:
        for _row in csv.reader(_text(path, kind).splitlines(keepends=True), strict=True):
            pass
    except csv.Error as broken:
        raise Unreadable("表格的引号不配对或单元格过大，请重新导出后上传。") from broken


_READERS: dict[str, Callable[[Path, str], object]] = {
    "pdf": _pdf,
    "ofd": _ofd,
    "docx": _office,
    "xlsx": _office,
    "jpg": _image,
    "png": _image,
    "csv": _csv,
    "txt": _text,
}


def main(kind: str, path: Path) -> None:
    """The child: limits first, then the parse; what is wrong goes to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        read(kind, path)
    except PermanentError as refused:
        sys.stdout.buffer.write(orjson.dumps({"code": refused.stable_code, "message": refused.text}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
