"""Signing keys are rotated, handed out early, retired and revoked without a restart (R27, R53)."""

import base64
import json
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.access import keyring
from kernel.access.files import is_open_key, make_file, replace_file
from kernel.access.keyring import KeyFile, Ring, State, new_key, read_ring
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, TokenExpired, Verifier, make_key, public_half
from kernel.clock import FixedClock
from kernel.errors import NotSignedIn

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
AT_ONCE = timedelta(0)
WHO = Principal(account="li", unit="15", session="ab" * 32)


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def path(tmp_path):
    make_key(tmp_path / "identity.pem")
    return tmp_path / "identity.pem"


def rotate(path, now=NOW, after=AT_ONCE):
    ring = read_ring(path.read_bytes()).rotated(now, after=after)
    replace_file(path, ring.text())
    return ring


def states(ring, now=NOW):
    return [ring.state(each, now) for each in ring.keys]


class TestAToken:
    def test_names_the_key_that_signed_it_by_the_hash_of_its_public_half(self, path, clock):
        token = Issuer(KeyFile(path), clock).issue(WHO)
        (key,) = read_ring(public_half(path.read_bytes())).keys
        assert keyring.read_ring(path.read_bytes()).keys[0].kid == key.kid == key.key.thumbprint()
        assert f'"kid":"{key.kid}"'.encode() in _header(token)

    def test_of_an_earlier_key_is_honoured_through_the_overlap_until_it_runs_out(self, path, clock):
        issuer, verifier = Issuer(KeyFile(path), clock), Verifier(KeyFile(path), clock)
        old = issuer.issue(WHO)
        rotate(path)
        verifier._keys.ring(afresh=True)
        assert verifier.principal(old)[0] == WHO
        clock.advance(timedelta(minutes=6))
        with pytest.raises(TokenExpired):
            verifier.principal(old)

    def test_of_a_key_that_came_while_running_is_taken_at_once(self, path, clock):
        issuer, verifier = Issuer(KeyFile(path), clock), Verifier(KeyFile(path), clock)
        verifier.principal(issuer.issue(WHO))
        ring = rotate(path)
        new = Issuer(KeyFile(path), clock).issue(WHO)
        assert ring.signing(NOW).kid.encode() in _header(new)
        assert verifier.principal(new)[0] == WHO

    def test_of_a_revoked_key_is_refused_within_a_second(self, path, clock):
        issuer, verifier = Issuer(KeyFile(path), clock), Verifier(KeyFile(path), clock)
        old = issuer.issue(WHO)
        assert verifier.principal(old)[0] == WHO
        ring = read_ring(path.read_bytes())
        replace_file(path, ring.revoked(ring.keys[0].kid, NOW).text())
        time.sleep(keyring.LOOK_SECONDS + 0.05)
        with pytest.raises(NotSignedIn):
            verifier.principal(old)
        assert verifier.principal(issuer.issue(WHO))[0] == WHO

    @pytest.mark.parametrize("said", ["", "none-such", "../identity.pem"])
    def test_of_a_key_we_do_not_have_is_refused(self, path, clock, tmp_path, said):
        make_key(tmp_path / "other.pem")
        forged = Issuer(KeyFile(tmp_path / "other.pem"), clock).issue(WHO)
        if said:
            from joserfc import jwt

            key = read_ring((tmp_path / "other.pem").read_bytes()).keys[0].key
            forged = jwt.encode(
                {"alg": "Ed25519", "kid": said}, {"aud": "fazhi"}, key, algorithms=["Ed25519"]
            )
        with pytest.raises(NotSignedIn):
            Verifier(KeyFile(path), clock).principal(forged)

    def test_without_a_key_name_is_still_checked_for_those_of_the_version_before(self, path, clock):
        from joserfc import jwt

        issuer = Issuer(KeyFile(path), clock)
        claims = jwt.decode(
            issuer.issue(WHO), read_ring(path.read_bytes()).keys[0].key, algorithms=["Ed25519"]
        ).claims
        old = jwt.encode(
            {"alg": "Ed25519"}, claims, read_ring(path.read_bytes()).keys[0].key, algorithms=["Ed25519"]
        )
        rotate(path)
        assert Verifier(KeyFile(path), clock).principal(old)[0] == WHO

    @pytest.mark.parametrize("garbage", ["", "a.b.c", "e30.e30.e30", "." * 10, "é"])
    def test_that_is_none_is_refused(self, path, clock, garbage):
        with pytest.raises(NotSignedIn):
            Verifier(KeyFile(path), clock).principal(garbage)

    @pytest.mark.parametrize(
        "head", [[], "x", 1, None, {"kid": {}}, {"crit": 1}, {"crit": ["b64"], "b64": False}, {"alg": 5}]
    )
    def test_with_a_strange_header_is_refused(self, path, clock, head):
        said = {"alg": "Ed25519", **head} if isinstance(head, dict) else head
        parts = [json.dumps(said).encode(), b"{}", b"x" * 64]
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        with pytest.raises(NotSignedIn):
            Verifier(KeyFile(path), clock).principal(token)


class TestAKey:
    def test_handed_out_early_checks_but_does_not_sign_before_its_time(self, path, clock):
        before = read_ring(path.read_bytes()).keys[0].kid
        ring = rotate(path, after=timedelta(minutes=10))
        assert states(ring) == [State.ACTIVE, State.PENDING]
        issuer, verifier = Issuer(KeyFile(path), clock), Verifier(KeyFile(path), clock)
        assert before.encode() in _header(issuer.issue(WHO))
        clock.advance(timedelta(minutes=10))
        after = issuer.issue(WHO)
        assert ring.keys[1].kid.encode() in _header(after)
        assert verifier.principal(after)[0] == WHO
        assert states(ring, clock.now()) == [State.RETIRED, State.ACTIVE]

    def test_that_retired_loses_its_private_half_and_is_forgotten_a_day_later(self, path):
        first = rotate(path)
        assert [each.key.is_private for each in first.keys] == [True, True]
        second = rotate(path, NOW + timedelta(hours=1))
        assert [each.key.is_private for each in second.keys] == [False, True, True]
        third = rotate(path, NOW + timedelta(days=3))
        assert first.keys[0].kid not in {each.kid for each in third.keys}
        assert len(third.keys) == 2

    def test_in_use_is_not_revoked_without_another_in_its_place(self, path):
        ring = read_ring(path.read_bytes())
        left = ring.revoked(ring.keys[0].kid, NOW)
        assert sorted(states(left)) == [State.ACTIVE, State.REVOKED]
        assert left.signing(NOW).kid != ring.keys[0].kid
        assert [each.key.is_private for each in left.keys if each.revoked_at] == [False]

    def test_that_is_revoked_stays_named_and_revoked_for_ever(self, path):
        ring = read_ring(path.read_bytes())
        left = ring.revoked(ring.keys[0].kid, NOW).rotated(NOW + timedelta(days=400), after=AT_ONCE)
        (found,) = [each for each in read_ring(left.text()).keys if each.kid == ring.keys[0].kid]
        assert found.revoked_at == NOW
        assert left.revoked(found.kid, NOW + timedelta(days=500)).checking(found.kid) == ()


class TestTheFile:
    def test_is_read_again_when_its_content_is_replaced_in_place_or_by_a_link(self, tmp_path):
        for turn in ("one", "two"):
            (tmp_path / turn).mkdir()
            make_key(tmp_path / turn / "identity.pem")
        (tmp_path / "data").symlink_to("one")
        mounted = tmp_path / "data" / "identity.pem"
        file = KeyFile(mounted)
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").replace(tmp_path / "data")
        assert file.ring(afresh=True).keys[0].kid == read_ring(mounted.read_bytes()).keys[0].kid
        mounted.write_bytes(new_key().text())
        assert file.ring(afresh=True).keys[0].kid == read_ring(mounted.read_bytes()).keys[0].kid

    @pytest.mark.parametrize("bad", [b"", b"-----BEGIN PRIVATE KEY-----\nhalf", b"\x00\x01"])
    def test_that_cannot_be_read_leaves_the_last_good_keys_in_force(self, path, bad):
        file = KeyFile(path)
        before = file.ring()
        path.write_bytes(bad)
        assert file.ring(afresh=True) is before
        path.unlink()
        assert file.ring(afresh=True) is before
        make_key(path)
        assert file.ring(afresh=True).keys != before.keys

    def test_is_looked_at_no_more_than_once_a_second_for_keys_that_are_known(self, path, monkeypatch):
        file, looks = KeyFile(path), []
        monkeypatch.setattr(file, "_stamp", lambda: looks.append(1) or file._read_as)
        for _ in range(1000):
            file.ring()
        assert len(looks) <= 1

    def test_of_plain_keys_joined_by_hand_is_a_ring(self, tmp_path):
        texts = []
        for name in ("a", "b"):
            make_key(tmp_path / name)
            texts.append(public_half((tmp_path / name).read_bytes()))
        assert len(read_ring(b"".join(texts)).keys) == 2
        plain = read_ring(texts[0]).keys[0].key.as_pem(private=False)
        assert read_ring(plain).keys[0].kid == read_ring(texts[0]).keys[0].kid

    def test_for_those_who_check_holds_no_private_half(self, path):
        rotate(path)
        public = public_half(path.read_bytes())
        assert b"PRIVATE" not in public
        assert [each.kid for each in read_ring(public).keys] == [
            e.kid for e in read_ring(path.read_bytes()).keys
        ]

    def test_is_private_from_its_first_byte_and_keeps_its_mode(self, path):
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        rotate(path)
        assert path.stat().st_mode & 0o777 == 0o640

    def test_is_made_once(self, tmp_path):
        make_file(tmp_path / "x", b"first")
        make_file(tmp_path / "x", b"second")
        assert (tmp_path / "x").read_bytes() == b"first"
        assert [each.name for each in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("mode", "ours", "others"),
    [(0o600, False, False), (0o640, True, False), (0o644, True, True), (0o620, True, True)],
)
def test_a_private_key_of_ours_is_ours_alone_and_a_mounted_one_its_groups(
    path, monkeypatch, mode, ours, others
):
    path.chmod(mode)
    assert is_open_key(path) is ours
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert is_open_key(path) is others


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["rotate", "rotate later", "revoke"]), st.integers(0, 3), st.integers(0, 3000)
        ),
        max_size=8,
    )
)
def test_whatever_is_done_one_key_signs_and_what_it_signed_is_checked_or_revoked(steps):
    ring, now = Ring([new_key()]), NOW
    signed: dict[str, datetime] = {}
    for act, which, minutes in steps:
        signed[ring.signing(now).kid] = now
        now += timedelta(minutes=minutes)
        if act == "revoke":
            ring = ring.revoked(ring.keys[which % len(ring.keys)].kid, now)
        else:
            ring = ring.rotated(now, after=timedelta(minutes=10 if "later" in act else 0))
        ring = read_ring(ring.text())
        assert ring.signing(now).key.is_private
        assert sum(state is State.ACTIVE for state in states(ring, now)) == 1
        revoked = {each.kid for each in ring.keys if each.revoked_at}
        for kid, at in signed.items():
            if kid not in revoked and now - at < timedelta(minutes=6):
                assert ring.checking(kid), kid


def _header(token):
    import base64

    part = token.split(".")[0]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
