"""A case of a round: a program, healthy or with one realistic fault put in, and what its training shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.corpus.case import words
from benchmarks.field.program import Program, program
from benchmarks.field.symptoms import Symptom

OTHER_FREQUENCY = 25


@dataclass(frozen=True)
class FieldCase:
    """One case.

    Attributes:
        name: Its name.
        program: The program with the fault's edits.
        fault: The id that a diagnosis should name first; None for a healthy program.
        layers: Paths any of which is the right place; empty if the fault has none.
        also: Ids that are right too.
        symptom: What its trainings show without us.
    """

    name: str
    program: Program
    fault: str | None
    layers: tuple[str, ...]
    also: tuple[str, ...]
    symptom: Symptom

    @property
    def update_freq(self) -> int:
        """A third of the cases are also trained with a snapshot every so many batches; 0 for the others."""
        return OTHER_FREQUENCY if hashlib.blake2b(self.name.encode(), digest_size=1).digest()[0] % 3 == 0 else 0


def healthy(of: str, symptom: Symptom, edits: tuple[tuple[str, str], ...] = (), **changes: Any) -> FieldCase:
    """A healthy case of a program: the id of a published one, or the file of one in ``questions/``."""
    return FieldCase(f"healthy {of.removesuffix('.py')}", _program(of, edits, **changes), None, (), (), symptom)


def faulty(
    what: str, of: str, fault: str, layers: str, also: str, symptom: Symptom, *edits: tuple[str, str], **changes: Any
) -> FieldCase:
    """The program with a fault, which ``edits`` or ``changes`` of its fields put in."""
    name = f"{fault} {of.removesuffix('.py')}: {what}"
    return FieldCase(name, _program(of, edits, **changes), fault, words(layers), tuple(also.split()), symptom)


def _program(of: str, edits: tuple[tuple[str, str], ...], **changes: Any) -> Program:
    base = Program(of.removesuffix(".py"), None, of) if of.endswith(".py") else program(of)
    return replace(base, edits=(*base.edits, *edits), **changes)
