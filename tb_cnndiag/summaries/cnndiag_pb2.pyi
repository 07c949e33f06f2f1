from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Measurement(_message.Message):
    __slots__ = ("version", "diagnostic", "layer", "step", "snapshot", "epoch", "table", "run_info", "findings", "layer_columns", "scalars", "unit_states", "unit_values", "matrix", "dendrogram", "density", "images", "patches", "class_responses", "atlas", "unit_densities", "graph", "sample_maps")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    RUN_INFO_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    LAYER_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    SCALARS_FIELD_NUMBER: _ClassVar[int]
    UNIT_STATES_FIELD_NUMBER: _ClassVar[int]
    UNIT_VALUES_FIELD_NUMBER: _ClassVar[int]
    MATRIX_FIELD_NUMBER: _ClassVar[int]
    DENDROGRAM_FIELD_NUMBER: _ClassVar[int]
    DENSITY_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    PATCHES_FIELD_NUMBER: _ClassVar[int]
    CLASS_RESPONSES_FIELD_NUMBER: _ClassVar[int]
    ATLAS_FIELD_NUMBER: _ClassVar[int]
    UNIT_DENSITIES_FIELD_NUMBER: _ClassVar[int]
    GRAPH_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_MAPS_FIELD_NUMBER: _ClassVar[int]
    version: int
    diagnostic: str
    layer: str
    step: int
    snapshot: int
    epoch: int
    table: str
    run_info: RunInfo
    findings: Findings
    layer_columns: LayerColumns
    scalars: Scalars
    unit_states: UnitStates
    unit_values: UnitValues
    matrix: Matrix
    dendrogram: Dendrogram
    density: Density
    images: Images
    patches: Patches
    class_responses: ClassResponses
    atlas: Atlas
    unit_densities: UnitDensities
    graph: Graph
    sample_maps: SampleMaps
    def __init__(self, version: _Optional[int] = ..., diagnostic: _Optional[str] = ..., layer: _Optional[str] = ..., step: _Optional[int] = ..., snapshot: _Optional[int] = ..., epoch: _Optional[int] = ..., table: _Optional[str] = ..., run_info: _Optional[_Union[RunInfo, _Mapping]] = ..., findings: _Optional[_Union[Findings, _Mapping]] = ..., layer_columns: _Optional[_Union[LayerColumns, _Mapping]] = ..., scalars: _Optional[_Union[Scalars, _Mapping]] = ..., unit_states: _Optional[_Union[UnitStates, _Mapping]] = ..., unit_values: _Optional[_Union[UnitValues, _Mapping]] = ..., matrix: _Optional[_Union[Matrix, _Mapping]] = ..., dendrogram: _Optional[_Union[Dendrogram, _Mapping]] = ..., density: _Optional[_Union[Density, _Mapping]] = ..., images: _Optional[_Union[Images, _Mapping]] = ..., patches: _Optional[_Union[Patches, _Mapping]] = ..., class_responses: _Optional[_Union[ClassResponses, _Mapping]] = ..., atlas: _Optional[_Union[Atlas, _Mapping]] = ..., unit_densities: _Optional[_Union[UnitDensities, _Mapping]] = ..., graph: _Optional[_Union[Graph, _Mapping]] = ..., sample_maps: _Optional[_Union[SampleMaps, _Mapping]] = ...) -> None: ...

class MeasurementList(_message.Message):
    __slots__ = ("items", "total")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedScalarFieldContainer[bytes]
    total: int
    def __init__(self, items: _Optional[_Iterable[bytes]] = ..., total: _Optional[int] = ...) -> None: ...

class RunInfo(_message.Message):
    __slots__ = ("table", "model", "layers", "diagnostics", "loss", "optimizer", "batch_size", "probe", "versions", "started", "parameters", "trainable_parameters", "notes", "switched_off", "origin", "loss_facts")
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TABLE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    TRAINABLE_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    SWITCHED_OFF_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LOSS_FACTS_FIELD_NUMBER: _ClassVar[int]
    table: str
    model: str
    layers: _containers.RepeatedCompositeFieldContainer[LayerInfo]
    diagnostics: _containers.RepeatedCompositeFieldContainer[DiagnosticInfo]
    loss: str
    optimizer: str
    batch_size: int
    probe: Probe
    versions: _containers.ScalarMap[str, str]
    started: float
    parameters: int
    trainable_parameters: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    switched_off: SwitchedOff
    origin: str
    loss_facts: LossFacts
    def __init__(self, table: _Optional[str] = ..., model: _Optional[str] = ..., layers: _Optional[_Iterable[_Union[LayerInfo, _Mapping]]] = ..., diagnostics: _Optional[_Iterable[_Union[DiagnosticInfo, _Mapping]]] = ..., loss: _Optional[str] = ..., optimizer: _Optional[str] = ..., batch_size: _Optional[int] = ..., probe: _Optional[_Union[Probe, _Mapping]] = ..., versions: _Optional[_Mapping[str, str]] = ..., started: _Optional[float] = ..., parameters: _Optional[int] = ..., trainable_parameters: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ..., switched_off: _Optional[_Union[SwitchedOff, _Mapping]] = ..., origin: _Optional[str] = ..., loss_facts: _Optional[_Union[LossFacts, _Mapping]] = ...) -> None: ...

class LossFacts(_message.Message):
    __slots__ = ("unknown", "same_as", "factor", "from_logits", "exclusive", "sparse", "falls", "least_at_target", "uninformed", "lowest", "finite_at_bounds")
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    SAME_AS_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    FROM_LOGITS_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    FALLS_FIELD_NUMBER: _ClassVar[int]
    LEAST_AT_TARGET_FIELD_NUMBER: _ClassVar[int]
    UNINFORMED_FIELD_NUMBER: _ClassVar[int]
    LOWEST_FIELD_NUMBER: _ClassVar[int]
    FINITE_AT_BOUNDS_FIELD_NUMBER: _ClassVar[int]
    unknown: str
    same_as: str
    factor: float
    from_logits: bool
    exclusive: bool
    sparse: bool
    falls: bool
    least_at_target: bool
    uninformed: float
    lowest: float
    finite_at_bounds: bool
    def __init__(self, unknown: _Optional[str] = ..., same_as: _Optional[str] = ..., factor: _Optional[float] = ..., from_logits: bool = ..., exclusive: bool = ..., sparse: bool = ..., falls: bool = ..., least_at_target: bool = ..., uninformed: _Optional[float] = ..., lowest: _Optional[float] = ..., finite_at_bounds: bool = ...) -> None: ...

class SwitchedOff(_message.Message):
    __slots__ = ("step", "reason")
    STEP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    step: int
    reason: str
    def __init__(self, step: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class LayerInfo(_message.Message):
    __slots__ = ("path", "class_name", "role", "units", "fan_in", "kernel_shape", "output_shape", "trainable", "activation", "normalization", "seen_at", "parameters", "inputs", "output", "config", "unit_axis", "initializer", "normalization_class", "dropout", "dropout_at", "linear_behind", "normalization_frozen", "receptive_field")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    FAN_IN_FIELD_NUMBER: _ClassVar[int]
    KERNEL_SHAPE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SHAPE_FIELD_NUMBER: _ClassVar[int]
    TRAINABLE_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    NORMALIZATION_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    UNIT_AXIS_FIELD_NUMBER: _ClassVar[int]
    INITIALIZER_FIELD_NUMBER: _ClassVar[int]
    NORMALIZATION_CLASS_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_AT_FIELD_NUMBER: _ClassVar[int]
    LINEAR_BEHIND_FIELD_NUMBER: _ClassVar[int]
    NORMALIZATION_FROZEN_FIELD_NUMBER: _ClassVar[int]
    RECEPTIVE_FIELD_FIELD_NUMBER: _ClassVar[int]
    path: str
    class_name: str
    role: str
    units: int
    fan_in: int
    kernel_shape: _containers.RepeatedScalarFieldContainer[int]
    output_shape: _containers.RepeatedScalarFieldContainer[int]
    trainable: bool
    activation: str
    normalization: str
    seen_at: str
    parameters: int
    inputs: _containers.RepeatedScalarFieldContainer[int]
    output: bool
    config: str
    unit_axis: int
    initializer: str
    normalization_class: str
    dropout: float
    dropout_at: str
    linear_behind: bool
    normalization_frozen: bool
    receptive_field: ReceptiveField
    def __init__(self, path: _Optional[str] = ..., class_name: _Optional[str] = ..., role: _Optional[str] = ..., units: _Optional[int] = ..., fan_in: _Optional[int] = ..., kernel_shape: _Optional[_Iterable[int]] = ..., output_shape: _Optional[_Iterable[int]] = ..., trainable: bool = ..., activation: _Optional[str] = ..., normalization: _Optional[str] = ..., seen_at: _Optional[str] = ..., parameters: _Optional[int] = ..., inputs: _Optional[_Iterable[int]] = ..., output: bool = ..., config: _Optional[str] = ..., unit_axis: _Optional[int] = ..., initializer: _Optional[str] = ..., normalization_class: _Optional[str] = ..., dropout: _Optional[float] = ..., dropout_at: _Optional[str] = ..., linear_behind: bool = ..., normalization_frozen: bool = ..., receptive_field: _Optional[_Union[ReceptiveField, _Mapping]] = ...) -> None: ...

class ReceptiveField(_message.Message):
    __slots__ = ("image", "axes", "whole")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    AXES_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    image: str
    axes: _containers.RepeatedCompositeFieldContainer[FieldAxis]
    whole: bool
    def __init__(self, image: _Optional[str] = ..., axes: _Optional[_Iterable[_Union[FieldAxis, _Mapping]]] = ..., whole: bool = ...) -> None: ...

class FieldAxis(_message.Message):
    __slots__ = ("extent", "size", "stride", "padding", "low", "high")
    EXTENT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    PADDING_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    extent: int
    size: float
    stride: float
    padding: float
    low: _containers.RepeatedScalarFieldContainer[int]
    high: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, extent: _Optional[int] = ..., size: _Optional[float] = ..., stride: _Optional[float] = ..., padding: _Optional[float] = ..., low: _Optional[_Iterable[int]] = ..., high: _Optional[_Iterable[int]] = ...) -> None: ...

class DiagnosticInfo(_message.Message):
    __slots__ = ("name", "title", "description", "columns", "layer_kind", "model_kind")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LAYER_KIND_FIELD_NUMBER: _ClassVar[int]
    MODEL_KIND_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    description: str
    columns: _containers.RepeatedCompositeFieldContainer[ColumnInfo]
    layer_kind: str
    model_kind: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[ColumnInfo, _Mapping]]] = ..., layer_kind: _Optional[str] = ..., model_kind: _Optional[str] = ...) -> None: ...

class ColumnInfo(_message.Message):
    __slots__ = ("name", "title", "unit", "description", "logarithmic", "low", "high")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LOGARITHMIC_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    unit: str
    description: str
    logarithmic: bool
    low: float
    high: float
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., unit: _Optional[str] = ..., description: _Optional[str] = ..., logarithmic: bool = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class Probe(_message.Message):
    __slots__ = ("source", "samples", "class_counts", "targets")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    CLASS_COUNTS_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    source: str
    samples: int
    class_counts: _containers.RepeatedScalarFieldContainer[int]
    targets: Targets
    def __init__(self, source: _Optional[str] = ..., samples: _Optional[int] = ..., class_counts: _Optional[_Iterable[int]] = ..., targets: _Optional[_Union[Targets, _Mapping]] = ...) -> None: ...

class Targets(_message.Message):
    __slots__ = ("shape", "low", "high", "whole", "variance", "deviation", "distribution")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_FIELD_NUMBER: _ClassVar[int]
    DEVIATION_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    low: float
    high: float
    whole: bool
    variance: float
    deviation: float
    distribution: bool
    def __init__(self, shape: _Optional[_Iterable[int]] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., whole: bool = ..., variance: _Optional[float] = ..., deviation: _Optional[float] = ..., distribution: bool = ...) -> None: ...

class Findings(_message.Message):
    __slots__ = ("findings", "coverage")
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    coverage: _containers.RepeatedCompositeFieldContainer[Coverage]
    def __init__(self, findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., coverage: _Optional[_Iterable[_Union[Coverage, _Mapping]]] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("fault", "status", "reason")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Coverage.Status]
        FOUND: _ClassVar[Coverage.Status]
        CLEAR: _ClassVar[Coverage.Status]
        NOT_APPLICABLE: _ClassVar[Coverage.Status]
        UNKNOWN: _ClassVar[Coverage.Status]
        CRASHED: _ClassVar[Coverage.Status]
    STATUS_UNSPECIFIED: Coverage.Status
    FOUND: Coverage.Status
    CLEAR: Coverage.Status
    NOT_APPLICABLE: Coverage.Status
    UNKNOWN: Coverage.Status
    CRASHED: Coverage.Status
    FAULT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    fault: str
    status: Coverage.Status
    reason: str
    def __init__(self, fault: _Optional[str] = ..., status: _Optional[_Union[Coverage.Status, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("fault", "layer", "severity", "first_step", "last_step", "units", "evidence", "caused_by", "message", "adjustments", "diagnostic", "title", "grouped")
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEVERITY_UNSPECIFIED: _ClassVar[Finding.Severity]
        INFO: _ClassVar[Finding.Severity]
        WARNING: _ClassVar[Finding.Severity]
        ERROR: _ClassVar[Finding.Severity]
    SEVERITY_UNSPECIFIED: Finding.Severity
    INFO: Finding.Severity
    WARNING: Finding.Severity
    ERROR: Finding.Severity
    class EvidenceEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Evidence
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Evidence, _Mapping]] = ...) -> None: ...
    FAULT_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    LAST_STEP_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CAUSED_BY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENTS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    GROUPED_FIELD_NUMBER: _ClassVar[int]
    fault: str
    layer: str
    severity: Finding.Severity
    first_step: int
    last_step: int
    units: _containers.RepeatedCompositeFieldContainer[UnitGroup]
    evidence: _containers.MessageMap[str, Evidence]
    caused_by: int
    message: str
    adjustments: _containers.RepeatedCompositeFieldContainer[Adjustment]
    diagnostic: str
    title: str
    grouped: bool
    def __init__(self, fault: _Optional[str] = ..., layer: _Optional[str] = ..., severity: _Optional[_Union[Finding.Severity, str]] = ..., first_step: _Optional[int] = ..., last_step: _Optional[int] = ..., units: _Optional[_Iterable[_Union[UnitGroup, _Mapping]]] = ..., evidence: _Optional[_Mapping[str, Evidence]] = ..., caused_by: _Optional[int] = ..., message: _Optional[str] = ..., adjustments: _Optional[_Iterable[_Union[Adjustment, _Mapping]]] = ..., diagnostic: _Optional[str] = ..., title: _Optional[str] = ..., grouped: bool = ...) -> None: ...

class UnitGroup(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, units: _Optional[_Iterable[int]] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("value", "limit", "unit")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    value: float
    limit: float
    unit: str
    def __init__(self, value: _Optional[float] = ..., limit: _Optional[float] = ..., unit: _Optional[str] = ...) -> None: ...

class Adjustment(_message.Message):
    __slots__ = ("layer", "parameter", "current", "proposed", "reason")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    layer: str
    parameter: str
    current: str
    proposed: str
    reason: str
    def __init__(self, layer: _Optional[str] = ..., parameter: _Optional[str] = ..., current: _Optional[str] = ..., proposed: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class LayerColumns(_message.Message):
    __slots__ = ("columns",)
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    def __init__(self, columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class Scalars(_message.Message):
    __slots__ = ("names", "values")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, names: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class UnitStates(_message.Message):
    __slots__ = ("units", "states", "samples", "positions", "training_batches", "training_samples", "silent_in_training")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_BATCHES_FIELD_NUMBER: _ClassVar[int]
    TRAINING_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SILENT_IN_TRAINING_FIELD_NUMBER: _ClassVar[int]
    units: int
    states: bytes
    samples: int
    positions: int
    training_batches: int
    training_samples: int
    silent_in_training: bytes
    def __init__(self, units: _Optional[int] = ..., states: _Optional[bytes] = ..., samples: _Optional[int] = ..., positions: _Optional[int] = ..., training_batches: _Optional[int] = ..., training_samples: _Optional[int] = ..., silent_in_training: _Optional[bytes] = ...) -> None: ...

class UnitValues(_message.Message):
    __slots__ = ("columns",)
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    def __init__(self, columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ...) -> None: ...

class Matrix(_message.Message):
    __slots__ = ("rows", "columns", "order", "pool", "symmetric", "cells", "low", "high", "unit")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    SYMMETRIC_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    rows: int
    columns: int
    order: _containers.RepeatedScalarFieldContainer[int]
    pool: int
    symmetric: bool
    cells: bytes
    low: float
    high: float
    unit: str
    def __init__(self, rows: _Optional[int] = ..., columns: _Optional[int] = ..., order: _Optional[_Iterable[int]] = ..., pool: _Optional[int] = ..., symmetric: bool = ..., cells: _Optional[bytes] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., unit: _Optional[str] = ...) -> None: ...

class Dendrogram(_message.Message):
    __slots__ = ("units", "gap", "height", "order", "cut", "unit")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    units: int
    gap: _containers.RepeatedScalarFieldContainer[int]
    height: _containers.RepeatedScalarFieldContainer[float]
    order: _containers.RepeatedScalarFieldContainer[int]
    cut: float
    unit: str
    def __init__(self, units: _Optional[int] = ..., gap: _Optional[_Iterable[int]] = ..., height: _Optional[_Iterable[float]] = ..., order: _Optional[_Iterable[int]] = ..., cut: _Optional[float] = ..., unit: _Optional[str] = ...) -> None: ...

class Density(_message.Message):
    __slots__ = ("start", "stop", "points", "values", "scale", "atoms", "bandwidth", "samples", "below", "above", "non_finite", "levels")
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    ATOMS_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    BELOW_FIELD_NUMBER: _ClassVar[int]
    ABOVE_FIELD_NUMBER: _ClassVar[int]
    NON_FINITE_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    start: float
    stop: float
    points: int
    values: bytes
    scale: float
    atoms: _containers.RepeatedCompositeFieldContainer[Atom]
    bandwidth: float
    samples: int
    below: float
    above: float
    non_finite: float
    levels: bytes
    def __init__(self, start: _Optional[float] = ..., stop: _Optional[float] = ..., points: _Optional[int] = ..., values: _Optional[bytes] = ..., scale: _Optional[float] = ..., atoms: _Optional[_Iterable[_Union[Atom, _Mapping]]] = ..., bandwidth: _Optional[float] = ..., samples: _Optional[int] = ..., below: _Optional[float] = ..., above: _Optional[float] = ..., non_finite: _Optional[float] = ..., levels: _Optional[bytes] = ...) -> None: ...

class UnitDensities(_message.Message):
    __slots__ = ("units", "densities")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    DENSITIES_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedScalarFieldContainer[int]
    densities: _containers.RepeatedCompositeFieldContainer[Density]
    def __init__(self, units: _Optional[_Iterable[int]] = ..., densities: _Optional[_Iterable[_Union[Density, _Mapping]]] = ...) -> None: ...

class Atom(_message.Message):
    __slots__ = ("value", "mass")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MASS_FIELD_NUMBER: _ClassVar[int]
    value: float
    mass: float
    def __init__(self, value: _Optional[float] = ..., mass: _Optional[float] = ...) -> None: ...

class Images(_message.Message):
    __slots__ = ("images",)
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[Image]
    def __init__(self, images: _Optional[_Iterable[_Union[Image, _Mapping]]] = ...) -> None: ...

class Image(_message.Message):
    __slots__ = ("unit", "sample", "height", "width", "channels", "pixels", "scale")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    unit: int
    sample: int
    height: int
    width: int
    channels: int
    pixels: bytes
    scale: float
    def __init__(self, unit: _Optional[int] = ..., sample: _Optional[int] = ..., height: _Optional[int] = ..., width: _Optional[int] = ..., channels: _Optional[int] = ..., pixels: _Optional[bytes] = ..., scale: _Optional[float] = ...) -> None: ...

class Patches(_message.Message):
    __slots__ = ("units", "count", "samples", "images", "positions", "values", "scale", "part", "listed", "boxes")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    units: int
    count: int
    samples: int
    images: bytes
    positions: bytes
    values: bytes
    scale: float
    part: bool
    listed: _containers.RepeatedScalarFieldContainer[int]
    boxes: bytes
    def __init__(self, units: _Optional[int] = ..., count: _Optional[int] = ..., samples: _Optional[int] = ..., images: _Optional[bytes] = ..., positions: _Optional[bytes] = ..., values: _Optional[bytes] = ..., scale: _Optional[float] = ..., part: bool = ..., listed: _Optional[_Iterable[int]] = ..., boxes: _Optional[bytes] = ...) -> None: ...

class ClassResponses(_message.Message):
    __slots__ = ("units", "classes", "listed", "ids", "means", "scale", "rest", "explained")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    MEANS_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_FIELD_NUMBER: _ClassVar[int]
    units: int
    classes: int
    listed: int
    ids: bytes
    means: bytes
    scale: float
    rest: bytes
    explained: bytes
    def __init__(self, units: _Optional[int] = ..., classes: _Optional[int] = ..., listed: _Optional[int] = ..., ids: _Optional[bytes] = ..., means: _Optional[bytes] = ..., scale: _Optional[float] = ..., rest: _Optional[bytes] = ..., explained: _Optional[bytes] = ...) -> None: ...

class Atlas(_message.Message):
    __slots__ = ("picture", "samples", "columns", "tile_height", "tile_width", "height", "width", "scaling", "labels")
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    TILE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TILE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    SCALING_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    picture: bytes
    samples: int
    columns: int
    tile_height: int
    tile_width: int
    height: int
    width: int
    scaling: str
    labels: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, picture: _Optional[bytes] = ..., samples: _Optional[int] = ..., columns: _Optional[int] = ..., tile_height: _Optional[int] = ..., tile_width: _Optional[int] = ..., height: _Optional[int] = ..., width: _Optional[int] = ..., scaling: _Optional[str] = ..., labels: _Optional[_Iterable[int]] = ...) -> None: ...

class Graph(_message.Message):
    __slots__ = ("nodes", "edges", "rows", "names", "units", "members", "typical_count", "typical", "columns", "classes", "responses", "samples", "signatures", "sources", "targets", "weights")
    NODES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    TYPICAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    TYPICAL_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    nodes: int
    edges: int
    rows: bytes
    names: bytes
    units: _containers.RepeatedScalarFieldContainer[int]
    members: bytes
    typical_count: int
    typical: bytes
    columns: _containers.RepeatedCompositeFieldContainer[NodeColumn]
    classes: _containers.RepeatedScalarFieldContainer[int]
    responses: bytes
    samples: int
    signatures: bytes
    sources: bytes
    targets: bytes
    weights: bytes
    def __init__(self, nodes: _Optional[int] = ..., edges: _Optional[int] = ..., rows: _Optional[bytes] = ..., names: _Optional[bytes] = ..., units: _Optional[_Iterable[int]] = ..., members: _Optional[bytes] = ..., typical_count: _Optional[int] = ..., typical: _Optional[bytes] = ..., columns: _Optional[_Iterable[_Union[NodeColumn, _Mapping]]] = ..., classes: _Optional[_Iterable[int]] = ..., responses: _Optional[bytes] = ..., samples: _Optional[int] = ..., signatures: _Optional[bytes] = ..., sources: _Optional[bytes] = ..., targets: _Optional[bytes] = ..., weights: _Optional[bytes] = ...) -> None: ...

class NodeColumn(_message.Message):
    __slots__ = ("name", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: bytes
    def __init__(self, name: _Optional[str] = ..., values: _Optional[bytes] = ...) -> None: ...

class SampleMaps(_message.Message):
    __slots__ = ("samples", "classes", "predictions", "labels", "confidences", "chosen")
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCES_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    samples: int
    classes: int
    predictions: bytes
    labels: bytes
    confidences: bytes
    chosen: _containers.RepeatedCompositeFieldContainer[ExplainedSample]
    def __init__(self, samples: _Optional[int] = ..., classes: _Optional[int] = ..., predictions: _Optional[bytes] = ..., labels: _Optional[bytes] = ..., confidences: _Optional[bytes] = ..., chosen: _Optional[_Iterable[_Union[ExplainedSample, _Mapping]]] = ...) -> None: ...

class ExplainedSample(_message.Message):
    __slots__ = ("sample", "reason", "picture", "maps")
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    sample: int
    reason: str
    picture: Image
    maps: _containers.RepeatedCompositeFieldContainer[ClassMap]
    def __init__(self, sample: _Optional[int] = ..., reason: _Optional[str] = ..., picture: _Optional[_Union[Image, _Mapping]] = ..., maps: _Optional[_Iterable[_Union[ClassMap, _Mapping]]] = ...) -> None: ...

class ClassMap(_message.Message):
    __slots__ = ("method", "map", "similarity", "note")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    method: str
    map: Image
    similarity: float
    note: str
    def __init__(self, method: _Optional[str] = ..., map: _Optional[_Union[Image, _Mapping]] = ..., similarity: _Optional[float] = ..., note: _Optional[str] = ...) -> None: ...
