"""
Frameworks 考核指标体系: publishing them from the catalogue and finding the one in force.

A version is published once, with the digest of its content. A file that says something else under the same
version is refused: a change is a new version.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import orjson
from sqlalchemy import insert, select

from kernel import catalog
from kernel.access.principal import SYSTEM
from kernel.errors import Conflict, NotFound
from kernel.storage.work import Store
from services.assessment.framework.model import FRAMEWORKS
from services.assessment.framework.rules import FrameworkInvalid, parse, parse_peer_groups
from services.assessment.framework.values import Framework, PeerGroup

DEFAULT = "outline-2015-2020"


class FrameworkEdited(Conflict):
    """A published version was changed in the catalogue."""

    code = "assessment.framework_edited"


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

    def publish_catalog(self) -> list[str]:
        """Publish what the catalogue has and this installation does not; returns what was published."""
        published = []
        for path in sorted((self._folder / "frameworks").glob("*.yaml")):
            file = catalog.read(path)
            if isinstance(file.data, dict) and "nodes" in file.data:
                try:
                    framework = self._parsed(file.data)
                except FrameworkInvalid as error:
                    raise file.located(error.problems) from error
                if self._publish(framework, file.data):
                    published.append(f"{framework.id}@{framework.version}")
        return published

    def current(self) -> Framework:
        """The framework in force: the newest published version of the default one."""
        with self._store.reading() as session:
            query = (
                select(FRAMEWORKS)
                .where(FRAMEWORKS.c.id == DEFAULT)
                .order_by(FRAMEWORKS.c.published_at.desc())
            )
            row = session.execute(query).first()
        if row is None:
            raise NotFound("尚未发布指标体系，请先运行 fazhi migrate。", code="assessment.no_framework")
        return _remembered(self.peer_groups, frozenset(self.probe_titles), row.document)

    def published(self) -> Sequence[tuple[str, str, str]]:
        """(id, version, title) of everything published."""
        with self._store.reading() as session:
            query = select(FRAMEWORKS.c.id, FRAMEWORKS.c.version, FRAMEWORKS.c.title)
            return [(row.id, row.version, row.title) for row in session.execute(query)]

    def _parsed(self, document: object) -> Framework:
        return parse(document, peer_groups=self.peer_groups, probes=frozenset(self.probe_titles))

    def _publish(self, framework: Framework, document: object) -> bool:
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self._store.work() as work:
            known = work.session.execute(
                select(FRAMEWORKS.c.digest).where(
                    FRAMEWORKS.c.id == framework.id, FRAMEWORKS.c.version == framework.version
                )
            ).scalar_one_or_none()
            if known == digest:
                return False
            if known is not None:
                raise FrameworkEdited(
                    f"指标体系 {framework.id} 第 {framework.version} 版已发布，不得修改；请改用新的版本号。"
                )
            work.session.execute(
                insert(FRAMEWORKS).values(
                    id=framework.id,
                    version=framework.version,
                    title=framework.title,
                    year=framework.year,
                    document=text,
                    digest=digest,
                    published_at=work.clock.now(),
                )
            )
            work.audit(
                SYSTEM,
                "framework.published",
                f"frameworks/{framework.id}",
                object_version=framework.version,
                after_digest=digest,
            )
            work.commit()
        return True


@lru_cache(maxsize=8)
def _remembered(peer_groups: tuple[PeerGroup, ...], probes: frozenset[str], document: str) -> Framework:
    return parse(orjson.loads(document), peer_groups=peer_groups, probes=probes)
