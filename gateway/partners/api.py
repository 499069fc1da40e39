"""HTTP around partners: signed requests become tokens of five minutes; keys are the security administrator's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from contracts.roles import SECURITY_ADMIN, SYSTEM_ADMIN
from gateway.partners.service import Partners
from gateway.partners.signature import lower_names
from kernel.access.rules import allow, public
from kernel.errors import Invalid
from kernel.hosting.api import Caller
from kernel.hosting.edge import check_json, raw_body
from kernel.hosting.validation import Body

PURPOSE = {"purpose": "token"}


class PartnerView(Body):
    """An outside system and where its answers go."""

    title: str = Field(min_length=1, max_length=100)
    answer_url: str = Field("", max_length=500)
    answer_networks: str = Field("", max_length=500)


class PartnerToken(BaseModel):
    """A token for an outside system."""

    token: str
    system: str
    expires_in: int = 300


async def body_of(request: Request) -> bytes:
    """The bytes of the body as they came; the edge has counted them."""
    return await request.body()


RawBody = Annotated[bytes, Depends(body_of)]


def headers_of(request: Request) -> dict[str, str]:
    """The headers of a request by lower-case name."""
    return lower_names(request.headers.items())


def address_of(request: Request) -> str:
    """Where a request came from."""
    return request.client.host if request.client else ""


def router(partners: Partners) -> APIRouter:
    """Routes under /partners."""
    router = APIRouter(prefix="/partners", tags=["partners"])

    @router.post("/tokens")
    @public
    @raw_body
    def token(request: Request, raw: RawBody) -> PartnerToken:
        """The signed body says what it is for, so that nobody turns a captured clue into a token."""
        sender = partners.authenticate(
            headers_of(request),
            raw,
            address=address_of(request),
            request=request.state.request_id,
            action="token.refused",
        )
        if check_json(raw) != PURPOSE:
            raise Invalid('请签名发送正文 {"purpose": "token"} 以换取凭证。', code="partners.wrong_purpose")
        return PartnerToken(token=partners.token(sender), system=sender.system)

    @router.put("/{system}", status_code=204)
    @allow(SYSTEM_ADMIN)
    def register(system: str, body: PartnerView, who: Caller) -> None:
        partners.register(
            who, system, title=body.title, answer_url=body.answer_url, answer_networks=body.answer_networks
        )

    @router.post("/{system}/keys", status_code=201)
    @allow(SECURITY_ADMIN)
    def add_key(system: str, who: Caller) -> dict[str, str]:
        return {"secret": partners.add_key(who, system)}

    @router.delete("/{system}/keys", status_code=200)
    @allow(SECURITY_ADMIN)
    def revoke_keys(system: str, who: Caller, keep: int = 0) -> dict[str, int]:
        return {"revoked": partners.revoke_keys(who, system, keep=max(0, keep))}

    return router
