"""The Keras callback: when to look, what to hand on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeAlias

import keras
import numpy as np

from tb_cnndiag.capture.samples import Gatherer, Samples, given_samples
from tb_cnndiag.capture.schedule import Schedule, log_spaced
from tb_cnndiag.capture.subject import NotBuiltError, Subject, SubjectError, update_norms
from tb_cnndiag.capture.taps import TappedTraining, find_optimizers
from tb_cnndiag.diagnostics import BUILTIN, Diagnostic
from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.session import Session, Tapped, summary_line
from tb_cnndiag.warning import warn

OnFinding: TypeAlias = Literal["warn", "stop"] | Callable[[Finding], None]


class CNNDiagnostics(keras.callbacks.Callback):
    """Looks inside a convolutional network while it trains and logs what it sees for TensorBoard.

    Example:
        >>> model.fit(x, y, validation_data=(xv, yv), epochs=10, callbacks=[
        ...     keras.callbacks.TensorBoard("logs/run1"),
        ...     CNNDiagnostics("logs/run1"),
        ... ])

    then ``tensorboard --logdir logs`` and the tab *CNN Diagnostics*.

    Args:
        log_dir: Directory of the run, best the one given to ``keras.callbacks.TensorBoard``. The log goes into
            ``<log_dir>/cnndiag``.
        probe: The samples whose activations are looked at: ``x`` or ``(x, y)``, a few hundred, all classes alike, best
            from validation data. Without it up to 256 are gathered over the first epoch.
        update_freq: ``"epoch"``, or look every so many batches.
        schedule: Which looks take in the heavy diagnostics (similarity, clusters, densities): a function of the number
            of the look such as ``every(n)`` or ``log_spaced(n)``. The last look of a training always does.
        diagnostics: Names of built-in diagnostics or instances of your own; None for all built-in ones.
        layers: Regular expression: look only at layers whose path it matches.
        on_finding: What to do with a new finding of severity ``"error"`` or ``"warning"``: ``"warn"`` tells it once,
            ``"stop"`` also ends the training on an error, or a function that is called with each.
        verbose: 0 says nothing but problems of the diagnostics themselves.

    Raises:
        ValueError: When an argument is not one of what is allowed here.

    Whatever else fails is warned of once, and the training goes on.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        probe: Any = None,
        update_freq: Literal["epoch"] | int = "epoch",
        schedule: Schedule | None = None,
        diagnostics: Sequence[str | Diagnostic] | None = None,
        layers: str | None = None,
        on_finding: OnFinding = "warn",
        verbose: int = 1,
    ) -> None:
        super().__init__()
        if update_freq != "epoch" and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(f'update_freq is {update_freq!r}; allowed are "epoch" and a number of batches from 1 on.')
        if not callable(on_finding) and on_finding not in ("warn", "stop"):
            raise ValueError(f'on_finding is {on_finding!r}; allowed are "warn", "stop" and a function of a Finding.')
        if schedule is not None and not callable(schedule):
            raise ValueError(
                f"schedule is {schedule!r}; give every(n), log_spaced(n) or a function of a look's number."
            )
        self.log_dir = Path(log_dir)
        self.findings: tuple[Finding, ...] = ()
        self._given_probe = probe
        self._update_freq = update_freq
        self._schedule = schedule or log_spaced(8)
        self._diagnostics = resolve_diagnostics(diagnostics)
        self._pattern = layers
        self._on_finding = on_finding
        self._verbose = verbose
        self._probe: Samples | None = None
        self._training: _Training | None = None
        self._unbuilt: NotBuiltError | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Find the layers, install the taps, look at the untrained model."""
        self._begin()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Sample the weights before some steps."""
        if self._training:
            with self._guard("batch"):
                self._training.before_batch(batch)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Count the step; look when it is time."""
        if self._training:
            with self._guard("batch"):
                self._training.after_batch(batch, logs or {})
        elif self._unbuilt:
            self._begin()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the end of an epoch."""
        if self._training:
            with self._guard("look"):
                self._training.after_epoch(epoch, logs or {})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Take a last look, put everything back, say what it cost."""
        training, self._training = self._training, None
        if training:
            with self._guard("end"):
                training.end(logs or {})
        if self._unbuilt:
            warn(f"CNN diagnostics have seen nothing of this training. {self._unbuilt}")

    def _begin(self) -> None:
        self._unbuilt = None
        with self._guard("start"):
            try:
                self._training = _Training(self, self.model)
            except NotBuiltError as error:  # a subclassed model is built by its first batch
                self._unbuilt = error

    def _guard(self, where: str) -> _Guard:
        return _Guard(self, where)

    def switch_off(self) -> None:
        """Stop looking: the training goes on as if the callback were not there."""
        training, self._training = self._training, None
        if training:
            training.release()

    def tell(self, findings: Sequence[Finding]) -> None:
        """Act on new findings as the user wished."""
        for finding in findings:
            if finding.severity == "info" or finding.caused_by:
                continue
            if callable(self._on_finding):
                self._on_finding(finding)
                continue
            if self._verbose:
                warn(f"step {finding.last_step}: {finding.severity}: {finding.message}")
            if self._on_finding == "stop" and finding.severity == "error":
                self.model.stop_training = True


class _Guard:
    """Keeps whatever fails inside from reaching the training."""

    def __init__(self, callback: CNNDiagnostics, where: str) -> None:
        self._callback = callback
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._callback.switch_off()
        if isinstance(error, SubjectError):
            warn(f"CNN diagnostics are off for this training. {error}")
        else:
            warn(
                f"CNN diagnostics failed ({self._where}: {type(error).__name__}: {error}) and are off for this "
                "training, which goes on. What was logged before stays readable."
            )
        return True


class _Training:
    """One ``fit``: the state between ``on_train_begin`` and ``on_train_end``."""

    def __init__(self, callback: CNNDiagnostics, model: Any) -> None:
        self._callback = callback
        self._began = time.perf_counter()
        subject = Subject({"": model}, callback._pattern)
        self._subject = subject
        self._epoch = 0
        self._batches = 0
        self._updates: list[FloatArray] = []
        self._before: tuple[int, list[Any]] | None = None
        self._last_logs: Mapping[str, Any] = {}
        self._gatherer: Gatherer | None = None
        self._optimizers = find_optimizers(model)
        self._take_probe()
        self._tapped = self._install_taps(model)
        self._sampled = _UpdateSchedule((callback.params or {}).get("steps"), self._optimizers)
        self._session = Session(
            callback.log_dir,
            subject,
            callback._diagnostics,
            callback._schedule,
            step=max(
                (int(keras.ops.convert_to_numpy(optimizer.iterations)) for optimizer in self._optimizers), default=0
            ),
        )
        if self._session.step == 0:
            self._look({})

    def before_batch(self, batch: int) -> None:
        if self._tapped:
            self._tapped.arm()
        if self._before is None and self._sampled.wants(self._batches):
            self._before = (self._batches, self._subject.kernels())

    def after_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        begin = time.perf_counter()
        steps = max(batch + 1 - self._batches, 1)
        if self._before is not None:
            start, kernels = self._before
            updates = (self._batches + steps - start) / self._sampled.batches_per_update
            if updates >= 1:
                self._updates.append(update_norms(kernels, self._subject.kernels()) / updates)
                self._before = None
        if self._gatherer and self._tapped and self._gatherer.wants(self._batches):
            data = self._tapped.taps.read_batch()
            if data is not None:
                self._gatherer.add(self._batches, data)
        self._batches += steps
        self._session.step += steps
        self._session.seconds += time.perf_counter() - begin
        every = self._callback._update_freq
        if every != "epoch" and self._session.step // every > (self._session.step - steps) // every:
            self._look(logs)

    def after_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        self._epoch = epoch + 1
        self._batches = 0
        self._before = None
        self._finish_gathering()
        self._look(logs)

    def end(self, logs: Mapping[str, Any]) -> None:
        self.release()
        self._look(self._last_logs or logs, last=True)
        self._session.close()
        if self._callback._verbose and self._session.log_dir:
            print(summary_line(self._session, time.perf_counter() - self._began))

    def release(self) -> None:
        """Give the model back what was put into its place."""
        if self._tapped:
            self._tapped.stop()
            self._tapped = None

    def _take_probe(self) -> None:
        callback = self._callback
        if callback._given_probe is not None and callback._probe is None:
            try:
                callback._probe = given_samples(callback._given_probe)
                self._subject.set_probe("", callback._probe)
            except ValueError as error:
                callback._probe = None
                warn(f"The given probe is not used. {error} Samples are gathered from the first epoch instead.")
        elif callback._probe is not None:
            self._subject.set_probe("", callback._probe)
        if callback._probe is None:
            self._gatherer = Gatherer((callback.params or {}).get("steps"))

    def _install_taps(self, model: Any) -> TappedTraining | None:
        if keras.backend.backend() != "tensorflow":
            warn(
                f"On the {keras.backend.backend()} backend gradients are not logged and no probe is gathered; give "
                "one, as in probe=(x_val[:512], y_val[:512]). Weights and the probe's activations are looked at."
            )
            return None
        return TappedTraining(model, self._subject.layers, gather=self._gatherer is not None)

    def _finish_gathering(self) -> None:
        if self._gatherer is None:
            return
        samples = self._gatherer.samples()
        self._gatherer = None
        if samples is not None:
            self._callback._probe = samples
            self._subject.set_probe("", samples)

    def _look(self, logs: Mapping[str, Any], *, last: bool = False) -> None:
        numbers = {name: float(value) for name, value in logs.items() if np.ndim(value) == 0}
        if len(self._optimizers) == 1 and "learning_rate" not in numbers:
            numbers["learning_rate"] = float(keras.ops.convert_to_numpy(self._optimizers[0].learning_rate))
        self._last_logs = numbers
        gradients = self._tapped.taps.read() if self._tapped else None
        updates = np.mean(self._updates, axis=0) if self._updates else None
        self._updates = []
        new = self._session.look(self._epoch, numbers, Tapped(gradients, updates), last=last)
        self._callback.findings = self._session.findings
        self._callback.tell(new)


class _UpdateSchedule:
    """Batches of an epoch from which on the kernels are compared, over one update: its first and one in its middle.

    An optimizer that accumulates gradients changes nothing for most batches: ``batches_per_update`` is how many it
    takes.
    """

    def __init__(self, steps: int | None, optimizers: Sequence[Any]) -> None:
        self._steps = {0, steps // 2} if steps else {0, 10}
        accumulated = [getattr(optimizer, "gradient_accumulation_steps", None) or 1 for optimizer in optimizers]
        self.batches_per_update = max(accumulated, default=1)

    def wants(self, batch: int) -> bool:
        return batch in self._steps


def resolve_diagnostics(wanted: Sequence[str | Diagnostic] | None) -> list[Diagnostic]:
    """Instances of what the user wants: names of built-in diagnostics or objects of their own.

    Raises:
        ValueError: When a name is unknown.
    """
    known = {kind.name: kind for kind in BUILTIN}
    if wanted is None:
        return [kind() for kind in BUILTIN]
    found: list[Diagnostic] = []
    for item in wanted:
        if isinstance(item, Diagnostic):
            found.append(item)
        elif item in known:
            found.append(known[item]())
        else:
            near = get_close_matches(str(item), known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"There is no diagnostic {item!r}.{hint} Built in are: {', '.join(known)}.")
    return found
