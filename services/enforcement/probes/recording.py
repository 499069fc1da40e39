"""Probes on the record of the whole process 执法全过程记录."""

from contracts.findings import ProbeSet, Verdict, failed, not_applicable, not_computable, passed
from services.enforcement.probes.facts import PENALTY_LAW, THREE_SYSTEMS, CaseFacts, bases

PROBES: ProbeSet[CaseFacts] = ProbeSet()
BASIS = (*bases(PENALTY_LAW, "第四十七条"), *bases(THREE_SYSTEMS, "第三部分"))


@PROBES.probe("ENF-REC-01", version=1, title="文字记录完整", basis=BASIS)
def text_record_exists(facts: CaseFacts) -> Verdict:
    """Every step is recorded in text."""
    if "text" in facts.case.recording:
        return passed("有文字记录")
    return failed("没有文字记录") if facts.case.says("recording") else not_computable("未提供全过程记录情况")


@PROBES.probe("ENF-REC-02", version=1, title="应当音像记录的全程记录", basis=BASIS)
def audio_visual_record_exists(facts: CaseFacts) -> Verdict:
    """Audio-visual record where the act demands it."""
    required = facts.case.recording_required
    if not required:
        return not_computable("未提供是否应当音像记录")
    if required == "no":
        return not_applicable("不属于应当音像记录的情形")
    if not facts.case.says("recording"):
        return not_computable("未提供全过程记录情况")
    return passed("有音像记录") if "audio_visual" in facts.case.recording else failed("应当音像记录而没有")
