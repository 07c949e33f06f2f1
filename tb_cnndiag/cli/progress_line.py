"""A line on the terminal that shows how far reading has come."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tb_cnndiag.summaries.reader import watching

# Seconds after which reading is worth a line.
PATIENCE = 1.0
INTERVAL = 0.1
WIDTH = 100
# Cells of the bar.
BAR = 30
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Shows which file is being read, and how far, once reading has taken a while; cleared at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = time.monotonic() + PATIENCE
        self._shown = False

    def __call__(self, file: str, read: int, size: int) -> None:
        """Report that ``read`` of ``size`` bytes of the file are read."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        self._shown = True
        done = f"{read / 1e6:.0f} of {size / 1e6:.0f} MB of "
        name = "".join(character if character.isprintable() else "?" for character in file)
        self._stream.write(f"{_CLEAR}reading {done}{name[-(WIDTH - len(done)) :]}")
        self._stream.flush()

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            self._shown = False
            self._stream.write(_CLEAR)
            self._stream.flush()


@contextmanager
def progress_line(quiet: bool) -> Iterator[ProgressLine | None]:
    """Show the line while logs are read; only on a terminal, not in CI, and not if ``quiet``."""
    if _hidden(quiet):
        yield None
        return
    line = ProgressLine(sys.stderr)
    try:
        with watching(line), warnings.catch_warnings():
            show = warnings.showwarning

            def on_its_own_line(*message: Any, **more: Any) -> None:
                line.clear()
                show(*message, **more)

            warnings.showwarning = on_its_own_line
            yield line
    finally:
        line.clear()


@contextmanager
def share_line(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """Show a bar with what is made now and the share that is done; only on a terminal, not in CI, not if ``quiet``."""
    with _line(quiet) as show:

        def shown(what: str, share: float) -> None:
            done = min(int(share * BAR), BAR)
            show(f"{'█' * done}{'░' * (BAR - done)} {share:4.0%} {what}")

        yield shown


@contextmanager
def step_line(quiet: bool, what: str) -> Iterator[Callable[[str], None]]:
    """Show what is done now, as ``what`` and a name; only on a terminal, not in CI, and not if ``quiet``."""
    with _line(quiet) as show:
        yield lambda name: show(f"{what} {name} …")


@contextmanager
def _line(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show a text in place of the one before; cleared at the end."""
    if _hidden(quiet):
        yield lambda _text: None
        return

    def show(text: str) -> None:
        sys.stderr.write(f"{_CLEAR}{text[:WIDTH]}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()


def _hidden(quiet: bool) -> bool:
    return quiet or bool(os.environ.get("CI")) or not sys.stderr.isatty()
