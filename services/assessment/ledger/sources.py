"""
Leaves against their sources 来源签名核验 (R21): who told this event, by a key that neither the log nor its thief has.

A leaf is judged by the latest moment at which anything before it was received: whoever takes a signature off, or signs
with a key that was stolen and revoked, cannot say of a leaf in the middle that it is older than its neighbours.
"""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from contracts.findings.signatures import SPREADING, Signatures, Standing
from contracts.findings.statement import stated_in
from services.assessment.ledger.findings import Report
from services.assessment.scoring.model import EVENT_LOG

_MALFORMED = "contracts.signature_malformed"
_WORDS = {
    "contracts.signature_missing": "没有来源的签名：来源没有告知过，或签名被去掉",
    _MALFORMED: "来源签名无法解读",
    "contracts.signature_unknown_key": "来源签名所用的钥匙不在已知的公钥之列",
    "contracts.signature_revoked_key": "来源签名所用的钥匙当时已经撤销",
    "contracts.signature_wrong": "来源没有签过这样一条：内容被改动，或不是来源告知的",
}


class SourceCheck:
    """Goes through the log in order and asks of every leaf who said it."""

    def __init__(self, signatures: Signatures, report: Report) -> None:
        self._signatures = signatures
        self._report = report
        self._received: datetime | None = None

    def begin(self, session: Session, size: int) -> None:
        """Go on after so many events, which an earlier run has judged."""
        last = select(EVENT_LOG.c.received_at).where(EVENT_LOG.c.seq == size)
        self._received = session.execute(last).scalar_one_or_none()

    def check(self, row: Row[Any]) -> None:
        """Judge one leaf, and count it."""
        self._received = max(self._received or row.received_at, row.received_at)
        try:
            leaf = orjson.loads(row.leaf)
            source, written = str(leaf["source"]), str(leaf.get("source_sig", ""))
            standing, fault = self._signatures.judge(stated_in(leaf), written, self._received - SPREADING)
        except (KeyError, TypeError, ValueError, AttributeError):
            source, standing, fault = row.source, Standing.REFUSED, (_MALFORMED, "")
        self._report.count(source, standing)
        if fault is not None:
            self._report.blame("source", row.seq, row.seq, f"{_WORDS[fault[0]]}（{source}）")
