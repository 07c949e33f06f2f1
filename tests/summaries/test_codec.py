"""The contract: golden files, round trips and damaged messages."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage

from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import Atom, Dendrogram, Density, Matrix, Patches, UnitDensities, UnitStates
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import CodecError, Measurement, decode, encode

GOLDEN = Path(__file__).parents[2] / "summaries" / "golden"


def _examples() -> dict[str, Measurement]:
    spec = importlib.util.spec_from_file_location("golden_make", GOLDEN / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.examples())


EXAMPLES = _examples()


def _assert_same(a: Any, b: Any) -> None:
    assert type(a) is type(b) or isinstance(a, np.ndarray)
    if isinstance(a, np.ndarray):
        np.testing.assert_allclose(a, b, atol=0.004)
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            _assert_same(getattr(a, name), getattr(b, name))
    elif isinstance(a, tuple | list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            _assert_same(x, y)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            _assert_same(a[key], b[key])
    else:
        assert a == b


def test_every_kind_has_a_golden_file() -> None:
    kinds = {field.name for field in pb.Measurement.DESCRIPTOR.oneofs_by_name["payload"].fields}
    assert kinds == set(EXAMPLES)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_golden_files_are_written_and_read_exactly(kind: str) -> None:
    data = (GOLDEN / f"{kind}.bin").read_bytes()
    assert encode(EXAMPLES[kind]) == data
    decoded = decode(data)
    assert decoded is not None
    _assert_same(EXAMPLES[kind], decoded)
    plain = MessageToDict(pb.Measurement.FromString(data), preserving_proto_field_name=True)
    assert plain == json.loads((GOLDEN / f"{kind}.json").read_text())


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_unit_states_are_exact(units: int, seed: int) -> None:
    states = np.random.default_rng(seed).integers(0, 4, units).astype(np.uint8)
    silent = np.random.default_rng(seed).random(units) < 0.2
    for payload in (UnitStates(states, 3, 9), UnitStates(states, 3, 9, silent, 7, 220)):
        decoded = decode(encode(Measurement("d", 1, 0, payload)))
        assert decoded
        assert isinstance(decoded.payload, UnitStates)
        np.testing.assert_array_equal(decoded.payload.states, states)
        np.testing.assert_equal(decoded.payload.silent_in_training, payload.silent_in_training)
        assert decoded.payload.training_samples == payload.training_samples


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_a_matrix_is_within_half_a_level(cells: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    values = np.triu(values) + np.triu(values, 1).T
    values[0, -1] = values[-1, 0] = np.nan
    decoded = decode(encode(Measurement("d", 1, 0, Matrix(values, np.arange(cells), -1, 1, "cosine"))))
    assert decoded
    assert isinstance(decoded.payload, Matrix)
    np.testing.assert_array_equal(np.isnan(decoded.payload.values), np.isnan(values))
    np.testing.assert_allclose(decoded.payload.values, values, atol=1 / 254 + 1e-6)


def test_a_newer_kind_is_skipped_with_a_warning() -> None:
    message = pb.Measurement(version=99, diagnostic="from_the_future").SerializeToString()
    unknown_field = b"\xfa\x07\x02hi"  # number 127, length-delimited
    with pytest.warns(UserWarning, match="newer tb-cnndiag"):
        assert decode(message + unknown_field) is None


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
@settings(max_examples=400, deadline=None)
def test_damaged_bytes_raise_only_codec_errors(kind: str, data: Any) -> None:
    """Any bytes give either a measurement or a CodecError."""
    damaged = bytearray((GOLDEN / f"{kind}.bin").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CodecError):
        decode(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (pb.Measurement(matrix=pb.Matrix(rows=1 << 30, columns=1 << 30, symmetric=True)), "larger than a chart"),
        (pb.Measurement(matrix=pb.Matrix(rows=4, columns=4, order=range(4), cells=b"x")), "instead of the declared 16"),
        (pb.Measurement(matrix=pb.Matrix(rows=4, columns=4, order=[0])), "the order has 1 entries for 4 rows"),
        (pb.Measurement(unit_states=pb.UnitStates(units=1 << 31, states=b"\0")), "cannot hold the states"),
        (
            pb.Measurement(unit_states=pb.UnitStates(units=4, states=b"\0", silent_in_training=b"\0\0")),
            "2 bytes cannot hold silent_in_training for 4 units",
        ),
        (pb.Measurement(dendrogram=pb.Dendrogram(units=5)), "cannot join"),
        (pb.Measurement(density=pb.Density(points=9, values=b"\0\0")), "for a grid of 9"),
        (
            pb.Measurement(images=pb.Images(images=[pb.Image(height=1 << 20, width=1 << 20, channels=3)])),
            "not a picture",
        ),
        (pb.Measurement(scalars=pb.Scalars(names=["loss"])), "1 names for 0"),
        (pb.Measurement(findings=pb.Findings(findings=[pb.Finding(caused_by=7)])), "comes later"),
    ],
    ids=lambda value: value.WhichOneof("payload") if isinstance(value, pb.Measurement) else "",
)
def test_impossible_sizes_are_rejected(message: Any, reason: str) -> None:
    with pytest.raises(CodecError, match=reason):
        decode(message.SerializeToString())


def test_a_tree_is_restored_from_the_gaps_that_its_merges_close(rng: np.random.Generator) -> None:
    """The merges, and the groups at any cut, are those of SciPy."""
    points = rng.normal(size=(40, 3))
    merges = linkage(points, "average")
    order = leaves_list(merges)
    for cut in (0.1, 0.8, 1.5, 9.0):
        flat = fcluster(merges, cut, "distance")
        groups = np.unique(flat[order], return_index=True)[1].argsort().argsort()[flat - 1]
        tree = Dendrogram(merges[:, :2].astype(int), merges[:, 2], order, cut, groups)
        decoded = decode(encode(Measurement("filter_clusters", 0, 0, tree)))
        assert decoded
        assert isinstance(decoded.payload, Dendrogram)
        np.testing.assert_array_equal(np.sort(decoded.payload.children), np.sort(tree.children))
        np.testing.assert_array_equal(decoded.payload.groups, groups)
    with pytest.raises(ValueError, match="branches of the tree together"):
        encode(Measurement("filter_clusters", 0, 0, replace(tree, order=np.arange(40))))


@pytest.mark.parametrize("units", [(), (3,), (1, 4), ((1, 4),), ((0, 2), (1, 4, 5))])
def test_units_of_a_finding_are_restored(units: Any) -> None:
    findings = (Finding("", "dead_units", "conv", "error", 0, 10, "", units=units),)
    decoded = decode(encode(Measurement("findings", 10, 1, findings)))
    assert decoded is not None
    assert decoded.payload == findings


def test_an_unknown_payload_is_named() -> None:
    with pytest.raises(TypeError, match="object is not a payload kind"):
        encode(Measurement("d", 0, 0, object()))  # type: ignore[arg-type]


@pytest.mark.filterwarnings("error")
def test_a_graph_holds_activations_of_any_size() -> None:
    golden = decode((GOLDEN / "graph.bin").read_bytes())
    assert golden is not None
    graph = replace(golden.payload, columns={"activation": np.array([1e30, np.nan, 1e-30, 0], np.float32)})
    found = decode(encode(replace(golden, payload=graph)))
    assert found is not None
    np.testing.assert_array_equal(found.payload.columns["activation"], graph.columns["activation"])


def test_densities_of_units_are_within_half_a_level_of_256(rng: np.random.Generator) -> None:
    curves = tuple(
        Density(0.0, 1.0, rng.gamma(2, 1, 64).astype(np.float32), (Atom(0.0, 0.25),), 0.1, 100, above=0.125)
        for _ in range(3)
    )
    decoded = decode(encode(Measurement("unit_densities", 0, 0, UnitDensities(np.array([1, 4, 9]), curves), "conv")))
    assert decoded is not None
    assert isinstance(decoded.payload, UnitDensities)
    assert decoded.payload.units.tolist() == [1, 4, 9]
    for a, b in zip(decoded.payload.densities, curves, strict=True):
        assert np.abs(a.values - b.values).max() <= (0.5 / 255 + 1e-6) * b.values.max()
        assert (a.atoms, a.above, a.samples) == (b.atoms, b.above, b.samples)


def test_patches_of_some_units_are_rows_of_all_and_the_others_have_none(rng: np.random.Generator) -> None:
    images, boxes = rng.integers(0, 64, (6, 9)), rng.integers(0, 24, (6, 9, 4))
    patches = Patches(images, images, images.astype(np.float32), 64, boxes=boxes).part([4, 1])
    message = Measurement("gradient_boxes", 0, 0, patches, "conv")
    decoded = decode(encode(message))
    assert decoded is not None
    assert isinstance(decoded.payload, Patches)
    assert decoded.payload.listed is not None
    assert decoded.payload.listed.tolist() == [1, 4]
    for unit in range(6):
        listed = unit in (1, 4)
        assert (decoded.payload.images[unit] == (images[unit] if listed else -1)).all()
        assert decoded.payload.boxes is not None
        assert (decoded.payload.boxes[unit] == (boxes[unit] if listed else 0)).all()
    none = decode(encode(replace(message, payload=patches.part([]))))
    assert none is not None
    assert isinstance(none.payload, Patches)
    assert (none.payload.images == -1).all()
    damaged = pb.Measurement.FromString(encode(message))
    damaged.patches.listed[1] = 6
    with pytest.raises(CodecError, match="units"):
        decode(damaged.SerializeToString())
