"""How long training steps take, and what a pass over the probe is expected to take in comparison."""

from __future__ import annotations

from collections.abc import Mapping

from tb_cnndiag.capture.backends import backend
from tb_cnndiag.recording import budget
from tb_cnndiag.recording.budget import Expected
from tb_cnndiag.recording.inspection import GRADIENTS, PROBE, SEARCH

# Time of a pass relative to a training step on as many samples, and of its compilation relative to the first step's,
# which compiles too, for VGG-like networks, ResNet50 and EfficientNetB0 that are trained as a whole. Only the first
# passes are planned by it.
FORWARD, BACKWARD = 0.4, 0.7
COMPILATION = 0.12
# Where gradients flow through no layer, a step is little more than a pass forward: of such a step, and of its
# compilation, a pass takes so many times as much. Measured with MobileNetV2; with VGG16 it is a little less.
FROZEN_STEP, FROZEN_COMPILATION = 4.0, 6.0


class StepPace:
    """Times the steps of a training: the first, which compiles, and the fastest of the others."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._first = 0.0
        self._fastest = 0.0

    def begin(self) -> None:
        """A step begins."""
        self._began = budget.clock()

    def end(self, steps: int) -> None:
        """``steps`` steps are done."""
        if self._began is None:
            return
        seconds = (budget.clock() - self._began) / steps
        self._began = None
        if not self._first:
            self._first = seconds
        else:
            self._fastest = min(self._fastest or seconds, seconds)

    def expected(
        self, samples: int, batch_size: int, layers: int = 0, *, trained: float = 1.0
    ) -> Mapping[str, Expected]:
        """Seconds that passes over a probe will take; empty if nothing is known.

        Args:
            samples: Number of samples of the probe.
            batch_size: Samples in a training step.
            layers: Number of kernel layers.
            trained: Share of them that gradients flow through, 0..1.
        """
        if not samples or not batch_size or not self._first:
            return {}
        steps = _of_frozen(FROZEN_STEP, trained) * (self._fastest or self._first) * samples / batch_size
        compilation = max(
            _of_frozen(FROZEN_COMPILATION, trained) * COMPILATION * self._first,
            backend().compilation_per_layer * layers,
        )
        forward, backward = FORWARD * steps, BACKWARD * steps
        return {
            PROBE: Expected(compilation + forward, forward, compiled_by=SEARCH),
            SEARCH: Expected(compilation + forward, forward, compiled_by=PROBE),
            GRADIENTS: Expected(compilation + backward, backward),
        }


def _of_frozen(factor: float, trained: float) -> float:
    """How many times more of a step a pass takes: ``factor`` times if nothing is trained, as often if all is."""
    return factor / (1 + (factor - 1) * trained)
