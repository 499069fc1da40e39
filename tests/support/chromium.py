"""
The browser of the tests: Debian's Chromium, driven by Playwright (which must not download its own).
"""

import os
from pathlib import Path
from typing import Any

from tests.support.servers import ServerUnavailable, missing, program

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def executable() -> Path:
    """Path of the browser; CHROMIUM names another one. Raises ServerUnavailable."""
    if named := os.environ.get("CHROMIUM"):
        return Path(named)
    for name in _NAMES:
        try:
            return program(name, package="chromium")
        except ServerUnavailable:
            continue
    raise ServerUnavailable(missing("chromium", "chromium"))


def launch_options() -> dict[str, Any]:
    """Arguments for Playwright's `chromium.launch`."""
    # Chromium refuses its sandbox to root and in most containers; /dev/shm there is 64 MB.
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=zh-CN"]
    return {"executable_path": str(executable()), "args": flags, "headless": True}
