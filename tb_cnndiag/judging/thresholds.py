"""Thresholds: numbers that decide, with unit, meaning and origin. Those that several faults share are defined here."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limit:
    """A threshold that can be changed.

    Attributes:
        value: The default.
        unit: Unit of the value.
        description: A sentence that says what it means to be above or below.
        origin: Where the number comes from: a publication, or ``"calibrated"`` on the trainings of ``benchmarks``, with
            how many healthy ones cross it.
    """

    value: float
    unit: str
    description: str
    origin: str = "calibrated"

    def at(self, value: float, description: str = "") -> Limit:
        """The same threshold with another default, and perhaps another meaning."""
        return replace(self, value=value, description=description or self.description)


STUCK = Limit(0.95, "ratio", "Loss, relative to the prior loss, above which nothing was learned.")
FIRST_LOSS = Limit(
    5, "ratio", "First loss, relative to the prior loss, above which what is too large initially did harm."
)
HARMLESS = Limit(0.5, "ratio", "Loss, relative to the prior loss, below which the training counts as unharmed.")
EPOCHS = Limit(
    2,
    "count",
    "Number of epochs, the first and the last included, for which the condition must persist.",
    "convention: one epoch can be chance",
)
EVIDENT = Limit(0.95, "share", "Predicted class share above which the model predicts one class for all samples.")
