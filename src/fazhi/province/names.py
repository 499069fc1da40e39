"""
Names of made-up people and firms.

Some have Han characters beyond the basic plane (GB 18030-2022 level 3), because real registers do and
systems break on them; about a sixth are Mongolian names as in the region.
"""

from fazhi.province.rng import Stream

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰萍鹏辉红梅建国志宏海燕晓东宇浩然子轩思远佳琪雨欣文博俊峰天佑嘉怡梦琳振国庆丰瑞雪春生立新永福长青学礼德厚安宁"
_RARE = ("𠮷", "𬭛", "𫖯", "𬬻", "𫍯", "𡋾", "㛃", "䶮", "𬱖", "𫘝", "𬸣", "𪚥")
_MONGOLIAN = (
    "巴特尔", "乌兰", "其其格", "苏日娜", "那仁", "阿古拉", "哈斯", "格日勒", "呼和", "斯琴", "萨仁", "朝鲁",
    "特木尔", "娜仁花", "宝音", "达来", "塔娜", "额尔敦", "孟克", "乌日娜", "布和", "通拉嘎", "阿拉坦", "吉日嘎拉",
    "敖登", "查干", "苏和", "图雅", "牧仁", "赛罕",
)  # fmt: skip
_TRADES = (
    "商贸", "餐饮管理", "建筑工程", "物流", "农牧业发展", "矿业", "食品", "医药", "科技", "能源", "房地产开发",
    "运输", "文化传媒", "环保科技", "乳业", "酒店管理",
)  # fmt: skip
_SHOPS = (
    "便利店",
    "烧烤店",
    "奶茶店",
    "超市",
    "面馆",
    "理发店",
    "诊所",
    "网吧",
    "药店",
    "汽修厂",
    "建材店",
    "羊肉馆",
)
_WORDS = (
    "鑫源", "草原情", "蒙辰", "恒泰", "万顺", "金穗", "天骄", "宏达", "瑞丰", "青城", "博远", "兴盛", "龙腾", "敕勒川",
    "永信", "盛世", "绿野", "北疆", "云中", "阳光", "昌隆", "同心", "众诚", "华宇", "祥和", "牧歌", "𬭎达", "聚源",
)  # fmt: skip


def person(stream: Stream) -> str:
    """A person's name, two to four characters, seldom one beyond the basic plane."""
    kind = stream.below(1000)
    if kind < 170:
        return stream.pick(_MONGOLIAN)
    surname = _SURNAMES[stream.below(len(_SURNAMES))]
    if kind < 176:
        return surname + stream.pick(_RARE)
    if kind < 400:
        return surname + _GIVEN[stream.below(len(_GIVEN))]
    return surname + _GIVEN[stream.below(len(_GIVEN))] + _GIVEN[stream.below(len(_GIVEN))]


def firm(stream: Stream, place: str) -> str:
    """A company's name."""
    return f"{place}{stream.pick(_WORDS)}{stream.pick(_TRADES)}有限公司"


def shop(stream: Stream, place: str) -> str:
    """A sole trader's sign 个体工商户字号."""
    return f"{place}{stream.pick(_WORDS)}{stream.pick(_SHOPS)}"
