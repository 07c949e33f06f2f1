"""Records models that a hand-written loop trains."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.capture.backends.base import LoopTaps
from tb_cnndiag.capture.model_inspector import ModelInspector, NotBuiltError
from tb_cnndiag.capture.probe_samples import ProbeCollector
from tb_cnndiag.recording.run_log import Judgment, record_failed_start
from tb_cnndiag.recording.training import Options, Training, try_probe
from tb_cnndiag.warning import warn

STEPS_BETWEEN_SNAPSHOTS = 100


class Watch:
    """A context manager around a training loop; see :meth:`tb_cnndiag.CNNDiagnostics.watch`."""

    def __init__(
        self,
        notify: Callable[[Judgment], None],
        options: Options,
        parts: Mapping[str, Any],
        optimizers: Sequence[Any],
        probe: Any,
    ) -> None:
        self._notify = notify
        self._by_epoch = options.update_freq == "epoch"
        self._options = replace(options, update_freq=STEPS_BETWEEN_SNAPSHOTS) if self._by_epoch else options
        self._parts = parts
        self._optimizers = list(optimizers)
        self._probe = probe
        self._training: Training | None = None
        self.ended: Training | None = None
        """The training, once it has been recorded to its end."""
        self._tapped: LoopTaps | None = None
        self._epochs = 0
        self._unbuilt: NotBuiltError | None = None
        self.stop = False
        """True once ``on_finding="stop"`` wants the training to end: the loop has to look at it."""

    def __enter__(self) -> Watch:
        self._guarded(self._begin)
        return self

    def __exit__(self, error: object, *_more: object) -> None:
        if self._tapped is not None:
            self._guarded(self._tapped.sync)
            self._tapped.stop()
        if self._training is not None:
            self._guarded(functools.partial(self._training.end, interrupted=error is not None))
        self.ended, self._training = self._training, None
        if self._unbuilt:
            warn(f"CNN diagnostics recorded nothing of this training. {self._unbuilt}")
            self._switch_off(str(self._unbuilt))

    def step(
        self, logs: Mapping[str, Any] | None = None, *, gradients: Any = None, state: Any = None, batch: Any = None
    ) -> None:
        """Report that a training step is done.

        Args:
            logs: Its losses and metrics.
            gradients: On JAX, where a loop hands its arrays from step to step: the gradients by the trainable variables
                of the models, in their order, one list for all models. Elsewhere they come from the optimizers.
            state: On JAX: ``(trainable, non-trainable)`` values of the variables after the step, each one list for all
                models. They are copied into the models when a snapshot needs them. Not needed by a loop that assigns
                them itself.
            batch: On JAX, as long as there is no probe: what the models were called with in this step, ``x`` or
                ``(x, y)``, by name if there are several models. A probe is collected of it. Elsewhere it is seen.
        """
        if self._tapped is not None:
            tapped = self._tapped
            self._guarded(lambda: tapped.after_step(gradients, state, self._by_part(batch)))
        if self._unbuilt:  # the step that is done has given the models their weights
            self._guarded(lambda: self._begin(incomplete=True))
            return
        training = self._training
        if training is not None:
            self._guarded(lambda: self._count(training, logs or {}))

    def end_epoch(self, logs: Mapping[str, Any] | None = None) -> None:
        """Report that an epoch is done: a snapshot is taken."""
        training = self._training
        if training is not None:
            if self._by_epoch:
                training.snapshot_every(None)
            self._guarded(lambda: training.after_epoch(self._epochs, _numbers(logs or {})))
            self._epochs += 1

    def _begin(self, *, incomplete: bool = False) -> None:
        self._unbuilt = None
        try:
            self._start(incomplete=incomplete)
        except NotBuiltError as error:
            self._unbuilt = error

    def _start(self, *, incomplete: bool) -> None:
        inspector = ModelInspector(
            self._parts, self._options.pattern, unprobed="the loop has not called it yet", incomplete=incomplete
        )
        if self._probe is not None:
            try_probe(inspector, self._probe)
        self._tapped = taps = backend().tap_loop(
            inspector.models, inspector.layers, self._optimizers, inspector.unprobed
        )
        collector = ProbeCollector(None) if inspector.unprobed else None
        if not backend().writes_the_log(inspector.models[0]):
            return  # the taps are part of a step that all processes take alike
        training = Training(
            self._options,
            inspector,
            self._optimizers,
            self._notify,
            taps=taps,
            collector=collector,
            without_epochs=True,
        )
        self._training = training
        training.begin()
        training.before_batch()

    def _by_part(self, batch: Any) -> dict[str, Any]:
        """The pairs (x, y) of a step by part."""
        if batch is None:
            return {}
        first, *others = self._parts
        given = batch if others or (isinstance(batch, dict) and list(batch) == [first]) else {first: batch}
        return {name: x if isinstance(x, tuple) and len(x) == 2 else (x, None) for name, x in given.items()}

    def _count(self, training: Training, logs: Mapping[str, Any]) -> None:
        training.after_batch(1, _numbers(logs))
        training.before_batch()

    def _switch_off(self, reason: str) -> None:
        training, self._training = self._training, None
        try:
            if training is not None:
                training.switch_off(reason)
            else:
                record_failed_start(self._options.log_dir, ", ".join(self._parts), reason)
        except Exception as error:  # nothing is left to be saved
            warn(f"The log does not say that diagnostics are off ({type(error).__name__}: {error}).")

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # no error of ours may reach the user's loop
            reason = f"{type(error).__name__}: {error}"
            warn(f"CNN diagnostics are off for this training, which goes on. {reason}")
            self._switch_off(reason)


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(to_host(value)) for name, value in logs.items()}
