"""
Changes of frameworks 指标管理: drafts, and what one person proposes and another decides (R37).

draft → proposed → published → in force for a year → retired. Nothing is edited: a draft that was mended is another
draft, a published version stays for ever, and the year in which it was in force keeps it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, ClassVar

import orjson
from sqlalchemy import Row, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel import catalog
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotFound, Problem, RuleViolation
from kernel.ids import is_id, new_id
from kernel.storage.work import Store, Work
from services.assessment.framework.comparing import Change, compare
from services.assessment.framework.model import (
    DECISIONS,
    DRAFTS,
    FRAMEWORKS,
    IN_FORCE,
    PROPOSALS,
    PUBLISH,
    RETIRE,
)
from services.assessment.framework.records import (
    FrameworkEdited,
    in_force_by_year,
    publish,
    published_digest,
    retired,
)
from services.assessment.framework.rules import FrameworkInvalid, parse
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.framework.workbook import read_workbook
from services.assessment.framework.writing import canonical, digest_of, document_of
from services.assessment.reach import require_all_units
from services.assessment.scoring.roll_up import directory_changed

MOST_BYTES = 8 * 1024 * 1024


class SamePerson(RuleViolation):
    """Whoever wrote or proposed a change wants to approve it."""

    code: ClassVar[str] = "assessment.same_person"
    message: ClassVar[str] = "起草人、提请人不能审批本人经手的事项，请由其他审核员或督察员审批。"


class AlreadyDecided(Conflict):
    """The proposal has its answer."""

    code: ClassVar[str] = "assessment.already_decided"
    message: ClassVar[str] = "此事项已经审批，请刷新后查看结果。"


@dataclass(frozen=True, slots=True)
class DraftReport:
    """What became of a file handed in; `draft` is empty for a dry run or a file with problems."""

    draft: str
    framework: Framework | None
    problems: Sequence[Problem] = ()
    changes: Sequence[Change] = field(default_factory=tuple)
    against: str = ""


class FrameworkChanges:
    """Drafts, proposals and decisions."""

    def __init__(self, store: Store, frameworks: Frameworks) -> None:
        self._store = store
        self._frameworks = frameworks

    # --- drafts -----------------------------------------------------------------------------------------

    def hand_in(self, who: Principal, name: str, content: bytes, *, dry_run: bool) -> DraftReport:
        """
        Check a file (YAML or XLSX) and keep it as a draft. Raises Invalid, TooLarge, FrameworkEdited.

        A dry run tells the problems of the document in its report and keeps nothing.
        """
        try:
            framework = self._read(name, content)
        except Invalid as error:
            if dry_run and error.problems:
                return DraftReport("", None, error.problems)
            raise
        with self._store.reading() as session:
            if published_digest(session, framework.id, framework.version) is not None:
                raise FrameworkEdited(
                    f"指标体系 {framework.id} 第 {framework.version} 版已发布，不得修改；请改用新的版本号。"
                )
            base = _newest(session, framework.id)
        changes, against = self._changes_since(base, framework)
        if dry_run:
            return DraftReport("", framework, (), changes, against)
        draft = self._keep(who, framework, PurePath(name).name[-200:])
        return DraftReport(draft, framework, (), changes, against)

    def copy(self, who: Principal, framework: str, version: str, new_version: str, year: int) -> str:
        """A new draft that says what a published version says. Raises NotFound, Invalid, FrameworkEdited."""
        source = document_of(self._frameworks.get(framework, version))
        copied = parse({**source, "version": new_version, "year": year})
        return self._keep(who, copied, f"{framework}@{version}")

    def draft(self, draft: str) -> tuple[Row[Any], Framework]:
        """One draft and the framework in it. Raises NotFound."""
        with self._store.reading() as session:
            wanted = select(DRAFTS).where(DRAFTS.c.id == draft)
            row = session.execute(wanted).one_or_none() if is_id(draft) else None
        if row is None:
            raise NotFound("没有此草案，请刷新后再试。", code="assessment.no_such_draft")
        return row, parse(orjson.loads(row.document))

    def changes_of_draft(self, draft: str) -> tuple[str, list[Change]]:
        """What a draft changes about the newest published version: its name, and the differences."""
        row, framework = self.draft(draft)
        with self._store.reading() as session:
            base = _newest(session, row.framework)
        changes, against = self._changes_since(base, framework)
        return against, changes

    def compare(self, framework: str, old: str, new: str) -> list[Change]:
        """What version `new` changes about `old`. Raises NotFound."""
        known = self._frameworks
        return compare(known.get(framework, old), known.get(framework, new), known.field_titles)

    # --- two hands --------------------------------------------------------------------------------------

    def propose_publication(self, who: Principal, draft: str, note: str) -> str:
        """Submit a draft for publication; returns the proposal. Raises NotFound, Conflict, FrameworkEdited."""
        row, _ = self.draft(draft)
        return self._propose(who, PUBLISH, row.framework, row.version, draft=draft, note=note)

    def propose_in_force(self, who: Principal, framework: str, version: str, year: int, note: str) -> str:
        """Ask that a published version be in force for a year. Raises NotFound, RuleViolation, Conflict."""
        return self._propose(who, IN_FORCE, framework, version, year=year, note=note)

    def propose_retirement(self, who: Principal, framework: str, version: str, note: str) -> str:
        """Ask that a published version never be put in force again. Raises NotFound, RuleViolation, Conflict."""
        return self._propose(who, RETIRE, framework, version, note=note)

    def decide(self, who: Principal, proposal: str, note: str, *, approved: bool) -> None:
        """Answer a proposal; a yes makes it true. Raises NotFound, SamePerson, NotAllowed, Conflict."""

        def act(work: Work) -> None:
            row = _open_proposal(work.session, proposal)
            if approved:
                _check_other_person(work.session, who, row)
                require_all_units(work.session, who)
                self._check(work.session, row.act, row.framework, row.version, row.year)
            try:
                work.session.execute(
                    insert(DECISIONS).values(
                        proposal=proposal,
                        approved=approved,
                        note=note,
                        decided_by=who.account,
                        decided_at=work.clock.now(),
                    )
                )
            except IntegrityError as twice:
                raise AlreadyDecided from twice
            if approved and row.act == PUBLISH:
                query = select(DRAFTS.c.document).where(DRAFTS.c.id == row.draft)
                publish(work, who, parse(orjson.loads(work.session.execute(query).scalar_one())))
            if approved and row.act == IN_FORCE:
                directory_changed(work)
            work.audit(
                who,
                f"framework.{row.act}_{'approved' if approved else 'refused'}",
                f"frameworks/{row.framework}",
                object_version=row.version,
                reason_code=str(row.year or ""),
            )

        self._store.transact(act)

    # --- inside -----------------------------------------------------------------------------------------

    def _read(self, name: str, content: bytes) -> Framework:
        if len(content) > MOST_BYTES:
            raise Invalid("文件超过 8 MB，请精简后上传。", code="assessment.file_too_large")
        suffix = PurePath(name).suffix.lower()
        if suffix == ".xlsx":
            handed = read_workbook(content)
            try:
                return self._frameworks.parsed(handed.document)
            except FrameworkInvalid as error:
                raise handed.located(error.problems) from error
        if suffix not in (".yaml", ".yml"):
            raise Invalid("请上传 YAML 或 XLSX 文件。", code="assessment.wrong_file_type")
        file = catalog.read_upload(name, content)
        try:
            return self._frameworks.parsed(file.data)
        except FrameworkInvalid as error:
            raise file.located(error.problems) from error

    def _keep(self, who: Principal, framework: Framework, source: str) -> str:
        text = canonical(document_of(framework))
        digest = digest_of(text)

        def act(work: Work) -> str:
            if published_digest(work.session, framework.id, framework.version) is not None:
                raise FrameworkEdited(
                    f"指标体系 {framework.id} 第 {framework.version} 版已发布，不得修改；请改用新的版本号。"
                )
            newest = (
                select(DRAFTS.c.id, DRAFTS.c.digest)
                .where(DRAFTS.c.framework == framework.id, DRAFTS.c.version == framework.version)
                .order_by(DRAFTS.c.drafted_at.desc(), DRAFTS.c.id.desc())
                .limit(1)
            )
            known = work.session.execute(newest).one_or_none()
            if known is not None and known.digest == digest:
                return str(known.id)
            draft = new_id()
            work.session.execute(
                insert(DRAFTS).values(
                    id=draft,
                    framework=framework.id,
                    version=framework.version,
                    title=framework.title,
                    year=framework.year,
                    document=text,
                    digest=digest,
                    source=source,
                    drafted_by=who.account,
                    drafted_at=work.clock.now(),
                )
            )
            subject = f"frameworks/{framework.id}"
            work.audit(
                who, "framework.drafted", subject, object_version=framework.version, after_digest=digest
            )
            return draft

        return self._store.transact(act)

    def _propose(
        self,
        who: Principal,
        act: str,
        framework: str,
        version: str,
        *,
        draft: str | None = None,
        year: int = 0,
        note: str = "",
    ) -> str:
        def write(work: Work) -> str:
            self._check(work.session, act, framework, version, year)
            decided = exists().where(DECISIONS.c.proposal == PROPOSALS.c.id)
            same = (
                select(PROPOSALS.c.id)
                .where(PROPOSALS.c.act == act, PROPOSALS.c.framework == framework)
                .where(PROPOSALS.c.version == version, PROPOSALS.c.year == year, ~decided)
            )
            if work.session.execute(same).first() is not None:
                raise Conflict(
                    "同一事项已有人提请，正在等待审批，请勿重复提请。", code="assessment.already_proposed"
                )
            proposal = new_id()
            work.session.execute(
                insert(PROPOSALS).values(
                    id=proposal,
                    act=act,
                    framework=framework,
                    version=version,
                    draft=draft,
                    year=year,
                    note=note,
                    proposed_by=who.account,
                    proposed_at=work.clock.now(),
                )
            )
            work.audit(who, f"framework.{act}_proposed", f"frameworks/{framework}", object_version=version)
            return proposal

        return self._store.transact(write)

    def _check(self, session: Session, act: str, framework: str, version: str, year: int) -> None:
        """Whether the act is possible now; asked when it is proposed and again when it is decided."""
        digest = published_digest(session, framework, version)
        if act == PUBLISH:
            if digest is not None:
                raise FrameworkEdited(f"指标体系 {framework} 第 {version} 版已发布，不得重复发布。")
            return
        if digest is None:
            raise NotFound(
                f"没有已发布的指标体系 {framework} 第 {version} 版，请先发布。",
                code="assessment.no_such_framework",
            )
        this_year = local_date(self._store.clock.now()).year
        by_year = in_force_by_year(session)
        if (framework, version) in retired(session):
            raise RuleViolation("此版本已停用，不能再启用或停用。", code="assessment.framework_retired")
        if act == IN_FORCE:
            query = select(FRAMEWORKS.c.year).where(
                FRAMEWORKS.c.id == framework, FRAMEWORKS.c.version == version
            )
            written_for = session.execute(query).scalar_one()
            if not written_for <= year <= this_year + 1:
                raise RuleViolation(
                    f"此版本为 {written_for} 年度编制，只能自该年度起启用，且不晚于下一年度。",
                    code="assessment.wrong_year",
                )
            if year < this_year and any(known <= year for known in by_year):  # its own, or carried on to it
                raise RuleViolation(
                    f"{year} 年度已经结束，仍用当年启用的版本，不得更换。", code="assessment.year_closed"
                )
        elif (framework, version) in self._used_from(session, this_year):
            raise RuleViolation(
                "此版本正在使用，请先为本年度启用其他版本，再停用。", code="assessment.framework_in_force"
            )

    def _used_from(self, session: Session, year: int) -> set[tuple[str, str]]:
        """What is in force for a year, put in force for it or carried on to it, and for the years after it."""
        now = self._frameworks.in_force(year)
        later = (known for used, known in in_force_by_year(session).items() if used >= year)
        return {(now.id, now.version), *later}

    def _changes_since(self, base: tuple[str, str] | None, framework: Framework) -> tuple[list[Change], str]:
        if base is None:
            return [], ""
        return (
            compare(self._frameworks.get(*base), framework, self._frameworks.field_titles),
            f"{base[0]}@{base[1]}",
        )


def _newest(session: Session, framework: str) -> tuple[str, str] | None:
    """The version of a framework that was published last."""
    query = (
        select(FRAMEWORKS.c.id, FRAMEWORKS.c.version)
        .where(FRAMEWORKS.c.id == framework)
        .order_by(FRAMEWORKS.c.published_at.desc(), FRAMEWORKS.c.version.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row.id, row.version)


def _open_proposal(session: Session, proposal: str) -> Row[Any]:
    wanted = select(PROPOSALS).where(PROPOSALS.c.id == proposal)
    row = session.execute(wanted).one_or_none() if is_id(proposal) else None
    if row is None:
        raise NotFound("没有此事项，请刷新后再试。", code="assessment.no_such_proposal")
    decided = session.execute(select(DECISIONS.c.proposal).where(DECISIONS.c.proposal == proposal)).first()
    if decided is not None:
        raise AlreadyDecided
    return row


def _check_other_person(session: Session, who: Principal, proposal: Row[Any]) -> None:
    hands = {proposal.proposed_by}
    if proposal.draft is not None:
        query = select(DRAFTS.c.drafted_by).where(DRAFTS.c.id == proposal.draft)
        hands.add(session.execute(query).scalar_one())
    if who.account in hands:
        raise SamePerson
