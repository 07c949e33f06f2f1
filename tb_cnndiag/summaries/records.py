"""TFRecord framing of event files, with checksums, without TensorFlow.

A record is ``length: uint64 | masked crc32c of length | data | masked crc32c of data``, little-endian
(tensorflow/core/lib/io/record_writer.h). TensorBoard's own reader checks sums in pure Python at 8 MB/s;
``google_crc32c`` does so at memory speed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import google_crc32c

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
OVERHEAD = _HEADER.size + _FOOTER.size


@dataclass(frozen=True)
class Damage:
    """A place in a file where records could not be read, in words."""

    offset: int
    reason: str


def _masked_crc(data: bytes | memoryview) -> int:
    crc = google_crc32c.value(bytes(data))
    return int(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(data: bytes) -> bytes:
    """The record that holds ``data``."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _FOOTER.pack(_masked_crc(length)), data, _FOOTER.pack(_masked_crc(data))))


def read_records(buffer: bytes | memoryview) -> Iterator[bytes | Damage]:
    """Yield the data of each record, and a :class:`Damage` for what is not readable.

    A record with a wrong data checksum is passed over. After a wrong length nothing can be found again, so reading
    ends there; so it does at a record that is cut at the end of the file.
    """
    view = memoryview(buffer)
    offset, end = 0, len(view)
    while offset < end:
        if end - offset < OVERHEAD:
            yield Damage(offset, "cut in the middle of a record")
            return
        length, crc = _HEADER.unpack_from(view, offset)
        if crc != _masked_crc(view[offset : offset + 8]):
            yield Damage(offset, "length checksum is wrong")
            return
        start = offset + _HEADER.size
        if length > end - start - _FOOTER.size:
            yield Damage(offset, "cut in the middle of a record")
            return
        data = bytes(view[start : start + length])
        (crc,) = _FOOTER.unpack_from(view, start + length)
        yield data if crc == _masked_crc(data) else Damage(offset, "data checksum is wrong")
        offset = start + length + _FOOTER.size
