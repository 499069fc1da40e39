"""
Uses 引用 of normative documents: which document of a title a citation meant.

A citation names a title, and a title is nobody's own: neighbouring counties have a document of the same name, and a
maker issues its own anew under the old one. So a use counts for a document of the citing unit's own area, and for
the one that was in force on the day wherever there is one; only where there is none has somebody used what had
ended. A citing unit that the directory does not know proves nothing against anybody.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.legislation.drafting.model import NormativeDocument
from services.legislation.drafting.rules import last_day
from services.legislation.tables import UNITS
from services.legislation.usage.model import StoredCitation

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Use:
    """A title (by its key) cited by a unit on a day."""

    title_key: str
    unit: str
    day: date


def uses_of(session: Session, titles: Iterable[str]) -> list[Use]:
    """Every use of these titles that was ever told, each once."""
    place = (StoredCitation.title_key, StoredCitation.unit, StoredCitation.cited_on)
    wanted = select(*place).where(StoredCitation.title_key.in_(set(titles))).distinct()
    return [Use(row.title_key, row.unit, row.cited_on) for row in session.execute(wanted)]


def latest_use(
    session: Session, documents: Sequence[NormativeDocument], uses: Iterable[Use]
) -> dict[str, date]:
    """The last day on which each of these documents (by id) was used; one that never was is left out."""
    by_title: dict[str, list[NormativeDocument]] = defaultdict(list)
    for document in documents:
        by_title[document.title_key].append(document)
    known = [use for use in uses if use.title_key in by_title]
    regions = _regions(session, {one.unit for one in documents} | {use.unit for use in known})
    latest: dict[str, date] = {}
    for use in known:
        meant = _meant(by_title[use.title_key], regions, use)
        if meant is not None:
            latest[meant.id] = max(use.day, latest.get(meant.id, use.day))
    return latest


def _meant(
    documents: Sequence[NormativeDocument], regions: Mapping[str, str], use: Use
) -> NormativeDocument | None:
    """The document of the narrowest area in force on the day; else the one that ended last before it."""
    here = regions.get(use.unit, "")
    near = [one for one in documents if _covers(regions.get(one.unit, ""), here) and _begins(one) <= use.day]
    living = [one for one in near if _ends(one) >= use.day]
    if living:
        return max(living, key=lambda one: (len(_area(regions[one.unit])), _begins(one), one.id))
    return max(near, key=lambda one: (_ends(one), one.id), default=None)


def _begins(document: NormativeDocument) -> date:
    return document.effective_on or document.published_on or document.signed_on


def _ends(document: NormativeDocument) -> date:
    return last_day(document.expires_on, document.repealed_on) or date.max


def _covers(maker: str, place: str) -> bool:
    """Whether what the maker's region orders holds in a place; both are 行政区划代码, empty when unknown."""
    return bool(maker) and place.startswith(_area(maker))


def _area(region: str) -> str:
    """The part of a region's code that everything inside begins with: 150100 is 1501."""
    while len(region) > len("150100") and region.endswith("000"):
        region = region[:-3]
    while len(region) in (6, 4) and region.endswith("00"):
        region = region[:-2]
    return region


def _regions(session: Session, units: Iterable[str]) -> dict[str, str]:
    table, codes = UNITS.table, sorted(units)
    found: dict[str, str] = {}
    for start in range(0, len(codes), AT_ONCE):
        part = select(table.c.code, table.c.region_code).where(
            table.c.code.in_(codes[start : start + AT_ONCE])
        )
        found.update((row.code, row.region_code) for row in session.execute(part))
    return found
