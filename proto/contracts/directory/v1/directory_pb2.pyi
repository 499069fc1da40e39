from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UnitKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIT_KIND_UNSPECIFIED: _ClassVar[UnitKind]
    UNIT_KIND_GOVERNMENT: _ClassVar[UnitKind]
    UNIT_KIND_DEPARTMENT: _ClassVar[UnitKind]
    UNIT_KIND_TOWNSHIP: _ClassVar[UnitKind]
    UNIT_KIND_AUTHORISED: _ClassVar[UnitKind]
    UNIT_KIND_DISPATCHED: _ClassVar[UnitKind]

class UnitLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIT_LEVEL_UNSPECIFIED: _ClassVar[UnitLevel]
    UNIT_LEVEL_PROVINCE: _ClassVar[UnitLevel]
    UNIT_LEVEL_CITY: _ClassVar[UnitLevel]
    UNIT_LEVEL_COUNTY: _ClassVar[UnitLevel]
    UNIT_LEVEL_TOWNSHIP: _ClassVar[UnitLevel]
UNIT_KIND_UNSPECIFIED: UnitKind
UNIT_KIND_GOVERNMENT: UnitKind
UNIT_KIND_DEPARTMENT: UnitKind
UNIT_KIND_TOWNSHIP: UnitKind
UNIT_KIND_AUTHORISED: UnitKind
UNIT_KIND_DISPATCHED: UnitKind
UNIT_LEVEL_UNSPECIFIED: UnitLevel
UNIT_LEVEL_PROVINCE: UnitLevel
UNIT_LEVEL_CITY: UnitLevel
UNIT_LEVEL_COUNTY: UnitLevel
UNIT_LEVEL_TOWNSHIP: UnitLevel

class Unit(_message.Message):
    __slots__ = ("code", "name", "kind", "level", "parent", "path", "region_code", "credit_code", "field", "valid_from", "valid_to", "successor", "version")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REGION_CODE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    SUCCESSOR_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    kind: UnitKind
    level: UnitLevel
    parent: str
    path: str
    region_code: str
    credit_code: str
    field: str
    valid_from: str
    valid_to: str
    successor: str
    version: int
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[UnitKind, str]] = ..., level: _Optional[_Union[UnitLevel, str]] = ..., parent: _Optional[str] = ..., path: _Optional[str] = ..., region_code: _Optional[str] = ..., credit_code: _Optional[str] = ..., field: _Optional[str] = ..., valid_from: _Optional[str] = ..., valid_to: _Optional[str] = ..., successor: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class Units(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedCompositeFieldContainer[Unit]
    def __init__(self, units: _Optional[_Iterable[_Union[Unit, _Mapping]]] = ...) -> None: ...
