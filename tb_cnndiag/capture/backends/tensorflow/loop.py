"""Taps of a hand-written loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from tb_cnndiag.capture.backends.base import NoTaps
from tb_cnndiag.capture.backends.tensorflow.taps import Taps
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import FloatArray


class TappedLoop(NoTaps):
    """Gradients from the loop's optimizers, if it names any, and samples from the calls of its models."""

    def __init__(
        self, models: Sequence[Any], layers: Sequence[KernelLayer], optimizers: Sequence[Any], parts: Mapping[str, Any]
    ) -> None:
        self._taps = Taps(models[0], layers, collect=True, parts=parts, units=False)
        self._has_optimizers = bool(optimizers)
        self._patches = ExitStack()
        self._patches.enter_context(self._taps.tapped(optimizers))
        self._calls = self._patches.enter_context(ExitStack())
        self._calls.enter_context(self._taps.calls_kept())

    def gradients(self) -> FloatArray | None:
        """From the optimizers."""
        return self._taps.read() if self._has_optimizers else None

    def batch(self) -> dict[str, Any]:
        """From the calls of the models; a single model has no name."""
        return self._taps.read_batch()

    def stop_collecting(self) -> None:
        """Let the models be called as they are."""
        self._calls.close()

    def after_step(self, gradients: Any, state: Any, batch: Mapping[str, Any]) -> None:
        """The optimizers have shown everything."""

    def stop(self) -> None:
        """Remove every patch."""
        self._patches.close()
