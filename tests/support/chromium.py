"""
The browser of the tests: the machine's Chromium or Chrome, driven by Playwright (which must not download its own).

Ubuntu's packages are only pointers to a snap, which containers cannot have: there a program of the right name lies
in PATH and does not start. So a browser counts as there when it tells its version.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.programs import ServerUnavailable

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_MISSING = (
    "没有能启动的 Chromium：Debian 请以管理员身份执行 apt-get install chromium；Ubuntu 的 chromium 是 snap，"
    "不能用时请安装 Chrome 或以 CHROMIUM=/路径/chrome 指明浏览器"
    " / no Chromium that starts: on Debian run apt-get install chromium as root; Ubuntu's is a snap, where that"
    " cannot be had install Chrome or name a browser with CHROMIUM=/path/to/chrome"
)


def executable() -> Path:
    """Path of the browser; CHROMIUM names another one. Raises ServerUnavailable."""
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else _NAMES:
        found = shutil.which(name)
        if found and _starts(found):
            return Path(found)
    raise ServerUnavailable(f"CHROMIUM={named}：{_MISSING}" if named else _MISSING)


def _starts(path: str) -> bool:
    asked = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    return asked.returncode == 0


def launch_options() -> dict[str, Any]:
    """Arguments for Playwright's `chromium.launch`."""
    # Chromium refuses its sandbox to root and in most containers; /dev/shm there is 64 MB.
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=zh-CN"]
    return {"executable_path": str(executable()), "args": flags, "headless": True}
