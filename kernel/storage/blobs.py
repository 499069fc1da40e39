"""
Blobs: bytes kept under the digest of their content, in a folder or in an S3-compatible store.

The same bytes are kept once, a kept blob is never overwritten, and what is read is hashed again, so that a
changed blob is noticed at the first reading. Putting bytes before the transaction that refers to them is safe:
a blob nobody refers to says nothing.
"""

import hashlib
import os
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.exceptions import NotFoundError as NoSuchObject
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from kernel.errors import NotFound, PermanentError, TooLarge, Unavailable

if TYPE_CHECKING:
    from obstore.store import RetryConfig

MAX_BYTES = 25 * 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BlobDamaged(PermanentError):
    """The bytes kept under a digest are not those that were put there."""

    code: ClassVar[str] = "platform.blob_damaged"
    message: ClassVar[str] = "保存的材料与其摘要不符，可能已被改动，请联系系统管理员核查。"


class Blobs:
    """Content-addressed bytes; a digest is "sha256:" and 64 hexadecimal digits."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._folder = store.prefix if isinstance(store, LocalStore) else None

    def put(self, content: bytes) -> str:
        """Keep these bytes and return their digest. Raises TooLarge, Unavailable."""
        if len(content) > MAX_BYTES:
            raise TooLarge(f"材料超过 {MAX_BYTES // 1024 // 1024} MB，请拆分后再传。")
        digest = digest_of(content)
        try:
            with suppress(AlreadyExistsError):
                obstore.put(self._store, _place(digest), content, mode="create")
            if self._folder is not None:
                _force_down(self._folder, _place(digest))
        except (BaseError, OSError) as error:
            raise Unavailable("材料库暂时不可用，请稍后再试。", code="platform.blobs_away") from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises NotFound, BlobDamaged, Unavailable."""
        if _DIGEST.fullmatch(digest) is None:
            raise NotFound("没有这份材料，请核对摘要。", code="platform.unknown_blob")
        try:
            content = bytes(obstore.get(self._store, _place(digest)).bytes())
        except (NoSuchObject, FileNotFoundError) as error:
            raise NotFound("没有这份材料，请核对摘要。", code="platform.unknown_blob") from error
        except (BaseError, OSError) as error:
            raise Unavailable("材料库暂时不可用，请稍后再试。", code="platform.blobs_away") from error
        if digest_of(content) != digest:
            raise BlobDamaged()
        return content


def open_blobs(url: str, folder: Path) -> Blobs:
    """
    The blobs at an S3 URL, or in a folder when the URL is empty.

    "https://KEY:SECRET@host/bucket/prefix" says everything; "s3://bucket/prefix" leaves place and keys to the AWS_*
    variables. A store that is away is told of within half a minute or so: somebody waits, perhaps in a transaction.
    """
    if not url:
        folder.mkdir(parents=True, exist_ok=True)
        return Blobs(LocalStore(folder))
    address = urlsplit(url)
    patience: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
    if address.scheme == "s3":
        return Blobs(from_url(url, retry_config=patience))
    bucket, _, prefix = address.path.strip("/").partition("/")
    return Blobs(
        S3Store(
            bucket,
            prefix=prefix or None,
            endpoint=f"{address.scheme}://{address.netloc.rpartition('@')[2]}",
            access_key_id=unquote(address.username or ""),
            secret_access_key=unquote(address.password or ""),
            virtual_hosted_style_request=False,
            client_options={"allow_http": address.scheme == "http"},
            retry_config=patience,
        )
    )


def digest_of(content: bytes) -> str:
    """The digest under which bytes are kept."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _force_down(folder: Path, place: str) -> None:
    """Return when a file is on the disk, and every folder that names it; a store in the network sees to that itself."""
    path = folder / place
    for each in (path, *path.parents):
        opened = os.open(each, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
        if each == folder:
            return


def _place(digest: str) -> str:
    name = digest.removeprefix("sha256:")
    return f"sha256/{name[:2]}/{name[2:4]}/{name}"
