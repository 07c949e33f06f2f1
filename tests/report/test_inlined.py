"""What the page carries of a log: bounded while reading, thinned in the documented order."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event

from tb_cnndiag.payloads import LayerColumns, LayerInfo, Matrix, RunInfo, UnitStates
from tb_cnndiag.report.inlined import HEAVY, MAX_KEPT, PICTURES, Keep, Log, TagMessages, fitted, left_out
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tb_cnndiag.summaries.names import HEAVY_PLUGIN_NAME
from tb_cnndiag.summaries.records import read_records
from tb_cnndiag.summaries.writer import SnapshotWriter

GOLDEN = Path(__file__).parents[2] / "summaries" / "golden"


def _steps(snapshots: TagMessages) -> list[int]:
    return [step for step, _ in snapshots.messages]


def test_heavy_snapshots_are_kept_evenly_and_bounded_with_the_last_always() -> None:
    snapshots = TagMessages(HEAVY)
    for step in range(1_000):
        snapshots.add(step, b"")
        assert len(snapshots.messages) <= MAX_KEPT
        assert _steps(snapshots)[-1] == step
        assert snapshots.total == step + 1
    gaps = np.diff(_steps(snapshots))
    assert set(gaps[:-1]) == {16}
    assert gaps[-1] <= 16


def test_kinds_of_many_bytes_are_heavy_in_the_log_and_on_the_page(tmp_path: Path) -> None:
    golden = {path.stem: decode(path.read_bytes()) for path in GOLDEN.glob("*.bin")}
    writer = SnapshotWriter(tmp_path)
    writer.write(0, [(each, encode(each)) for each in golden.values()], {})
    writer.close()
    (file,) = tmp_path.iterdir()
    with file.open("rb") as opened:
        events = [Event.FromString(record) for record in read_records(opened, file.stat().st_size)]
    values = [value for event in events for value in event.summary.value]
    heavy = {value.tag.split("/")[1] for value in values if value.metadata.plugin_data.plugin_name == HEAVY_PLUGIN_NAME}
    log = Log("r")
    for each in golden.values():
        log.add(each)
    assert heavy == {tag.split("/")[1] for tag, messages in log.tags.items() if messages.weight in (HEAVY, PICTURES)}
    assert {"graph", "atlas", "matrix", "sample_maps"} <= heavy
    assert not {"layer_columns", "findings", "run_info", "unit_values"} & heavy


def test_a_restart_forgets_what_came_after() -> None:
    snapshots = TagMessages(HEAVY)
    for step in (0, 10, 20, 30, 15, 15, 25):
        snapshots.add(step, b"")
    assert _steps(snapshots) == [0, 10, 15, 25]
    assert snapshots.total == 4


def _log(rng: np.random.Generator, snapshots: int = 40, run: str = "r") -> Log:
    log = Log(run)
    log.add(Measurement("run_info", 0, 0, RunInfo("t", (LayerInfo("conv", units=32),))))
    for snapshot in range(snapshots):
        values = rng.uniform(-1, 1, (32, 32)).astype(np.float32)
        log.add(
            Measurement(
                "filter_similarity",
                snapshot,
                snapshot,
                Matrix(values + values.T, np.arange(32), -2, 2, "cosine"),
                "conv",
            )
        )
        states = rng.integers(0, 4, 400).astype(np.uint8)
        log.add(Measurement("dead_units", snapshot, snapshot, UnitStates(states, 10, 1), "conv"))
        log.add(
            Measurement("dead_units", snapshot, snapshot, LayerColumns({"dead_ratio": rng.uniform(size=40)}), table="t")
        )
    return log


def _counts(text: str) -> dict[str, tuple[int, int]]:
    reported: dict[str, Any] = json.loads(text)["measurements"]
    lists = {
        key.split("\n")[1]: pb.MeasurementList.FromString(base64.b64decode(data)) for key, data in reported.items()
    }
    return {tag: (len(each.items), each.total) for tag, each in lists.items()}


def test_a_log_that_fits_is_there_as_a_whole(rng: np.random.Generator) -> None:
    log = _log(rng)
    found = fitted([log], 10_000_000)
    assert found
    assert set(_counts(found[0]).values()) == {(1, 1), (40, 40)}
    assert left_out([log], found[1]) == ()


def test_heavy_kinds_go_first_then_units_then_numbers(rng: np.random.Generator) -> None:
    log = _log(rng)
    found = fitted([log], 10_000_000)
    assert found
    seen = []
    for room in np.geomspace(len(found[0]), 1_000, 60):
        fit = fitted([log], int(room))
        if fit is None:
            continue
        text, keep = fit
        assert len(text) <= room
        assert '"cnndiag/run_info"' in text
        counts = _counts(text)
        heavy = counts.get("cnndiag/filter_similarity/conv", (0, 40))[0]
        units = counts.get("cnndiag/dead_units/conv", (0, 40))[0]
        numbers = counts["cnndiag/dead_units"][0]
        assert heavy <= 1 or units == 40
        assert units <= 1 or numbers == 40
        assert numbers >= 2
        assert bool(left_out([log], keep)) == ((heavy, units, numbers) != (40, 40, 40))
        seen.append((heavy, units, numbers))
    assert (0, 0, 2) in seen
    assert any(1 < heavy < 40 for heavy, _, _ in seen)
    assert any(1 < units < 40 for _, units, _ in seen)
    assert any(2 < numbers < 40 for _, _, numbers in seen)


def test_the_last_snapshot_stays(rng: np.random.Generator) -> None:
    log = _log(rng)
    for snapshots in log.tags.values():
        assert snapshots.kept(Keep(1, 1, 1)) == [snapshots.messages[-1][1]]


@pytest.mark.parametrize("room", [0, 100])
def test_nothing_fits_into_nothing(room: int, rng: np.random.Generator) -> None:
    assert fitted([_log(rng, 1)], room) is None


def test_a_restart_forgets_the_snapshots_of_every_tag_but_not_the_tables(rng: np.random.Generator) -> None:
    log = _log(rng, 10)
    log.add(Measurement("dead_units", 5, 5, LayerColumns({"dead_ratio": np.array([0.5])}), table="t"))
    assert _steps(log.tags["cnndiag/filter_similarity/conv"]) == list(range(5))
    assert _steps(log.tags["cnndiag/dead_units"]) == list(range(6))
    assert _steps(log.tags["cnndiag/run_info"]) == [0]


def test_of_descriptions_with_the_same_layer_table_the_last_is_kept() -> None:
    log = Log("r")
    for step, table, model in ((0, "t", "a"), (5, "t", "b"), (9, "u", "c"), (12, "u", "d")):
        log.add(Measurement("run_info", step, 0, RunInfo(table, (LayerInfo("conv", units=2),), model=model)))
    kept = [decode(data) for _, data in log.tags["cnndiag/run_info"].messages]
    assert [each.payload.model for each in kept if each and isinstance(each.payload, RunInfo)] == ["b", "d"]
