"""
Leads 监督线索: which state may follow which, and when a lead must not be supervised at all.

行政执法监督条例 Art. 20: key supervision starts from complaints of enterprises and the convenience hotline.
Art. 33: a dispute that is in reconsideration or in court is not supervised a second time.
"""

import re
from collections.abc import Mapping

RECEIVED, ACCEPTED, RETURNED, ANSWERED = "received", "accepted", "returned", "answered"
STATE_WORDS = {RECEIVED: "待研判", ACCEPTED: "已受理", RETURNED: "已退回", ANSWERED: "已办结答复"}
FOLLOWS: Mapping[str, frozenset[str]] = {
    RECEIVED: frozenset({ACCEPTED, RETURNED}),
    ACCEPTED: frozenset({ANSWERED, RETURNED}),
    RETURNED: frozenset(),
    ANSWERED: frozenset(),
}
_PENDING_ATTRIBUTES = ("in_reconsideration", "in_litigation", "in_review")
_PENDING_WORDS = re.compile(
    r"(?:已经?|正在|现已)(?:依法)?(?:向[^，。；]{0,20})?(?:申请|提起|进入|处于)?(?:了)?行政(?:复议|诉讼)"
    r"|(?:法院|复议机关)[^，。；]{0,10}(?:已(?:经)?(?:立案|受理)|正在审理)"
)
DOUBLE_SUPERVISION = (
    "该事项正在行政复议或者行政诉讼中，依照《行政执法监督条例》第三十三条不重复监督，请通过原途径办理。"
)


def says_pending(attributes: Mapping[str, str]) -> bool:
    """Whether the sender itself states that the matter is in review or in court (Art. 33)."""
    return any(attributes.get(name, "").lower() in ("yes", "true", "1", "是") for name in _PENDING_ATTRIBUTES)


def hints_pending(text: str) -> bool:
    """Whether the words look as if; a person must check before the lead is accepted."""
    return _PENDING_WORDS.search(text) is not None
