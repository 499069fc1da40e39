"""
Dossier 案件登记表: one case handed in after the fact, as one JSON object, and the steps it stands for.

Dates that are absent did not happen. Silence is told by its absence: no acceptance and no refusal within the
period, and the case went on or the period is over. That fact is added where the replay meets it (intake.py).
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kernel.text import one_line
from services.disputes.reconsideration.rules import steps as s
from services.disputes.reconsideration.rules.case import AnyStep

_EMPTY_IS_NONE = BeforeValidator(lambda value: None if value == "" else value)
_AS_TUPLE = BeforeValidator(lambda value: (value,) if isinstance(value, str) and value else value or ())
OptionalDay = Annotated[date | None, _EMPTY_IS_NONE]
_AS_SEEN = BeforeValidator(lambda value: one_line(value) if isinstance(value, str) else value)
Text = Annotated[str, Field(max_length=500)]
Codes = Annotated[tuple[Text, ...], _AS_TUPLE]


class Group(BaseModel):
    """A group of fields; foreign ones are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Suspension(Group):
    begins: date = Field(alias="from")
    ends: OptionalDay = Field(None, alias="to")
    reason: Text


class Hearing(Group):
    required: bool | None = None
    notified_on: OptionalDay = None
    held_on: OptionalDay = None
    head_attended: bool | None = None


class Basis(Group):
    document: Text
    version: Text = ""
    article: Text = ""


class Facts(Group):
    """Fields of one case; see catalog/codes/disputes.yaml for the codes."""

    mode: Literal["reported", "entered", "real_time"] = "entered"
    source: Text = ""
    applicant: Text = ""
    applicant_kind: Text = ""
    act_kind: Text = ""
    act: Text = ""
    act_on: OptionalDay = None
    document_review: bool | None = None
    basis: tuple[Basis, ...] = ()
    received_on: date
    material_asked_on: OptionalDay = None
    material_supplied_on: OptionalDay = None
    refused_on: OptionalDay = None
    accepted_on: OptionalDay = None
    procedure: Literal["ordinary", "simple"] = "ordinary"
    copied_on: OptionalDay = None
    answered_on: OptionalDay = None
    hearing: Hearing = Hearing()
    committee_consulted_on: OptionalDay = None
    suspensions: tuple[Suspension, ...] = ()
    extended_on: OptionalDay = None
    extension_days: int = Field(30, ge=1, le=90)
    extension_told_on: OptionalDay = None
    decided_on: OptionalDay = None
    outcome: Annotated[str | None, _EMPTY_IS_NONE] = None
    also: Codes = ()
    grounds: Codes = ()
    settled: bool | None = None
    act_changed: bool | None = None
    must_perform: bool | None = None
    perform_due_on: OptionalDay = None
    served_on: OptionalDay = None
    performed_on: OptionalDay = None
    opinion_received_on: OptionalDay = None
    opinion_answered_on: OptionalDay = None
    sued_on: OptionalDay = None


class Dossier(Group):
    """One case of one reviewing organ against one respondent."""

    number: Annotated[str, _AS_SEEN, Field(min_length=1, max_length=100)]
    review_unit: Annotated[str, Field(min_length=1, max_length=100)]
    respondent: Annotated[str, Field(min_length=1, max_length=100)]
    facts: Facts


def steps_of(facts: Facts) -> list[AnyStep]:
    """The steps by day; of one day in the order of the law."""
    made = [*_application(facts), *_hearing_of_parties(facts), *_decision(facts)]
    return sorted(made, key=lambda step: step.on)


def _application(facts: Facts) -> Iterator[AnyStep]:
    yield s.Received(
        kind="received",
        on=facts.received_on,
        source=facts.source,
        act_kind=facts.act_kind,
        act=facts.act,
        act_on=facts.act_on,
        document_review=facts.document_review,
        basis=tuple(
            s.CitedBasis(document=b.document, version=b.version, article=b.article) for b in facts.basis
        ),
    )
    if facts.material_asked_on:
        yield s.MaterialAsked(kind="material_asked", on=facts.material_asked_on)
    if facts.material_supplied_on:
        yield s.MaterialSupplied(kind="material_supplied", on=facts.material_supplied_on)
    if facts.refused_on:
        yield s.Refused(kind="refused", on=facts.refused_on)
    if facts.accepted_on:
        yield s.Accepted(kind="accepted", on=facts.accepted_on, track=facts.procedure)


def _hearing_of_parties(facts: Facts) -> Iterator[AnyStep]:
    if facts.copied_on:
        yield s.CopyReceived(kind="copy_received", on=facts.copied_on)
    if facts.answered_on:
        yield s.Answered(kind="answered", on=facts.answered_on)
    if facts.committee_consulted_on:
        yield s.CommitteeConsulted(kind="committee_consulted", on=facts.committee_consulted_on)
    for suspension in facts.suspensions:
        yield s.Suspended(kind="suspended", on=suspension.begins, reason=suspension.reason)
        if suspension.ends:
            yield s.Resumed(kind="resumed", on=suspension.ends)
    if facts.extended_on:
        yield s.Extended(
            kind="extended", on=facts.extended_on, days=facts.extension_days, told_on=facts.extension_told_on
        )
    if facts.hearing.required is not None and (
        known := facts.accepted_on or facts.copied_on or facts.decided_on
    ):
        yield s.HearingDecided(kind="hearing_decided", on=known, required=facts.hearing.required)
    if facts.hearing.held_on:
        yield s.HearingHeld(
            kind="hearing_held",
            on=facts.hearing.held_on,
            notified_on=facts.hearing.notified_on,
            head_attended=facts.hearing.head_attended,
        )


def _decision(facts: Facts) -> Iterator[AnyStep]:
    if facts.decided_on and facts.outcome and facts.outcome != "RF01":
        yield s.Decided(
            kind="decided",
            on=facts.decided_on,
            outcome=facts.outcome,
            also=facts.also,
            grounds=facts.grounds,
            settled=facts.settled,
            act_changed=facts.act_changed,
            perform_by=facts.perform_due_on,
            must_perform=facts.must_perform,
        )
        yield from _afterwards(facts)
    elif facts.decided_on and facts.outcome == "RF01" and not facts.refused_on:
        yield s.Refused(kind="refused", on=facts.decided_on)


def _afterwards(facts: Facts) -> Iterator[AnyStep]:
    if facts.served_on:
        yield s.Served(kind="served", on=facts.served_on)
    if facts.performed_on:
        yield s.Performed(kind="performed", on=facts.performed_on)
    if facts.opinion_received_on:
        yield s.OpinionReceived(kind="opinion_received", on=facts.opinion_received_on)
    if facts.opinion_answered_on:
        yield s.OpinionAnswered(kind="opinion_answered", on=facts.opinion_answered_on)
    if facts.sued_on:
        yield s.Sued(kind="sued", on=facts.sued_on)
