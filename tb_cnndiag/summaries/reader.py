"""Reads measurements from event files, without TensorFlow."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event

from tb_cnndiag.summaries.codec import CodecError, Measurement, decode
from tb_cnndiag.summaries.names import PREFIX, RUN_DIRECTORY
from tb_cnndiag.summaries.records import Damage, read_records
from tb_cnndiag.summaries.storage import LogLocation, directories_named, event_files, opened, place

_MARK = PREFIX.encode()
_watcher: ContextVar[Callable[[str, int, int], None] | None] = ContextVar("watcher", default=None)


def find_runs(logdir: str | os.PathLike[str]) -> dict[str, LogLocation]:
    """Runs below a logdir: name → ``cnndiag`` directory.

    The name is the relative path of the directory that contains ``cnndiag/``; it is ``.`` for the logdir itself.

    Raises:
        FileNotFoundError: If the logdir does not exist.
        NotADirectoryError: If it is not a directory.
        StorageError: If it is a URL that cannot be reached.
    """
    return directories_named(RUN_DIRECTORY, place(logdir))


@contextmanager
def watching(notify: Callable[[str, int, int], None]) -> Iterator[None]:
    """Inside the context, call ``notify`` after each record with the file, the bytes read, and the file's size."""
    token = _watcher.set(notify)
    try:
        yield
    finally:
        _watcher.reset(token)


def read_run(directory: LogLocation, kinds: Container[str] | None = None) -> Iterator[Measurement]:
    """All measurements of one run, in the order written. Unreadable data is skipped, with one warning per file.

    If ``kinds`` is given, only payloads of these kinds (fields of the proto's ``Measurement``) are decoded.

    Raises:
        OSError: If a file cannot be opened or read.
    """
    notify = _watcher.get()
    for path in event_files(directory):
        skipped: list[str] = []
        with opened(path) as (file, size):
            for record in read_records(file, size):
                if notify is not None:
                    notify(str(path), file.tell(), size)
                if isinstance(record, Damage):
                    skipped.append(f"data at byte {record.offset}: {record.reason}")
                elif _MARK in record:
                    yield from _read_event(record, kinds, skipped)
        if skipped:
            more = f" and {len(skipped) - 1} more" if len(skipped) > 1 else ""
            warnings.warn(f"{path}: skipped {skipped[0]}{more}. All other data is read.", stacklevel=2)


def _read_event(record: bytes, kinds: Container[str] | None, skipped: list[str]) -> Iterator[Measurement]:
    try:
        event = Event.FromString(record)
    except DecodeError as error:
        skipped.append(f"an event: {error}")
        return
    for value in event.summary.value:
        if not value.tag.startswith(PREFIX) or not value.tensor.string_val:
            continue
        try:
            measurement = decode(value.tensor.string_val[0], kinds)
        except CodecError as error:
            skipped.append(f"{value.tag}: {error}")
            continue
        if measurement is not None:
            yield measurement
