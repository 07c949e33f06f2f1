"""Thresholds: numbers that decide, with unit, meaning and origin, and those that several faults share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

# How the shared thresholds are named together, as if they were those of a fault: ``--limit shared.stuck=0.9``.
SHARED_ID = "shared"


@dataclass(frozen=True)
class Limit:
    """A threshold that can be changed.

    Attributes:
        value: The default.
        unit: Unit of the value.
        description: A sentence that says what it means to be above or below.
        origin: Where the number comes from: a publication, or ``"calibrated"`` on the trainings of ``benchmarks``, with
            how many healthy ones cross it.
        concept: Name of the idea that it stands for in several faults; empty for a threshold of one fault.
    """

    value: float
    unit: str
    description: str
    origin: str = "calibrated"
    concept: str = ""

    def at(self, value: float, description: str = "") -> Limit:
        """A threshold of one fault with another default, and perhaps another meaning."""
        return replace(self, value=value, description=description or self.description, concept="")


STUCK = Limit(0.95, "ratio", "Loss, relative to the prior loss, above which nothing was learned.", concept="stuck")
HARMLESS = Limit(
    0.5,
    "ratio",
    "Loss, relative to the prior loss, below which the training counts as unharmed.",
    concept="harmless_loss",
)
FIRST_LOSS = Limit(
    5,
    "ratio",
    "First loss, relative to the prior loss, above which what is too large initially did harm.",
    concept="first_loss",
)
RISE = Limit(
    1.5,
    "ratio",
    "Loss, relative to its best value or twice to one epoch before, above which it oscillates or jumps.",
    concept="rise",
)
PLATEAU = Limit(
    0.01, "share", "Mean change of the loss per epoch below which the loss is on a plateau.", concept="plateau"
)
LARGE_UPDATES = Limit(
    0.03,
    "ratio",
    "Update-to-weight ratio (median over layers) above which updates are too large.",
    concept="large_updates",
)
SMALL_UPDATES = Limit(
    1e-4,
    "ratio",
    "Update-to-weight ratio (of one layer, or median over layers) below which weights do not change.",
    concept="small_updates",
)
DEAD_LAYER = Limit(
    0.9, "share", "Share of dead units above which a layer passes next to nothing on.", concept="dead_layer"
)
ONE_CLASS = Limit(
    0.95,
    "share",
    "Predicted class share above which the model predicts one class for all samples.",
    concept="one_class",
)
EPOCHS = Limit(
    2,
    "count",
    "Number of epochs, the first and the last included, for which the condition must persist.",
    "convention: one epoch can be chance",
    "epochs",
)
SHARED: Mapping[str, Limit] = {
    limit.concept: limit
    for limit in (
        STUCK,
        HARMLESS,
        FIRST_LOSS,
        RISE,
        PLATEAU,
        LARGE_UPDATES,
        SMALL_UPDATES,
        DEAD_LAYER,
        ONE_CLASS,
        EPOCHS,
    )
}
"""The thresholds of several faults, by concept: each is one number, wherever it is used."""
