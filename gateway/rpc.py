"""
gRPC of the gateway: ClueExchange, for outside systems inside the government network.

The caller is an outside system with a token (POST /api/gateway/v1/partners/tokens); the `system` it names must be
its own. The clue comes in the platform's own form, so no mapping is applied, but every check is.
"""

import hashlib
from typing import Any

from contracts.clues.v1 import clues_pb2_grpc
from contracts.clues.v1.clues_pb2 import (
    ClueHistory,
    ClueProgressed,
    ClueReceipt,
    FollowClueRequest,
    SubmitClueRequest,
)
from contracts.roles import EXTERNAL_SYSTEM
from gateway.app import Gateway
from gateway.clues import rules
from gateway.clues.intake import GRPC, Receipt
from gateway.clues.native import read_native
from gateway.clues.review import ClueCourse
from gateway.partners.service import Sender
from kernel.access.principal import Principal
from kernel.clock import microseconds
from kernel.errors import PermanentError
from kernel.hosting.rpc import Context, Guard

_STATES = {name: number for number, name in rules.STATE_NAMES.items()}


class ClueExchange(clues_pb2_grpc.ClueExchangeServicer):
    """The service of clues.proto."""

    def __init__(self, app: Gateway, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def Submit(self, request: SubmitClueRequest, context: Context) -> ClueReceipt:  # noqa: N802 - the contract's name
        """Take a clue in; a repeat gets the same receipt."""

        def act(who: Principal) -> ClueReceipt:
            return _receipt(self._submit(who, request))

        return await self._guard.call(context, (EXTERNAL_SYSTEM,), act)

    async def Follow(self, request: FollowClueRequest, context: Context) -> ClueHistory:  # noqa: N802 - the contract's name
        """The course of one of the caller's own clues."""

        def act(who: Principal) -> ClueHistory:
            return _history(self._app.review.course(who, request.receipt))

        return await self._guard.call(context, (EXTERNAL_SYSTEM,), act)

    def _submit(self, who: Principal, request: SubmitClueRequest) -> Receipt:
        raw = request.clue.SerializeToString(deterministic=True)
        message = _message_id(request.clue.external_id)
        sender = Sender(who.account, message, who.address, GRPC, who.request)
        try:
            clue = read_native(
                request.clue,
                who.account,
                now=self._app.store.clock.now(),
                hashed=self._app.intake.person_hash,
            )
            return self._app.intake.take_mapped(sender, clue, raw)
        except PermanentError as error:
            self._app.intake.hold(sender, raw, error)
            raise


def register(app: Gateway, server: Any, guard: Guard) -> None:
    """Put the service on a gRPC server."""
    clues_pb2_grpc.add_ClueExchangeServicer_to_server(ClueExchange(app, guard), server)


def _message_id(external_id: str) -> str:
    """One for each record, however long its number and whatever is in it."""
    given = f"grpc-{external_id}"
    if len(given) <= 64 and given.isprintable():
        return given
    return f"grpc-{hashlib.sha256(external_id.encode()).hexdigest()[:59]}"


def _receipt(receipt: Receipt) -> ClueReceipt:
    return ClueReceipt(
        receipt=receipt.receipt,
        duplicate=receipt.is_repeat,
        state=_STATES[receipt.state],  # type: ignore[arg-type]
        received_at_us=microseconds(receipt.received_at),
    )


def _history(course: ClueCourse) -> ClueHistory:
    line = course.line
    return ClueHistory(
        receipt=ClueReceipt(
            receipt=line.receipt,
            state=_STATES[line.state],  # type: ignore[arg-type]
            received_at_us=microseconds(line.received_at),
        ),
        progress=[
            ClueProgressed(
                receipt=line.receipt,
                state=_STATES[step.state],  # type: ignore[arg-type]
                note=step.note,
                recorded_at_us=microseconds(step.recorded_at),
            )
            for step in course.progress
        ],
    )
