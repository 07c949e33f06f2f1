"""Reads measurements back from event files, without TensorFlow."""

from __future__ import annotations

import mmap
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event

from tb_cnndiag.summaries.codec import CodecError, Measurement, decode
from tb_cnndiag.summaries.names import PREFIX, RUN_DIRECTORY
from tb_cnndiag.summaries.records import Damage, read_records
from tb_cnndiag.summaries.writer import event_files

_MARK = PREFIX.encode()


def find_runs(logdir: Path) -> dict[str, Path]:
    """Runs below a logdir: name (relative path of what holds ``cnndiag/``, ``.`` for itself) → ``cnndiag`` directory.

    Raises:
        FileNotFoundError: When the logdir does not exist.
        NotADirectoryError: When it is no directory.
    """
    if not logdir.exists():
        raise FileNotFoundError(
            f"{logdir} does not exist. Give the directory that the callback was given, as in CNNDiagnostics(log_dir)."
        )
    if not logdir.is_dir():
        raise NotADirectoryError(f"{logdir} is a file. Give the directory above it.")
    runs: dict[str, Path] = {}
    for path, directories, _ in os.walk(logdir, followlinks=True):
        directories.sort()
        if RUN_DIRECTORY in directories and event_files(Path(path, RUN_DIRECTORY)):
            runs[Path(path).relative_to(logdir).as_posix()] = Path(path, RUN_DIRECTORY)
    return dict(sorted(runs.items()))


def read_run(directory: Path) -> Iterator[Measurement]:
    """All measurements of one run in the order written; what cannot be read is passed over with one warning a file."""
    for path in event_files(directory):
        skipped: list[str] = []
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer, memoryview(buffer) as view:
                yield from _read_file(view, skipped)
        if skipped:
            more = f" and {len(skipped) - 1} more" if len(skipped) > 1 else ""
            warnings.warn(f"{path}: skipped {skipped[0]}{more}. The rest is read.", stacklevel=2)


def _read_file(view: memoryview, skipped: list[str]) -> Iterator[Measurement]:
    for record in read_records(view):
        if isinstance(record, Damage):
            skipped.append(f"byte {record.offset} on: {record.reason}")
        elif _MARK in record:
            yield from _read_event(record, skipped)


def _read_event(record: bytes, skipped: list[str]) -> Iterator[Measurement]:
    try:
        event = Event.FromString(record)
    except DecodeError as error:
        skipped.append(f"an event: {error}")
        return
    for value in event.summary.value:
        if not value.tag.startswith(PREFIX) or not value.tensor.string_val:
            continue
        try:
            measurement = decode(value.tensor.string_val[0])
        except CodecError as error:
            skipped.append(f"{value.tag}: {error}")
            continue
        if measurement is not None:
            yield measurement
