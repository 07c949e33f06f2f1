"""The graph of clusters on networks whose structure is known."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.diagnostics.base import LayerSnapshot, Snapshot
from tb_cnndiag.diagnostics.unit_clusters import STRONGEST, UnitClusters
from tb_cnndiag.payloads import Graph
from tb_cnndiag.recording.inspection import Inspection, Tapped
from tb_cnndiag.recording.training import try_probe

L = keras.layers
NEEDS = {*UnitClusters.needs, "sample_max"}
UNITS, LAYERS = 32, 3


def _snapshot(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Snapshot:
    inspector = ModelInspector({"": model})
    try_probe(inspector, (x, y))
    return Inspection(inspector, [], NEEDS).capture(0, 0, {}, Tapped(), NEEDS)


def _two_paths() -> tuple[keras.Model, list[np.ndarray]]:
    """A network whose units each see one of two channels, shuffled; and the path of each unit, by layer."""
    rng = np.random.default_rng(0)
    layers: list[keras.Layer] = [
        L.Conv2D(UNITS, 3, activation="relu", name=f"conv{index}", padding="same") for index in range(LAYERS)
    ]
    model = keras.Sequential([L.Input((12, 12, 2)), *layers, L.GlobalAveragePooling2D(), L.Dense(4, name="classes")])
    sides = [
        np.array([0, 1]),
        *(rng.permutation(np.repeat([0, 1], UNITS // 2)) for _ in layers),
        np.array([0, 0, 1, 1]),
    ]
    for layer, inside, outside in zip([*layers, model.layers[-1]], sides, sides[1:], strict=False):
        kernel, bias = layer.get_weights()
        kernel = rng.normal(size=kernel.shape) * np.where(inside[:, None] == outside, 1.0, 0.03)
        layer.set_weights([kernel, bias])
    return model, sides[1:]


@pytest.fixture(scope="module")
def planted() -> tuple[Graph, list[np.ndarray]]:
    model, sides = _two_paths()
    rng = np.random.default_rng(1)
    y = np.arange(128) % 4
    x = (
        rng.random((128, 12, 12, 2)).astype(np.float32)
        * (0.05 + 0.95 * (np.arange(2) == (y // 2)[:, None]))[:, None, None]
    )
    graph = UnitClusters().measure(_snapshot(model, x.astype(np.float32), y))
    assert graph is not None
    return graph, sides


def _side_of_nodes(graph: Graph, sides: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(
        [
            [np.bincount(side[members == node]).argmax() for node in range(members.max() + 1)]
            for members, side in zip(graph.members, sides, strict=True)
        ]
    )


def test_two_planted_paths_are_separated_by_the_edges(planted: tuple[Graph, list[np.ndarray]]) -> None:
    graph, sides = planted
    side = _side_of_nodes(graph, sides)
    inside = graph.weights[side[graph.sources] == side[graph.targets]].sum() / graph.weights.sum()
    assert inside >= 0.9


def test_clusters_hold_units_of_one_path(planted: tuple[Graph, list[np.ndarray]]) -> None:
    graph, sides = planted
    for members, side in zip(graph.members[:LAYERS], sides, strict=False):
        pure = [np.bincount(side[members == node]).max() for node in range(members.max() + 1)]
        assert sum(pure) / len(side) > 0.9


def test_responses_are_means_of_standard_scores() -> None:
    model, _ = _two_paths()
    x = np.random.default_rng(2).random((48, 12, 12, 2)).astype(np.float32)
    y = np.arange(48) % 3 + 5
    snapshot = _snapshot(model, x, y)
    graph = UnitClusters().measure(snapshot)
    assert graph is not None
    assert graph.classes.tolist() == [5, 6, 7]
    expected = []
    for members, layer in zip(graph.members, snapshot.layers, strict=True):
        values = layer.data["sample_mean"].astype(float)
        spread = values.std(axis=0)
        scores = np.where(spread > 0, (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1), 0)
        for node in range(members.max() + 1):
            own = scores[:, members == node].mean(axis=1)
            expected.append([own[y == label].mean() for label in (5, 6, 7)])
    np.testing.assert_allclose(graph.responses, expected, atol=1e-3)


def test_edges_into_a_layer_are_shares_of_its_influence(planted: tuple[Graph, list[np.ndarray]]) -> None:
    graph, _ = planted
    for row in range(1, LAYERS + 1):
        share = graph.weights[graph.rows[graph.targets] == row].sum()
        assert 0.6 < share <= 1 + 1e-6
        into = np.bincount(graph.targets)
        assert into.max() <= STRONGEST
    assert (graph.rows[graph.sources] == graph.rows[graph.targets] - 1).all()


def test_names_stay_over_snapshots_and_dead_clusters_are_known() -> None:
    model, _ = _two_paths()
    x = np.random.default_rng(2).random((64, 12, 12, 2)).astype(np.float32)
    y = np.arange(64) % 4
    clusters = UnitClusters()
    first = clusters.measure(_snapshot(model, x, y))
    kernel, bias = model.get_layer("conv1").get_weights()
    kernel[..., :6], bias[:6] = 0, -1
    model.get_layer("conv1").set_weights([kernel, bias])
    second = clusters.measure(_snapshot(model, x, y))
    assert first is not None
    assert second is not None
    unchanged = [graph.names[graph.rows == 0].tolist() for graph in (first, second)]
    assert unchanged[0] == unchanged[1]
    dead = np.flatnonzero((second.rows == 1) & (second.columns["dead"] == 1))
    assert set(range(6)) <= {unit for node in dead for unit in np.flatnonzero(
        second.members[1] == node - np.flatnonzero(second.rows == 1)[0])}  # fmt: skip


def test_layers_without_activations_have_no_nodes() -> None:
    model, _ = _two_paths()
    x = np.random.default_rng(2).random((32, 12, 12, 2)).astype(np.float32)
    full = _snapshot(model, x, np.arange(32) % 4)
    layers = [LayerSnapshot(each.layer, {}) if row == 1 else each for row, each in enumerate(full.layers)]
    graph = UnitClusters().measure(Snapshot(0, 0, layers, {}))
    assert graph is not None
    assert set(graph.rows) == {0, 2, 3}
    assert len(graph.members) == 3
    assert UnitClusters().measure(Snapshot(0, 0, layers[:1], {})) is None
