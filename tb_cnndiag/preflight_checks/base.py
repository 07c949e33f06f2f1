"""What a check is given, and what it returns."""

from __future__ import annotations

import functools
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

import keras
import numpy as np

from tb_cnndiag.capture.probe_samples import class_labels
from tb_cnndiag.finding import Adjustment, Evidence, Finding, Severity
from tb_cnndiag.judging.faults import available
from tb_cnndiag.payloads import IntArray

Status: TypeAlias = Literal["passed", "found", "not applicable"]
# Samples that checks use at most: enough for each, and few enough to be quick.
MOST_SAMPLES = 2_048


@dataclass(frozen=True)
class Result:
    """How a check ended.

    Attributes:
        status: ``"passed"``, ``"found"``, or ``"not applicable"``.
        reason: Why it does not apply; else empty.
        findings: What was found.
    """

    status: Status
    reason: str = ""
    findings: tuple[Finding, ...] = ()

    @classmethod
    def passed(cls) -> Result:
        """Nothing was found."""
        return cls("passed")

    @classmethod
    def skipped(cls, reason: str) -> Result:
        """The check does not apply."""
        return cls("not applicable", reason)

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> Result:
        """These findings; passed without any."""
        return cls("found", "", tuple(findings)) if findings else cls.passed()


@dataclass
class Subject:
    """What is checked: a compiled model and its data, as arrays. Checks change none of them.

    Attributes:
        model: The model; checks read it and call it without changing its state.
        x, y: Training data with all samples; None without data.
        validation: ``(x, y)`` of the validation data; None without.
        deadline: Time, as of :func:`time.monotonic`, when no further check begins.
        kept: What checks share, by name.
    """

    model: Any
    x: Any = None
    y: Any = None
    validation: tuple[Any, Any] | None = None
    deadline: float = float("inf")
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Number of training samples; 0 without data."""
        return len(keras.tree.flatten(self.x)[0]) if self.x is not None else 0

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline

    @functools.cached_property
    def labels(self) -> IntArray:
        """Class of each sample; empty if the labels are no classes."""
        return class_labels(self.y)

    @functools.cached_property
    def images(self) -> Any:
        """The only input as ``(samples, height, width, channels)``; None if the input is no image."""
        arrays = keras.tree.flatten(self.x) if self.x is not None else []
        if len(arrays) != 1 or arrays[0].dtype.kind not in "iuf":
            return None
        array = arrays[0][..., None] if arrays[0].ndim == 3 else arrays[0]
        return array if array.ndim == 4 and min(array.shape[1:3]) > 3 else None

    def chosen(self, most: int, seed: int = 0) -> IntArray:
        """At most so many samples, at random but the same each time, ascending."""
        count = self.samples
        if count <= most:
            return np.arange(count)
        return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))

    def part(self, rows: Any) -> tuple[Any, Any]:
        """Some samples as ``(x, y)``."""
        x, y = keras.tree.map_structure(lambda a: None if a is None else a[rows], (self.x, self.y))
        return x, y


class Check(ABC):
    """One check.

    Attributes:
        name: For people, as the end of "preflight checks …".
        fault: Id of the fault that it finds; empty if it finds several.
        needs_data: Whether it needs training data.
    """

    name: ClassVar[str]
    fault: ClassVar[str] = ""
    needs_data: ClassVar[bool] = True

    @abstractmethod
    def run(self, subject: Subject) -> Result:
        """Check the subject."""


def finding(
    fault: str,
    message: str,
    severity: Severity,
    *,
    layer: str | None = None,
    evidence: dict[str, Evidence] | None = None,
    adjustments: Sequence[Adjustment] = (),
) -> Finding:
    """A finding at step 0."""
    kind = next(each for each in available() if each.id == fault)
    return Finding(
        ".",
        fault,
        layer,
        severity,
        0,
        0,
        message,
        evidence=evidence or {},
        adjustments=tuple(adjustments),
        title=kind.title,
        diagnostic=kind.diagnostic,
    )
