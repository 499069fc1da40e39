from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScoreRequest(_message.Message):
    __slots__ = ("unit", "period")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    unit: str
    period: str
    def __init__(self, unit: _Optional[str] = ..., period: _Optional[str] = ...) -> None: ...

class NodeScore(_message.Message):
    __slots__ = ("node", "title", "level", "points", "applicable", "earned", "status", "coverage", "children")
    NODE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    APPLICABLE_FIELD_NUMBER: _ClassVar[int]
    EARNED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    node: str
    title: str
    level: str
    points: str
    applicable: str
    earned: str
    status: str
    coverage: str
    children: _containers.RepeatedCompositeFieldContainer[NodeScore]
    def __init__(self, node: _Optional[str] = ..., title: _Optional[str] = ..., level: _Optional[str] = ..., points: _Optional[str] = ..., applicable: _Optional[str] = ..., earned: _Optional[str] = ..., status: _Optional[str] = ..., coverage: _Optional[str] = ..., children: _Optional[_Iterable[_Union[NodeScore, _Mapping]]] = ...) -> None: ...

class UnitScore(_message.Message):
    __slots__ = ("unit", "period", "framework", "score", "coverage", "rank", "ranked_units", "peer_group", "tree")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    FRAMEWORK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    RANKED_UNITS_FIELD_NUMBER: _ClassVar[int]
    PEER_GROUP_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    unit: str
    period: str
    framework: str
    score: str
    coverage: str
    rank: int
    ranked_units: int
    peer_group: str
    tree: NodeScore
    def __init__(self, unit: _Optional[str] = ..., period: _Optional[str] = ..., framework: _Optional[str] = ..., score: _Optional[str] = ..., coverage: _Optional[str] = ..., rank: _Optional[int] = ..., ranked_units: _Optional[int] = ..., peer_group: _Optional[str] = ..., tree: _Optional[_Union[NodeScore, _Mapping]] = ...) -> None: ...

class RankingRequest(_message.Message):
    __slots__ = ("period", "peer_group", "offset", "limit")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PEER_GROUP_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    period: str
    peer_group: str
    offset: int
    limit: int
    def __init__(self, period: _Optional[str] = ..., peer_group: _Optional[str] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class RankingRow(_message.Message):
    __slots__ = ("rank", "unit", "unit_name", "score", "coverage")
    RANK_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    UNIT_NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    rank: int
    unit: str
    unit_name: str
    score: str
    coverage: str
    def __init__(self, rank: _Optional[int] = ..., unit: _Optional[str] = ..., unit_name: _Optional[str] = ..., score: _Optional[str] = ..., coverage: _Optional[str] = ...) -> None: ...

class Ranking(_message.Message):
    __slots__ = ("period", "framework", "peer_group", "total", "rows")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    FRAMEWORK_FIELD_NUMBER: _ClassVar[int]
    PEER_GROUP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    period: str
    framework: str
    peer_group: str
    total: int
    rows: _containers.RepeatedCompositeFieldContainer[RankingRow]
    def __init__(self, period: _Optional[str] = ..., framework: _Optional[str] = ..., peer_group: _Optional[str] = ..., total: _Optional[int] = ..., rows: _Optional[_Iterable[_Union[RankingRow, _Mapping]]] = ...) -> None: ...

class ExplanationRequest(_message.Message):
    __slots__ = ("unit", "period", "node", "offset", "limit")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    unit: str
    period: str
    node: str
    offset: int
    limit: int
    def __init__(self, unit: _Optional[str] = ..., period: _Optional[str] = ..., node: _Optional[str] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ProbeTally(_message.Message):
    __slots__ = ("probe", "passed", "failed", "not_applicable", "not_computable", "not_due", "attainment")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    NOT_APPLICABLE_FIELD_NUMBER: _ClassVar[int]
    NOT_COMPUTABLE_FIELD_NUMBER: _ClassVar[int]
    NOT_DUE_FIELD_NUMBER: _ClassVar[int]
    ATTAINMENT_FIELD_NUMBER: _ClassVar[int]
    probe: str
    passed: int
    failed: int
    not_applicable: int
    not_computable: int
    not_due: int
    attainment: str
    def __init__(self, probe: _Optional[str] = ..., passed: _Optional[int] = ..., failed: _Optional[int] = ..., not_applicable: _Optional[int] = ..., not_computable: _Optional[int] = ..., not_due: _Optional[int] = ..., attainment: _Optional[str] = ...) -> None: ...

class CountedEvent(_message.Message):
    __slots__ = ("seq", "id", "probe", "outcome", "score_milli", "subject", "occurred_at", "leaf_hash")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SCORE_MILLI_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    LEAF_HASH_FIELD_NUMBER: _ClassVar[int]
    seq: int
    id: str
    probe: str
    outcome: str
    score_milli: int
    subject: str
    occurred_at: str
    leaf_hash: str
    def __init__(self, seq: _Optional[int] = ..., id: _Optional[str] = ..., probe: _Optional[str] = ..., outcome: _Optional[str] = ..., score_milli: _Optional[int] = ..., subject: _Optional[str] = ..., occurred_at: _Optional[str] = ..., leaf_hash: _Optional[str] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("node", "tallies", "events", "events_total")
    NODE_FIELD_NUMBER: _ClassVar[int]
    TALLIES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    node: NodeScore
    tallies: _containers.RepeatedCompositeFieldContainer[ProbeTally]
    events: _containers.RepeatedCompositeFieldContainer[CountedEvent]
    events_total: int
    def __init__(self, node: _Optional[_Union[NodeScore, _Mapping]] = ..., tallies: _Optional[_Iterable[_Union[ProbeTally, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[CountedEvent, _Mapping]]] = ..., events_total: _Optional[int] = ...) -> None: ...

class ChangesRequest(_message.Message):
    __slots__ = ("period", "unit_path")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    UNIT_PATH_FIELD_NUMBER: _ClassVar[int]
    period: str
    unit_path: str
    def __init__(self, period: _Optional[str] = ..., unit_path: _Optional[str] = ...) -> None: ...

class ScoreChanged(_message.Message):
    __slots__ = ("unit", "period", "score", "coverage", "at_seq")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    AT_SEQ_FIELD_NUMBER: _ClassVar[int]
    unit: str
    period: str
    score: str
    coverage: str
    at_seq: int
    def __init__(self, unit: _Optional[str] = ..., period: _Optional[str] = ..., score: _Optional[str] = ..., coverage: _Optional[str] = ..., at_seq: _Optional[int] = ...) -> None: ...
