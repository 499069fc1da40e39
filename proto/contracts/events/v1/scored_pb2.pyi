from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_PASS: _ClassVar[Outcome]
    OUTCOME_FAIL: _ClassVar[Outcome]
    OUTCOME_NOT_APPLICABLE: _ClassVar[Outcome]
    OUTCOME_NOT_COMPUTABLE: _ClassVar[Outcome]
    OUTCOME_NOT_DUE: _ClassVar[Outcome]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_REPORTED: _ClassVar[Mode]
    MODE_ENTERED: _ClassVar[Mode]
    MODE_REAL_TIME: _ClassVar[Mode]
    MODE_EXTERNAL: _ClassVar[Mode]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_PASS: Outcome
OUTCOME_FAIL: Outcome
OUTCOME_NOT_APPLICABLE: Outcome
OUTCOME_NOT_COMPUTABLE: Outcome
OUTCOME_NOT_DUE: Outcome
MODE_UNSPECIFIED: Mode
MODE_REPORTED: Mode
MODE_ENTERED: Mode
MODE_REAL_TIME: Mode
MODE_EXTERNAL: Mode

class Basis(_message.Message):
    __slots__ = ("document", "version", "article")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    document: str
    version: str
    article: str
    def __init__(self, document: _Optional[str] = ..., version: _Optional[str] = ..., article: _Optional[str] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("digest", "media_type", "name", "place")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    media_type: str
    name: str
    place: str
    def __init__(self, digest: _Optional[str] = ..., media_type: _Optional[str] = ..., name: _Optional[str] = ..., place: _Optional[str] = ...) -> None: ...

class ScoredEvent(_message.Message):
    __slots__ = ("id", "source", "probe", "probe_version", "unit", "subject", "outcome", "score_milli", "numerator", "denominator", "mode", "occurred_at_us", "recorded_at_us", "basis", "evidence", "corrects", "trace", "reason", "source_sig")
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    PROBE_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SCORE_MILLI_FIELD_NUMBER: _ClassVar[int]
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CORRECTS_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SIG_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    probe: str
    probe_version: int
    unit: str
    subject: str
    outcome: Outcome
    score_milli: int
    numerator: int
    denominator: int
    mode: Mode
    occurred_at_us: int
    recorded_at_us: int
    basis: _containers.RepeatedCompositeFieldContainer[Basis]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    corrects: str
    trace: str
    reason: str
    source_sig: str
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., probe: _Optional[str] = ..., probe_version: _Optional[int] = ..., unit: _Optional[str] = ..., subject: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., score_milli: _Optional[int] = ..., numerator: _Optional[int] = ..., denominator: _Optional[int] = ..., mode: _Optional[_Union[Mode, str]] = ..., occurred_at_us: _Optional[int] = ..., recorded_at_us: _Optional[int] = ..., basis: _Optional[_Iterable[_Union[Basis, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., corrects: _Optional[str] = ..., trace: _Optional[str] = ..., reason: _Optional[str] = ..., source_sig: _Optional[str] = ...) -> None: ...

class ScoredEvents(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ScoredEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[ScoredEvent, _Mapping]]] = ...) -> None: ...
