"""TFRecord framing of event files, with checksums, without TensorFlow.

A record is ``length: uint64 | masked crc32c of length | data | masked crc32c of data``, little-endian
(tensorflow/core/lib/io/record_writer.h). TensorBoard's reader computes checksums in pure Python at 8 MB/s;
``google_crc32c`` computes them at memory speed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import google_crc32c

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
OVERHEAD = _HEADER.size + _FOOTER.size
# TensorBoard's data server has the same limit.
MAX_RECORD = 256 << 20


@dataclass(frozen=True)
class Damage:
    """A position in a file where a record could not be read, and the reason."""

    offset: int
    reason: str


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return int(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(data: bytes) -> bytes:
    """The record that contains ``data``."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _FOOTER.pack(_masked_crc(length)), data, _FOOTER.pack(_masked_crc(data))))


def read_records(file: BinaryIO, size: int) -> Iterator[bytes | Damage]:
    """Yield the data of each record in the first ``size`` bytes, and a :class:`Damage` for each unreadable record.

    A record is skipped if its data checksum is wrong, or if it is larger than ``MAX_RECORD``. Reading ends at a record
    whose length is wrong, because the next record cannot be found, and at a record that the end of the file cuts off.
    The memory used is at most that of one record, even if the file declares wrong lengths.
    """
    offset = 0
    while offset < size:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or size - offset < OVERHEAD:
            yield Damage(offset, "cut in the middle of a record")
            return
        length, crc = _HEADER.unpack(header)
        if crc != _masked_crc(header[:8]):
            yield Damage(offset, "length checksum is wrong")
            return
        if length > size - offset - OVERHEAD:
            yield Damage(offset, "cut in the middle of a record")
            return
        if length > MAX_RECORD:
            file.seek(length + _FOOTER.size, os.SEEK_CUR)
            yield Damage(offset, f"a record of {length:,} bytes exceeds the limit of {MAX_RECORD:,}")
        else:
            data, footer = file.read(length), file.read(_FOOTER.size)
            if len(footer) < _FOOTER.size:
                yield Damage(offset, "cut in the middle of a record")
                return
            (crc,) = _FOOTER.unpack(footer)
            yield data if crc == _masked_crc(data) else Damage(offset, "data checksum is wrong")
        offset += OVERHEAD + length
