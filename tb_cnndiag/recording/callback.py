"""The Keras callback: starts, advances and ends the recording of a training under ``fit``."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias

import keras

from tb_cnndiag.capture.backends import backend
from tb_cnndiag.capture.backends.base import FitTaps
from tb_cnndiag.capture.compiled_passes import compiled_passes
from tb_cnndiag.capture.model_inputs import InspectionError
from tb_cnndiag.capture.model_inspector import ModelInspector, NotBuiltError
from tb_cnndiag.capture.model_part import parts_of
from tb_cnndiag.capture.optimizers import find_optimizers
from tb_cnndiag.capture.probe_samples import ProbeCollector
from tb_cnndiag.diagnostics import OF_AUDITS, Diagnostic, available
from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.announcements import sentences
from tb_cnndiag.judging.coverage import summary
from tb_cnndiag.recording.before_training import StoredPreflight
from tb_cnndiag.recording.budget import Budget
from tb_cnndiag.recording.closing_images import CLOSING
from tb_cnndiag.recording.run_log import Judgment, record_failed_start
from tb_cnndiag.recording.schedule import HEAVY, Schedule
from tb_cnndiag.recording.training import Options, Training, try_probe
from tb_cnndiag.recording.watch import Watch
from tb_cnndiag.warning import warn

OnFinding: TypeAlias = Literal["warn", "stop"] | Callable[[Finding], None]


class CNNDiagnostics(keras.callbacks.Callback):
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
            what it cannot afford: the log and the tab name it. The first snapshot is always taken; the last one is as
            complete as a fifth of the training's time allows for all of them; images of units and maps of classes use
            what is left of it. ``schedule`` is the upper bound.
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
        super().__init__()
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
        self.findings: tuple[Finding, ...] = ()
        self._options = Options(
            Path(log_dir),
            update_freq,
            schedule or HEAVY,
            [chosen for chosen in resolve_diagnostics(diagnostics) if images or not chosen.shows_data],
            layers,
            verbose,
            budget,
        )
        self._preflight = (probe if isinstance(probe, tuple) else ()) if preflight is True else preflight
        self._probe = probe
        self._on_finding = on_finding
        self._training: Training | None = None
        self._tapped: FitTaps | None = None
        self._collector: ProbeCollector | None = None
        self._unbuilt: NotBuiltError | None = None
        self._watch: Watch | None = None
        self._trained: tuple[Callable[[], Any], int] = (lambda: None), 0
        self._begun = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Wait for the other callbacks: one may restore the state of an interrupted training."""
        self._begun = False
        self._watch = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Before the first epoch, find the layers, install the taps and take a snapshot."""
        if not self._begun:
            self._begun = True
            self._begin()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Copy the kernels before some steps."""
        if self._training:
            with self._guard("batch"):
                if self._tapped:
                    self._tapped.arm()
                self._training.before_batch()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Count the step; take a snapshot when it is due."""
        if self._training:
            with self._guard("batch"):
                self._training.after_batch(max(batch + 1 - self._training.batches, 1), logs or {})
        elif self._unbuilt:
            self._begin(incomplete=True)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Take a snapshot at the end of an epoch."""
        if self._training:
            with self._guard("snapshot"):
                self._training.after_epoch(epoch, logs or {}, last=epoch + 1 == (self.params or {}).get("epochs"))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Restore the model, take the last snapshot, print what the diagnostics cost."""
        if self._training:
            with self._guard("end"):
                self._release()
                self._training.end()
                self._trained = weakref.ref(self.model), self._training.step
        self._training = None
        if self._unbuilt:
            warn(f"CNN diagnostics recorded nothing of this training. {self._unbuilt}")
            self._failed(str(self._unbuilt))

    def watch(self, *, optimizers: Sequence[Any] = (), **parts: Any) -> Watch:
        """Record models that a hand-written loop trains, each under the name that it is given here.

        Example:
            >>> diagnostics = CNNDiagnostics("logs/gan")
            >>> with diagnostics.watch(generator=g, discriminator=d, optimizers=[g_opt, d_opt]) as watched:
            ...     for batch in data:
            ...         losses = train(batch)
            ...         watched.step(losses)

        Gradients are recorded if the training step is first called inside the ``with``, from the given ``optimizers``.
        A probe is given per part: ``probe={"generator": noise, "discriminator": images}``. With ``update_freq="epoch"``
        each ``watched.end_epoch()`` takes a snapshot; a loop that never calls it gets one every 100 steps.

        Raises:
            ValueError: If no model is named.
        """
        if not parts:
            raise ValueError("watch() names no model: give at least one, as in watch(generator=g, discriminator=d).")
        self._watch = Watch(self.notify, self._options, parts, optimizers, self._probe)
        return self._watch

    def notify(self, judgment: Judgment) -> None:
        """Keep the findings, and act on the news as the user wished."""
        self.findings = judgment.findings
        if callable(self._on_finding):
            for finding in judgment.news.announced:
                self._on_finding(finding)
            return
        if self._options.verbose:
            for message in sentences(judgment.news):
                warn(message)
        if self._on_finding == "stop" and judgment.news.stops:
            self._stop()

    def _stop(self) -> None:
        """End the training: under ``fit`` by Keras, in a hand-written loop by the loop itself."""
        if self._watch is not None:
            self._watch.stop = True
        else:
            self.model.stop_training = True

    def switch_off(self, reason: str) -> None:
        """Stop recording and write into the log why: the training goes on as if the callback were not there."""
        training, self._training = self._training, None
        self._release()
        self._failed(reason, training)

    def _failed(self, reason: str, training: Training | None = None) -> None:
        try:
            if training:
                training.switch_off(reason)
            else:
                record_failed_start(self._options.log_dir, str(self.model.name), reason)
        except Exception as error:  # nothing is left to be saved
            warn(f"The log does not say that diagnostics are off ({type(error).__name__}: {error}).")

    def _begin(self, *, incomplete: bool = False) -> None:
        self._unbuilt = None
        with self._guard("start"):
            try:
                self._start(self.model, incomplete=incomplete)
            except NotBuiltError as error:  # a subclassed model is built by its first batch
                self._unbuilt = error

    def _start(self, model: Any, *, incomplete: bool) -> None:
        self._check_before(model)
        budget = Budget(self._options.budget)
        with budget.charged():
            self._prepare(model, budget, incomplete=incomplete)

    def _check_before(self, model: Any) -> None:
        """Run the preflight that the user asked for, once; its time is the user's choice, not a part of the budget."""
        wanted, self._preflight = self._preflight, None
        if wanted is None or wanted is False:
            return
        try:
            checks = import_module("tb_cnndiag.preflight_checks.run")  # stands above this layer
            judged = checks.preflight_verdict(model, *wanted)
        except Exception as error:  # a check that fails must not end the training
            warn(f"The preflight failed ({type(error).__name__}: {error}). The training continues.")
            return
        stored = StoredPreflight(checks.stored_findings(judged))
        self._options = replace(self._options, diagnostics=[*self._options.diagnostics, stored])
        if self._options.verbose:
            for finding in judged.findings:
                print(f"CNN diagnostics, preflight: {finding.severity}: {finding.message} [{finding.fault}]")
            print(f"CNN diagnostics, preflight: {summary(judged.coverage)}")

    def _prepare(self, model: Any, budget: Budget, *, incomplete: bool) -> None:
        if backend().spans_machines(model):
            raise InspectionError(
                "fit() over several processes is not supported. Write the loop by hand and give it to watch(): "
                "see docs/loops.md."
            )
        steps = (self.params or {}).get("steps")
        inspector = ModelInspector(
            parts_of(model),
            self._options.pattern,
            unprobed="the probe is collected during the first epoch",
            incomplete=incomplete,
            passes=compiled_passes(model),
        )
        if self._probe is not None:
            try_probe(inspector, self._probe)
        if self._collector is not None:  # an earlier fit() may have collected a probe
            inspector.offer_probes(self._collector.collected)
        collect = bool(inspector.unprobed)
        self._collector = ProbeCollector(steps) if collect else self._collector
        self._tapped = backend().tap_fit(
            model, inspector.layers, collect=collect, parts=inspector.unprobed, charged=budget.charged
        )
        self._training = Training(
            self._options,
            inspector,
            find_optimizers(model),
            self.notify,
            taps=self._tapped,
            collector=self._collector if collect else None,
            steps_per_epoch=steps,
            epochs=(self.params or {}).get("epochs"),
            budget=budget,
            trained=self._steps_of(model),
        )
        self._training.begin()

    def _steps_of(self, model: Any) -> int:
        """Steps of the model's last training with this callback: it may have been compiled anew since."""
        known, steps = self._trained
        return steps if known() is model else 0

    def _release(self) -> None:
        if self._tapped:
            self._tapped.stop()
            self._tapped = None

    def _guard(self, where: str) -> _Guard:
        return _Guard(self, where)


class _Guard:
    """Keeps any error inside the ``with`` from reaching the training."""

    def __init__(self, callback: CNNDiagnostics, where: str) -> None:
        self._callback = callback
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        if isinstance(error, InspectionError):
            reason = str(error)
            warn(f"CNN diagnostics are off for this training. {error}")
        else:
            reason = f"{self._where}: {type(error).__name__}: {error}"
            warn(
                f"CNN diagnostics failed ({reason}) and are off for this training, which goes on. What was logged "
                "before stays readable."
            )
        self._callback.switch_off(reason)
        return True


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
