"""Writes one binary and one JSON file per payload kind, which Python and TypeScript must read in the same way.

Run it after the contract is extended, review the difference, and commit.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from google.protobuf.json_format import MessageToDict

from tb_cnndiag.finding import Adjustment, Coverage, Evidence, Finding, Findings
from tb_cnndiag.payloads import (
    Atlas,
    Atom,
    ClassMap,
    ClassResponses,
    ColumnInfo,
    Dendrogram,
    Density,
    DiagnosticInfo,
    ExplainedSample,
    FieldAxis,
    Graph,
    Image,
    Images,
    LayerColumns,
    LayerInfo,
    LossFacts,
    Matrix,
    Patches,
    Probe,
    ReceptiveField,
    RunInfo,
    SampleMaps,
    Scalars,
    Targets,
    UnitDensities,
    UnitStates,
    UnitValues,
)
from tb_cnndiag.summaries.cnndiag_pb2 import Measurement as Message
from tb_cnndiag.summaries.codec import Measurement, encode

HERE = Path(__file__).parent


def examples() -> dict[str, Measurement]:
    """One measurement per payload kind, small enough to read."""
    conv = LayerInfo(
        path="features/conv2d",
        class_name="Conv2D",
        role="conv",
        units=6,
        fan_in=27,
        kernel_shape=(3, 3, 3, 6),
        output_shape=(30, 30, 6),
        activation="relu",
        normalization="features/bn",
        seen_at="features/relu",
        parameters=168,
        config='{"filters": 6}',
        initializer="he_normal",
        normalization_class="BatchNormalization",
        dropout=0.25,
        dropout_at="features/dropout",
        linear_behind=True,
        normalization_frozen=True,
        receptive_field=ReceptiveField(
            "features/conv2d", (FieldAxis(32, 3.0, 1.0, 0.0), FieldAxis(4, 3.0, 0.5, 1.0, (0, 1), (1, 3)))
        ),
    )
    dense = LayerInfo(
        path="dense#2", class_name="Dense", role="dense", units=2, fan_in=6, inputs=(0,), output=True, trainable=False
    )
    cause = Finding(
        run="",
        fault="nan_or_inf",
        layer="dense#2",
        severity="error",
        first_step=20,
        last_step=40,
        message="3 weights are not finite.",
        evidence={"non_finite": Evidence(3.0, 0.0, "count")},
        title="NaN or infinity",
        diagnostic="gradient_flow",
    )
    effect = Finding(
        run="",
        fault="redundant_filters",
        layer="features/conv2d",
        severity="warning",
        first_step=0,
        last_step=40,
        units=((0, 3), (1, 2, 5)),
        caused_by=cause,
        message="5 of 6 filters have a twin.",
        evidence={"twin_ratio": Evidence(5 / 6, 0.3, "share"), "fan_in": Evidence(27.0, None, "count")},
        adjustments=(Adjustment("features/conv2d", "filters", "6", "3", "one per group of twins"),),
        title="Redundant filters",
        diagnostic="filter_similarity",
    )
    info = RunInfo(
        table="0a1b2c",
        layers=(conv, dense),
        model="cnn",
        diagnostics=(
            DiagnosticInfo(
                "dead_units",
                "Dead units",
                "A dead unit learns nothing. Read the share.",
                (ColumnInfo("dead_ratio", "Dead units", "share", "Units that never fire.", low=0.0, high=1.0),),
                layer_kind="unit_states",
            ),
        ),
        loss='"mse"',
        optimizer='{"name": "adam"}',
        batch_size=32,
        probe=Probe("given", 256, (128, 128), Targets((), 0.0, 1.0, True, 0.25, 0.5)),
        loss_facts=LossFacts("", "categorical_crossentropy", -1.0, False, True, falls=False, uninformed=-2.5),
        versions={"keras": "3.15.1"},
        started=1_700_000_000.5,
        parameters=182,
        trainable_parameters=168,
        notes=("lstm is not observed.",),
    )
    similarity = np.array([[1, 0.5, -0.25], [0.5, 1, np.nan], [-0.25, np.nan, 1]], np.float32)
    payloads = {
        "run_info": info,
        "findings": Findings.of(
            (cause, effect),
            (
                Coverage("", "dead_units", "found"),
                Coverage("", "overfitting", "unknown", "val_loss was not logged: give validation data"),
            ),
        ),
        "layer_columns": LayerColumns({"dead_ratio": np.array([0.5, np.nan], np.float32)}),
        "scalars": Scalars({"loss": 0.125, "accuracy": 0.75}),
        "unit_states": UnitStates(
            np.array([1, 3, 2, 0, 1, 3], np.uint8),
            samples=256,
            positions=230_400,
            silent_in_training=np.array([0, 1, 0, 1, 0, 1], bool),
            training_batches=64,
            training_samples=2_040,
        ),
        "unit_values": UnitValues({"firing_rate": np.array([0.5, 0.0, 0.0078125], np.float32)}),
        "matrix": Matrix(similarity, np.array([4, 0, 3, 1, 5, 2]), -1.0, 1.0, "cosine", pool=2),
        "dendrogram": Dendrogram(
            children=np.array([[0, 2], [1, 3]]),
            heights=np.array([0.125, 0.75], np.float32),
            order=np.array([1, 0, 2]),
            cut=0.5,
            groups=np.array([1, 0, 1]),
        ),
        "density": Density(
            start=0.0,
            stop=2.0,
            values=np.array([0.5, 0.25, 0.125], np.float32),
            atoms=(Atom(0.0, 0.75),),
            bandwidth=0.0625,
            samples=65_536,
            above=0.015625,
        ),
        "unit_densities": UnitDensities(
            np.array([2, 5]),
            (
                Density(-1.0, 1.0, np.array([0.0, 1.0, 0.0], np.float32), (), 0.25, 512),
                Density(0.0, 0.0, np.empty(0, np.float32), (Atom(0.0, 1.0),), 0.0, 512),
            ),
        ),
        "images": Images((Image(4, np.array([[[0], [128]], [[255], [192]]], np.uint8), scale=0.5),)),
        "patches": Patches(
            images=np.array([[3, 255], [0, -1]]),
            positions=np.array([[899, 70_000], [1, 0]]),
            values=np.array([[2.0, 0.5], [1.0, np.nan]], np.float32),
            samples=256,
            listed=np.array([0, 1]),
            boxes=np.array([[[1, 2, 300, 4], [0, 0, 0, 0]], [[5, 0, 6, 32], [0, 0, 0, 0]]]),
        ),
        "class_responses": ClassResponses(
            classes=np.array([[2, 0], [1, 2]]),
            means=np.array([[1.0, 0.25], [0.5, -0.5]], np.float32),
            rest=np.array([0.125, -0.75], np.float32),
            explained=np.array([0.5, np.nan], np.float32),
            number=3,
        ),
        "atlas": Atlas(b"RIFF", 3, 2, (8, 6), (16, 12), "0 to 255", np.array([1, 0, 2])),
        "graph": Graph(
            rows=np.array([0, 0, 1, 1]),
            names=np.array([0, 2, 0, 1]),
            members=(np.array([0, 0, 1]), np.array([1, 0])),
            typical=np.array([[1, 0], [2, -1], [1, -1], [0, -1]]),
            columns={"dead": np.array([0.0, 1.0, np.nan, 0.5], np.float32)},
            classes=np.array([0, 7]),
            responses=np.array([[1.0, -1.0], [0.0, 0.5], [0.25, -0.25], [2.0, -2.0]], np.float32),
            signatures=np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, -1.0], [-1.0, 0.0, 1.0]], np.float32),
            sources=np.array([0, 0, 1]),
            targets=np.array([2, 3, 3]),
            weights=np.array([0.5, 0.25, 0.125], np.float32),
        ),
        "sample_maps": SampleMaps(
            predictions=np.array([1, 0, 2]),
            labels=np.array([1, 1, 2]),
            confidences=np.array([0.75, 0.5, 1.0], np.float32),
            classes=3,
            chosen=(
                ExplainedSample(
                    1,
                    "wrong",
                    Image(0, np.arange(12, dtype=np.uint8).reshape(2, 2, 3), sample=1),
                    (
                        ClassMap(
                            "grad_cam",
                            Image(0, np.array([[[1], [255]], [[128], [200]]], np.uint8), 0.5, 1),
                            0.25,
                            "This map depends on the trained layers.",
                        ),
                    ),
                ),
            ),
        ),
    }
    layer_kinds = (
        "unit_states",
        "unit_values",
        "matrix",
        "dendrogram",
        "density",
        "unit_densities",
        "images",
        "patches",
        "class_responses",
        "atlas",
    )
    return {
        kind: Measurement(
            diagnostic=kind,
            step=40,
            snapshot=2,
            epoch=2,
            table="0a1b2c",
            layer=conv.path if kind in layer_kinds else "",
            payload=payload,
        )
        for kind, payload in payloads.items()
    }


def main() -> None:
    """Write the files next to this one."""
    for kind, measurement in examples().items():
        data = encode(measurement)
        (HERE / f"{kind}.bin").write_bytes(data)
        plain = MessageToDict(Message.FromString(data), preserving_proto_field_name=True)
        (HERE / f"{kind}.json").write_text(json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
