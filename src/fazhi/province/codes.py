"""Unified social credit codes 统一社会信用代码 (GB 32100-2015), made up so that they cannot be anyone's."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_INNER_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_INNER_VALUES = {letter: value for value, letter in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}


def organisation_code(base: str) -> str:
    """Eight characters and the check of GB 11714."""
    rest = 11 - sum(_INNER_VALUES[c] * w for c, w in zip(base, _INNER_WEIGHTS, strict=True)) % 11
    return base + {10: "X", 11: "0"}.get(rest, str(rest))


def credit_code(kind: str, region: str, base: str) -> str:
    """18 characters: kind (2), region (6), organisation (8 + check), check."""
    head = kind + region + organisation_code(base)
    check = (31 - sum(_VALUES[c] * w for c, w in zip(head, _WEIGHTS, strict=True)) % 31) % 31
    return head + ALPHABET[check]


def unit_credit_code(kind: str, region: str, serial: int) -> str:
    """Code of a government unit; the organisation part begins with XN 虚拟, which no office gives out."""
    return credit_code(kind, region, f"XN{serial:06d}")


def firm_credit_code(region: str, serial: int) -> str:
    """Code of a made-up firm."""
    return credit_code("91", region, f"XF{serial % 1_000_000:06d}")
