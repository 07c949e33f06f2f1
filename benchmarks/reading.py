"""How fast logs are read without TensorFlow, and what memory that takes.

``python -m benchmarks.reading`` writes synthetic logs and prints

- MB/s of event files: read raw, record by record with all checksums verified, decoded as far as rules need it, and with
  TensorBoard's own reader; for our logs, and for a scalar a record, as Keras writes them;
- the seconds that ``tb-cnndiag check`` takes on 100 layers × 1,000 epochs with the columns of all diagnostics, in a
  process of its own, start of Python included;
- the peak of memory that reading a log adds, record by record and judged (Linux).

Figures are medians of interleaved runs. Nothing here is a test: a target that is missed is printed as MISS.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from benchmarks.synthetic_log import Size, write
from tb_cnndiag.history import History
from tb_cnndiag.logs import histories
from tb_cnndiag.summaries.records import frame, read_records
from tb_cnndiag.summaries.storage import event_files, opened

ROUNDS = 5
MEGABYTE = 1_000_000
# TensorBoard's reader is slow: it gets the beginning of the file only.
SHORT = 4 * MEGABYTE


def raw(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(4 * MEGABYTE):
            pass


def records(path: Path) -> int:
    with opened(path) as (file, size):
        return sum(isinstance(record, bytes) for record in read_records(file, size))


def judging(path: Path) -> History:
    (history,) = histories(path.parent.parent)
    return history


def tensorboards(path: Path) -> int:
    return sum(1 for _ in RawEventFileLoader(str(path)).Load())


def seconds(**jobs: Callable[[], object]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            begin = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def speeds(what: str, path: Path) -> float:
    """Print MB/s of one file; those of our reader are returned."""
    short = path.parent.parent / "short"
    short.write_bytes(path.read_bytes()[:SHORT])
    judged = (lambda: judging(path)) if path.parent.name == "cnndiag" else (lambda: None)
    took = seconds(
        judged=judged, raw=lambda: raw(path), records=lambda: records(path), tensorboard=lambda: tensorboards(short)
    )
    size = path.stat().st_size / MEGABYTE
    ours, theirs = size / took["records"], short.stat().st_size / MEGABYTE / took["tensorboard"]
    print(f"{what}: {size:.0f} MB in {records(path):,} records")
    print(f"  raw read                   {size / took['raw']:8.0f} MB/s")
    print(f"  records, sums verified     {ours:8.0f} MB/s   {ours * took['raw'] / size:.2f} of a raw read")
    if path.parent.name == "cnndiag":
        print(f"  … and decoded, for rules   {size / took['judged']:8.0f} MB/s")
    print(f"  TensorBoard's own reader   {theirs:8.1f} MB/s   ours is {ours / theirs:.0f} × as fast")
    return ours


def _file(log: Path) -> Path:
    (path,) = event_files(log / "cnndiag")
    return Path(path)


def scalars_alone(path: Path, count: int = 200_000) -> Path:
    value = Summary.Value(tag="epoch_loss", simple_value=0.5)
    data = frame(Event(wall_time=1.0, step=1, summary=Summary(value=[value])).SerializeToString())
    path.write_bytes(data * count)
    return path


def added_memory(task: str, path: Path) -> float:
    """MB of peak resident memory that the task adds to a process that has everything imported."""
    command = [sys.executable, "-m", "benchmarks.reading", task, str(path)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _task(name: str, path: Path) -> None:
    def peak() -> float:
        status = Path("/proc/self/status").read_text()  # getrusage counts the parent's in
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MEGABYTE

    before = peak()
    if name == "records":
        records(_file(path))
    else:
        judging(_file(path))
    print(peak() - before)


def verdict(value: float, target: float, *, least: bool) -> str:
    good = value >= target if least else value <= target
    return f"target {'≥' if least else '≤'} {target:g}  {'PASS' if good else 'MISS'}"


def main() -> None:
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # TensorBoard then takes its own reader
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        usual, large = home / "usual", home / "large"
        size = write(usual, Size(100, 1_000, all_columns=True)) / MEGABYTE
        write(large, Size(100, 400, heavy_snapshots=160))
        for what, log in (("our log at defaults", usual), ("our log, two snapshots of five heavy", large)):
            print(f"  {verdict(speeds(what, _file(log)), 500, least=True)}")
        speeds("a scalar a record", scalars_alone(home / "scalars"))

        check = [sys.executable, "-m", "tb_cnndiag.cli", "check", str(usual), "--fail-on", "never"]
        environment = {**os.environ, "CI": "true"}
        took = seconds(
            check=lambda: subprocess.run(check, check=True, stdout=subprocess.DEVNULL, env=environment),
            start=lambda: subprocess.run([*check[:3], "explain", "dead_units"], check=True, stdout=subprocess.DEVNULL),
        )
        print(f"tb-cnndiag check, 100 layers × 1,000 snapshots, {size:.0f} MB")
        print(f"  in all                     {took['check']:8.2f} s      {verdict(took['check'], 3.0, least=False)}")
        print(f"  of it Python's start       {took['start']:8.2f} s")

        for log in (usual, large):
            print(f"memory added by a log of {_file(log).stat().st_size / MEGABYTE:.0f} MB")
            for task in ("records", "judged"):
                print(f"  {task:26} {added_memory(task, log):8.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _task(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
