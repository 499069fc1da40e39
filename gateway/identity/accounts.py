"""
Accounts and grants 账号与授权 (R36, R37, R39).

The system administrator makes accounts and proposes roles; the security administrator decides on them; neither
decides on his own proposal or for himself, and no account ever joins two of the three duties 三员. A change of
rights ends the sessions of the account, so that nothing goes on under the former ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.identity import rules
from gateway.identity.holders import tell_holders
from gateway.identity.model import Account, Grant
from gateway.identity.passwords import Passwords
from gateway.identity.past import PASSWORD_CHANGED, note_account, note_grants
from gateway.identity.sessions import Sessions, revoke_sessions
from gateway.identity.terms import check_term
from gateway.tables import UNITS
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, RuleViolation
from kernel.ids import is_id, new_id
from kernel.storage.work import Store, Work
from kernel.text import clean_name, clean_text

TRANSFERRED = "账号已调动，原授权终止。"


class UnknownAccount(NotFound):
    """No such account within the caller's part of the tree."""

    code = "identity.unknown_account"
    message = "没有这个账号，请核对后再试。"


class DutiesExclude(RuleViolation):
    """Two of the three administrators' duties on one account."""

    code = "identity.duties_exclude"
    message = "系统管理员、安全管理员、审计管理员三员分立，同一账号只能担任其中一员。"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAccount:
    """
    An account of the very first start: the three administrators, or demonstration accounts.

    `area` is the unit the roles are granted for: a justice department supervises all that is under its government
    (行政执法监督条例 Art. 6), so its inspectors act for the government. Empty: the account's own unit.
    """

    account: str
    name: str
    unit: str
    roles: tuple[str, ...]
    password: str
    area: str = ""


class Accounts:
    """Accounts and grants, as administrators use them."""

    def __init__(self, store: Store, passwords: Passwords, sessions: Sessions) -> None:
        self._store = store
        self._passwords = passwords
        self._sessions = sessions

    def establish(self, accounts: Sequence[FirstAccount]) -> None:
        """Make the first accounts of an installation with their roles in force. Raises Conflict later on."""
        hashed = [self._passwords.hashed(first.password, first.account) for first in accounts]
        with self._store.work() as work:
            if work.session.scalar(select(Account.account).limit(1)) is not None:
                raise Conflict(
                    "已有账号，初始账号只能在首次安装时建立。", code="identity.already_established"
                )
            for first, password_hash in zip(accounts, hashed, strict=True):
                enter(work, first, password_hash)
            tell_holders(work, [first.account for first in accounts])
            work.audit(SYSTEM, "accounts.established", f"accounts/{len(accounts)}")
            work.commit()

    def create(self, who: Principal, *, account: str, name: str, unit: str, password: str) -> None:
        """A new account without rights; the password given must be changed before the first sign-in."""
        if not rules.is_account_name(account):
            problem = Problem("account", "identity.bad_account", "账号为 2 至 64 位小写字母、数字和 . _ -")
            raise Invalid(
                "账号名称不符合要求，请修改后再提交。", code="identity.bad_account", problems=[problem]
            )
        hashed = self._passwords.hashed(password, account)
        with self._store.work() as work:
            _demand_reach(work.session, who, unit)
            taken = Conflict("账号已存在，请换用其他名称。", code="identity.account_taken")
            if work.session.get(Account, account) is not None:
                raise taken
            made = Account(
                account=account,
                name=clean_name(name, max_characters=100),
                unit=unit,
                password_hash=hashed,
                password_changed_at=None,
                state="active",
                created_at=work.clock.now(),
                created_by=who.account,
            )
            work.session.add(made)
            try:
                work.session.flush()
            except IntegrityError as error:  # somebody was faster by a moment
                raise taken from error
            note_account(work, account, "created", unit, who.account)
            work.audit(who, "account.created", f"accounts/{account}")
            work.commit()

    def set_state(self, who: Principal, account: str, state: str) -> None:
        """Disable an account, which ends its sessions at once, or make it active again."""
        if account == who.account:
            raise NotAllowed("不能停用或启用自己的账号。", code="identity.own_account")
        with self._store.work() as work:
            known = reached(work.session, who, account)
            known.state = state
            tell_holders(work, [account])
            note_account(work, account, state, known.unit, who.account)
            if state != "active":
                revoke_sessions(work, account)
            work.audit(who, f"account.{state}", f"accounts/{account}")
            work.commit()

    def transfer(self, who: Principal, account: str, unit: str) -> None:
        """
        Move an account to another unit 调动. Every role of it ends, and what was proposed is refused.

        Whose reports somebody may not judge depends on the unit (R37), so roles are granted anew by those who know it.
        """
        if account == who.account:
            raise NotAllowed("不能调动自己的账号。", code="identity.own_account")
        with self._store.work() as work:
            known = reached(work.session, who, account)
            _demand_reach(work.session, who, unit)
            if known.unit == unit:
                raise Conflict("账号已在这个单位，无须调动。", code="identity.same_unit")
            _end_all(work, who, account)
            former, known.unit = known.unit, unit
            tell_holders(work, [account])
            note_account(work, account, "transferred", unit, who.account)
            revoke_sessions(work, account)
            work.audit(
                who, "account.transferred", f"accounts/{account}", before_digest=former, after_digest=unit
            )
            work.commit()

    def change_password(
        self, account: str, password: str, fresh: str, *, address: str, code: str = "", request: str = ""
    ) -> None:
        """Change one's own password; every session ends. Raises as signing in does, and Invalid for a weak one."""
        name = account.strip().lower()
        who = Principal(account=name[:100], address=address, request=request)
        known = self._sessions.check(name, password, code, who)
        if rules.normal_password(fresh) == rules.normal_password(password):
            raise Invalid("新口令不能与原口令相同。", code="identity.same_password")
        hashed = self._passwords.hashed(fresh, name)
        with self._store.work() as work:
            is_same = self._sessions.holds(work, known)
            if is_same:
                changes = {"password_hash": hashed, "password_changed_at": work.clock.now()}
                changed = update(Account).where(Account.account == name).values(**changes)
                unit = work.session.execute(changed.returning(Account.unit)).scalar_one()
                note_account(work, name, PASSWORD_CHANGED, unit, name)
                revoke_sessions(work, name)
                work.audit(who, "account.password_changed", f"accounts/{name}")
                work.commit()
        if not is_same:
            raise self._sessions.refused(who, code)

    def propose(
        self,
        who: Principal,
        *,
        account: str,
        role: str,
        unit: str,
        reason: str = "",
        from_on: date | None = None,
        until_on: date | None = None,
    ) -> str:
        """
        Propose a role on a unit for an account, and say why; returns the grant's id. Somebody else decides.

        `from_on`, `until_on`: first and last day in force, of Asia/Shanghai; None: from the decision, without end.
        """
        check_term(from_on, until_on, local_date(self._store.clock.now()))
        if role not in rules.GRANTABLE:
            problem = Problem("role", "identity.unknown_role", "角色不在代码表中")
            raise Invalid(
                "角色不存在，请从角色列表中选择。", code="identity.unknown_role", problems=[problem]
            )
        grant = new_id()
        with self._store.work() as work:
            reached(work.session, who, account)
            _demand_reach(work.session, who, unit)
            if account == who.account:
                raise NotAllowed("不能为自己申请角色。", code="identity.own_grant")
            if rules.excludes(role, _roles_held(work.session, account)):
                raise DutiesExclude()
            proposed = Grant(
                id=grant,
                account=account,
                role=role,
                unit=unit,
                state="proposed",
                proposed_at=work.clock.now(),
                proposed_by=who.account,
                reason=clean_text(reason, max_characters=200),
                from_on=from_on,
                until_on=until_on,
            )
            work.session.add(proposed)
            _flush(work, "该账号已有此项授权或申请，请勿重复提交。")
            note_grants(work, [proposed])
            work.audit(who, "grant.proposed", f"grants/{grant}")
            work.commit()
        return grant

    def decide(self, who: Principal, grant: str, *, approve: bool, note: str = "") -> None:
        """Approve or refuse a proposed grant: four eyes, so never one's own proposal nor for oneself."""
        with self._store.work() as work:
            row = _grant(work.session, who, grant)
            if row.state != "proposed":
                raise Conflict("该授权申请已经处理，请刷新列表。", code="identity.grant_settled")
            if who.account in (row.proposed_by, row.account):
                raise NotAllowed("不能审批自己提出或与自己有关的授权。", code="identity.four_eyes")
            if approve and rules.excludes(row.role, _roles_held(work.session, row.account)):
                raise DutiesExclude()
            if approve:
                check_term(row.from_on, row.until_on, local_date(work.clock.now()))
            row.state = "active" if approve else "refused"
            row.decided_at, row.decided_by = work.clock.now(), who.account
            row.note = clean_text(note, max_characters=200)
            _flush(work, DutiesExclude.message)
            note_grants(work, [row])
            if approve:
                tell_holders(work, [row.account])
            revoke_sessions(work, row.account)
            work.audit(who, f"grant.{row.state}", f"grants/{grant}")
            work.commit()

    def revoke(self, who: Principal, grant: str, *, note: str = "") -> None:
        """Take a grant back, and say why; the account's sessions end."""
        with self._store.work() as work:
            row = _grant(work.session, who, grant)
            if row.state != "active":
                raise Conflict("该授权已不在有效状态，请刷新列表。", code="identity.grant_settled")
            if row.account == who.account:
                raise NotAllowed("不能撤销自己的授权。", code="identity.four_eyes")
            row.state, row.decided_at, row.decided_by = "revoked", work.clock.now(), who.account
            row.note = clean_text(note, max_characters=200)
            note_grants(work, [row])
            tell_holders(work, [row.account])
            revoke_sessions(work, row.account)
            work.audit(who, "grant.revoked", f"grants/{grant}")
            work.commit()


def enter(work: Work, first: FirstAccount, password_hash: str) -> None:
    """An account with its roles in force, without proposals; only for `establish` and demonstration data."""
    if len(rules.ADMINISTRATORS & set(first.roles)) > 1:
        raise DutiesExclude()
    now = work.clock.now()
    account = Account(
        account=first.account,
        name=clean_name(first.name, max_characters=100),
        unit=first.unit,
        password_hash=password_hash,
        password_changed_at=now,
        state="active",
        created_at=now,
        created_by=SYSTEM.account,
    )
    work.session.add(account)
    work.session.flush()
    for act in ("created", PASSWORD_CHANGED):
        note_account(work, first.account, act, first.unit, SYSTEM.account)
    grants = [
        Grant(
            id=new_id(),
            account=first.account,
            role=role,
            unit=first.area or first.unit,
            state="active",
            proposed_at=now,
            proposed_by=SYSTEM.account,
            decided_at=now,
            decided_by=SYSTEM.account,
        )
        for role in first.roles
    ]
    work.session.add_all(grants)
    work.session.flush()
    note_grants(work, grants)


def _end_all(work: Work, who: Principal, account: str) -> None:
    # All held before any is changed: one that is being approved meanwhile is waited for, and then found active.
    mine = select(Grant).where(Grant.account == account, Grant.state.in_(("active", "proposed")))
    grants = work.session.scalars(mine.order_by(Grant.id).with_for_update()).all()
    for grant in grants:
        grant.state = "revoked" if grant.state == "active" else "refused"
        grant.decided_at, grant.decided_by, grant.note = work.clock.now(), who.account, TRANSFERRED
    note_grants(work, grants)


def _roles_held(session: Session, account: str) -> set[str]:
    held = select(Grant.role).where(Grant.account == account, Grant.state.in_(("active", "proposed")))
    return set(session.scalars(held))


def _grant(session: Session, who: Principal, grant: str) -> Grant:
    row = session.get(Grant, grant, with_for_update=True) if is_id(grant) else None
    if row is None or not _reaches(session, who, row.unit):
        raise NotFound("没有这项授权，请刷新列表。", code="identity.unknown_grant")
    return row


def reached(session: Session, who: Principal, account: str) -> Account:
    """An account within the caller's part of the tree; raises UnknownAccount."""
    known = session.get(Account, account)
    if known is None or not _reaches(session, who, known.unit):
        raise UnknownAccount()
    return known


def _demand_reach(session: Session, who: Principal, unit: str) -> None:
    if not _reaches(session, who, unit):
        raise NotFound("单位目录中没有这个单位，请核对单位代码。", code="directory.unknown_unit")


def _reaches(session: Session, who: Principal, unit: str) -> bool:
    path = session.execute(select(UNITS.table.c.path).where(UNITS.table.c.code == unit)).scalar()
    return path is not None and who.reaches(path)


def _flush(work: Work, message: str) -> None:
    try:
        work.session.flush()
    except IntegrityError as error:
        raise Conflict(message, code="identity.grant_exists") from error
