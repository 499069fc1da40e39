from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AskedOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASKED_OUTCOME_UNSPECIFIED: _ClassVar[AskedOutcome]
    ASKED_OUTCOME_PASS: _ClassVar[AskedOutcome]
    ASKED_OUTCOME_FAIL: _ClassVar[AskedOutcome]
    ASKED_OUTCOME_NOT_APPLICABLE: _ClassVar[AskedOutcome]
ASKED_OUTCOME_UNSPECIFIED: AskedOutcome
ASKED_OUTCOME_PASS: AskedOutcome
ASKED_OUTCOME_FAIL: AskedOutcome
ASKED_OUTCOME_NOT_APPLICABLE: AskedOutcome

class CorrectionAsked(_message.Message):
    __slots__ = ("id", "service", "objection", "event", "unit", "probe", "subject", "outcome", "score_milli", "reason", "due_at_us", "occurred_at_us")
    ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SCORE_MILLI_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_US_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    id: str
    service: str
    objection: str
    event: str
    unit: str
    probe: str
    subject: str
    outcome: AskedOutcome
    score_milli: int
    reason: str
    due_at_us: int
    occurred_at_us: int
    def __init__(self, id: _Optional[str] = ..., service: _Optional[str] = ..., objection: _Optional[str] = ..., event: _Optional[str] = ..., unit: _Optional[str] = ..., probe: _Optional[str] = ..., subject: _Optional[str] = ..., outcome: _Optional[_Union[AskedOutcome, str]] = ..., score_milli: _Optional[int] = ..., reason: _Optional[str] = ..., due_at_us: _Optional[int] = ..., occurred_at_us: _Optional[int] = ...) -> None: ...
