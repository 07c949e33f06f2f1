"""Converts the run info to its message and back."""

from __future__ import annotations

from tb_cnndiag.payloads import (
    ColumnInfo,
    DiagnosticInfo,
    FieldAxis,
    LayerInfo,
    LossFacts,
    Probe,
    ReceptiveField,
    RunInfo,
    SwitchedOff,
    Targets,
)
from tb_cnndiag.summaries import cnndiag_pb2 as pb

# Every column of the log is as long as the layer table, so its length must have a limit.
MAX_LAYERS = 20_000
_LAYER_FIELDS = tuple(name for name in LayerInfo.__dataclass_fields__ if name != "receptive_field")
_AXIS_FIELDS = tuple(FieldAxis.__dataclass_fields__)
_COLUMN_FIELDS = tuple(ColumnInfo.__dataclass_fields__)
_TARGET_FIELDS = tuple(Targets.__dataclass_fields__)
_LOSS_FIELDS = tuple(LossFacts.__dataclass_fields__)
_ALWAYS_PRESENT = frozenset({"unknown", "same_as", "sparse"})
_RUN_FIELDS = (
    "table", "model", "loss", "optimizer", "batch_size", "started", "parameters", "trainable_parameters", "origin",
)  # fmt: skip


def encode_run_info(info: RunInfo) -> pb.RunInfo:
    return pb.RunInfo(
        **{name: getattr(info, name) for name in _RUN_FIELDS},
        layers=[_encode_layer(layer) for layer in info.layers],
        diagnostics=[_encode_diagnostic(d) for d in info.diagnostics],
        probe=_encode_probe(info.probe),
        versions=dict(info.versions),
        notes=list(info.notes),
        switched_off=_encode_switched_off(info.switched_off),
        loss_facts=_encode_loss_facts(info.loss_facts),
    )


def decode_run_info(info: pb.RunInfo) -> RunInfo:
    if len(info.layers) > MAX_LAYERS:
        raise ValueError(f"{len(info.layers):,} layers exceed the limit of {MAX_LAYERS:,}")
    return RunInfo(
        **{name: getattr(info, name) for name in _RUN_FIELDS},
        layers=tuple(_decode_layer(layer) for layer in info.layers),
        diagnostics=tuple(_decode_diagnostic(d) for d in info.diagnostics),
        probe=_decode_probe(info.probe),
        versions=dict(info.versions),
        notes=tuple(info.notes),
        switched_off=SwitchedOff(info.switched_off.step, info.switched_off.reason)
        if info.HasField("switched_off")
        else None,
        loss_facts=_decode_loss_facts(info.loss_facts) if info.HasField("loss_facts") else None,
    )


def _encode_switched_off(switched_off: SwitchedOff | None) -> pb.SwitchedOff | None:
    return None if switched_off is None else pb.SwitchedOff(step=switched_off.step, reason=switched_off.reason)


def _encode_loss_facts(facts: LossFacts | None) -> pb.LossFacts | None:
    if facts is None:
        return None
    known = {name: getattr(facts, name) for name in _LOSS_FIELDS}
    return pb.LossFacts(**{name: value for name, value in known.items() if value is not None})


def _decode_loss_facts(facts: pb.LossFacts) -> LossFacts:
    known = [name for name in _LOSS_FIELDS if name in _ALWAYS_PRESENT or facts.HasField(name)]
    return LossFacts(**{name: getattr(facts, name) for name in known})


def _encode_probe(probe: Probe) -> pb.Probe:
    message = pb.Probe(source=probe.source, samples=probe.samples, class_counts=list(probe.class_counts))
    if probe.targets is not None:
        message.targets.CopyFrom(pb.Targets(**{name: getattr(probe.targets, name) for name in _TARGET_FIELDS}))
    return message


def _decode_probe(probe: pb.Probe) -> Probe:
    targets = None
    if probe.HasField("targets"):
        values = {name: getattr(probe.targets, name) for name in _TARGET_FIELDS}
        targets = Targets(**values | {"shape": tuple(probe.targets.shape)})
    source = "collected" if probe.source == "gathered" else probe.source  # its name before version 0.2
    return Probe(source, probe.samples, tuple(probe.class_counts), targets)


def _encode_layer(layer: LayerInfo) -> pb.LayerInfo:
    message = pb.LayerInfo(**{name: getattr(layer, name) for name in _LAYER_FIELDS})
    if (seen := layer.receptive_field) is not None:
        axes = [pb.FieldAxis(**{name: getattr(axis, name) for name in _AXIS_FIELDS}) for axis in seen.axes]
        message.receptive_field.CopyFrom(pb.ReceptiveField(image=seen.image, axes=axes, whole=seen.whole))
    return message


def _decode_layer(layer: pb.LayerInfo) -> LayerInfo:
    values = {name: getattr(layer, name) for name in _LAYER_FIELDS}
    seen = _decode_field(layer.receptive_field) if layer.HasField("receptive_field") else None
    tuples = {name: tuple(values[name]) for name in ("kernel_shape", "output_shape", "inputs")}
    return LayerInfo(**values | tuples, receptive_field=seen)


def _decode_field(message: pb.ReceptiveField) -> ReceptiveField:
    axes = []
    for axis in message.axes:
        if len(axis.low) != len(axis.high):
            raise ValueError(f"{len(axis.low)} first pixels for {len(axis.high)} last ones")
        values = {name: getattr(axis, name) for name in _AXIS_FIELDS}
        axes.append(FieldAxis(**values | {"low": tuple(axis.low), "high": tuple(axis.high)}))
    return ReceptiveField(message.image, tuple(axes), message.whole)


def _encode_diagnostic(info: DiagnosticInfo) -> pb.DiagnosticInfo:
    return pb.DiagnosticInfo(
        name=info.name,
        title=info.title,
        description=info.description,
        layer_kind=info.layer_kind,
        model_kind=info.model_kind,
        columns=[pb.ColumnInfo(**{name: getattr(c, name) for name in _COLUMN_FIELDS}) for c in info.columns],
    )


def _decode_diagnostic(info: pb.DiagnosticInfo) -> DiagnosticInfo:
    columns = tuple(ColumnInfo(**{name: getattr(c, name) for name in _COLUMN_FIELDS}) for c in info.columns)
    return DiagnosticInfo(info.name, info.title, info.description, columns, info.layer_kind, info.model_kind)
