"""Who may see a unit's detail, and how amounts are written."""

from contracts.roles import SCORE_READERS, SECURITY_ADMIN, SYSTEM_ADMIN
from kernel.access.principal import Principal
from services.assessment.scoring.attainment import Modes

MICRO = 1_000_000


def may_see_detail(who: Principal, unit_path: str) -> bool:
    """
    Whether a caller may look into a unit's score tree (R36).

    Whoever reads scores sees those of the units in reach; accounts that only administer the system or its keys see
    no business data.
    """
    if who.has(SYSTEM_ADMIN, SECURITY_ADMIN) and not who.has(*SCORE_READERS):
        return False
    return who.reaches(unit_path)


def modes_text(modes: Modes) -> dict[str, str]:
    """Credibility 可信度 as shares by how the facts came; empty where nothing was counted."""
    whole = sum(modes)
    return (
        {name: share_text(amount * MICRO // whole) for name, amount in modes._asdict().items()}
        if whole
        else {}
    )


def points_text(micro: int) -> str:
    """Micro-points as a decimal with four places at least: 87432100 is "87.4321"."""
    whole, fraction = divmod(micro, MICRO)
    text = f"{fraction:06d}".rstrip("0").ljust(4, "0")
    return f"{whole}.{text}"


def share_text(millionths: int) -> str:
    """Millionths as a decimal share: 631200 is "0.6312"."""
    return points_text(millionths)


def signed_text(micro: int) -> str:
    """A change in micro-points with its sign: -1250000 is "-1.2500"."""
    return f"-{points_text(-micro)}" if micro < 0 else f"+{points_text(micro)}"
