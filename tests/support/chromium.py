"""
The browser of the tests: Debian's Chromium, driven by Playwright (which must not download its own).
"""

import contextlib
import os
from pathlib import Path
from typing import Any

from tests.support.programs import ServerUnavailable, program

_OTHER_NAMES = ("chromium-browser", "google-chrome-stable", "google-chrome")


def executable() -> Path:
    """Path of the browser; CHROMIUM names another one. Raises ServerUnavailable."""
    if named := os.environ.get("CHROMIUM"):
        return Path(named)
    for name in _OTHER_NAMES:
        with contextlib.suppress(ServerUnavailable):
            return program(name, package="chromium")
    return program("chromium", package="chromium")


def launch_options() -> dict[str, Any]:
    """Arguments for Playwright's `chromium.launch`."""
    # Chromium refuses its sandbox to root and in most containers; /dev/shm there is 64 MB.
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=zh-CN"]
    return {"executable_path": str(executable()), "args": flags, "headless": True}
