"""
Finding the servers' programs on this machine, and saying what to install when they are not there.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

# Ordinary accounts often lack these in PATH, and Debian keeps servers there.
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"


class ServerUnavailable(RuntimeError):
    """A server cannot be had on this machine; the message names what to install."""


def program(name: str, *, package: str, places: Iterable[str] = ()) -> Path:
    """Path of a program, looked for in `places` (globs, highest version first) and then in PATH.

    Raises ServerUnavailable, naming the Debian package to install.
    """
    for place in places:
        for folder in sorted(Path("/").glob(place.lstrip("/")), key=_version, reverse=True):
            if os.access(folder / name, os.X_OK):
                return folder / name
    found = shutil.which(name) or shutil.which(name, path=_SYSTEM_FOLDERS)
    if found:
        return Path(found)
    raise ServerUnavailable(
        f"缺少程序 {name}，请以管理员身份执行：apt-get install {package}"
        f" / {name} is missing: as root, run: apt-get install {package}"
    )


def _version(folder: Path) -> list[int]:
    return [int(part) for part in folder.as_posix().replace(".", "/").split("/") if part.isdigit()]
