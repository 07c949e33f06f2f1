"""TFRecord framing of event files, with checksums, without TensorFlow.

A record is ``length: uint64 | masked crc32c of length | data | masked crc32c of data``, little-endian
(tensorflow/core/lib/io/record_writer.h). TensorBoard's own reader checks sums in pure Python at 8 MB/s;
``google_crc32c`` does so at memory speed.
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
# TensorBoard's data server does not pass on more than that either.
MAX_RECORD = 256 << 20


@dataclass(frozen=True)
class Damage:
    """A place in a file where records could not be read, in words."""

    offset: int
    reason: str


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return int(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(data: bytes) -> bytes:
    """The record that holds ``data``."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _FOOTER.pack(_masked_crc(length)), data, _FOOTER.pack(_masked_crc(data))))


def read_records(file: BinaryIO, size: int) -> Iterator[bytes | Damage]:
    """Yield the data of each record in the first ``size`` bytes, and a :class:`Damage` for what is not readable.

    A record with a wrong data checksum is passed over, and so is one larger than any writer of summaries makes. After a
    wrong length nothing can be found again, so reading ends there; so it does at a record that is cut at the end.
    No more is allocated than one record takes, whatever lengths the file declares.
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
            yield Damage(offset, f"a record of {length:,} bytes, where at most {MAX_RECORD:,} are read")
        else:
            data, footer = file.read(length), file.read(_FOOTER.size)
            if len(footer) < _FOOTER.size:
                yield Damage(offset, "cut in the middle of a record")
                return
            (crc,) = _FOOTER.unpack(footer)
            yield data if crc == _masked_crc(data) else Damage(offset, "data checksum is wrong")
        offset += OVERHEAD + length
