"""Which programs there are, and the text of each: published code after the edits that are stored for it."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
FOLDER = Path(__file__).parent
QUESTIONS = FOLDER / "questions"


class AbsentError(LookupError):
    """The checkout, the commit or the file of a program is not there."""


class EditError(ValueError):
    """An edit that matches nothing: the program is not the one that the edit was written for."""


@dataclass(frozen=True)
class Source:
    """A public repository at one commit; ``name`` is its directory below ``--sources``."""

    name: str
    repository: str
    commit: str
    license: str


@dataclass(frozen=True)
class Program:
    """One program.

    Attributes:
        id: Its name here.
        source: Where it comes from; None for one of our own, in ``questions/``.
        path: File in the repository, or in ``questions/``; empty if ``code`` is all of it.
        cells: Code cells of a notebook, 0-based, as in ``"1-4,7"``; empty for all.
        edits: Regular expressions and what replaces each match, in order; each must match.
        before: Python of our own that is run first, mostly to write data files.
        code: Python of our own that is run last, mostly a training of a published model.
        epochs: At most so many epochs per ``fit``; 0 for no bound.
        steps: At most so many steps per epoch; 0 for no bound.
        samples: Training samples in each stand-in for ``keras.datasets``.
        role: ``"field"`` for the benchmark of programs, ``"fifth"`` for one that only the fifth round uses.
        about: What it is, in a few words.
    """

    id: str
    source: Source | None
    path: str = ""
    cells: str = ""
    edits: tuple[tuple[str, str], ...] = ()
    before: str = ""
    code: str = ""
    epochs: int = 0
    steps: int = 0
    samples: int = 2000
    role: str = "field"
    about: str = ""

    @property
    def half(self) -> str:
        """``"open"`` or ``"set-aside"``, by the id alone."""
        return ("open", "set-aside")[hashlib.blake2b(self.id.encode(), digest_size=1).digest()[0] % 2]

    def text(self, sources: Path) -> str:
        """Python to run.

        Raises:
            AbsentError: If the program is not below ``sources``.
            EditError: If an edit matches nothing.
        """
        published = _python(self._published(sources), self.cells) if self.path else self._imported(sources)
        for pattern, replacement in self.edits:
            published, hits = re.subn(pattern, replacement, published, flags=re.MULTILINE)
            if not hits:
                raise EditError(f"{self.id}: nothing matches {pattern!r}.")
        return "\n".join(part for part in (self.before, published, self.code) if part)

    def _imported(self, sources: Path) -> str:
        """Nothing; but the repository that ``code`` imports must be checked out at its commit."""
        if self.source:
            head = subprocess.run(
                ["git", "-C", str(sources / self.source.name), "rev-parse", "HEAD"], capture_output=True, check=False
            )
            if head.stdout.decode().strip() != self.source.commit:
                raise AbsentError(f"{self.id}: {self.source.name} is not checked out at {self.source.commit}.")
        return ""

    def _published(self, sources: Path) -> str:
        if self.source is None:
            return (QUESTIONS / self.path).read_text(encoding="utf-8")
        checkout = sources / self.source.name
        if not checkout.exists():
            raise AbsentError(f"{self.id}: no checkout {self.source.name} below {sources}.")
        shown = subprocess.run(
            ["git", "-C", str(checkout), "show", f"{self.source.commit}:{self.path}"], capture_output=True, check=False
        )
        if shown.returncode:
            raise AbsentError(f"{self.id}: {shown.stderr.decode().strip()}")
        text = shown.stdout.decode()
        return text if not self.path.endswith(".ipynb") else "\0".join(_cells(text))


def _cells(notebook: str) -> Iterator[str]:
    for cell in json.loads(notebook)["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"])


def _python(published: str, cells: str) -> str:
    """Python of a file, or of the chosen cells; shell commands and magics of the notebook are left out."""
    parts = published.split("\0")
    chosen = [parts[number] for number in numbers(cells)] if cells else parts
    kept = [part for part in chosen if not part.startswith("%%bash")]
    return "\n".join(
        line for part in kept for line in part.splitlines() if not re.match(r"\s*(!|%)[\w%]", line) or len(parts) == 1
    )


def numbers(ranges: str) -> list[int]:
    """``"1-3,7"`` as 1, 2, 3, 7."""
    found: list[int] = []
    for part in ranges.split(","):
        first, _, last = part.strip().partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


@functools.cache
def programs() -> tuple[Program, ...]:
    """All programs, in the order of the files and in each of them."""
    return tuple(program for file in sorted((FOLDER / "programs").glob("*.toml")) for program in _read(file))


def program(name: str) -> Program:
    """The program of this id."""
    return next(each for each in programs() if each.id == name)


def _read(file: Path) -> Iterator[Program]:
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    source = None
    if "repository" in table:
        source = Source(table["name"], table["repository"], table["commit"], table["license"])
    common: dict[str, Any] = table.get("common", {})
    for entry in table["program"]:
        edits = [*common.get("edits", ()), *entry.pop("edits", ())]
        before = "\n".join(part for part in (common.get("before", ""), entry.pop("before", "")) if part)
        yield Program(source=source, edits=tuple((old, new) for old, new in edits), before=before, **entry)
