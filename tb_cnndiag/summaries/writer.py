"""Writes snapshots to an event file that TensorBoard reads."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_SCALAR, DATA_CLASS_TENSOR, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT, DT_STRING

from tb_cnndiag.payloads import HEAVY_KINDS
from tb_cnndiag.summaries.codec import CONTRACT_VERSION, Measurement
from tb_cnndiag.summaries.names import HEAVY_PLUGIN_NAME, PLUGIN_NAME, tag_of
from tb_cnndiag.summaries.records import frame
from tb_cnndiag.summaries.storage import LogLocation, event_files
from tb_cnndiag.warning import warn


def _metadata(plugin: str, data_class: int, content: bytes = b"") -> SummaryMetadata:
    return SummaryMetadata(
        plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content), data_class=data_class
    )


_CONTENT = str(CONTRACT_VERSION).encode()
_LIGHT = _metadata(PLUGIN_NAME, DATA_CLASS_TENSOR, _CONTENT)
_HEAVY = _metadata(HEAVY_PLUGIN_NAME, DATA_CLASS_TENSOR, _CONTENT)
_SCALAR = _metadata("scalars", DATA_CLASS_SCALAR)


class SnapshotWriter:
    """Appends snapshots to one event file in ``directory``. The first snapshot creates both.

    Each snapshot is one record, so an interrupted write loses exactly one whole snapshot. If another training has
    started to write to the directory in the meantime, a directory next to it is used instead. Otherwise each training
    would look like a restart of the other.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._known_files = event_files(directory)
        self.bytes_written = 0
        self._file: int | None = None
        self._path: Path | None = None

    def write(self, step: int, messages: Iterable[tuple[Measurement, bytes]], scalars: Mapping[str, float]) -> None:
        """Append one snapshot: measurements with their serialized form, and ordinary scalars by tag.

        Raises:
            OSError: If the directory cannot be created or written, or if the file has been removed.
        """
        values = [
            Summary.Value(
                tag=tag_of(measurement.diagnostic, measurement.layer),
                metadata=_HEAVY if isinstance(measurement.payload, HEAVY_KINDS) else _LIGHT,
                tensor=TensorProto(dtype=DT_STRING, string_val=[data], tensor_shape={}),
            )
            for measurement, data in messages
        ]
        values += [
            Summary.Value(
                tag=tag, metadata=_SCALAR, tensor=TensorProto(dtype=DT_FLOAT, float_val=[value], tensor_shape={})
            )
            for tag, value in scalars.items()
        ]
        self._append(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def close(self) -> None:
        """Close the file. Writing again goes on in it, unless another file has appeared in the directory."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, event: Event) -> None:
        data = frame(event.SerializeToString())
        if self._file is None:
            self._file = self._reopen()
        if self._file is None:
            self._file = self._open()
            header = Event(wall_time=event.wall_time, file_version="brain.Event:2")
            data = frame(header.SerializeToString()) + data
        if not os.fstat(self._file).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "its event file was removed while it was being written")
        start = os.lseek(self._file, 0, os.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            # A reader cannot continue after an incomplete record, so remove it.
            os.ftruncate(self._file, start)
            raise
        self.bytes_written += len(data)

    def _reopen(self) -> int | None:
        """The file that was closed, if it is still the last one of its directory."""
        if self._path is None or event_files(self.directory) != self._known_files:
            return None
        return os.open(self._path, os.O_WRONLY | os.O_APPEND)

    def _open(self) -> int:
        directory = self._unshared()
        if directory != self.directory:
            warn(
                f"Another training has started to write to {self.directory}, so this training writes to {directory}. "
                "Use a different log_dir for each training."
            )
            self.directory = directory
        # TensorBoard reads the files of a run in the order of their names, so a later file must sort last.
        stamp = max([int(time.time()), *(_stamp(path) + 1 for path in event_files(self.directory))])
        name = f"events.out.tfevents.{stamp:010d}.{socket.gethostname()}.{os.getpid()}"
        self._path = self.directory / name
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._known_files = event_files(self.directory)
        return file

    def _unshared(self) -> Path:
        """The directory, or the first directory next to it that no other training uses."""
        directory, number = self.directory, 1
        while True:
            try:
                directory.mkdir(parents=True)
            except FileExistsError:
                if not directory.is_dir():
                    raise
                if event_files(directory) == self._known_files:
                    return directory
                number += 1
                directory = self.directory.parent / f"training_{number}" / self.directory.name
                self._known_files = []
            else:
                return directory


def _stamp(path: LogLocation) -> int:
    digits = PurePath(path).name.partition("tfevents.")[2].partition(".")[0]
    return int(digits) if digits.isdigit() else 0
