"""
Frameworks 考核指标体系 as the others use them: the one in force for a year, any published version, the catalogue's.

A version is published once, with the digest of its content. A file that says something else under the same
version is refused: a change is a new version. How drafts become versions is changes.py.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel import catalog
from kernel.access.principal import SYSTEM
from kernel.clock import local_date
from kernel.errors import NotFound
from kernel.storage.work import Store
from services.assessment.framework.model import FRAMEWORKS
from services.assessment.framework.records import in_force_by_year, publish
from services.assessment.framework.rules import FrameworkInvalid, parse, parse_peer_groups
from services.assessment.framework.values import Framework, PeerGroup

DEFAULT = "outline-2015-2020"


class Frameworks:
    """The frameworks of an installation."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self.peer_groups: tuple[PeerGroup, ...] = parse_peer_groups(
            catalog.read(folder / "frameworks" / "peer_groups.yaml").data
        )
        probes = catalog.read(folder / "codes" / "probes.yaml").data["probes"]
        self.probe_titles: dict[str, str] = {probe["id"]: probe["title"] for probe in probes}
        fields = catalog.read(folder / "codes" / "fields.yaml").data["codes"]
        self.field_titles: dict[str, str] = {field["code"]: field["title"] for field in fields}
        self._known: dict[tuple[str, str], Framework] = {}

    def publish_catalog(self) -> list[str]:
        """Publish what the catalogue has and this installation does not; returns what was published."""
        published = []
        files = [
            file
            for file in catalog.read_folder(self._folder / "frameworks")
            if isinstance(file.data, dict) and not {"nodes", "components"}.isdisjoint(file.data)
        ]
        shipped = {f"{file.data.get('id')}@{file.data.get('version')}": file.data for file in files}
        for file in files:
            try:
                framework = self.parsed(file.data, shipped)
            except FrameworkInvalid as error:
                raise file.located(error.problems) from error
            with self._store.work() as work:
                if publish(work, SYSTEM, framework):
                    work.commit()
                    published.append(f"{framework.id}@{framework.version}")
        return published

    def parsed(self, document: object, beside: Mapping[str, Mapping[str, Any]] | None = None) -> Framework:
        """
        A document that is not published yet, checked against everything it may name.

        `beside`: frameworks it may take over besides the published ones. Errors: `FrameworkInvalid`.
        """
        return parse(
            document,
            peer_groups=self.peer_groups,
            probes=self.probe_titles,
            fields=self.field_titles,
            frameworks=beside if beside is not None else self._published_documents(document),
        )

    def title_of(self, probe: str, framework: Framework | None = None) -> str:
        """
        What findings of a probe are about: in the words of the catalogue, or the result that people measure.

        `framework` is the one at hand; without it the newest published version of the one the probe names is asked.
        """
        if known := self.probe_titles.get(probe):
            return known
        named, _, code = probe.partition("/")
        at_hand = framework or self._newest(named)
        result = at_hand.node(code) if at_hand and at_hand.id == named else None
        return result.title if result else probe

    def current(self) -> Framework:
        """The framework in force for the running year."""
        return self.in_force(local_date(self._store.clock.now()).year)

    def in_force(self, year: int) -> Framework:
        """
        The framework in force for a year: the last that was put in force for it, else for the year next before.

        Where nothing was ever put in force: the newest published version of the default one. Raises NotFound.
        """
        with self._store.reading() as session:
            by_year = in_force_by_year(session)
            found = max((known for known in by_year if known <= year), default=None)
            if found is not None:
                return self._load(session, *by_year[found])
            query = (
                select(FRAMEWORKS.c.id, FRAMEWORKS.c.version)
                .where(FRAMEWORKS.c.id == DEFAULT)
                .order_by(FRAMEWORKS.c.published_at.desc(), FRAMEWORKS.c.version.desc())
            )
            row = session.execute(query).first()
            if row is None:
                raise NotFound("尚未发布指标体系，请先运行 fazhi migrate。", code="assessment.no_framework")
            return self._load(session, row.id, row.version)

    def get(self, framework: str, version: str) -> Framework:
        """A published version. Raises NotFound."""
        with self._store.reading() as session:
            return self._load(session, framework, version)

    def published(self) -> Sequence[tuple[str, str, str]]:
        """(id, version, title) of everything published."""
        with self._store.reading() as session:
            query = select(FRAMEWORKS.c.id, FRAMEWORKS.c.version, FRAMEWORKS.c.title)
            return [(row.id, row.version, row.title) for row in session.execute(query)]

    def _newest(self, framework: str) -> Framework | None:
        query = select(FRAMEWORKS.c.version).where(FRAMEWORKS.c.id == framework)
        with self._store.reading() as session:
            newest = session.execute(query.order_by(FRAMEWORKS.c.published_at.desc()).limit(1)).scalar()
            return self._load(session, framework, newest) if newest else None

    def _load(self, session: Session, framework: str, version: str) -> Framework:
        known = self._known.get((framework, version))
        if known is not None:
            return known
        query = select(FRAMEWORKS.c.document).where(
            FRAMEWORKS.c.id == framework, FRAMEWORKS.c.version == version
        )
        text = session.execute(query).scalar_one_or_none()
        if text is None:
            raise NotFound(
                f"没有已发布的指标体系 {framework} 第 {version} 版，请核对。",
                code="assessment.no_such_framework",
            )
        return self._known.setdefault((framework, version), parse(orjson.loads(text)))

    def _published_documents(self, document: object) -> dict[str, Mapping[str, Any]]:
        """The published documents that this one names."""
        rows = document.get("rows", document.get("components")) if isinstance(document, dict) else None
        named = {
            str(row["framework"])
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, dict) and row.get("framework")
        }
        found: dict[str, Mapping[str, Any]] = {}
        with self._store.reading() as session:
            for name in named:
                framework, _, version = name.partition("@")
                query = select(FRAMEWORKS.c.document).where(
                    FRAMEWORKS.c.id == framework, FRAMEWORKS.c.version == version
                )
                text = session.execute(query).scalar_one_or_none()
                if text is not None:
                    found[name] = orjson.loads(text)
        return found
