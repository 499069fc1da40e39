"""
Intake 收件: one uploaded file, checked in quarantine and kept by its digest (R45, R46).

The stream is counted into a folder of its own under a random name; extension, first bytes and a real parse in a
child process (reading.py) must agree on what it is; only then its bytes go to the blobs, as they came.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

import orjson

from kernel.errors import Invalid, TooLarge
from kernel.files.kinds import Kind, kind_of
from kernel.storage.blobs import Blobs
from kernel.text import one_line

MAX_NAME = 200
_STEP = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How large a file may be, how long its parse may take, and the only kinds let in (all when empty)."""

    size_bytes: int = 20 * 1024 * 1024
    seconds: float = 20.0
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was checked and is kept: the digest of its bytes ("sha256:…"), what it is, and its own name."""

    digest: str
    media_type: str
    size: int
    name: str


STANDARD = FileLimits()


def checked(stream: BinaryIO, name: str, blobs: Blobs, limits: FileLimits = STANDARD) -> Kept:
    """
    Check an uploaded file and keep its bytes. Raises Invalid (codes "files.…"), TooLarge, Unavailable.

    Nothing of a refused file stays anywhere.
    """
    name = one_line(PurePath(name.replace("\\", "/")).name)[-MAX_NAME:]
    with tempfile.TemporaryDirectory(prefix="fazhi-quarantine-") as quarantine:
        path = Path(quarantine) / "file"
        size = _receive(stream, path, limits.size_bytes)
        with path.open("rb") as held:
            kind = kind_of(name, held.read(16))
        if limits.kinds and kind.name not in limits.kinds:
            raise Invalid(
                f"此处只接受 {'、'.join(limits.kinds)} 文件，请另存后上传。", code="files.wrong_file_type"
            )
        _parse(kind, path, limits.seconds)
        return Kept(blobs.put(path.read_bytes()), kind.media_type, size, name)


def _receive(stream: BinaryIO, path: Path, most: int) -> int:
    size = 0
    with path.open("xb") as held:
        while piece := stream.read(_STEP):
            size += len(piece)
            if size > most:
                raise TooLarge(
                    f"文件超过 {most // 1024 // 1024} MB 的上限，请压缩或拆分后上传。",
                    code="files.file_too_large",
                )
            held.write(piece)
    if not size:
        raise Invalid("文件是空的，请核对后上传。", code="files.empty_file")
    return size


def _parse(kind: Kind, path: Path, seconds: float) -> None:
    """The real parse, in a child without our environment; one that dies or lingers refuses the file."""
    command = [sys.executable, "-I", "-m", "kernel.files.reading", kind.name, str(path)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module on a path of our own making
            command, capture_output=True, check=False, timeout=seconds, env={"LC_ALL": "C.UTF-8"}
        )
    except subprocess.TimeoutExpired as late:
        raise _too_much() from late
    if done.returncode:
        raise _too_much()
    if done.stdout:
        refused = orjson.loads(done.stdout)
        raise Invalid(refused["message"], code=refused["code"])


def _too_much() -> Invalid:
    return Invalid(
        "文件无法在限定的时间和内存内读完，未予接收；请精简或重新导出后上传。", code="files.unreadable_file"
    )
