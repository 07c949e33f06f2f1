"""Runs the checks before training: ``tb_cnndiag.preflight``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.finding import Coverage, Finding, Findings
from tb_cnndiag.judging.causes import Ways, explained, graph
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.faults import available
from tb_cnndiag.judging.faults.before_training import OF_PREFLIGHT
from tb_cnndiag.preflight_checks import augmentation, data, gradients, model, modes, training
from tb_cnndiag.preflight_checks.base import Check, Result, Subject
from tb_cnndiag.preflight_checks.copies import untouched

CHECKS: tuple[Check, ...] = (
    *data.CHECKS,
    *training.CHECKS[:1],
    *augmentation.CHECKS,
    *gradients.CHECKS,
    *model.CHECKS,
    *training.CHECKS[1:],
    *modes.CHECKS,
)


class PreflightError(ValueError):
    """The model cannot be checked; the message says why and what to do."""


def preflight(
    model: Any, x: Any = None, y: Any = None, validation_data: Any = None, time_limit: float | None = None
) -> list[Finding]:
    """Check data, model and training before the first step, on copies: nothing that is given changes.

    Args:
        model: A compiled model.
        x: Training inputs as arrays, as for ``fit``. Without them only what needs no data is checked. Generators and
            datasets are never read.
        y: Their targets.
        validation_data: ``(x, y)``, as for ``fit``.
        time_limit: Seconds after which no further check begins; None: no bound.

    Returns:
        Findings with the ids of :func:`tb_cnndiag.diagnose`, causes first.

    Raises:
        PreflightError: If the model is not compiled, or not a Keras model.
    """
    return list(preflight_verdict(model, x, y, validation_data, time_limit).findings)


def preflight_verdict(
    model: Any,
    x: Any = None,
    y: Any = None,
    validation_data: Any = None,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """The findings of :func:`preflight`, and how each check ended; ``progress`` is called with the name of each."""
    if not isinstance(model, keras.Model):
        raise PreflightError(f"preflight checks Keras models; this is a {type(model).__name__}.")
    if getattr(model, "optimizer", None) is None:
        raise PreflightError("The model is not compiled. Call model.compile(optimizer, loss) first.")
    with untouched(model):
        subject = Subject(
            model,
            _arrays(x),
            _arrays(y),
            _validation(validation_data),
            time.monotonic() + time_limit if time_limit is not None else float("inf"),
        )
        results = {check.name: _result(check, subject, progress, consumed=x is not None) for check in CHECKS}
    return _verdict(results, subject)


def _result(check: Check, subject: Subject, progress: Callable[[str], None], *, consumed: bool) -> Result:
    if check.needs_data and subject.x is None:
        given = "the data are no arrays: generators are not read" if consumed else "no data were given"
        return Result.skipped(given)
    if subject.expired:
        return Result.skipped("the time limit was reached")
    progress(check.name)
    if subject.kept.get("misfit"):
        return Result.skipped("the data do not fit the model")
    try:
        found = check.run(subject)
    except Exception as error:  # one failing check must not hide the others, nor end a training that is to begin
        return Result.skipped(f"the check failed ({type(error).__name__}: {str(error)[:120]})")
    if check.fault == "data_mismatch" and found.status == "found":
        subject.kept["misfit"] = True
    return found


def _verdict(results: dict[str, Result], subject: Subject) -> Verdict:
    """All findings, causes first, and the coverage of each fault that a check can find."""
    unique: dict[tuple[str, str | None], Finding] = {}
    for result in results.values():
        for each in result.findings:
            if (each.fault, each.layer) not in unique and (each.fault, None) not in unique:
                unique[each.fault, each.layer] = replace(each, caused_by=None)
    trial = subject.kept.get("trial")
    history = trial.history if trial is not None else None
    ways = Ways(history.layers if history is not None else ())
    findings = explained(list(unique.values()), graph({}), ways)
    found = {finding.fault for finding in findings}
    coverage = []
    for fault in (*OF_PREFLIGHT, *(kind for kind in available() if kind.id in training.OF_TRIALS)):
        checks = [check for check in CHECKS if check.fault == fault.id] or [training.CHECKS[0]]
        ended = [results[check.name] for check in checks]
        skipped = [result.reason for result in ended if result.status == "not applicable"]
        if fault.id in found:
            coverage.append(Coverage(".", fault.id, "found"))
        elif len(skipped) == len(ended):
            coverage.append(Coverage(".", fault.id, "not_applicable", skipped[0]))
        else:
            coverage.append(Coverage(".", fault.id, "clear"))
    return Verdict(findings, tuple(coverage))


def stored_findings(judged: Verdict) -> Findings:
    """A verdict as the log stores it."""
    return Findings.of(judged.findings, judged.coverage)


def _arrays(value: Any) -> Any:
    """Arrays and tensors as NumPy arrays; None for a generator, a dataset, or anything else."""
    if value is None:
        return None
    flat: Sequence[Any] = keras.tree.flatten(value)
    if not flat or not all(hasattr(each, "shape") and hasattr(each, "dtype") for each in flat):
        return None
    if any(len(each.shape) == 0 for each in flat):
        return None
    return keras.tree.map_structure(
        lambda each: to_host(each) if keras.ops.is_tensor(each) else np.asarray(each), value
    )


def _validation(value: Any) -> tuple[Any, Any] | None:
    if not isinstance(value, tuple | list) or len(value) < 2:
        return None
    x, y = _arrays(value[0]), _arrays(value[1])
    return None if x is None else (x, y)
