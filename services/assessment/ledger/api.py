"""
Who may ask the ledger over HTTP.

Checkpoints, hash tiles and proofs are public: they are hashes and signatures, they say nothing about anybody, and a
proof that only insiders can check is none. Leaves are not: their words are about units, and go to those who may see
the unit, as receipts. There is no door to entry bundles (C2SP `tile/entries`), see `Ledger.tile`.
"""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from contracts.roles import EVERYONE_SIGNED_IN, SCORE_READERS
from kernel.access.rules import allow, public
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.ledger.tree import SHA256, SM3, Hasher
from services.assessment.ledger.receipts import Receipts
from services.assessment.ledger.rules import LIMITS
from services.assessment.ledger.service import InclusionProof, Ledger, LedgerStatus
from services.assessment.ledger.verdicts import Verdict
from services.assessment.ranking.api import Day

FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
AT_ONCE = {"cache-control": "no-store"}
Seq = Annotated[int, Query(ge=1, le=2**53)]


def router(ledger: Ledger, receipts: Receipts) -> APIRouter:
    """The ledger and the receipts of units."""
    routes = APIRouter(tags=["ledger"])
    _add_public(routes, ledger)

    @routes.get("/ledger/status")
    @allow(*EVERYONE_SIGNED_IN)
    def status(as_of: Day = None) -> dict[str, Any]:
        """Sizes of the three states, witnesses, alarms, and what verification cannot show; now or on a past day."""
        return _status(ledger.status(as_of))

    @routes.get("/units/{unit}/receipts", response_class=StreamingResponse)
    @allow(*SCORE_READERS)
    def unit_receipts(
        unit: str,
        who: Caller,
        period: Annotated[str, Query(pattern=r"^([0-9]{4})?$")] = "",
        as_of: Day = None,
    ) -> StreamingResponse:
        """存证凭据: a line about the checkpoint, then a leaf with its proof a line; checkable offline."""
        lines = receipts.of_unit(who, unit, period, as_of)
        headers = {
            "content-disposition": f'attachment; filename="receipts-{period or "all"}.jsonl"',
            **AT_ONCE,
        }
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)

    return routes


def _add_public(routes: APIRouter, ledger: Ledger) -> None:
    @routes.get("/ledger/checkpoint", response_class=Response)
    @public
    def checkpoint(as_of: Day = None) -> Response:
        """The newest checkpoint with its cosignatures, a C2SP signed note; or that of a past day as we had it then."""
        return Response(
            str(ledger.checkpoint(as_of)), media_type="text/plain; charset=utf-8", headers=AT_ONCE
        )

    @routes.get("/ledger/tile/{path:path}", response_class=Response)
    @public
    def tile(path: str) -> Response:
        """A hash tile of the SHA-256 tree (C2SP tlog-tiles)."""
        return _tile(ledger, SHA256, path)

    @routes.get("/ledger/sm3/tile/{path:path}", response_class=Response)
    @public
    def sm3_tile(path: str) -> Response:
        """A hash tile of the SM3 tree."""
        return _tile(ledger, SM3, path)

    @routes.get("/ledger/proofs/inclusion")
    @public
    def inclusion(seq: Seq, size: Annotated[int, Query(ge=0, le=2**53)] = 0) -> dict[str, Any]:
        """The proof that an event is in a checkpoint (RFC 6962, 2.1.1)."""
        return inclusion_view(ledger.inclusion(seq, size))

    @routes.get("/ledger/proofs/consistency")
    @public
    def consistency(from_: Annotated[int, Query(alias="from", ge=1, le=2**53)], to: Seq) -> dict[str, Any]:
        """The proof that one tree is the beginning of another (RFC 6962, 2.1.2)."""
        return {"from": from_, "to": to, "proof": [_base64(one) for one in ledger.consistency(from_, to)]}


def inclusion_view(found: InclusionProof) -> dict[str, Any]:
    """An inclusion proof as JSON; hashes in base64, as everywhere in notes."""
    return {
        "seq": found.seq,
        "leaf_hash": _base64(found.leaf_hash),
        "size": found.size,
        "proof": [_base64(one) for one in found.proof],
        "checkpoint": str(found.note),
    }


def _tile(ledger: Ledger, hasher: Hasher, path: str) -> Response:
    content = ledger.tile(hasher, f"tile/{path}")
    return Response(content, media_type="application/octet-stream", headers=FOR_EVER)


def _status(found: LedgerStatus) -> dict[str, Any]:
    return {
        "origin": found.origin,
        "states": {"已入账": found.sequenced, "已封块": found.sealed, "已见证": found.witnessed},
        "sequenced": found.sequenced,
        "sealed": found.sealed,
        "sealed_at": found.sealed_at.astimezone(SHANGHAI).isoformat() if found.sealed_at else None,
        "witnessed": found.witnessed,
        "witnesses_needed": found.needed,
        "oldest_unsealed_seconds": _seconds(found.oldest_unsealed),
        "oldest_unwitnessed_seconds": _seconds(found.oldest_unwitnessed),
        "witnesses": [
            {
                "name": one.name,
                "size": one.size,
                "witnessed_at": one.witnessed_at.astimezone(SHANGHAI).isoformat()
                if one.witnessed_at
                else None,
            }
            for one in found.witnesses
        ],
        "alarms": [
            {"witness": a.witness, "kind": a.kind, "size": a.size, "detail": a.detail} for a in found.alarms
        ],
        "verified": _verified(found.verdict),
        "refusal": found.refusal,
        "limits": LIMITS,
    }


def _verified(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    at = verdict.verified_at.astimezone(SHANGHAI).isoformat()
    return {"at": at, "size": verdict.size, "faults": verdict.faults}


def _seconds(waited: Any) -> int | None:
    return None if waited is None else max(int(waited.total_seconds()), 0)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
