"""The callback that users give to ``fit``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from tb_cnndiag.diagnostics import OF_AUDITS, Diagnostic, available
from tb_cnndiag.finding import Findings
from tb_cnndiag.judging.coverage import summary
from tb_cnndiag.preflight_checks.run import preflight_verdict, stored_findings
from tb_cnndiag.recording.callback import OnFinding, Recording
from tb_cnndiag.recording.closing_images import CLOSING
from tb_cnndiag.recording.schedule import HEAVY, Schedule
from tb_cnndiag.recording.training import Options
from tb_cnndiag.warning import warn


class CNNDiagnostics(Recording):
    """Records what the layers of a convolutional network do while it trains, for TensorBoard.

    Example:
        >>> model.fit(x, y, validation_data=(xv, yv), epochs=10, callbacks=[
        ...     keras.callbacks.TensorBoard("logs/run1"),
        ...     CNNDiagnostics("logs/run1"),
        ... ])

    Then run ``tensorboard --logdir logs`` and open the tab *CNN Diagnostics*.

    Args:
        log_dir: Directory of the run, best the one given to ``keras.callbacks.TensorBoard``. The log is written to
            ``<log_dir>/cnndiag``.
        probe: The samples whose activations are recorded: ``x`` or ``(x, y)``, a few hundred, all classes in equal
            numbers, best from validation data. Without a probe, up to 256 samples are collected over the first epoch.
            For a model of several parts (a GAN): a dictionary by part.
        update_freq: ``"epoch"``: one snapshot at the end of each epoch. A number: one every so many batches.
        schedule: Which snapshots include the heavy diagnostics (similarity, clusters, densities): a function of the
            0-based index of the snapshot, such as ``every(n)`` or ``log_spaced(n)``; by default ``log_spaced(3)``. The
            last snapshot of a training always includes them.
        diagnostics: Names of built-in diagnostics, or instances of your own; None for all built-in ones.
        images: False keeps pictures of your data out of the log: images of the probe, feature maps. Pictures of filters
            show weights and stay.
        budget: Share of the training's time that the diagnostics may take, 0..1; None: no bound. A snapshot leaves out
            what it cannot afford: the log and the tab name it. The first snapshot is always taken. The last one may
            exceed the share by 0.02, and light diagnostics until all have taken a fifth of the training's time. Images
            of units and maps of classes use what is left of the share. ``schedule`` is the upper bound.
        layers: Regular expression: record only the layers whose path it matches.
        on_finding: What to do with findings of severity ``"error"`` or ``"warning"`` that two more snapshots confirm.
            ``"warn"`` issues a warning per fault, with what it causes, and one if it no longer holds; ``"stop"``
            also ends the training on an error (a hand-written loop has to look at ``watched.stop``); a function is
            called with each finding, causes first.
        preflight: Training data ``(x, y)``, or ``(x, y, validation_data)``, that are checked with the model before the
            first step, on copies; True uses ``probe=(x, y)``. Its findings are printed, and written into the log. See
            :func:`tb_cnndiag.preflight`.
        verbose: 0 prints nothing but problems of the diagnostics themselves.

    Raises:
        ValueError: If an argument is not one of the allowed values.

    Any other error is reported once; training continues.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        probe: Any = None,
        update_freq: Literal["epoch"] | int = "epoch",
        schedule: Schedule | None = None,
        diagnostics: Sequence[str | Diagnostic] | None = None,
        budget: float | None = 0.05,
        images: bool = True,
        layers: str | None = None,
        on_finding: OnFinding = "warn",
        preflight: Any = None,
        verbose: int = 1,
    ) -> None:
        if update_freq != "epoch" and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(f'update_freq is {update_freq!r}; allowed: "epoch", or a number of batches (at least 1).')
        if not callable(on_finding) and on_finding not in ("warn", "stop"):
            raise ValueError(f'on_finding is {on_finding!r}; allowed: "warn", "stop", or a function of a Finding.')
        if budget is not None and not (isinstance(budget, int | float) and 0 < budget <= 1):
            raise ValueError(
                f"budget is {budget!r}; allowed: a share of the training's time, above 0 and at most 1, as in "
                "budget=0.05, or None for no bound."
            )
        if schedule is not None and not callable(schedule):
            raise ValueError(
                f"schedule is {schedule!r}; allowed: every(n), log_spaced(n), or a function of a snapshot's index."
            )
        if not isinstance(preflight, bool | tuple | None):
            raise ValueError(
                f"preflight is of type {type(preflight).__name__}; allowed: (x, y), (x, y, validation_data), or True, "
                "which uses probe=(x, y)."
            )
        chosen = [kind for kind in resolve_diagnostics(diagnostics) if images or not kind.shows_data]
        options = Options(Path(log_dir), update_freq, schedule or HEAVY, chosen, layers, verbose, budget)
        super().__init__(options, probe, on_finding)
        self._preflight = (probe if isinstance(probe, tuple) else ()) if preflight is True else preflight

    def found_before(self, model: Any) -> Findings | None:
        """The preflight that the user asked for, once; its time is the user's choice, not a part of the budget."""
        wanted, self._preflight = self._preflight, None
        if wanted is None or wanted is False:
            return None
        try:
            judged = preflight_verdict(model, *wanted)
        except Exception as error:  # a check that fails must not end the training
            warn(f"The preflight failed ({type(error).__name__}: {error}). The training continues.")
            return None
        if self._options.verbose:
            for finding in judged.findings:
                print(f"CNN diagnostics, preflight: {finding.severity}: {finding.message} [{finding.fault}]")
            print(f"CNN diagnostics, preflight: {summary(judged.coverage)}")
        return stored_findings(judged)


def resolve_diagnostics(wanted: Sequence[str | Diagnostic] | None) -> list[Diagnostic]:
    """Instances of the diagnostics that the user wants, given by name or as objects.

    Raises:
        ValueError: If a name is unknown.
    """
    known = {kind.name: kind for kind in (*available(), *CLOSING, *OF_AUDITS)}
    if wanted is None:
        return [kind() for kind in (*available(), *CLOSING)]
    found: list[Diagnostic] = []
    for item in wanted:
        if isinstance(item, Diagnostic):
            found.append(item)
        elif item in known:
            found.append(known[item]())
        else:
            near = get_close_matches(str(item), known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"There is no diagnostic {item!r}.{hint} Known are: {', '.join(known)}.")
    return found
