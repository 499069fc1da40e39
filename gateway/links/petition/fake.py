"""A petition system that can be run: pieces 信访件 as a provincial web service writes them (see gateway/links/fake.py)."""

import random

from gateway.links.fake import Message, Surroundings, run

_MATTERS = (
    ("申诉求决", "对处罚不服", "认为处罚过重，执法程序有问题，请求纠正。"),
    ("检举控告", "反映不履行职责", "多次书面申请，单位不答复、不立案。"),
    ("申诉求决", "宅基地邻里矛盾", "与邻居因宅基地界线争执多年，请求协调。"),
    ("申诉求决", "请求行政复议", "已提交复议申请，请转送有权机关。"),
    ("意见建议", "建议增加办事窗口", "办事大厅排队时间长，建议增加窗口。"),
)


def piece(number: int, draw: random.Random, around: Surroundings) -> Message:
    """One piece 信访件."""
    purpose, title, content = draw.choice(_MATTERS)
    message: Message = {
        "信访件编号": f"XF-{around.today:%Y}-{number:08d}",
        "投诉主题": title,
        "投诉内容": content,
        "信访日期": around.day(draw),
        "问题属地代码": draw.choice(around.regions),
        "信访目的代码": purpose,
        "信访形式": draw.choice(("来信", "来访", "网上信访")),
        "信访人数": draw.randrange(1, 6),
        "证件号码": f"15010219{draw.randrange(60, 99)}0101{draw.randrange(1000, 9999)}",
        "姓名": draw.choice(("赵某", "钱某", "孙某")),
    }
    if around.units:
        message["责任部门"] = draw.choice(around.units)
    return message


if __name__ == "__main__":
    raise SystemExit(run("petition", piece))
