"""Which faults of the corpus exist before the first step: frozen before preflight was first run on the corpus.

A fault exists before training if model, data, loss and optimizer have it at step 0. What only a training makes (units
that die, overfitting), and what preflight is not given (class and sample weights, the batch size, callbacks that change
the rate), does not.
"""

from __future__ import annotations

from benchmarks.corpus.case import Case

# Faults that exist before training, unless ``LATER`` names the case.
BEFORE = frozenset(
    "nan_or_inf unnormalised_input output_loss_mismatch bad_init exploding_gradient saturated_activation dead_units "
    "vanishing_gradient missing_activation frozen_layer learning_rate_too_high learning_rate_too_low "
    "redundant_filters".split()
)
# Cases of these faults that only training makes, or a callback.
LATER = frozenset(
    {
        "dead conv2 by an L1 penalty on digits",
        "fresh: dead: three steps at rate 1, then 0.002, faces",
        "fresh: dead: channels whose scale an L1 penalty takes (network slimming)",
        "second: dead: a penalty on activities, letters",
        "second: dead: 60 % of a layer's filters pruned away, toys",
        "second: dead: regression to raw targets from -90 to -10",
        "fourth: dead: twenty steps of Adam at 0.5 before 0.001, dense layers on digits",
        "second: rate too high: Nadam that grows by steps, heartbeats",
        "third: rate too high: a warm-up to 3 where 0.003 was meant, views",
        "fresh: learning rate: halved every two steps",
        "second: rate too low: a warm-up of 200,000 steps, sounds",
        "second: rate too low: a cosine over ten steps instead of ten epochs, spectra",
        "second: rate too low: lowered whenever accuracy rises (mode min), gratings",
    }
)
# Cases of other faults whose cause is in the data, with the fault that preflight should name.
IN_THE_DATA = {
    "overfitting: random labels on digits": "uninformative_labels",
    "overfitting: random labels on shapes": "uninformative_labels",
    "fresh: overfitting: labels of materials shuffled": "uninformative_labels",
    "second: overfitting: labels of toys lost their order": "uninformative_labels",
    "third: overfitting: diagnoses given to the wrong patients": "uninformative_labels",
    "second: collapsed: sorted by class and never shuffled": "sorted_data",
    "fourth: collapsed: materials one after the other, never shuffled": "sorted_data",
}


def expected(case: Case) -> frozenset[str]:
    """Ids any of which preflight should find, as a warning or an error; empty if the fault does not exist yet."""
    if case.name in IN_THE_DATA:
        return frozenset({IN_THE_DATA[case.name]})
    if case.fault not in BEFORE or case.name in LATER:
        return frozenset()
    return frozenset({case.fault, *case.also})
