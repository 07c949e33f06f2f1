"""The passes over the probe that one training compiles, kept for the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.probe import Observer
from tb_cnndiag.capture.probe_gradients import ProbeGradients


@dataclass
class CompiledPasses:
    """Passes over the probe by part, kept from one training to the next, so that each is compiled once."""

    observers: dict[str, Observer] = field(default_factory=dict)
    gradients: dict[str, ProbeGradients] = field(default_factory=dict)

    def observer(self, name: str, model: Any, layers: Sequence[KernelLayer]) -> Observer:
        """The observer of a part: the one that is kept if it observes just these layers."""
        kept = self.observers.get(name)
        if kept is None or not _alike(kept.layers, layers):
            kept = self.observers[name] = Observer(model, layers, f"{name}/" if name else "")
        return kept

    def differentiator(self, name: str, model: Any, layers: Sequence[KernelLayer]) -> ProbeGradients:
        """The same for gradients on the probe."""
        kept = self.gradients.get(name)
        if kept is None or not _alike(kept.layers, layers):
            kept = self.gradients[name] = ProbeGradients(model, layers)
        return kept


def _alike(kept: Sequence[KernelLayer], layers: Sequence[KernelLayer]) -> bool:
    """Whether these are the same layers, with the same kernels."""
    return [(a.path, id(a.variable)) for a in kept] == [(b.path, id(b.variable)) for b in layers]


def compiled_passes(model: Any) -> CompiledPasses:
    """The passes over the probe that are kept with the model's train function, until ``compile`` drops it."""
    function = model.train_function
    if not hasattr(function, "_cnndiag_passes"):
        function._cnndiag_passes = CompiledPasses()
    kept: CompiledPasses = function._cnndiag_passes
    return kept
