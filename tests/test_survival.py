"""Logs and training survive kills, full disks, lost directories and permissions, wrong clocks, NaN and bad results."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.cli import main
from tb_cnndiag.diagnostics import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.history import History
from tb_cnndiag.payloads import Matrix, UnitStates
from tb_cnndiag.recording import measurer
from tb_cnndiag.summaries.reader import find_runs, read_run
from tb_cnndiag.summaries.storage import event_files
from tb_cnndiag.summaries.writer import SnapshotWriter
from tb_cnndiag.warning import DiagnosticsWarning
from tests.models import compiled, images, plain
from tests.summaries.test_event_files import _snapshot

# Writes snapshots until it is killed, and prints the step of each complete snapshot.
WRITING = """
import os, sys
from pathlib import Path
from tests.summaries.test_event_files import _snapshot
from tb_cnndiag.summaries.writer import SnapshotWriter
for line in sys.stdin:
    if not os.fork():
        writer = SnapshotWriter(Path(line.strip()))
        for step in range(100_000):
            writer.write(step, _snapshot(step, step), {})
            os.write(1, b"%d %d\\n" % (os.getpid(), step))
    os.wait()
"""


def _steps(directory: Path) -> list[int]:
    return [int(step) for step in History.of(read_run(directory)).series("dead_units", "dead_ratio").steps]


@pytest.mark.parametrize("times", [5, pytest.param(200, marks=pytest.mark.nightly)])
def test_a_killed_writer_leaves_all_complete_snapshots(times: int, tmp_path: Path, rng: np.random.Generator) -> None:
    """The writer is forked from a process that has imported everything, and is killed with SIGKILL."""
    command = [sys.executable, "-c", WRITING]
    pipe = subprocess.PIPE
    lengths = set()
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0, cwd=Path(__file__).parents[1]) as process:
        assert process.stdin
        assert process.stdout
        for attempt in range(times):
            directory = tmp_path / str(attempt) / "cnndiag"
            process.stdin.write(f"{directory}\n".encode())
            line = process.stdout.readline()
            writer = int(line.split()[0])
            time.sleep(float(rng.uniform(0, 0.05)))
            os.kill(writer, 9)
            while select.select([process.stdout], [], [], 0.05)[0]:
                line = process.stdout.readline()
            done = int(line.split()[1])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about an incomplete snapshot
                steps = _steps(directory)
            assert steps == list(range(len(steps)))
            assert len(steps) in (done + 1, done + 2)
            lengths.add(len(steps))
            (file,) = event_files(directory)
            assert sum(1 for event in EventFileLoader(str(file)).Load() if event.summary.value) == len(steps)
        process.stdin.close()
    assert len(lengths) > min(times, 20) // 2  # the kills came at random points


def test_a_full_disk_leaves_no_incomplete_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SnapshotWriter(tmp_path / "cnndiag")
    writer.write(0, _snapshot(0, 0), {})
    write = os.write

    def half(file: int, data: bytes) -> int:
        write(file, bytes(data)[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left"):
        writer.write(10, _snapshot(10, 1), {})
    monkeypatch.undo()
    writer.write(20, _snapshot(20, 2), {})
    assert History.of(read_run(tmp_path / "cnndiag")).series("dead_units", "dead_ratio").steps.tolist() == [0, 20]


def _fit(log_dir: Path, rng: np.random.Generator, epochs: int = 3, model: Any = None, **options: Any) -> Any:
    x, y = images(rng)
    callbacks = [*options.pop("before", []), CNNDiagnostics(log_dir, verbose=0, **options), *options.pop("after", [])]
    return (model or compiled(plain())).fit(x, y, batch_size=16, epochs=epochs, verbose=0, callbacks=callbacks)


class At(keras.callbacks.Callback):
    """Runs a function after an epoch."""

    def __init__(self, epoch: int, act: Callable[[], Any]) -> None:
        super().__init__()
        self._epoch, self._act = epoch, act

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self._epoch:
            self._act()


@contextmanager
def _one_warning(pattern: str) -> Iterator[None]:
    with pytest.warns(DiagnosticsWarning, match=pattern) as caught:
        yield
    assert len([w for w in caught if issubclass(w.category, DiagnosticsWarning)]) == 1


def test_a_training_survives_a_full_disk(tmp_path: Path, rng: np.random.Generator) -> None:
    """The operating system limits the file size: one write is incomplete, and the next write fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        (file,) = event_files(tmp_path / "cnndiag")
        resource.setrlimit(resource.RLIMIT_FSIZE, (Path(file).stat().st_size + 1_000, before[1]))

    try:
        with _one_warning("cannot be written"):
            history = _fit(tmp_path, rng, 4, before=[At(2, fill)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(history.history["loss"]) == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no incomplete record
        assert History.of(read_run(tmp_path / "cnndiag")).series("dead_units", "dead_ratio").steps.tolist() == [4, 8]


def test_a_training_survives_the_removal_of_its_directory(tmp_path: Path, rng: np.random.Generator) -> None:
    with _one_warning("its event file was removed"):
        history = _fit(tmp_path / "run", rng, before=[At(1, lambda: shutil.rmtree(tmp_path / "run"))])
    assert len(history.history["loss"]) == 3
    assert not (tmp_path / "run").exists()


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Give up the rights of root, for whom permissions have no effect."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_training_survives_the_loss_of_write_permission(tmp_path: Path, rng: np.random.Generator) -> None:
    model = compiled(plain())
    _fit(tmp_path, rng, model=model)
    steps = History.of(read_run(tmp_path / "cnndiag")).last_step
    for directory in (tmp_path, *tmp_path.parents):
        if Path(tempfile.gettempdir()) in directory.parents:
            directory.chmod(0o755)
    (tmp_path / "cnndiag").chmod(0o555)
    try:
        with _one_warning("cannot be written .Permission denied"), _as_nobody():
            assert len(_fit(tmp_path, rng, model=model).history["loss"]) == 3
    finally:
        (tmp_path / "cnndiag").chmod(0o755)
    assert History.of(read_run(tmp_path / "cnndiag")).last_step == steps


def test_a_clock_that_goes_backwards_does_not_change_the_order_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "cnndiag"
    for start, now in ((0, 2_000_000_000.0), (30, 1_000_000_000.0), (60, 0.0)):
        writer = SnapshotWriter(directory)
        for number in range(3):
            monkeypatch.setattr(time, "time", lambda now=now, number=number: now - 1_000 * number)
            writer.write(start + 10 * number, _snapshot(start + 10 * number, number), {})
        writer.close()
    monkeypatch.undo()
    assert len(event_files(directory)) == 3
    assert _steps(directory) == [0, 10, 20, 30, 40, 50, 60, 70, 80]


def test_a_training_survives_a_clock_that_goes_backwards(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10**9, 0, -(10**5)))
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: float(next(clock)))
        _fit(tmp_path, rng)
    assert History.of(read_run(tmp_path / "cnndiag")).series("dead_units", "dead_ratio").steps.tolist() == [4, 8, 12]


@pytest.mark.parametrize("where", ["samples", "weights", "everywhere"])
def test_nan_and_inf_anywhere_are_logged_and_reported(
    where: str, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    x, y = images(rng)
    model = compiled(plain())
    if where != "weights":
        x[::3], x[1::3], x[2::3] = np.nan, np.inf, -np.inf
    if where != "samples":
        model.set_weights(
            [np.resize([np.nan, np.inf, -np.inf], w.shape).astype(np.float32) for w in model.get_weights()]
        )
    log = tmp_path / "log"
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", DiagnosticsWarning)  # no diagnostic is switched off
        model.fit(x, y, epochs=2, verbose=0, callbacks=[CNNDiagnostics(log, probe=(x, y), verbose=0)])
        assert main(["check", str(log), "--format", "json"]) == 1
        output = capsys.readouterr().out
        assert "nan_or_inf" in {
            finding["fault"] for finding in json.loads(output, parse_constant=_reject_constant)["findings"]
        }
        for table in ("table.json", "table.csv"):
            assert main(["export", str(log), "-o", table]) == 0
        json.loads(Path("table.json").read_text(), parse_constant=_reject_constant)
        for kind in ("text", "junit", "sarif", "markdown", "github"):
            assert main(["check", str(log), "--format", kind]) == 1
        assert main(["compare", str(log), str(log), "--max-increase", "rms=0"]) == 0
        assert main(["report", str(log)]) == 0


def _reject_constant(name: str) -> None:
    raise AssertionError(f"{name} is not valid JSON")


def test_writers_that_start_at_the_same_time_use_different_directories(tmp_path: Path) -> None:
    writers = [SnapshotWriter(tmp_path / "cnndiag") for _ in range(3)]
    for number in range(3):
        for writer in writers:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DiagnosticsWarning)
                writer.write(10 * number, _snapshot(10 * number, number), {})
    runs = find_runs(tmp_path)
    assert sorted(runs) == [".", "training_2", "training_3"]
    assert all(_steps(Path(directory)) == [0, 10, 20] for directory in runs.values())
    for writer in writers:
        writer.close()
        writer.write(30, _snapshot(30, 3), {})  # each writer keeps its directory
        writer.close()
    assert sorted(find_runs(tmp_path)) == sorted(runs)


def test_two_simultaneous_trainings_in_one_directory_become_two_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRAINING, str(tmp_path)]
    options: dict[str, Any] = {"stderr": subprocess.PIPE, "text": True, "cwd": Path(__file__).parents[1]}
    processes = [subprocess.Popen(command, **options) for _ in range(2)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    runs = find_runs(tmp_path)
    assert sorted(runs) == [".", "training_2"]
    for directory in runs.values():
        history = History.of(read_run(directory))
        assert history.series("dead_units", "dead_ratio").steps.tolist() == [0, 4, 8, 12]
        assert history.snapshots == 4
    assert sum("training_2" in text for text in errors) == 1


TRAINING = """
import sys
import numpy as np
from tb_cnndiag import CNNDiagnostics
from tests.models import compiled, images, plain
x, y = images(np.random.default_rng(1))
callback = CNNDiagnostics(sys.argv[1], probe=(x, y), budget=None)
compiled(plain()).fit(x, y, batch_size=16, epochs=3, verbose=0, callbacks=[callback])
"""


class UserDefined(LayerDiagnostic):
    """A user-defined diagnostic, whose behavior each test sets."""

    name = "user_defined"
    title = "User-defined"
    description = "Calls a function."
    needs = ("kernel",)
    act: Callable[[LayerSnapshot], Any]

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        return type(self).act(snapshot)  # type: ignore[no-any-return]


BAD_RESULTS: dict[str, Any] = {
    "None": None,
    "a number": 3.0,
    "a column that it does not declare": LayerResult({"nothing": 1.0}),
    "text instead of a number": LayerResult({"share": "high"}),  # type: ignore[dict-item]
    "an object that is not a payload": LayerResult({}, object()),  # type: ignore[arg-type]
    "a generator": LayerResult({}, (i for i in range(3))),  # type: ignore[arg-type]
    "a matrix of strings": LayerResult({}, Matrix(np.array([["a"]]), np.arange(1), 0, 1, "x")),  # type: ignore[arg-type]
    "a matrix with one axis": LayerResult({}, Matrix(np.zeros(3, np.float32), np.arange(3), 0, 1, "x")),
    "states that are strings": LayerResult({}, UnitStates(np.array(["dead"]), 1, 1)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("result", BAD_RESULTS)
def test_a_bad_result_switches_off_only_its_diagnostic(
    result: str, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UserDefined, "act", lambda snapshot: BAD_RESULTS[result], raising=False)
    with _one_warning("The diagnostic 'user_defined' failed at step 0 and is switched off"):
        _fit(tmp_path, rng, diagnostics=[UserDefined(), "weight_health"])
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.series("weight_health", "rms").steps.tolist() == [0, 4, 8, 12]


def test_a_slow_diagnostic_is_named_while_it_runs_and_switched_off_afterwards(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def ours() -> list[Any]:
        return [w for w in caught if issubclass(w.category, DiagnosticsWarning)]

    def hang(snapshot: LayerSnapshot) -> LayerResult:
        calls.append(snapshot.layer.path)
        if len(calls) == 1:
            time.sleep(0.6)
            calls.append(f"{len(ours())} warning")
        return LayerResult()

    monkeypatch.setattr(measurer, "PATIENCE", 0.2)
    monkeypatch.setattr(UserDefined, "act", hang, raising=False)
    with pytest.warns(DiagnosticsWarning, match=r"'user_defined' has taken more than 0.2 s at step 0") as caught:
        _fit(tmp_path, rng, diagnostics=[UserDefined(), "weight_health"])
    assert calls == ["conv_a", "1 warning", "conv_b", "head"]
    assert len(ours()) == 1
    assert len(History.of(read_run(tmp_path / "cnndiag")).series("weight_health", "rms")) == 4
