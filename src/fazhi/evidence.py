"""Where the bytes of evidence are, whichever service keeps them: by digest, or a piece inside a blob."""

from collections.abc import Callable
from importlib import import_module

from sqlalchemy import select

from fazhi.services import NAMES, build, package_of
from kernel.errors import NotFound
from kernel.hosting.runtime import Runtime
from kernel.storage.blobs import BlobDamaged, digest_of


def held_by(runtime: Runtime) -> Callable[[str, str], bytes]:
    """A reader of evidence: (service, digest) to bytes. It raises NotFound and BlobDamaged."""
    blobs = {name: runtime.blobs(name) for name in NAMES}
    stores = {name: build(name, runtime).app.store for name in NAMES}

    def held(source: str, digest: str) -> bytes:
        if source not in blobs:
            raise NotFound()
        try:
            return blobs[source].get(digest)
        except NotFound:
            register = getattr(import_module(f"{package_of(source)}.tables"), "EVIDENCE", None)
            if register is None:
                raise
        table = register.table
        with stores[source].reading() as session:
            row = session.execute(select(table).where(table.c.digest == digest).limit(1)).one_or_none()
        if row is None:
            raise NotFound()
        content = blobs[source].get(row.blob)[row.start : row.start + row.size]
        if digest_of(content) != digest:
            raise BlobDamaged()
        return content

    return held
