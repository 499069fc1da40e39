from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HeldRole(_message.Message):
    __slots__ = ("role", "unit", "unit_path", "from_on", "until_on")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    UNIT_PATH_FIELD_NUMBER: _ClassVar[int]
    FROM_ON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_ON_FIELD_NUMBER: _ClassVar[int]
    role: str
    unit: str
    unit_path: str
    from_on: str
    until_on: str
    def __init__(self, role: _Optional[str] = ..., unit: _Optional[str] = ..., unit_path: _Optional[str] = ..., from_on: _Optional[str] = ..., until_on: _Optional[str] = ...) -> None: ...

class Holder(_message.Message):
    __slots__ = ("account", "name", "unit", "is_active", "roles", "version", "occurred_at_us", "recorded_at_us")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_US_FIELD_NUMBER: _ClassVar[int]
    account: str
    name: str
    unit: str
    is_active: bool
    roles: _containers.RepeatedCompositeFieldContainer[HeldRole]
    version: int
    occurred_at_us: int
    recorded_at_us: int
    def __init__(self, account: _Optional[str] = ..., name: _Optional[str] = ..., unit: _Optional[str] = ..., is_active: _Optional[bool] = ..., roles: _Optional[_Iterable[_Union[HeldRole, _Mapping]]] = ..., version: _Optional[int] = ..., occurred_at_us: _Optional[int] = ..., recorded_at_us: _Optional[int] = ...) -> None: ...

class Holders(_message.Message):
    __slots__ = ("holders",)
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    holders: _containers.RepeatedCompositeFieldContainer[Holder]
    def __init__(self, holders: _Optional[_Iterable[_Union[Holder, _Mapping]]] = ...) -> None: ...
