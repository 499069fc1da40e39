"""A program that is missing is named together with the package that brings it; unit tests have no network."""

import socket
from pathlib import Path

import pytest

from tests.support.programs import ServerUnavailable, program


def test_a_missing_program_names_its_debian_package() -> None:
    with pytest.raises(ServerUnavailable, match=r"缺少程序 fazhi-nowhere.*apt-get install some-package"):
        program("fazhi-nowhere", package="some-package")


def test_the_newest_of_several_versions_is_taken(tmp_path: Path) -> None:
    for version in ("9", "15", "14"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        folder.joinpath("initdb").touch(mode=0o755)
    assert (
        program("initdb", package="postgresql", places=(f"{tmp_path}/*/bin",)) == tmp_path / "15/bin/initdb"
    )


def test_internet_sockets_are_closed() -> None:
    with pytest.raises(pytest.fail.Exception, match="internet socket"):
        socket.create_connection(("127.0.0.1", 1))
