"""Writing and reading event files: compatibility with TensorFlow, truncated and damaged files, and restarts."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tb_cnndiag.history import History
from tb_cnndiag.payloads import LayerColumns, LayerInfo, RunInfo, Scalars
from tb_cnndiag.summaries.codec import Measurement, encode
from tb_cnndiag.summaries.names import RUN_INFO
from tb_cnndiag.summaries.reader import find_runs, read_run
from tb_cnndiag.summaries.records import MAX_RECORD, Damage, frame, read_records
from tb_cnndiag.summaries.storage import BLOCK, event_files
from tb_cnndiag.summaries.writer import SnapshotWriter


def _snapshot(step: int, number: int) -> list[tuple[Measurement, bytes]]:
    info = RunInfo("t", (LayerInfo("conv", units=2), LayerInfo("head", units=2)))
    measurements = [
        Measurement(RUN_INFO, step, number, info, table="t"),
        Measurement("dead_units", step, number, LayerColumns({"dead_ratio": np.array([step, 0.5])}), table="t"),
        Measurement("training_curve", step, number, Scalars({"loss": float(step)}), table="t"),
    ]
    return [(m, encode(m)) for m in measurements]


def _written(directory: Path, steps: list[int]) -> Path:
    writer = SnapshotWriter(directory)
    for number, step in enumerate(steps):
        writer.write(step, _snapshot(step, number), {"dead_ratio/conv": 0.5})
    writer.close()
    return Path(event_files(directory)[-1])


def test_tensorflow_reads_what_we_write(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    path = _written(tmp_path / "cnndiag", [0, 10])
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    assert list(read_records(path.open("rb"), path.stat().st_size)) == records
    assert len(records) == 3


def test_we_read_what_tensorflow_writes(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    path = tmp_path / "x.tfrecord"
    data = [b"", b"a", os.urandom(100_000)]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for item in data:
            writer.write(item)
    assert list(read_records(path.open("rb"), path.stat().st_size)) == data


def test_all_complete_snapshots_of_a_truncated_file_are_read(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    path = _written(directory, [0, 10, 20])
    whole = path.read_bytes()
    starts = [0]
    for record in read_records(io.BytesIO(whole), len(whole)):
        assert isinstance(record, bytes)
        starts.append(starts[-1] + len(frame(record)))
    for cut in [*range(starts[2] + 1, starts[3], 97), starts[3] - 1]:
        path.write_bytes(whole[:cut])
        with pytest.warns(UserWarning, match="cut in the middle of a record"):
            history = History.of(read_run(directory))
        assert history.series("dead_units", "dead_ratio").steps.tolist() == [0]


def test_a_damaged_snapshot_does_not_affect_other_snapshots(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    path = _written(directory, [0, 10, 20])
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"training_curve", len(whole) // 2)] ^= 1
    path.write_bytes(whole)
    with pytest.warns(UserWarning, match="data checksum is wrong"):
        history = History.of(read_run(directory))
    assert len(history.series("dead_units", "dead_ratio")) == 2


def test_reading_ends_at_a_wrong_length(tmp_path: Path) -> None:
    assert isinstance(next(read_records(io.BytesIO(b"\xff" * 64), 64)), Damage)


def test_skipped_data_is_reported_once_per_file(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    for first in (0, 1000):
        path = _written(directory, list(range(first, first + 100, 10)))
        whole = bytearray(path.read_bytes())
        place = -1
        for snapshot in range(10):
            place = whole.index(b"training_curve", place + 1)
            if snapshot % 3 == 2:
                whole[place] ^= 1
        path.write_bytes(whole[:-5])
    with pytest.warns(UserWarning, match="data checksum is wrong and 3 more") as caught:
        history = History.of(read_run(directory))
    assert len(caught) == 2
    assert len(history.series("dead_units", "dead_ratio")) == 2 * 6


def test_a_log_that_is_being_written_is_read_up_to_its_last_complete_snapshot(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    writer = SnapshotWriter(directory)
    for number in range(4):
        writer.write(number * 10, _snapshot(number * 10, number), {})
        reading = read_run(directory)
        first = next(reading)
        # Data appended from now on belongs to the next reading and does not disturb this one.
        writer.write(number * 10 + 5, _snapshot(number * 10 + 5, number), {})
        history = History.of([first, *reading])
        assert history.last_step == number * 10
    writer.close()


def test_a_closed_file_is_written_on_as_long_as_it_is_the_last(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    writer = SnapshotWriter(directory)
    for number in range(2):
        writer.write(number * 10, _snapshot(number * 10, number), {})
        writer.close()
    (path,) = event_files(directory)
    assert History.of(read_run(directory)).snapshots == 2
    size = Path(path).stat().st_size
    _written(tmp_path / "another", [0])
    (another,) = event_files(tmp_path / "another")
    Path(another).rename(directory / "events.out.tfevents.9999999999.another")
    with pytest.warns(UserWarning, match="Another training"):
        writer.write(20, _snapshot(20, 2), {})
    writer.close()
    assert Path(path).stat().st_size == size


def test_a_file_that_is_truncated_or_removed_while_it_is_read_loses_only_the_rest(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    writer = SnapshotWriter(directory)
    for number in range(400):  # more than the reader buffers
        columns = LayerColumns({"x": np.ones(8_000)})
        measurement = Measurement("dead_units", number, number, columns, table="t")
        writer.write(number, [(measurement, encode(measurement))], {})
    writer.close()
    (path,) = event_files(directory)
    assert Path(path).stat().st_size > 2 * BLOCK
    reading = read_run(directory)
    next(reading)
    os.truncate(path, BLOCK // 2)
    with pytest.warns(UserWarning, match="cut in the middle of a record"):
        assert 10 < len(list(reading)) < 399
    reading = read_run(directory)
    next(reading)
    os.remove(path)
    with pytest.warns(UserWarning, match="cut in the middle of a record"):
        list(reading)
    assert list(read_run(directory)) == []


def test_a_record_above_the_size_limit_is_skipped_without_being_read(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    path = _written(directory, [0, 10])
    length = struct.pack("<Q", MAX_RECORD + 1)
    with path.open("ab") as file:
        file.write(length + frame(length)[-4:])
        file.truncate(file.tell() + MAX_RECORD + 1)
        file.seek(0, os.SEEK_END)
        file.write(b"\0\0\0\0" + frame(b"x"))
    with pytest.warns(UserWarning, match="exceeds the limit of 268,435,456"):
        assert History.of(read_run(directory)).last_step == 10


def test_a_wrong_length_allocates_nothing(tmp_path: Path) -> None:
    """The checksum of the length is correct, so only the size of the file shows that the length is wrong."""
    for claimed in (MAX_RECORD - 1, 1 << 40, (1 << 64) - 1):
        length = struct.pack("<Q", claimed)
        data = length + frame(length)[-4:] + b"x" * 100
        tracemalloc.start()
        assert isinstance(next(read_records(io.BytesIO(data), len(data))), Damage)
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.stop()


def test_a_restart_replaces_the_steps_that_it_repeats(tmp_path: Path) -> None:
    directory = tmp_path / "cnndiag"
    _written(directory, [0, 10, 20, 30])
    _written(directory, [20, 30, 40])
    assert len(event_files(directory)) == 2
    history = History.of(read_run(directory))
    assert history.series("dead_units", "dead_ratio").steps.tolist() == [0, 10, 20, 30, 40]
    assert history.last_step == 40


def test_foreign_files_and_records_are_ignored(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    directory = tmp_path / "run" / "cnndiag"
    _written(directory, [0, 10])
    with tf.summary.create_file_writer(str(directory)).as_default():
        tf.summary.scalar("foreign", 1.0, step=5)
    (directory / "events.out.tfevents.0.empty").touch()
    assert find_runs(tmp_path) == {"run": directory}
    assert History.of(read_run(directory)).series("dead_units", "dead_ratio").steps.tolist() == [0, 10]
