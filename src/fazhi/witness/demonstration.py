"""
Demonstration witness 演示见证: so that `./run` can publish, one witness runs beside it, under a key of its own.

It lives in the same folder and process as what it watches, so its signature shows how witnessing works and proves
nothing. A real installation names witnesses of other institutions, and then this one does not start.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from fazhi.witness.memory import has_memory
from fazhi.witness.process import running
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from services.assessment.app import ledger_keys

NAME = "演示见证"


@contextmanager
def demonstration_witness(settings: Settings) -> Iterator[Settings]:
    """The settings with a witness beside them, unless they name witnesses already."""
    if settings.ledger_witnesses or settings.production:
        yield settings
        return
    state = settings.data / "demonstration-witness"
    keys = ledger_keys(Runtime(settings))
    key_file = settings.data / "keys" / "demonstration-witness.pem"
    with running(state, key_file, NAME, keys, ("127.0.0.1", 0), first=not has_memory(state)) as setting:
        yield settings.model_copy(update={"ledger_witnesses": setting})
