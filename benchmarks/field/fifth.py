"""The cases of the fifth round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.field.program import Program


@dataclass(frozen=True)
class FieldCase:
    name: str
    program: Program
    symptom: Callable[[Sequence[Any]], bool]


def case(name: str) -> FieldCase:
    raise LookupError(name)
