"""Wire form of citations 引用: which articles a business object was based on."""

from collections.abc import Iterable, Sequence

from contracts.citations.v1.citations_pb2 import Citation, Citations
from contracts.decoding import decoded
from contracts.topology import CITATIONS
from kernel.ids import is_id
from kernel.messages import Item, Message, Refused
from kernel.storage.work import Work

CITATIONS_PER_MESSAGE = 200


def tell_citations(work: Work, citations: Iterable[Citation]) -> None:
    """Queue citations for the legislation service."""
    every = list(citations)
    for start in range(0, len(every), CITATIONS_PER_MESSAGE):
        part = every[start : start + CITATIONS_PER_MESSAGE]
        work.tell(CITATIONS, Citations(citations=part).SerializeToString(deterministic=True))


def read_citations(message: Message) -> Sequence[Item | Refused]:
    """The citations of a message as inbox items."""
    citations = decoded(message, Citations, "引用", CITATIONS).citations
    return [_item(citation, message.source) for citation in citations]


def _item(citation: Citation, source: str) -> Item | Refused:
    raw = citation.SerializeToString(deterministic=True)
    alone = Citations(citations=[citation]).SerializeToString(deterministic=True)
    if not is_id(citation.id) or citation.source != source:
        return Refused(source, alone, "contracts.bad_id", "引用编号不合规范，或来源与发送方不符")
    if not citation.document or not citation.subject:
        return Refused(source, alone, "contracts.missing_field", "引用缺少文件或业务对象")
    return Item(source, citation.id, raw, citation)
