"""Evidence 佐证 held against its digest, whichever service keeps it: a blob, a piece of one, or a sealed original."""

from collections.abc import Callable
from importlib import import_module

from sqlalchemy import select

from fazhi.services import NAMES, build, package_of
from kernel.errors import NotFound
from kernel.hosting.runtime import Runtime
from kernel.storage.blobs import BlobDamaged, Blobs, digest_of
from kernel.storage.work import Store


def evidence_check(runtime: Runtime) -> Callable[[str, str], None]:
    """A check of one piece: (service, digest). It raises NotFound and BlobDamaged, and hands nothing out."""
    apps = {name: build(name, runtime).app for name in NAMES}
    blobs = {name: runtime.blobs(name) for name in NAMES}

    def check(source: str, digest: str) -> None:
        if source == "gateway":
            apps[source].originals.check(digest.removeprefix("sha256:"))
        elif source in apps:
            _check_blob(apps[source].store, blobs[source], source, digest)
        else:
            raise NotFound()

    return check


def _check_blob(store: Store, blobs: Blobs, source: str, digest: str) -> None:
    try:
        blobs.get(digest)
        return
    except NotFound:
        register = getattr(import_module(f"{package_of(source)}.tables"), "EVIDENCE", None)
        if register is None:
            raise
    table = register.table
    with store.reading() as session:
        row = session.execute(select(table).where(table.c.digest == digest).limit(1)).one_or_none()
    if row is None:
        raise NotFound()
    if digest_of(blobs.get(row.blob)[row.start : row.start + row.size]) != digest:
        raise BlobDamaged()
