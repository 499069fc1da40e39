"""`fazhi keys` as an operator types it: files in place, nothing half done, and what it says."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from fazhi.cli import app
from gateway.partners.vault import Vault, make_root, read_root
from kernel.access.files import replace_file
from kernel.access.keyring import read_ring
from kernel.access.tokens import make_key, public_half
from kernel.errors import NotFound


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FAZHI_DATA", str(tmp_path))
    make_key(tmp_path / "keys" / "identity.pem")
    return tmp_path / "keys"


def fazhi(*words):
    done = CliRunner().invoke(app, ["keys", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def kids(path):
    return [each.kid for each in read_ring(path.read_bytes()).keys]


def test_rotating_adds_a_key_and_tells_when_it_signs(folder):
    (old,) = kids(folder / "identity.pem")
    said = fazhi("rotate", "--after", "0")
    assert kids(folder / "identity.pem")[0] == old
    assert kids(folder / "identity.pem")[1] in said
    listed = fazhi("list")
    assert "使用中" in listed
    assert "已退役" in listed
    assert not (folder / "identity.pub.pem").exists()


def test_the_file_for_those_who_check_goes_with_it(folder):
    (folder / "identity.pub.pem").write_bytes(public_half((folder / "identity.pem").read_bytes()))
    fazhi("rotate")
    assert kids(folder / "identity.pub.pem") == kids(folder / "identity.pem")
    assert "待启用" in fazhi("list")
    assert b"PRIVATE" not in (folder / "identity.pub.pem").read_bytes()


def test_revoking_the_one_in_use_puts_another_in_its_place(folder):
    (old,) = kids(folder / "identity.pem")
    assert old in fazhi("revoke", old[:8])
    assert "已撤销" in fazhi("list")
    assert len(kids(folder / "identity.pem")) == 2


def test_a_key_whose_hash_begins_with_a_dash_can_be_revoked_too(folder):
    while not kids(folder / "identity.pem")[-1].startswith("-"):
        (folder / "identity.pem").unlink()
        make_key(folder / "identity.pem")
    (dashed,) = kids(folder / "identity.pem")
    assert f"已撤销 {dashed}" in fazhi("revoke", dashed)


@pytest.mark.parametrize("words", [["revoke", "none-such"], ["revoke", ""]])
def test_a_key_that_is_not_there_or_not_one_is_not_guessed(folder, words):
    fazhi("rotate")
    before = (folder / "identity.pem").read_bytes()
    with pytest.raises(NotFound):
        fazhi(*words)
    assert (folder / "identity.pem").read_bytes() == before


def test_without_keys_it_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setenv("FAZHI_DATA", str(tmp_path))
    with pytest.raises(NotFound, match=r"identity\.pem"):
        fazhi("rotate")
    with pytest.raises(NotFound, match=r"partners\.key"):
        fazhi("rotate", "--partners")


class TestPartnersRoot:
    @pytest.fixture
    def root(self, folder):
        make_root(folder / "partners.key")
        return folder / "partners.key"

    def test_a_new_one_seals_from_the_next_start_and_the_old_one_still_opens(self, root):
        before = Vault(read_root(root))
        sealed = before.seal("clue/1", b"secret")
        assert "2 把" in fazhi("rotate", "--partners")
        after = Vault(read_root(root))
        assert after.open("clue/1", sealed) == b"secret"
        anew = after.seal("clue/2", b"later")
        with pytest.raises(ValueError, match="another key"):
            before.open("clue/2", anew)
        running = Vault(read_root(root)[32:], lambda: read_root(root))
        assert running.open("clue/2", anew) == b"later"
        assert before.open("x", running.seal("x", b"still the old")) == b"still the old"

    def test_the_same_person_is_matched_before_and_after(self, root):
        before = Vault(read_root(root)).person_hash("15000000000")
        fazhi("rotate", "--partners")
        assert Vault(read_root(root)).person_hash("15000000000") == before

    @pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 65])
    def test_half_a_root_is_none(self, content):
        with pytest.raises(ValueError, match="32 bytes"):
            Vault(content)


class TestKeysOfASource:
    @pytest.fixture
    def source(self, folder):
        make_key(folder / "source-enforcement.pem")
        return folder / "source-enforcement.pem"

    def test_are_listed_rotated_and_revoked_apart_from_those_of_tokens(self, source):
        before = kids(source.with_name("identity.pem"))
        listed = fazhi("list", "--source", "enforcement")
        assert "使用中" in listed
        assert "--source enforcement+" in listed  # as signatures and the verifier name it
        said = fazhi("rotate", "--source", "enforcement", "--after", "0")
        assert kids(source)[-1] in said
        assert "已撤销" in fazhi("revoke", kids(source)[-1], "--source", "enforcement")
        assert kids(source.with_name("identity.pem")) == before

    def test_are_kept_for_ever_for_what_they_signed(self, source):
        long_ago = datetime.now(UTC) - timedelta(days=900)
        for days in (0, 300, 600):
            ring = read_ring(source.read_bytes()).rotated(
                long_ago + timedelta(days=days), after=timedelta(0), forgets=False
            )
            replace_file(source, ring.text())
        fazhi("rotate", "--source", "enforcement")
        assert len(kids(source)) == 5

    def test_are_told_to_those_who_check_first(self, source, tmp_path, monkeypatch):
        public = tmp_path / "trust" / "source-enforcement.pub.pem"
        monkeypatch.setenv("FAZHI_SOURCE_PUBLIC_KEYS", str(public.parent))
        fazhi("rotate", "--source", "enforcement")
        assert kids(public) == kids(source)
        assert b"PRIVATE" not in public.read_bytes()
