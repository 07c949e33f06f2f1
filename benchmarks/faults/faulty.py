"""Trainings with one fault each."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import initializers, layers, losses, optimizers, regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.networks import plain, residual

NAMES = ("mnist", "digits", "shapes")
SGD, ADAM = optimizers.SGD, optimizers.Adam
LOW = shows.worse_than(0.6)


def _bias(value: float) -> dict[str, Any]:
    return {"bias_initializer": initializers.Constant(value)}


def _half_dead(share: float) -> dict[str, Any]:
    def draw(shape: Any, dtype: Any = None) -> Any:
        return np.where(np.arange(shape[0]) < share * shape[0], -5.0, 0.0).astype("float32")

    return {"bias_initializer": draw}


def _twins(repeat: int, noise: float = 0.0) -> dict[str, Any]:
    """Every filter ``repeat`` times, give or take some noise."""

    def draw(shape: Any, dtype: Any = None) -> Any:
        rng = np.random.default_rng(3)
        fan_in = int(np.prod(shape[:-1]))
        one = rng.normal(0, np.sqrt(2 / fan_in), (*shape[:-1], -(-shape[-1] // repeat)))
        twins = np.repeat(one, repeat, axis=-1)[..., : shape[-1]]
        return (twins + rng.normal(0, noise * np.sqrt(2 / fan_in), shape)).astype("float32")

    return {"kernel_initializer": draw}


def _one_hot(classes: int) -> Any:
    return lambda y: np.eye(classes, dtype="float32")[y]


DEAD = (
    [
        Case(
            f"dead {layer} by bias {value} on {name}",
            lambda name=name, layer=layer, value=value: trial(
                load(name), plain(load(name), filters=(16, 24, 24), of={layer: _bias(value)}), epochs=6
            ),
            shows.dead(layer),
            "dead_units",
            (layer,),
        )
        for name, layer, value in [
            ("mnist", "conv2", -4.0),
            ("digits", "conv2", -5.0),
            ("shapes", "conv3", -4.0),
            ("digits", "fc1", -12.0),
            ("mnist", "conv1", -3.0),
            ("shapes", "fc1", -15.0),
        ]
    ]
    + [
        Case(
            f"dead: {share:.0%} of {layer} on {name}",
            lambda name=name, layer=layer, share=share: trial(
                load(name), plain(load(name), of={layer: _half_dead(share)}), epochs=6
            ),
            shows.dead(layer),
            "dead_units",
            (layer,),
        )
        for name, layer, share in [("digits", "conv2", 0.6), ("mnist", "conv1", 0.75), ("shapes", "conv2", 0.7)]
    ]
    + [
        Case(
            "dead conv2 by an L1 penalty on digits",
            lambda: trial(
                load("digits"),
                plain(load("digits"), filters=(16, 32, 32), of={"conv2": {"kernel_regularizer": regularizers.L1(0.3)}}),
                epochs=10,
            ),
            shows.dead("conv2"),
            "dead_units",
            ("conv2",),
            ("collapsed_output", "redundant_filters"),
        ),
    ]
)

VANISHING = [
    Case(
        f"vanishing: {depth} layers of {activation} with {kind.__name__} on {name}",
        lambda name=name, depth=depth, activation=activation, kind=kind, rate=rate: trial(
            load(name),
            plain(
                load(name),
                filters=(12,) * depth,
                activation=activation,
                init="glorot_uniform",
            ),
            kind(rate),
            epochs=6,
        ),
        shows.both(shows.fades, LOW),
        "vanishing_gradient",
        tuple(f"conv{i}" for i in range(1, depth + 1)),
    )
    for name, depth, activation, kind, rate in [
        ("digits", 6, "sigmoid", SGD, 0.05),
        ("mnist", 8, "sigmoid", SGD, 0.1),
        ("shapes", 7, "sigmoid", SGD, 0.05),
        ("digits", 8, "sigmoid", ADAM, 1e-3),
        ("mnist", 6, "sigmoid", ADAM, 1e-3),
        ("shapes", 10, "sigmoid", ADAM, 1e-3),
    ]
]

RATE_HIGH = [
    Case(
        f"learning rate {rate} of {kind.__name__} on {name}",
        lambda name=name, kind=kind, rate=rate, norm=norm: trial(
            load(name), plain(load(name), norm=norm), kind(rate), epochs=8
        ),
        shows.both(shows.either(shows.swings, shows.at_chance), shows.worse_than(0.8)),
        "learning_rate_too_high",
        (),
        ("nan_or_inf",),
    )
    for name, kind, rate, norm in [
        ("mnist", ADAM, 0.1, None),
        ("digits", ADAM, 0.3, None),
        ("shapes", ADAM, 0.1, None),
        ("mnist", SGD, 2.0, None),
        ("digits", SGD, 3.0, None),
        ("shapes", SGD, 1.0, None),
        ("digits", optimizers.RMSprop, 0.1, None),
        ("mnist", optimizers.RMSprop, 0.05, None),
        ("shapes", ADAM, 0.03, None),
        ("mnist", ADAM, 1.0, None),
    ]
]

RATE_LOW = [
    Case(
        f"learning rate {rate} of {kind.__name__} on {name}",
        lambda name=name, kind=kind, rate=rate: trial(load(name), plain(load(name)), kind(rate), epochs=6),
        shows.both(shows.hardly_moved(), LOW),
        "learning_rate_too_low",
    )
    for name, kind, rate in [
        ("mnist", ADAM, 1e-6),
        ("digits", ADAM, 1e-7),
        ("shapes", ADAM, 3e-6),
        ("digits", SGD, 1e-5),
        ("mnist", SGD, 1e-6),
        ("shapes", SGD, 1e-4),
        ("digits", optimizers.RMSprop, 1e-6),
    ]
]

INIT = [
    Case(
        f"init {label} of {where} on {name}",
        lambda name=name, where=where, init=init, optimizer=optimizer, activation=activation: trial(
            load(name),
            plain(
                load(name),
                filters=(16, 24, 24),
                activation=activation,
                **({"init": init} if where == "all" else {"of": {where: {"kernel_initializer": init}}}),
            ),
            optimizer(),
            epochs=6,
        ),
        symptom,
        "bad_init",
        ("conv1", "conv2", "conv3", "fc1", "head") if where == "all" else (where,),
        also,
    )
    for name, label, where, init, optimizer, activation, symptom, also in [
        ("digits", "zeros", "all", "zeros", ADAM, "relu", shows.alike("conv2"), ()),
        ("mnist", "zeros", "conv2", "zeros", ADAM, "relu", shows.alike("conv2"), ()),
        ("shapes", "zeros", "fc1", "zeros", ADAM, "relu", shows.alike("fc1"), ()),
        ("digits", "ones", "all", "ones", ADAM, "relu", shows.always, ()),
        ("mnist", "0.05", "all", initializers.Constant(0.05), ADAM, "relu", shows.alike("conv2"), ()),
        ("shapes", "0.1", "all", initializers.Constant(0.1), ADAM, "tanh", shows.alike("conv2"), ()),
        (
            "digits",
            "std 3",
            "all",
            initializers.RandomNormal(stddev=3.0),
            ADAM,
            "relu",
            shows.always,
            ("exploding_gradient",),
        ),
        (
            "mnist",
            "std 1",
            "all",
            initializers.RandomNormal(stddev=1.0),
            ADAM,
            "relu",
            shows.always,
            ("exploding_gradient",),
        ),
        (
            "shapes",
            "std 2",
            "all",
            initializers.RandomNormal(stddev=2.0),
            ADAM,
            "relu",
            shows.always,
            ("exploding_gradient",),
        ),
        (
            "digits",
            "std 1e-4",
            "all",
            initializers.RandomNormal(stddev=1e-4),
            SGD,
            "relu",
            LOW,
            ("vanishing_gradient",),
        ),
        (
            "shapes",
            "std 1e-3",
            "all",
            initializers.RandomNormal(stddev=1e-3),
            SGD,
            "tanh",
            LOW,
            ("vanishing_gradient",),
        ),
        ("mnist", "std 1e-4", "all", initializers.RandomNormal(stddev=1e-4), SGD, "relu", LOW, ("vanishing_gradient",)),
    ]
]

INPUT = [
    Case(
        f"input × {factor} + {offset} with {kind.__name__} on {name}",
        lambda name=name, factor=factor, offset=offset, kind=kind, rate=rate: trial(
            load(name), plain(load(name)), kind(rate), x=lambda x: factor * x + offset, epochs=6
        ),
        shows.wide_input,
        "unnormalised_input",
        ("conv1",),
    )
    for name, factor, offset, kind, rate in [
        ("mnist", 255, 0, SGD, 0.05),
        ("shapes", 255, 0, ADAM, 2e-3),
        ("digits", 1000, 0, SGD, 0.01),
        ("mnist", 1, 300, ADAM, 2e-3),
        ("digits", 255, 0, ADAM, 0.01),
        ("shapes", 65535, 0, SGD, 0.01),
    ]
]


def _head(name: str, loss: Any, head: Any, units: int | None, y: Any = lambda y: y, **options: Any) -> Trial:
    model = plain(load(name), head=head, units=units)
    return trial(load(name), model, loss=loss, y=y, epochs=5, **options)


def _is_even(y: Any) -> Any:
    return (y % 2 == 0).astype("float32")


OUTPUT = [
    Case(label, make, symptom, "output_loss_mismatch", ("head",))
    for label, make, symptom in [
        (
            "head: softmax of one unit on digits",
            lambda: _head("digits", "binary_crossentropy", "softmax", 1, _is_even),
            shows.at_chance,
        ),
        (
            "head: logits taken for probabilities on mnist",
            lambda: _head("mnist", "sparse_categorical_crossentropy", None, None),
            shows.always,
        ),
        (
            "head: rectified scores on digits",
            lambda: _head("digits", losses.SparseCategoricalCrossentropy(from_logits=True), "relu", None),
            shows.always,
        ),
        (
            "head: one sigmoid for ten classes on mnist",
            lambda: _head("mnist", "binary_crossentropy", "sigmoid", 1),
            LOW,
        ),
        (
            "head: tanh with binary cross-entropy on shapes",
            lambda: _head("shapes", "binary_crossentropy", "tanh", 1, _is_even),
            shows.always,
        ),
        (
            "head: linear with binary cross-entropy on digits",
            lambda: _head("digits", "binary_crossentropy", None, 1, _is_even),
            shows.always,
        ),
        (
            "head: softmax with binary cross-entropy on shapes",
            lambda: _head("shapes", "binary_crossentropy", "softmax", None, _one_hot(4)),
            shows.always,
        ),
        (
            "head: relu with categorical cross-entropy on shapes",
            lambda: _head("shapes", "categorical_crossentropy", "relu", None, _one_hot(4)),
            shows.always,
        ),
        (
            "head: sigmoids with sparse cross-entropy from logits on digits",
            lambda: _head("digits", losses.SparseCategoricalCrossentropy(from_logits=True), "sigmoid", None),
            shows.always,
        ),
        (
            "head: tanh scores with categorical cross-entropy on mnist",
            lambda: _head("mnist", "categorical_crossentropy", "tanh", None, _one_hot(10)),
            LOW,
        ),
    ]
]


class Stop(layers.Layer):  # type: ignore[misc]
    """Lets nothing back."""

    def call(self, inputs: Any) -> Any:
        """The inputs, as a constant."""
        return keras.ops.stop_gradient(inputs)


class Threshold(layers.Layer):  # type: ignore[misc]
    """A hard step, which has no slope."""

    def call(self, inputs: Any) -> Any:
        """0 or 1."""
        return keras.ops.cast(inputs > 0, "float32")


def _cut(name: str, cut: Any) -> Trial:
    data = load(name)
    model = keras.Sequential(
        [
            keras.Input(data.shape),
            layers.Conv2D(16, 3, activation="relu", name="conv1"),
            layers.Conv2D(16, 3, activation="relu", name="conv2"),
            cut,
            layers.MaxPooling2D(),
            layers.Conv2D(24, 2, activation="relu", name="conv3"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(data.classes, activation="softmax", name="head"),
        ]
    )
    return trial(data, model, epochs=6)


def _frozen(name: str, *names: str) -> Trial:
    model = plain(load(name), filters=(16, 24, 24))
    for layer in names:
        model.get_layer(layer).trainable = False
    return trial(load(name), model, epochs=6)


FROZEN = [
    Case(
        "no gradient: stop on digits",
        lambda: _cut("digits", Stop()),
        shows.unmoved("conv1"),
        "frozen_layer",
        ("conv1", "conv2"),
    ),
    Case(
        "no gradient: stop on shapes",
        lambda: _cut("shapes", Stop()),
        shows.unmoved("conv1"),
        "frozen_layer",
        ("conv1", "conv2"),
    ),
    Case(
        "no gradient: threshold on mnist",
        lambda: _cut("mnist", Threshold()),
        shows.unmoved("conv2"),
        "frozen_layer",
        ("conv1", "conv2"),
    ),
    Case(
        "random and frozen: conv1 conv2 conv3 on shapes",
        lambda: _frozen("shapes", "conv1", "conv2", "conv3"),
        shows.unmoved("conv1", "conv2"),
        "frozen_layer",
        ("conv1", "conv2", "conv3"),
    ),
    Case(
        "random and frozen: conv2 conv3 fc1 on mnist",
        lambda: _frozen("mnist", "conv2", "conv3", "fc1"),
        shows.unmoved("conv2", "fc1"),
        "frozen_layer",
        ("conv2", "conv3", "fc1"),
    ),
]

LINEAR = [
    Case(
        f"no activation: {' '.join(names)} on {name}",
        lambda name=name, names=names, pool=pool, norm=norm: trial(
            load(name),
            plain(
                load(name),
                filters=(16, 24, 24, 24),
                dense=(48, 48),
                pool=pool,
                of={layer: {"activation": None} for layer in names},
            ),
            epochs=4,
        ),
        shows.always,
        "missing_activation",
        names,
    )
    for name, names, pool, norm in [
        ("digits", ("conv3",), True, None),
        ("shapes", ("fc1",), True, None),
        ("mnist", ("fc1", "fc2"), True, None),
        ("digits", ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"), False, None),
        ("shapes", ("conv1",), False, None),
    ]
]


def _nan_data(name: str, samples: int) -> Trial:
    def spoiled(x: Any) -> Any:
        x = x.copy()
        x[-samples:, 0, 0] = np.nan
        return x

    data = load(name)
    return trial(data, plain(data), x=spoiled, epochs=4)


def _log_loss(y: Any, p: Any) -> Any:
    p = keras.ops.take_along_axis(p, keras.ops.cast(keras.ops.reshape(y, (-1, 1)), "int32"), axis=-1)
    return -keras.ops.log(keras.ops.relu(p - 0.05))


def _nan_weight(name: str, layer: str) -> Trial:
    done = trial(load(name), plain(load(name), filters=(16, 24, 24)), epochs=4)

    class Spoil(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                kernel = self.model.get_layer(layer).kernel
                value = np.array(kernel)
                value.reshape(-1)[0] = np.nan
                kernel.assign(value)

    done.callbacks = [Spoil()]
    return done


NAN = [
    Case("nan: in the data of mnist", lambda: _nan_data("mnist", 4), shows.broken, "nan_or_inf"),
    Case("nan: in the data of shapes", lambda: _nan_data("shapes", 40), shows.broken, "nan_or_inf"),
    Case(
        "nan: a loss with log 0 on digits",
        lambda: trial(load("digits"), plain(load("digits")), loss=_log_loss, epochs=4),
        shows.broken,
        "nan_or_inf",
    ),
    Case(
        "nan: a weight of conv2 on digits",
        lambda: _nan_weight("digits", "conv2"),
        shows.broken,
        "nan_or_inf",
        ("conv2",),
    ),
    Case("nan: a weight of fc1 on shapes", lambda: _nan_weight("shapes", "fc1"), shows.broken, "nan_or_inf", ("fc1",)),
]

SATURATED = [
    Case(
        f"saturated: {layer} of tanh, weights × {factor} on {name}",
        lambda name=name, layer=layer, factor=factor: trial(
            load(name),
            plain(
                load(name),
                activation="tanh",
                init="glorot_uniform",
                filters=(16, 24, 24),
                of={layer: {"kernel_initializer": initializers.VarianceScaling(factor**2, "fan_in")}},
            ),
            epochs=6,
        ),
        shows.pinned(layer, 0.95),
        "saturated_activation",
        (layer,),
        ("bad_init",),
    )
    for name, layer, factor in [("digits", "conv2", 150), ("mnist", "fc1", 100), ("shapes", "conv3", 200)]
] + [
    Case(
        f"saturated: bias {value} under {activation} in {layer} on {name}",
        lambda name=name, layer=layer, activation=activation, value=value: trial(
            load(name),
            plain(load(name), filters=(16, 24, 24), of={layer: {"activation": activation, **_bias(value)}}),
            epochs=6,
        ),
        shows.pinned(layer, bounds=(0, 1) if activation == "sigmoid" else (-1, 1)),
        "saturated_activation",
        (layer,),
    )
    for name, layer, activation, value in [("digits", "conv2", "tanh", 20.0), ("mnist", "fc1", "sigmoid", -30.0)]
]

OVERFIT = [
    Case(
        f"overfitting: {samples} samples of {name}, {epochs} epochs",
        lambda name=name, samples=samples, epochs=epochs: trial(
            load(name), plain(load(name), filters=(32, 64), dense=(256,)), samples=samples, epochs=epochs, batch=16
        ),
        shows.overfits,
        "overfitting",
    )
    for name, samples, epochs in [("mnist", 40, 40), ("digits", 30, 40), ("shapes", 24, 40)]
] + [
    Case(
        f"overfitting: random labels on {name}",
        lambda name=name: trial(
            load(name),
            plain(load(name), filters=(32, 64), dense=(256,)),
            y=lambda y: np.random.default_rng(5).permutation(y),
            samples=400,
            epochs=25,
        ),
        shows.overfits,
        "overfitting",
    )
    for name in ("digits", "shapes")
]

UNDERFIT = [
    Case(
        f"underfitting: {label} on {name}",
        lambda name=name, options=options: trial(load(name), plain(load(name), **options), epochs=24),
        shows.worse_than(0.75),
        "underfitting",
        layers_,
        also,
    )
    for name, label, options, layers_, also in [
        ("mnist", "one unit in fc1", {"dense": (1,)}, ("fc1",), ()),
        ("digits", "a tanh unit in fc1", {"dense": (1,), "activation": "tanh"}, ("fc1",), ()),
        ("digits", "dropout 0.95", {"dropout": 0.95}, (), ()),
        ("mnist", "L2 of 0.3", {"regularizer": regularizers.L2(0.3)}, (), ("collapsed_output",)),
        ("shapes", "one filter in conv1", {"filters": (1, 1), "dense": (1,)}, (), ("dead_units",)),
    ]
]

BATCH = [
    Case(
        f"batch of {batch} with batch normalisation on {name}",
        lambda name=name, batch=batch, net=net: trial(
            load(name), net(load(name)), batch=batch, samples=samples_of(batch), epochs=6
        ),
        shows.always,
        "batch_too_small_for_bn",
        (),
    )
    for name, batch, net in [
        ("digits", 1, lambda data: plain(data, norm="batch")),
        ("shapes", 2, lambda data: plain(data, norm="batch")),
        ("mnist", 2, lambda data: plain(data, norm="batch")),
        ("digits", 2, residual),
    ]
]


def samples_of(batch: int) -> int:
    """So many samples that an epoch has at most 300 steps."""
    return min(300 * batch, 1280)


COLLAPSED = [
    Case(
        f"collapsed: {label} on {name}",
        lambda name=name, options=options, penalty=penalty: trial(
            load(name), plain(load(name), regularizer=penalty), epochs=6, **options
        ),
        shows.one_answer,
        "collapsed_output",
        ("head",),
        also,
    )
    for name, label, options, penalty, also in [
        ("digits", "L2 of 10", {}, regularizers.L2(10.0), ("dead_units",)),
        ("mnist", "class weight 1000", {"class_weight": {i: 1000.0 if i == 3 else 1.0 for i in range(10)}}, None, ()),
        ("shapes", "class weight 3000", {"class_weight": {i: 3000.0 if i == 1 else 1.0 for i in range(4)}}, None, ()),
    ]
]

REDUNDANT = [
    Case(
        f"redundant: {layer}, each filter {repeat} times, noise {noise}, on {name}",
        lambda name=name, layer=layer, repeat=repeat, noise=noise: trial(
            load(name), plain(load(name), filters=(16, 32, 32), of={layer: _twins(repeat, noise)}), epochs=5
        ),
        shows.alike(layer),
        "redundant_filters",
        (layer,),
    )
    for name, layer, repeat, noise in [
        ("digits", "conv2", 2, 0.05),
        ("mnist", "conv3", 4, 0.05),
        ("shapes", "conv2", 3, 0.1),
        ("mnist", "fc1", 2, 0.02),
    ]
]

EXPLODING = [
    Case(
        f"exploding: {depth} layers, weights × {factor}, SGD {rate} on {name}",
        lambda name=name, depth=depth, factor=factor, rate=rate: trial(
            load(name),
            plain(load(name), filters=(16,) * depth, init=initializers.VarianceScaling(2 * factor**2, "fan_in")),
            SGD(rate),
            epochs=5,
        ),
        shows.either(shows.broken, shows.at_chance),
        "exploding_gradient",
        tuple(f"conv{i}" for i in range(1, depth + 1)),
        ("bad_init", "learning_rate_too_high", "nan_or_inf"),
    )
    for name, depth, factor, rate in [
        ("digits", 8, 3.0, 1e-3),
        ("mnist", 6, 5.0, 1e-3),
        ("shapes", 10, 2.5, 1e-3),
        ("digits", 5, 8.0, 1e-4),
    ]
]

FAULTY: tuple[Case, ...] = (
    *DEAD, *VANISHING, *RATE_HIGH, *RATE_LOW, *INIT, *INPUT, *OUTPUT, *FROZEN, *LINEAR, *NAN, *SATURATED, *OVERFIT,
    *UNDERFIT, *BATCH, *COLLAPSED, *REDUNDANT, *EXPLODING,
)  # fmt: skip
