"""Weights that start where nothing can be learned from, or where everything is far too large."""

from __future__ import annotations

from keras import initializers, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial
from benchmarks.faults.first import symptoms as from_first
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import faulty, fit, onto_itself
from benchmarks.faults.third.networks import convnet, dense_autoencoder, lenet, mlp
from benchmarks.faults.third.symptoms import as_by_rate, tells_less_than


def _narrow_code() -> Trial:
    """All before the pixels begins as one number: what units have alike they keep alike."""
    model = dense_autoencoder(third("digits"), widths=(48, 12, 48), init=initializers.Constant(0.05))
    return onto_itself("digits", model, optimizers.Adam(2e-3), epochs=8)


CASES: tuple[Case, ...] = (
    faulty(
        "weights: zeros in all hidden layers, wine",
        fit("wine", mlp, lambda: optimizers.SGD(0.05, momentum=0.9), of={"init": "zeros"}, epochs=12),
        shows.both(as_by_rate, shows.unmoved("hidden1", "hidden2")),
        "bad_init",
        ("hidden1", "hidden2"),
    ),
    faulty(
        "weights: ones in the second convolution, prints (DeepCrime)",
        fit(
            "prints",
            convnet,
            lambda: optimizers.Adam(1e-3),
            of={"of": {"conv2": {"kernel_initializer": "ones"}}},
            epochs=4,
        ),
        shows.alike("conv2", 0.9, 0.99),
        "bad_init",
        ("conv2",),
    ),
    faulty(
        "weights: one constant in the hidden layers of an autoencoder",
        _narrow_code,
        shows.both(shows.alike("layer2", 0.9, 0.99), tells_less_than(0.8)),
        "bad_init",
        ("layer1", "layer2", "layer3"),
    ),
    faulty(
        "weights: standard normal throughout LeNet",
        fit(
            "mnist",
            lenet,
            lambda: optimizers.SGD(1e-3, momentum=0.9),
            of=lambda: {"rest": {"kernel_initializer": initializers.RandomNormal(stddev=1.0)}},
            epochs=4,
        ),
        from_first.starts_badly,
        "bad_init",
        ("C1", "C3", "F5", "F6"),
        ("exploding_gradient",),
    ),
)
