"""A line on the terminal that tells how far reading is."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tb_cnndiag.summaries.reader import watching

# Only what lasts longer is worth a line.
PATIENCE = 1.0
INTERVAL = 0.1
WIDTH = 100
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Tells which file is being read, and how far, once that has taken a while; wiped away at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = time.monotonic() + PATIENCE
        self._shown = False

    def __call__(self, file: str, read: int, size: int) -> None:
        """``read`` of ``size`` bytes of the file are read."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        self._shown = True
        told = f"{read / 1e6:.0f} of {size / 1e6:.0f} MB of "
        name = "".join(character if character.isprintable() else "?" for character in file)
        self._stream.write(f"{_CLEAR}reading {told}{name[-(WIDTH - len(told)) :]}")
        self._stream.flush()

    def clear(self) -> None:
        """Leave the terminal as it was."""
        if self._shown:
            self._shown = False
            self._stream.write(_CLEAR)
            self._stream.flush()


@contextmanager
def progress_line(quiet: bool) -> Iterator[ProgressLine | None]:
    """Show the line while logs are read: only on a terminal, not in CI, and not when it is to be quiet."""
    if quiet or os.environ.get("CI") or not sys.stderr.isatty():
        yield None
        return
    line = ProgressLine(sys.stderr)
    try:
        with watching(line), warnings.catch_warnings():
            tell = warnings.showwarning

            def on_a_line_of_its_own(*told: Any, **more: Any) -> None:
                line.clear()
                tell(*told, **more)

            warnings.showwarning = on_a_line_of_its_own
            yield line
    finally:
        line.clear()
