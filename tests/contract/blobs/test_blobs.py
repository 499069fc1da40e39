"""What the blob store promises, whatever keeps the bytes."""

import hashlib
import threading

import pytest
from obstore.store import LocalStore, MemoryStore

from kernel.errors import NotFound, TooLarge
from kernel.storage.blobs import MAX_BYTES, BlobDamaged, Blobs, open_blobs


@pytest.fixture(params=["folder", "memory"])
def blobs(request, tmp_path):
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


def test_a_changed_blob_is_noticed_when_it_is_read(tmp_path):
    blobs = open_blobs("", tmp_path)
    digest = blobs.put(b"evidence")
    (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept.write_bytes(b"something else")
    with pytest.raises(BlobDamaged):
        blobs.get(digest)
    blobs.put(b"evidence")  # a kept blob is never overwritten, so the damage stays to be seen
    with pytest.raises(BlobDamaged):
        blobs.get(digest)
