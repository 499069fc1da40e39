"""What the blob store promises, whatever keeps the bytes."""

import hashlib
import os
import threading
import time

import pytest
from obstore.store import LocalStore, MemoryStore

from kernel.errors import NotFound, TooLarge, Unavailable
from kernel.hosting.runtime import Runtime
from kernel.ids import new_id
from kernel.settings import Settings
from kernel.storage.blobs import MAX_BYTES, BlobDamaged, Blobs, open_blobs
from tests.support.programs import ServerUnavailable
from tests.support.s3proxy import S3Proxy


@pytest.fixture
def s3_env(s3, monkeypatch):
    """The S3 server, with its credentials in the environment."""
    for name, value in s3.credentials().items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture(params=["folder", "memory", "s3"])
def blobs(request, tmp_path):
    if request.param == "s3":
        return open_blobs(f"{request.getfixturevalue('s3_env').url}/{new_id()}", tmp_path)
    return Blobs(LocalStore(tmp_path) if request.param == "folder" else MemoryStore())


def test_bytes_come_back_as_they_were_put(blobs):
    content = "《行政处罚法》\x00\xff".encode() + bytes(range(256))
    digest = blobs.put(content)
    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert blobs.get(digest) == content


def test_the_same_bytes_are_kept_once_even_when_many_put_them(blobs):
    digests = []
    threads = [threading.Thread(target=lambda: digests.append(blobs.put(b"same"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 8
    assert len(set(digests)) == 1


def test_what_is_not_there_is_not_found(blobs):
    for digest in ("sha256:" + "0" * 64, "sha256:../../etc/passwd", "md5:abc", ""):
        with pytest.raises(NotFound):
            blobs.get(digest)


def test_too_much_is_refused(blobs):
    with pytest.raises(TooLarge):
        blobs.put(bytes(MAX_BYTES + 1))


def test_the_largest_blob_comes_back(blobs):
    content = hashlib.sha256(b"seed").digest() * (MAX_BYTES // 32)
    assert blobs.get(blobs.put(content)) == content


@pytest.mark.parametrize("kept_in", ["folder", "s3"])
def test_a_changed_blob_is_noticed_when_it_is_read(kept_in, tmp_path, request):
    url, folder = "", tmp_path
    if kept_in == "s3":
        server = request.getfixturevalue("s3_env")
        if not server.is_ours:
            pytest.skip("the objects of a foreign S3 server cannot be damaged from here")
        url, folder = f"{server.url}/{new_id()}", server.objects
    blobs = open_blobs(url, tmp_path)
    digest = blobs.put(b"evidence")
    name = digest.removeprefix("sha256:")
    kept = next(path for path in folder.rglob(f"*{name}*") if not url or url.rsplit("/")[-1] in path.parts)
    kept.write_bytes(b"something else")
    with pytest.raises(BlobDamaged):
        blobs.get(digest)
    blobs.put(b"evidence")  # a kept blob is never overwritten, so the damage stays to be seen
    with pytest.raises(BlobDamaged):
        blobs.get(digest)


def test_what_was_kept_in_a_folder_is_on_the_disk_with_the_folders_that_name_it(tmp_path, monkeypatch):
    forced, force = [], os.fsync

    def note(file):
        forced.append(os.fstat(file).st_ino)
        force(file)

    monkeypatch.setattr(os, "fsync", note)
    blobs = open_blobs("", tmp_path / "blobs")
    for _ in range(2):  # the second finds what another may still be writing
        forced.clear()
        blobs.put(b"evidence")
        (kept,) = (path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
        named = [kept, *list(kept.parents)[:4]]
        assert {path.stat().st_ino for path in named} <= set(forced)


def test_a_wrong_key_is_told_as_away_not_as_missing(s3_env, tmp_path, monkeypatch):
    if not s3_env.is_ours:
        pytest.skip("the keys of a foreign S3 server are not ours to get wrong")
    for name, value in s3_env.credentials("wrong").items():
        monkeypatch.setenv(name, value)
    blobs = open_blobs(f"{s3_env.url}/{new_id()}", tmp_path)
    with pytest.raises(Unavailable):
        blobs.put(b"evidence")
    with pytest.raises(Unavailable):
        blobs.get("sha256:" + "0" * 64)


def test_a_server_that_is_away_is_told_of_soon_and_back_when_it_is_back(tmp_path, monkeypatch):
    try:
        server = S3Proxy(tmp_path / "server")
        if not server.is_ours:
            pytest.skip("a foreign S3 server is not ours to stop")
        server.start()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    with server:
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        blobs = open_blobs(server.url, tmp_path)
        digest = blobs.put(b"evidence")
        server.kill()
        started = time.monotonic()
        with pytest.raises(Unavailable):
            blobs.get(digest)
        assert time.monotonic() - started < 30
        server.start()
        assert blobs.get(digest) == b"evidence"


@pytest.mark.parametrize("form", ["s3", "http"])
def test_settings_choose_the_store_and_each_service_has_its_place(form, tmp_path, request, monkeypatch):
    server = request.getfixturevalue("s3_env" if form == "s3" else "s3")
    if form == "http" and not server.is_ours:
        pytest.skip("the keys of a foreign S3 server are not known here")
    url = server.url if form == "s3" else server.whole_url
    (tmp_path / "blobs-url").write_text(url + "\n")
    (tmp_path / "blobs-url").chmod(0o600)
    monkeypatch.setenv("FAZHI_BLOBS_URL_FILE", str(tmp_path / "blobs-url"))
    runtime = Runtime(Settings(data=tmp_path))
    content = new_id().encode()
    digest = runtime.blobs("decisions").put(content)
    assert runtime.blobs("decisions").get(digest) == content
    with pytest.raises(NotFound):
        runtime.blobs("disputes").get(digest)
    assert not (tmp_path / "blobs").exists()
