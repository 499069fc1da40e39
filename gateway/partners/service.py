"""
Use cases around partners 外部系统: register, give and revoke keys, and say who signed a message.

Keys are read from the database at every message, so a revoked key is refused at once on every node (P7). A
secret is shown once, when it is made.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from contracts.roles import EXTERNAL_SYSTEM
from gateway.partners import signature
from gateway.partners.model import Partner, PartnerKey
from gateway.partners.vault import Vault
from kernel.access.principal import Principal
from kernel.access.tokens import STAFF_AUDIENCE, Issuer
from kernel.errors import Invalid, NotFound, Problem
from kernel.ids import new_id
from kernel.storage import keys
from kernel.storage.work import Store


class UnknownPartner(NotFound):
    """No such outside system."""

    code = "partners.unknown"
    message = "没有登记这个外部系统，请先登记。"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who verifiably sent a message, under which id, when signed, over which channel."""

    system: str
    message_id: str
    address: str = ""
    channel: str = "http"
    request: str = ""

    @property
    def principal(self) -> Principal:
        """The sender as principal, for the audit."""
        return Principal(
            account=self.system,
            roles=frozenset({EXTERNAL_SYSTEM}),
            address=self.address,
            request=self.request,
        )


class Partners:
    """The outside systems we know."""

    def __init__(self, store: Store, vault: Vault, issuer: Callable[[], Issuer]) -> None:
        self._store = store
        self._vault = vault
        self._issuer = issuer

    def register(
        self, who: Principal, system: str, *, title: str, answer_url: str = "", answer_networks: str = "",
        bus_user: str = "",
    ) -> None:  # fmt: skip
        """Enter an outside system, or change where its answers go. Raises Invalid for an unusable address."""
        _check_address(answer_url, answer_networks)
        with self._store.work() as work:
            partner = work.session.get(Partner, system)
            if partner is None:
                partner = Partner(system=system, failures=0)
                work.session.add(partner)
            partner.title, partner.bus_user = title, bus_user or system
            partner.answer_url, partner.answer_networks = answer_url, answer_networks
            partner.failures, partner.rest_until = 0, None
            work.audit(who, "partner.registered", f"partners/{system}")
            work.commit()

    def add_key(
        self, who: Principal, system: str, *, not_after: datetime | None = None, secret: bytes | None = None
    ) -> str:
        """Give a partner a new signing secret beside its others; returns it as text, this once."""
        keys.current.set(None)  # no answer is kept that shows a secret
        made = secret or secrets.token_bytes(32)
        key = new_id()
        with self._store.work() as work:
            if work.session.get(Partner, system) is None:
                raise UnknownPartner()
            row = PartnerKey(
                id=key,
                system=system,
                sealed=self._vault.seal(f"partner-key/{system}/{key}", made),
                not_before=work.clock.now(),
                not_after=not_after,
                created_by=who.account,
            )
            work.session.add(row)
            work.audit(who, "partner_key.added", f"partner_keys/{key}")
            work.commit()
        return signature.secret_text(made)

    def revoke_keys(self, who: Principal, system: str, *, keep: int = 0) -> int:
        """Revoke a partner's keys except the newest `keep`; returns how many."""
        with self._store.work() as work:
            rows = work.session.scalars(
                select(PartnerKey)
                .where(PartnerKey.system == system, PartnerKey.revoked_at.is_(None))
                .order_by(PartnerKey.id.desc())
            ).all()
            for row in rows[keep:]:
                row.revoked_at = work.clock.now()
                work.audit(who, "partner_key.revoked", f"partner_keys/{row.id}")
            work.commit()
        return len(rows[keep:])

    def authenticate(self, headers: Mapping[str, str], body: bytes, *, address: str = "", request: str = "",
                     channel: str = "http", system: str = "", action: str = "clue.refused") -> Sender:  # fmt: skip
        """
        Who signed this body. Raises Unsigned, StaleSignature, BadSignature, each audited; never parses the body.

        `system`, or the header x-fazhi-system, narrows the keys tried; naming another system fits no key.
        """
        named = system or headers.get(signature.SYSTEM_HEADER, "")
        try:
            given = signature.read_headers(headers)
            signature.demand_fresh(given, self._store.clock.now())
            owner = self._owner(named, given, body)
        except (signature.Unsigned, signature.StaleSignature, signature.BadSignature) as error:
            self._record_refusal(named, address, request, action, error.stable_code)
            raise
        return Sender(owner, given.id, address, channel, request)

    def secret_of(self, session: Session, system: str) -> bytes | None:
        """The newest secret in force, with which answers to this partner are signed."""
        keys = self._keys(session, system)
        return self._opened(keys[-1]) if keys else None

    def token(self, sender: Sender, audience: str = STAFF_AUDIENCE) -> str:
        """A token of five minutes for an outside system, for gRPC and for following its clues."""
        return self._issuer().issue(sender.principal, audience=audience)

    def service_token(self, service: str, audience: str) -> str:
        """A token with which one of our services calls another: bound to the service called (R38)."""
        return self._issuer().issue(
            Principal(account=service, roles=frozenset({"service"})), audience=audience
        )

    def bus_users(self) -> dict[str, str]:
        """System by system, the user it must be on the bus."""
        with self._store.reading() as session:
            rows = session.execute(select(Partner.system, Partner.bus_user))
            return {row.system: row.bus_user for row in rows}

    def _owner(self, named: str, given: signature.SignatureHeaders, body: bytes) -> str:
        with self._store.reading() as session:
            for key in self._keys(session, named):
                if signature.fits(self._opened(key), given, body):
                    return key.system
        raise signature.BadSignature()

    def _keys(self, session: Session, system: str) -> list[PartnerKey]:
        now = self._store.clock.now()
        wanted = (
            select(PartnerKey)
            .where(PartnerKey.revoked_at.is_(None), PartnerKey.not_before <= now)
            .where(or_(PartnerKey.not_after.is_(None), PartnerKey.not_after > now))
            .order_by(PartnerKey.not_before, PartnerKey.id)
        )
        if system:
            wanted = wanted.where(PartnerKey.system == system)
        return list(session.scalars(wanted))

    def _opened(self, key: PartnerKey) -> bytes:
        return self._vault.open(f"partner-key/{key.system}/{key.id}", key.sealed)

    def _record_refusal(self, named: str, address: str, request: str, action: str, reason: str) -> None:
        who = Principal(account=named[:50] or "anonymous", address=address, request=request)
        with self._store.work() as work:
            work.audit(who, action, "", result="denied", reason_code=reason)
            work.commit()


def _check_address(url: str, networks: str) -> None:
    faults = []
    if url and not _is_web_address(url):
        faults.append(Problem("answer_url", "partners.bad_url", "回复地址应为完整的 http 或 https 地址"))
    for network in filter(None, networks.split(",")):
        try:
            ip_network(network.strip())
        except ValueError:
            faults.append(Problem("answer_networks", "partners.bad_network", "网段应写成 10.0.0.0/8 的形式"))
    if faults:
        raise Invalid("回复地址不可用，请修改后再保存。", code="partners.bad_address", problems=faults)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        name, _ = (parts.hostname or "").encode("idna"), parts.port  # neither may be what no network knows
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(name) and parts.username is None
