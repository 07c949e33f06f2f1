"""A training that was stopped while the loss still fell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment, Evidence
from tb_cnndiag.judging.conditions import Above, Below, Falls
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.loss import FINITE_RELATIVE_LOSS, LOSS_RISE
from tb_cnndiag.judging.signals.top_images import MEDIAN_TOP_IMAGES_KEPT, changing_layers
from tb_cnndiag.judging.thresholds import EPOCHS, Limit
from tb_cnndiag.wording import percent, plural

# Layers that the message names.
MOST_NAMED = 4


def _message(case: Case) -> str:
    fall, loss = percent(case.value("fall")), percent(case.signals(FINITE_RELATIVE_LOSS).last())
    return f"The loss still falls by {fall} per epoch, and is at {loss} of the prior loss.{_changing(case)}"


def _changing(case: Case) -> str:
    """A sentence on the layers whose units still exchange the images that they respond to most."""
    layers = changing_layers(case.signals)
    if not layers:
        return ""
    if len(layers) > MOST_NAMED:
        layers = [*layers[: MOST_NAMED - 1], plural(len(layers) - MOST_NAMED + 1, "more layer")]
    if len(layers) == 1:
        return f" {layers[0]} still changes what it responds to."
    return f" {', '.join(layers[:-1])} and {layers[-1]} still change what they respond to."


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    epochs = max(round(case.signals.periods), 1)
    return (Adjustment(None, "epochs", str(epochs), str(3 * epochs), "the loss has not settled yet"),)


def _reported(case: Case) -> dict[str, Evidence]:
    """How many of their top images units have exchanged since the last snapshot: features that still change."""
    kept = case.signals(MEDIAN_TOP_IMAGES_KEPT).last()
    if math.isnan(kept):
        return {}
    changing = len(changing_layers(case.signals))
    return {
        "top_images_changed": Evidence(1 - kept, None, "share"),
        "layers_that_still_change": Evidence(changing, None, "count"),
    }


class TooFewEpochs(Fault):
    """Decrease of the loss over the last epochs, while it is still high."""

    id = "too_few_epochs"
    title = "Too few epochs"
    what = "The training loss is still high and still falls steadily in the last epochs."
    why = "The network has not learned yet what it can learn: its accuracy says nothing about the design."
    advice = "Train for more epochs, until the loss has settled, or raise the learning rate if updates are small."
    source = "Prechelt 1998, Early Stopping, but when?; DeepCrime (Humbatova et al., ISSTA 2021), mutation HNE."
    diagnostic = "training_curve"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "fall": Limit(0.01, "share", "Mean decrease of the loss per epoch above which it still falls."),
        "high": Limit(0.6, "ratio", "Loss, relative to the prior loss, above which it is high."),
        "steady": Limit(1.02, "ratio", "Loss, relative to its best value, below which it falls steadily."),
        "epochs": EPOCHS.at(4),
        "latest": EPOCHS.at(2, "Number of the latest epochs over which the loss must still have fallen as much."),
    }
    kinds = (
        Kind(
            when=(Below(LOSS_RISE, "steady") & Above(FINITE_RELATIVE_LOSS, "high")).for_epochs(complete=True)
            & Falls(FINITE_RELATIVE_LOSS, "fall")
            & Falls(FINITE_RELATIVE_LOSS, "fall", "latest", shown="latest_fall"),
            severity="info",
            message=_message,
            adjustments=_adjustments,
            reported=_reported,
        ),
    )
