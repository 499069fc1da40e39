from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClueKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLUE_KIND_UNSPECIFIED: _ClassVar[ClueKind]
    CLUE_KIND_ENFORCEMENT_COMPLAINT: _ClassVar[ClueKind]
    CLUE_KIND_INACTION: _ClassVar[ClueKind]
    CLUE_KIND_RECONSIDERATION: _ClassVar[ClueKind]
    CLUE_KIND_LITIGATION_RESULT: _ClassVar[ClueKind]
    CLUE_KIND_DISPUTE: _ClassVar[ClueKind]

class ClueState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLUE_STATE_UNSPECIFIED: _ClassVar[ClueState]
    CLUE_STATE_RECEIVED: _ClassVar[ClueState]
    CLUE_STATE_ROUTED: _ClassVar[ClueState]
    CLUE_STATE_ACCEPTED: _ClassVar[ClueState]
    CLUE_STATE_RETURNED: _ClassVar[ClueState]
    CLUE_STATE_ANSWERED: _ClassVar[ClueState]
CLUE_KIND_UNSPECIFIED: ClueKind
CLUE_KIND_ENFORCEMENT_COMPLAINT: ClueKind
CLUE_KIND_INACTION: ClueKind
CLUE_KIND_RECONSIDERATION: ClueKind
CLUE_KIND_LITIGATION_RESULT: ClueKind
CLUE_KIND_DISPUTE: ClueKind
CLUE_STATE_UNSPECIFIED: ClueState
CLUE_STATE_RECEIVED: ClueState
CLUE_STATE_ROUTED: ClueState
CLUE_STATE_ACCEPTED: ClueState
CLUE_STATE_RETURNED: ClueState
CLUE_STATE_ANSWERED: ClueState

class Clue(_message.Message):
    __slots__ = ("system", "external_id", "external_version", "kind", "unit", "region_code", "title", "content", "person_hash", "occurred_at_us", "due_at_us", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    REGION_CODE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    PERSON_HASH_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_US_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    system: str
    external_id: str
    external_version: int
    kind: ClueKind
    unit: str
    region_code: str
    title: str
    content: str
    person_hash: str
    occurred_at_us: int
    due_at_us: int
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, system: _Optional[str] = ..., external_id: _Optional[str] = ..., external_version: _Optional[int] = ..., kind: _Optional[_Union[ClueKind, str]] = ..., unit: _Optional[str] = ..., region_code: _Optional[str] = ..., title: _Optional[str] = ..., content: _Optional[str] = ..., person_hash: _Optional[str] = ..., occurred_at_us: _Optional[int] = ..., due_at_us: _Optional[int] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ClueRouted(_message.Message):
    __slots__ = ("receipt", "clue", "received_at_us")
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    CLUE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_US_FIELD_NUMBER: _ClassVar[int]
    receipt: str
    clue: Clue
    received_at_us: int
    def __init__(self, receipt: _Optional[str] = ..., clue: _Optional[_Union[Clue, _Mapping]] = ..., received_at_us: _Optional[int] = ...) -> None: ...

class ClueProgressed(_message.Message):
    __slots__ = ("id", "receipt", "state", "note", "subject", "recorded_at_us")
    ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    id: str
    receipt: str
    state: ClueState
    note: str
    subject: str
    recorded_at_us: int
    def __init__(self, id: _Optional[str] = ..., receipt: _Optional[str] = ..., state: _Optional[_Union[ClueState, str]] = ..., note: _Optional[str] = ..., subject: _Optional[str] = ..., recorded_at_us: _Optional[int] = ...) -> None: ...

class SubmitClueRequest(_message.Message):
    __slots__ = ("clue",)
    CLUE_FIELD_NUMBER: _ClassVar[int]
    clue: Clue
    def __init__(self, clue: _Optional[_Union[Clue, _Mapping]] = ...) -> None: ...

class ClueReceipt(_message.Message):
    __slots__ = ("receipt", "duplicate", "state", "received_at_us")
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_US_FIELD_NUMBER: _ClassVar[int]
    receipt: str
    duplicate: bool
    state: ClueState
    received_at_us: int
    def __init__(self, receipt: _Optional[str] = ..., duplicate: _Optional[bool] = ..., state: _Optional[_Union[ClueState, str]] = ..., received_at_us: _Optional[int] = ...) -> None: ...

class FollowClueRequest(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: str
    def __init__(self, receipt: _Optional[str] = ...) -> None: ...

class ClueHistory(_message.Message):
    __slots__ = ("receipt", "progress")
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    receipt: ClueReceipt
    progress: _containers.RepeatedCompositeFieldContainer[ClueProgressed]
    def __init__(self, receipt: _Optional[_Union[ClueReceipt, _Mapping]] = ..., progress: _Optional[_Iterable[_Union[ClueProgressed, _Mapping]]] = ...) -> None: ...
