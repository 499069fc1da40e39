"""
Forgetful verifications 健忘的核验: planted bugs that P3 must notice, put in from outside so that the product carries none.

- trusts_stored_hashes: a row is believed by the hash beside it; audit_trusts_stored_hashes: so is an audit record;
- forgets_witnesses, forgets_columns, forgets_originals, forgets_sources: one of the comparisons is left out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """A verification that forgets something; the proof must notice."""
    from fazhi import evidence
    from fazhi.commands import ledger
    from kernel.storage import audit_check
    from services.assessment.ledger import sources, verification

    places: dict[str, tuple[Any, str, Any]] = {
        "trusts_stored_hashes": (verification.Verification, "_row", _row_by_its_stored_hash),
        "forgets_witnesses": (ledger, "_trust", _without_memories(vars(ledger)["_trust"])),
        "forgets_columns": (verification, "differences", lambda _row: ()),
        "audit_trusts_stored_hashes": (audit_check, "_compared", lambda _row: iter(())),
        "forgets_sources": (sources.SourceCheck, "check", lambda _self, _row: None),
        "forgets_originals": (evidence, "evidence_check", lambda _runtime: _looks_at_nothing),
    }
    if not bug:
        yield
        return
    place, name, wrong = places[bug]
    good = getattr(place, name)
    setattr(place, name, wrong)
    try:
        yield
    finally:
        setattr(place, name, good)


def _looks_at_nothing(_source: str, _digest: str) -> None:
    """Every piece of evidence is taken for good."""


def _row_by_its_stored_hash(self: Any, row: Any, sha256: bytes | None, sm3: bytes | None) -> None:
    from services.assessment.ledger.comparison import differences

    if sha256 is not None and row.leaf_hash != sha256.hex():
        self.report.blame("sealed", row.seq, row.seq, "叶与封块时的哈希不符")
    del sm3
    if differences(row):
        self.report.blame("columns", row.seq, row.seq, "列与叶不符")


def _without_memories(trust: Callable[..., Any]) -> Callable[..., Any]:
    def forgotten(*arguments: Any) -> Any:
        return replace(trust(*arguments), remembered=())

    return forgotten
