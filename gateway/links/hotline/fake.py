"""A 12345 hotline that can be run: orders 工单 as a city's hotline writes them (see gateway/links/fake.py)."""

import random

from gateway.links.fake import Message, Surroundings, run

_MATTERS = (
    ("投诉", "执法人员检查时未亮证", "两名人员到店检查，未出示执法证件即开出罚款单。"),
    ("投诉", "多次反映占道经营无人管", "已多次致电，相关部门推诿，至今不处理。"),
    ("举报", "检查中乱收费", "以检查名义收取费用，未开具票据。"),
    ("求助", "与物业的纠纷请求调解", "物业停水停电，协商多次未果，请求调解。"),
    ("表扬", "感谢办事大厅", "工作人员耐心细致。"),
)


def order(number: int, draw: random.Random, around: Surroundings) -> Message:
    """One order 工单."""
    call_type, title, content = draw.choice(_MATTERS)
    message: Message = {
        "工单编号": f"HT{around.today:%Y%m%d}{number:08d}",
        "工单标题": title,
        "主要内容": content,
        "来电时间": around.moment(draw),
        "行政区划代码": draw.choice(around.regions),
        "来电类别": call_type,
        "紧急程度": draw.choice(("一般", "紧急")),
        "来电号码": f"139{draw.randrange(10**8):08d}",
        "姓名": draw.choice(("王某", "李某", "张某")),
    }
    if around.units:
        message["承办单位编码"] = draw.choice(around.units)
    return message


if __name__ == "__main__":
    raise SystemExit(run("hotline", order))
