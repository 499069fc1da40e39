"""
Files with secrets: who may read them, and how they are made and replaced (R53).

Written whole and under another name first, so that a reader finds the old file or the new one, never half of one.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

_OTHERS = stat.S_IRWXO | stat.S_IWGRP


def is_open(path: Path) -> bool:
    """Whether others than the owner and its group may read a file, or the group may change it."""
    return bool(path.stat().st_mode & _OTHERS)


def is_open_key(path: Path) -> bool:
    """
    Whether somebody else may read a private key that is ours alone.

    The group may read it only where the file belongs to another account: so Kubernetes mounts a Secret, as
    root's and readable by our group, and there is no other way for us to read it.
    """
    found = path.stat()
    return is_open(path) or bool(found.st_mode & stat.S_IRGRP and found.st_uid == os.geteuid())


def make_file(path: Path, content: bytes) -> None:
    """Make a file (mode 0600) unless it exists; of two processes that do so at once, one wins and both read it."""
    if path.exists():
        return
    whole = _written(path, content, 0o600)
    with suppress(FileExistsError):
        path.hardlink_to(whole)
    whole.unlink()


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put a whole new file in the place of an old one, which keeps its mode; `mode` where there was none."""
    known = stat.S_IMODE(path.stat().st_mode) if path.exists() else mode
    _written(path, content, known).replace(path)


def _written(path: Path, content: bytes, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    whole.touch(mode=0o600)
    whole.write_bytes(content)
    with whole.open("rb") as written:
        os.fsync(written.fileno())
    whole.chmod(mode)
    return whole
