"""The Keras callback: when to snapshot, what to hand on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeAlias

import keras

from tb_cnndiag.capture.distribution import spans_machines
from tb_cnndiag.capture.model_inspector import InspectionError, ModelInspector, NotBuiltError, parts_of
from tb_cnndiag.capture.probe_samples import ProbeCollector
from tb_cnndiag.capture.taps import TappedTraining, find_optimizers
from tb_cnndiag.diagnostics import Diagnostic, available
from tb_cnndiag.finding import Finding
from tb_cnndiag.recording.schedule import HEAVY, Schedule
from tb_cnndiag.recording.training import Options, Training, give_probe
from tb_cnndiag.recording.watch import Watch
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
            from validation data. Without it up to 256 are collected over the first epoch. For a model of several parts
            (a GAN) a dictionary by part.
        update_freq: ``"epoch"``, or look every so many batches.
        schedule: Which snapshots take in the heavy diagnostics (similarity, clusters, densities): a function of the number
            of the snapshot such as ``every(n)`` or ``log_spaced(n)``; ``log_spaced(3)`` by default. The last snapshot of a
            training always does.
        diagnostics: Names of built-in diagnostics or instances of your own; None for all built-in ones.
        images: False keeps pictures of your data out of the log: probe images and feature maps. Pictures of filters
            are of the weights and stay.
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
        images: bool = True,
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
                f"schedule is {schedule!r}; give every(n), log_spaced(n) or a function of a snapshot's number."
            )
        self.findings: tuple[Finding, ...] = ()
        self._options = Options(
            Path(log_dir),
            update_freq,
            schedule or HEAVY,
            [chosen for chosen in resolve_diagnostics(diagnostics) if images or not chosen.shows_data],
            layers,
            verbose,
        )
        self._probe = probe
        self._on_finding = on_finding
        self._training: Training | None = None
        self._tapped: TappedTraining | None = None
        self._unbuilt: NotBuiltError | None = None
        self._begun = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Wait for the other callbacks: one may restore what an interrupted training has saved."""
        self._begun = False

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Before the first epoch find the layers, install the taps, look at the model."""
        if not self._begun:
            self._begun = True
            self._begin()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Sample the weights before some steps."""
        if self._training:
            with self._guard("batch"):
                if self._tapped:
                    self._tapped.arm()
                self._training.before_batch()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Count the step; look when it is time."""
        if self._training:
            with self._guard("batch"):
                self._training.after_batch(max(batch + 1 - self._training.batches, 1), logs or {})
        elif self._unbuilt:
            self._begin()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the end of an epoch."""
        if self._training:
            with self._guard("look"):
                collected = self._training.after_epoch(
                    epoch, logs or {}, last=epoch + 1 == (self.params or {}).get("epochs")
                )
                self._probe = collected if collected is not None else self._probe

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Take a last snapshot, put everything back, say what it cost."""
        training, self._training = self._training, None
        if training:
            with self._guard("end"):
                training.gradients = None
                training.fired = None
                training.batch_size = None
                self._release()
                training.end({})
        if self._unbuilt:
            warn(f"CNN diagnostics have seen nothing of this training. {self._unbuilt}")

    def watch(self, *, optimizers: Sequence[Any] = (), **parts: Any) -> Watch:
        """Look at models that a hand-written loop trains, each under the name it is given here.

        Example:
            >>> with CNNDiagnostics("logs/gan").watch(generator=g, discriminator=d, optimizers=[g_opt, d_opt]) as snapshot:
            ...     for batch in data:
            ...         losses = train(batch)
            ...         snapshot.step(losses)

        Gradients are taken from ``optimizers`` where the training step is first called inside the ``with``. A probe is
        given per part: ``probe={"generator": noise, "discriminator": images}``. With ``update_freq="epoch"`` a snapshot is
        taken at each ``snapshot.end_epoch()``, and every 100 steps in a loop that has none.

        Raises:
            ValueError: When no model is named.
        """
        if not parts:
            raise ValueError("watch() names no model: give at least one, as in watch(generator=g, discriminator=d).")
        return Watch(self, self._options, parts, optimizers, self._probe)

    def _begin(self) -> None:
        self._unbuilt = None
        with self._guard("start"):
            try:
                self._start(self.model)
            except NotBuiltError as error:  # a subclassed model is built by its first batch
                self._unbuilt = error

    def _start(self, model: Any) -> None:
        if spans_machines(model):
            raise InspectionError(
                "fit() over several processes cannot be looked into. Write the loop by hand and give it to watch(): "
                "see docs/distributed.md."
            )
        steps = (self.params or {}).get("steps")
        inspector = ModelInspector(parts_of(model), self._options.pattern)
        given = self._probe is not None and give_probe(inspector, self._probe)
        training = Training(self._options, inspector, find_optimizers(model), self.notify, steps_per_epoch=steps)
        # JAX trains on a state of its own: asking a callback for its model brings the model up to date.
        training.sync = lambda: self.model
        if keras.backend.backend() == "tensorflow":
            self._tapped = TappedTraining(model, inspector.layers, collect=not given)
            training.gradients = self._tapped.taps.read
            training.fired = self._tapped.taps.firing.read if self._tapped.taps.firing else None
            training.batch = self._tapped.taps.read_batch
            training.batch_size = self._tapped.taps.batch_size
            training.collector = None if given else ProbeCollector(steps)
        else:
            warn(
                f"On the {keras.backend.backend()} backend gradients are not logged and no probe is collected; give "
                "one, as in probe=(x_val[:512], y_val[:512]). Weights and the probe's activations are looked at."
            )
        self._training = training
        training.begin()

    def _release(self) -> None:
        if self._tapped:
            self._tapped.stop()
            self._tapped = None

    def _guard(self, where: str) -> _Guard:
        return _Guard(self, where)

    def switch_off(self) -> None:
        """Stop looking: the training goes on as if the callback were not there."""
        self._training = None
        self._release()

    def notify(self, findings: Sequence[Finding]) -> None:
        """Act on new findings as the user wished."""
        if self._training:
            self.findings = self._training.session.findings
        for finding in findings:
            if finding.severity == "info" or finding.caused_by:
                continue
            if callable(self._on_finding):
                self._on_finding(finding)
                continue
            if self._options.verbose:
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
        if isinstance(error, InspectionError):
            warn(f"CNN diagnostics are off for this training. {error}")
        else:
            warn(
                f"CNN diagnostics failed ({self._where}: {type(error).__name__}: {error}) and are off for this "
                "training, which goes on. What was logged before stays readable."
            )
        return True


def resolve_diagnostics(wanted: Sequence[str | Diagnostic] | None) -> list[Diagnostic]:
    """Instances of what the user wants: names of diagnostics, built in or registered, or objects of their own.

    Raises:
        ValueError: When a name is unknown.
    """
    known = {kind.name: kind for kind in available()}
    if wanted is None:
        return [kind() for kind in available()]
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
