"""The Keras callback: starts, advances and ends the recording of a training under ``fit``."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from tb_cnndiag.finding import Finding, Findings
from tb_cnndiag.judging.announcements import sentences
from tb_cnndiag.recording.before_training import StoredPreflight
from tb_cnndiag.recording.budget import Budget
from tb_cnndiag.recording.run_log import Judgment, record_failed_start
from tb_cnndiag.recording.training import Options, Training, try_probe
from tb_cnndiag.recording.watch import Watch
from tb_cnndiag.warning import warn

OnFinding: TypeAlias = Literal["warn", "stop"] | Callable[[Finding], None]


class Recording(keras.callbacks.Callback):
    """Records a training under ``fit`` as its options say; any error is reported once, and the training goes on.

    Args:
        options: Where and what is recorded.
        probe, on_finding: See :class:`tb_cnndiag.CNNDiagnostics`.
    """

    def __init__(self, options: Options, probe: Any = None, on_finding: OnFinding = "warn") -> None:
        super().__init__()
        self.findings: tuple[Finding, ...] = ()
        self._options = options
        self._probe = probe
        self._on_finding = on_finding
        self._training: Training | None = None
        self._ended: Training | None = None
        self._tapped: FitTaps | None = None
        self._collector: ProbeCollector | None = None
        self._unbuilt: NotBuiltError | None = None
        self._watch: Watch | None = None
        self._trained: tuple[Callable[[], Any], int] = (lambda: None), 0
        self._begun = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Wait for the other callbacks: one may restore the state of an interrupted training."""
        self._begun = False
        self._watch = self._ended = None

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
                self._ended = self._training
        self._training = None
        if self._unbuilt:
            warn(f"CNN diagnostics recorded nothing of this training. {self._unbuilt}")
            self._failed(str(self._unbuilt))

    def complete(self) -> None:
        """Add to the last snapshot what the budget left out of it, at any cost: right after the training.

        Example:
            >>> diagnostics = CNNDiagnostics("logs/run1")
            >>> model.fit(x, y, epochs=3, callbacks=[diagnostics])
            >>> diagnostics.complete()

        Raises:
            ValueError: If no training that was recorded has ended, or if the weights have changed since.
        """
        ended = self._watch.ended if self._watch is not None else self._ended
        if ended is None:
            raise ValueError(
                "complete() adds to the last snapshot of a training that was recorded to its end. No such training "
                "exists. Call it after fit(), or after the with of watch()."
            )
        ended.complete()

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
        found = self.found_before(model)
        if found is not None:
            self._options = replace(self._options, diagnostics=[*self._options.diagnostics, StoredPreflight(found)])
        budget = Budget(self._options.budget)
        with budget.charged():
            self._prepare(model, budget, incomplete=incomplete)

    def found_before(self, model: Any) -> Findings | None:
        """What is known of the training before its first step, once; None: nothing was checked."""
        return None

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

    def __init__(self, callback: Recording, where: str) -> None:
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
