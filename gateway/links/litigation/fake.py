"""Court data that can be run: judgments 裁判 as the collaborative platform sends them (see gateway/links/fake.py)."""

import random

from gateway.links.fake import Message, Surroundings, run

_RESULTS = (
    ("驳回诉讼请求", None),
    ("撤销", "主要证据不足"),
    ("确认违法", "违反法定程序"),
    ("责令履行", "不履行职责"),
)


def judgment(number: int, draw: random.Random, around: Surroundings) -> Message:
    """One judgment 裁判; a sued organ must be named, so `--unit` is needed."""
    result, ground = draw.choice(_RESULTS)
    message: Message = {
        "案号": f"（{around.today:%Y}）内{draw.randrange(100, 999):04d}行初{number % 1_000_000}号",
        "案由": draw.choice(("不服行政处罚", "不服行政许可", "不履行法定职责")),
        "裁判日期": around.day(draw),
        "法院所在地区划代码": draw.choice(around.regions),
        "被告机关统一社会信用代码": draw.choice(around.units or ("unknown",)),
        "法院": "某区人民法院",
        "审级": "一审",
        "程序": draw.choice(("普通", "简易")),
        "裁判结果": result,
        "负责人是否出庭": draw.choice(("是", "否")),
        "原告": "某公司",
    }
    if ground is not None:
        message["裁判理由"] = ground
    return message


if __name__ == "__main__":
    raise SystemExit(run("litigation", judgment))
