"""What is written and read of frameworks in one transaction: a version published, and what is in force when."""

from typing import ClassVar

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import Conflict
from kernel.storage.work import Work
from services.assessment.framework.model import DECISIONS, FRAMEWORKS, IN_FORCE, PROPOSALS, RETIRE
from services.assessment.framework.values import Framework
from services.assessment.framework.writing import canonical, digest_of, document_of


class FrameworkEdited(Conflict):
    """A published version would be changed."""

    code: ClassVar[str] = "assessment.framework_edited"


def publish(work: Work, who: Principal, framework: Framework) -> bool:
    """Publish a version; False where it is published already with the same content. Raises FrameworkEdited."""
    text = canonical(document_of(framework))
    digest = digest_of(text)
    known = published_digest(work.session, framework.id, framework.version)
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
        who,
        "framework.published",
        f"frameworks/{framework.id}",
        object_version=framework.version,
        after_digest=digest,
    )
    return True


def published_digest(session: Session, framework: str, version: str) -> str | None:
    """The digest of a published version; None where there is none."""
    query = select(FRAMEWORKS.c.digest).where(FRAMEWORKS.c.id == framework, FRAMEWORKS.c.version == version)
    digest: str | None = session.execute(query).scalar_one_or_none()
    return digest


def in_force_by_year(session: Session) -> dict[int, tuple[str, str]]:
    """Year -> (framework, version) that was last put in force for it."""
    query = (
        select(PROPOSALS.c.year, PROPOSALS.c.framework, PROPOSALS.c.version)
        .join(DECISIONS, DECISIONS.c.proposal == PROPOSALS.c.id)
        .where(PROPOSALS.c.act == IN_FORCE, DECISIONS.c.approved)
        .order_by(DECISIONS.c.decided_at, PROPOSALS.c.id)
    )
    return {row.year: (row.framework, row.version) for row in session.execute(query)}


def retired(session: Session) -> set[tuple[str, str]]:
    """(framework, version) of what is retired."""
    query = (
        select(PROPOSALS.c.framework, PROPOSALS.c.version)
        .join(DECISIONS, DECISIONS.c.proposal == PROPOSALS.c.id)
        .where(PROPOSALS.c.act == RETIRE, DECISIONS.c.approved)
    )
    return {(row.framework, row.version) for row in session.execute(query)}
