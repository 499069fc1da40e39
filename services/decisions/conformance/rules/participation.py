"""S2 公众参与: DEC-05 to DEC-10 (国令713 Arts. 14-18). Days of this part are calendar days 自然日."""

from contracts.findings import Verdict, failed, graded, not_applicable, not_computable, passed
from services.decisions.conformance.rules.look import PROBES, Look, answered, articles, open_to_public
from services.decisions.procedures.rules.steps import CommentOpened, HearingHeld, OpinionsHandled

NO_HEARING = "未举行听证"


@PROBES.probe(
    "DEC-05", version=1, title="公布草案及说明，渠道便民，明确方式和期限", basis=articles("第十五条")
)
def notice_was_complete(look: Look) -> Verdict:
    """Draft, explanation, contact and closing date; an official site and another channel."""
    if (instead := open_to_public(look)) is not None:
        return instead
    opened = look.procedure.last(CommentOpened)
    if opened is None:
        return failed("未公开征求意见，也未登记不适用的理由")
    said = {
        "草案": opened.with_draft,
        "说明": opened.with_explanation,
        "联系方式": opened.with_contact,
        "截止日期": opened.with_closing_date,
    }
    problems = [f"公告没有{name}" for name, present in said.items() if present is False]
    channels = set(opened.channels)
    if "official_site" not in channels:
        problems.append("没有在政府网站公布")
    if len(channels) < (least := look.number("DEC-05", "channels_least")):
        problems.append(f"公布渠道少于{least}种")
    unknown = [f"未登记公告是否有{name}" for name, present in said.items() if present is None]
    return answered(problems, unknown, "公告内容和渠道齐备")


@PROBES.probe("DEC-06", version=1, title="期限不少于30日或者依法说明缩短理由", basis=articles("第十五条"))
def comment_was_long_enough(look: Look) -> Verdict:
    """Thirty calendar days from the day after opening; half for a shorter period with its reason published."""
    if (instead := open_to_public(look)) is not None:
        return instead
    rounds = look.procedure.all(CommentOpened)
    if not rounds:
        return failed("未公开征求意见")
    longest = max(rounds, key=lambda opened: (opened.closes_on - opened.on).days)
    days = (longest.closes_on - longest.on).days
    if days >= look.number("DEC-06", "days_least"):
        return passed(f"公开征求意见{days}日")
    if longest.short_because:
        return graded(look.number("DEC-06", "shortened_score"), f"公开征求意见{days}日，公告时说明了缩短理由")
    return failed(f"公开征求意见只有{days}日，且未说明理由")


@PROBES.probe("DEC-07", version=1, title="提前公布遴选办法、参加人名单、时间地点", basis=articles("第十六条"))
def hearing_was_announced(look: Look) -> Verdict:
    """Rule, list, time and place were public before the hearing."""
    hearing = look.procedure.last(HearingHeld)
    if hearing is None:
        return not_applicable(NO_HEARING)
    announced = {
        "遴选办法": hearing.rule_published_on,
        "参加人名单": hearing.list_published_on,
        "时间地点": hearing.place_published_on,
    }
    late = [name for name, day in announced.items() if day is None or day >= hearing.on]
    return answered([f"{name}没有在听证会前公布" for name in late], [], "听证事项已提前公布")


@PROBES.probe("DEC-08", version=1, title="材料会前7日送达", basis=articles("第十六条"))
def hearing_material_came_in_time(look: Look) -> Verdict:
    """To every participant, seven calendar days before the hearing."""
    hearing = look.procedure.last(HearingHeld)
    if hearing is None:
        return not_applicable(NO_HEARING)
    if not hearing.participants:
        return not_computable("未登记听证参加人")
    least = look.number("DEC-08", "days_before")
    late = [
        person
        for person in hearing.participants
        if person.delivered_on is None or (hearing.on - person.delivered_on).days < least
    ]
    return answered([f"{len(late)}名参加人的材料没有在会前{least}日送达"] if late else [], [], "材料按期送达")


@PROBES.probe("DEC-09", version=1, title="听证记录经参加人确认签字", basis=articles("第十七条"))
def hearing_record_was_confirmed(look: Look) -> Verdict:
    """Signed by every participant, or the refusal noted."""
    hearing = look.procedure.last(HearingHeld)
    if hearing is None:
        return not_applicable(NO_HEARING)
    if not hearing.participants:
        return not_computable("未登记听证参加人")
    unsigned = sum(person.confirmed is None for person in hearing.participants)
    return answered([f"{unsigned}名参加人未签字也未注明拒签"] if unsigned else [], [], "听证记录已确认")


@PROBES.probe("DEC-10", version=1, title="意见归纳、采纳情况及理由反馈", basis=articles("第十八条"))
def opinions_were_answered(look: Look) -> Verdict:
    """Every opinion has what became of it and why, and the summary is on file."""
    if (instead := open_to_public(look)) is not None:
        return instead
    handled = look.procedure.all(OpinionsHandled)
    if not handled:
        return failed("未登记意见归纳和采纳情况")
    opinions = {opinion.id: opinion for step in handled for opinion in step.opinions}
    received = max(*(step.received for step in handled), len(opinions))
    settled = sum(1 for opinion in opinions.values() if opinion.status and opinion.because)
    problems = []
    if settled < received:
        problems.append(f"{received - settled}条意见没有采纳情况或者理由")
    if not any(step.has("opinion_summary") for step in handled):
        problems.append("没有意见采纳情况汇总")
    return answered(problems, [], f"{received}条意见均有处理情况")
