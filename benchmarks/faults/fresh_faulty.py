"""Fresh trainings with one fault each: written before the rules were read, on other data, by other means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import constraints, initializers, layers, ops, optimizers, regularizers

from benchmarks.faults import fresh_symptoms as also_shows
from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.fresh_data import fresh, masks, pitches
from benchmarks.faults.fresh_networks import attentive, chain, inception, mobile, shortcut, squeezed, twin, unet
from benchmarks.faults.symptoms import Symptom

LOW = shows.worse_than(0.6)
_CASES: list[Case] = []


def _case(
    name: str,
    make: Callable[[], Trial],
    symptom: Symptom,
    fault: str,
    layers_: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
) -> None:
    _CASES.append(Case(f"fresh: {name}", make, symptom, fault, layers_, also, fresh=True))


def _fit(data: str, net: Callable[..., Any], optimizer: Any = None, *, of: Any = None, **options: Any) -> Trial:
    """A trial with options of the network in ``of``."""
    optimizer = optimizers.Adam(2e-3) if optimizer is None else optimizer
    return trial(fresh(data), net(fresh(data), **(of or {})), optimizer, **options)


# --- NaN and infinity: the data, a division, a root without epsilon


def _log_power(x: Any) -> Any:
    x = x.copy()
    x[5:12] = 0
    with np.errstate(divide="ignore"):
        return np.log10(x**2)


def _standardised_each(x: Any) -> Any:
    x = x.copy()
    x[3] = 0.5
    axes = tuple(range(1, x.ndim))
    with np.errstate(invalid="ignore"):
        return (x - x.mean(axis=axes, keepdims=True)) / x.std(axis=axes, keepdims=True)


def _pairs(epsilon: float) -> Trial:
    data = fresh("faces")
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, len(data.x), (2, 600))
    b[:30] = a[:30]
    model = twin(data, epsilon=epsilon)

    def contrastive(y: Any, distance: Any) -> Any:
        return y * distance + (1 - y) * ops.maximum(1.0 - distance, 0.0)

    model.compile(optimizers.Adam(1e-3), contrastive)
    same = (data.y[a] == data.y[b]).astype("float32")[:, None]
    return Trial(model, [data.x[a], data.x[b]], same, epochs=6)


_case(
    "log of silence in signals, Conv1D",
    lambda: _fit("signals", chain, x=_log_power, epochs=4),
    shows.broken,
    "nan_or_inf",
)
_case(
    "a flat patch divided by its deviation, mobile net",
    lambda: _fit("materials", mobile, optimizers.SGD(0.02, momentum=0.9), x=_standardised_each, epochs=4),
    shows.broken,
    "nan_or_inf",
)
_case("siamese root of zero, faces", lambda: _pairs(0.0), shows.broken, "nan_or_inf")

# --- Input

_case(
    "pixels to 255 in an inception net",
    lambda: _fit("photos", inception, optimizers.SGD(0.01), x=lambda x: 255 * x, epochs=5),
    shows.wide_input,
    "unnormalised_input",
    ("b0_k1", "b0_k3", "b0_k5", "b0_pool"),
)
_case(
    "signals in millivolts on an offset, RMSprop",
    lambda: _fit("signals", chain, optimizers.RMSprop(1e-3), x=lambda x: 400 * x + 1200, epochs=6),
    shows.wide_input,
    "unnormalised_input",
    ("c1",),
)
_case(
    "volumes in Hounsfield units, ELU",
    lambda: _fit("volumes", chain, of={"activation": "elu"}, x=lambda x: 2000 * x - 1000, epochs=5),
    shows.wide_input,
    "unnormalised_input",
    ("c1",),
)

# --- Output and loss


def _ratings(head: str, shift: float) -> Trial:
    x, turns = pitches()
    data = fresh("signals")
    model = chain(type(data)(x, turns, x, turns, 1), units=1, head=head, norm="batch")
    model.compile(optimizers.Adam(3e-3), "mse")
    y = turns + shift
    return Trial(model, x[:800], y[:800], (x[800:], y[800:]), epochs=8)


def _two_heads() -> Trial:
    data = fresh("faces")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x)
    x = layers.Flatten()(x)
    face = layers.Dense(1, activation="softmax", name="face")(x)
    bright = layers.Dense(1, name="bright")(x)
    model = keras.Model(inputs, [bright, face])
    model.compile(optimizers.Adam(2e-3), ["mse", "binary_crossentropy"], metrics=[[], ["accuracy"]])
    light, held = data.x.mean(axis=(1, 2, 3)), data.xv.mean(axis=(1, 2, 3))
    y, yv = data.y.astype("float32"), data.yv.astype("float32")
    return Trial(model, data.x, [light, y], (data.xv, [held, yv]), epochs=6)


def _segment(scale: float, head: Any = "sigmoid") -> Trial:
    x, y = masks()
    model = unet(x.shape[1:], head=head)
    model.compile(optimizers.Adam(2e-3), "binary_crossentropy")
    return Trial(model, x[:256], scale * y[:256], (x[256:], scale * y[256:]), epochs=5)


_case(
    "softmax of one unit over squeezed features, faces",
    lambda: _fit(
        "faces", squeezed, of={"units": 1}, loss="binary_crossentropy", y=lambda y: y.astype("float32"), epochs=6
    ),
    also_shows.constant_answer(),
    "output_loss_mismatch",
    ("out",),
)
_case(
    "scores without softmax, residual net on photos",
    lambda: _fit("photos", shortcut, optimizers.SGD(0.05), of={"last": {"activation": None}}, epochs=6),
    also_shows.not_shares,
    "output_loss_mismatch",
    ("out",),
)
_case(
    "a sigmoid for turns from 2 to 10",
    lambda: _ratings("sigmoid", 0.0),
    also_shows.out_of_reach,
    "output_loss_mismatch",
    ("out",),
)
_case(
    "a rectified answer for targets mostly below zero",
    lambda: _ratings("relu", -9.0),
    also_shows.out_of_reach,
    "output_loss_mismatch",
    ("out",),
)
_case(
    "second head a softmax of one unit",
    _two_heads,
    also_shows.constant_answer(1),
    "output_loss_mismatch",
    ("face",),
)
_case(
    "masks of 0 and 255 under cross-entropy, U-Net",
    lambda: _segment(255.0),
    also_shows.out_of_reach,
    "output_loss_mismatch",
    ("out",),
)

# --- Initialisation

_case(
    "ones in the second Conv1D (DeepCrime)",
    lambda: _fit(
        "signals", chain, optimizers.RMSprop(1e-3), of={"of": {"c2": {"kernel_initializer": "ones"}}}, epochs=5
    ),
    shows.alike("c2"),
    "bad_init",
    ("c2",),
)
_case(
    "zeros in a pointwise convolution",
    lambda: _fit("materials", mobile, of={"norm": None, "activation": "relu", "pointwise": "zeros"}, epochs=6),
    shows.alike("pw2"),
    "bad_init",
    ("pw2",),
)
_case(
    "unit normal in every Conv3D",
    lambda: _fit(
        "volumes",
        chain,
        of={"widths": (16, 24, 24), "dense": (32,), "init": initializers.RandomNormal(stddev=1.0)},
        epochs=5,
    ),
    also_shows.starts_badly,
    "bad_init",
    ("c1", "c2", "c3", "d1"),
    ("exploding_gradient",),
)
_case(
    "a constant in a dense layer of faces",
    lambda: _fit(
        "faces",
        chain,
        of={"flat": True, "dense": (32,), "of": {"d1": {"kernel_initializer": initializers.Constant(0.02)}}},
        epochs=6,
    ),
    shows.alike("d1"),
    "bad_init",
    ("d1",),
)
_case(
    "random numbers from 0 to 1 as weights of photos",
    lambda: _fit("photos", chain, of={"widths": (16, 16, 16), "init": initializers.RandomUniform(0, 1)}, epochs=5),
    also_shows.starts_badly,
    "bad_init",
    ("c1", "c2", "c3"),
    ("exploding_gradient",),
)
_case(
    "tiny weights before tanh in signals",
    lambda: _fit(
        "signals",
        chain,
        optimizers.SGD(0.05, momentum=0.9),
        of={"widths": (16, 16, 16, 16), "activation": "tanh", "init": initializers.RandomNormal(stddev=1e-3)},
        epochs=6,
    ),
    shows.both(LOW, shows.hardly_moved(0.5)),
    "bad_init",
    ("c1", "c2", "c3", "c4"),
    ("vanishing_gradient",),
)

# --- Learning rate

for _name, _make in (
    (
        "Nadam 0.3 of a residual net without norm",
        lambda: _fit("photos", shortcut, optimizers.Nadam(0.3), of={"norm": None}, epochs=7),
    ),
    (
        "SGD 1.0 with momentum 0.95 on signals",
        lambda: _fit("signals", chain, optimizers.SGD(1.0, momentum=0.95), epochs=7),
    ),
    ("RMSprop 0.2 on volumes", lambda: _fit("volumes", chain, optimizers.RMSprop(0.2), of={"flat": True}, epochs=7)),
    ("Adagrad 5 on squeezed materials", lambda: _fit("materials", squeezed, optimizers.Adagrad(5.0), epochs=7)),
    ("AdamW 0.5 with attention", lambda: _fit("signals", attentive, optimizers.AdamW(0.5), epochs=7)),
    (
        "Adam 1.0 on faces",
        lambda: _fit("faces", chain, optimizers.Adam(1.0), of={"flat": True, "dense": (32,)}, epochs=10),
    ),
):
    _case(
        f"learning rate: {_name}",
        _make,
        shows.both(shows.either(shows.swings, shows.at_chance), shows.worse_than(0.85)),
        "learning_rate_too_high",
        (),
        ("nan_or_inf",),
    )


def _soon_zero() -> Any:
    return optimizers.schedules.ExponentialDecay(1e-3, 2, 0.5)


for _name, _make in (
    (
        "Adam 1e-7, GroupNorm and GELU",
        lambda: _fit("signals", chain, optimizers.Adam(1e-7), of={"norm": "group", "activation": "gelu"}, epochs=5),
    ),
    ("Keras' Adadelta as it comes", lambda: _fit("materials", chain, optimizers.Adadelta(), epochs=5)),
    ("halved every two steps", lambda: _fit("photos", chain, optimizers.SGD(_soon_zero()), epochs=5)),
    ("SGD 1e-5 on volumes", lambda: _fit("volumes", shortcut, optimizers.SGD(1e-5), of={"norm": None}, epochs=5)),
):
    _case(
        f"learning rate: {_name}",
        _make,
        shows.both(shows.hardly_moved(), shows.worse_than(0.7)),
        "learning_rate_too_low",
    )

# --- Gradients

_case(
    "sixteen residual blocks of twice the weights, no norm",
    lambda: _fit(
        "volumes",
        shortcut,
        optimizers.SGD(0.01),
        of={"blocks": 16, "width": 8, "norm": None, "init": initializers.VarianceScaling(8.0)},
        epochs=4,
    ),
    shows.either(shows.broken, also_shows.starts_badly),
    "exploding_gradient",
    ("stem", *(f"r{i}{side}" for i in range(16) for side in "ab")),
    ("bad_init", "learning_rate_too_high", "nan_or_inf"),
)
_case(
    "seven Conv1D of four times the weights",
    lambda: _fit(
        "signals",
        chain,
        optimizers.SGD(1e-3, momentum=0.9),
        of={"widths": (16,) * 7, "init": initializers.VarianceScaling(32.0)},
        epochs=4,
    ),
    shows.either(shows.broken, shows.at_chance),
    "exploding_gradient",
    tuple(f"c{i}" for i in range(1, 8)),
    ("bad_init", "learning_rate_too_high", "nan_or_inf"),
)
for _name, _make, _depth in (
    (
        "eight sigmoid Conv1D, RMSprop",
        lambda: _fit(
            "signals",
            chain,
            optimizers.RMSprop(1e-3),
            of={"widths": (12,) * 8, "activation": "sigmoid", "init": "glorot_uniform"},
            epochs=6,
        ),
        8,
    ),
    (
        "six sigmoid Conv3D, SGD",
        lambda: _fit(
            "volumes",
            chain,
            optimizers.SGD(0.05),
            of={"widths": (8,) * 6, "activation": "sigmoid", "init": "glorot_normal"},
            epochs=5,
        ),
        6,
    ),
    (
        "nine hard sigmoids on photos",
        lambda: _fit(
            "photos",
            chain,
            optimizers.Adam(1e-3),
            of={"widths": (12,) * 9, "activation": "hard_sigmoid", "init": "glorot_uniform"},
            epochs=5,
        ),
        9,
    ),
):
    _case(
        f"vanishing: {_name}",
        _make,
        shows.both(shows.fades, LOW),
        "vanishing_gradient",
        tuple(f"c{i}" for i in range(1, _depth + 1)),
    )

# --- Saturation

_case(
    "saturated: tanh over weights a hundred times too large, signals",
    lambda: _fit(
        "signals",
        chain,
        of={"activation": "tanh", "init": "glorot_uniform", "widths": (16, 24, 24),
            "of": {"c2": {"kernel_initializer": initializers.VarianceScaling(1e4)}}},
        epochs=5,
    ),
    shows.pinned("c2", 0.95),
    "saturated_activation",
    ("c2",),
    ("bad_init",),
)  # fmt: skip
_case(
    "saturated: a hard sigmoid far from its slope, volumes",
    lambda: _fit(
        "volumes",
        chain,
        of={"flat": True, "dense": (32,),
            "of": {"d1": {"activation": "hard_sigmoid", "bias_initializer": initializers.Constant(15.0)}}},
        epochs=5,
    ),
    shows.pinned("d1", bounds=(0, 1)),
    "saturated_activation",
    ("d1",),
)  # fmt: skip

# --- Dead units


def _burnt(name: str, net: Callable[..., Any], rate: float, **of: Any) -> Trial:
    """A few steps far too large, then a sensible learning rate: what is dead stays dead."""
    schedule = optimizers.schedules.PiecewiseConstantDecay([3], [rate, 2e-3])
    return _fit(name, net, optimizers.Adam(schedule), of=of, epochs=7)


_POSITIVE = {
    "kernel_constraint": constraints.NonNeg(),
    "bias_constraint": constraints.MaxNorm(0.0),
    "kernel_initializer": initializers.RandomUniform(0, 0.3),
}


def _some(share: float, value: float) -> Callable[..., Any]:
    return lambda shape, dtype=None: np.where(np.arange(shape[0]) >= (1 - share) * shape[0], value, 0).astype("float32")


_case(
    "dead: a shift of -6 after group normalisation",
    lambda: _fit(
        "photos", chain, of={"norm": "group", "of_norm": {"beta_initializer": initializers.Constant(-6.0)}}, epochs=5
    ),
    also_shows.any_dead("c1_act", "c2_act"),
    "dead_units",
    ("c1", "c1_norm", "c1_act", "c2", "c2_norm", "c2_act"),
)
_case(
    "dead: weights kept positive under negative inputs",
    lambda: _fit(
        "materials",
        chain,
        of={"flat": True, "of": {"c1": _POSITIVE}},
        x=lambda x: x - 1,
        epochs=5,
    ),
    shows.dead("c1"),
    "dead_units",
    ("c1",),
)
_case(
    "dead: three steps at rate 1, then 0.002, faces",
    lambda: _burnt("faces", chain, 1.0, flat=True, widths=(16, 24, 24), dense=(32,)),
    also_shows.any_dead("c1", "c2", "c3", "d1"),
    "dead_units",
    ("c1", "c2", "c3", "d1"),
    ("learning_rate_too_high",),
)
_case(
    "dead: 19 of 20 dense units behind attention",
    lambda: _fit("signals", attentive, of={"of": {"bias_initializer": _some(0.95, -20.0)}}, epochs=6),
    shows.dead("d1", 0.9),
    "dead_units",
    ("d1",),
)
_case(
    "dead: two thirds of a Conv3D",
    lambda: _fit("volumes", chain, of={"of": {"c2": {"bias_initializer": _some(0.67, -8.0)}}}, epochs=5),
    shows.dead("c2"),
    "dead_units",
    ("c2",),
)
_case(
    "dead: channels whose scale an L1 penalty takes (network slimming)",
    lambda: _fit(
        "materials", chain, optimizers.Adam(5e-3),
        of={"widths": (16, 32), "norm": "batch", "of_norm": {"gamma_regularizer": regularizers.L1(0.02)}},
        epochs=12,
    ),
    shows.either(also_shows.faint_scale("c1_norm"), also_shows.faint_scale("c2_norm")),
    "dead_units",
    ("c1", "c1_norm", "c1_act", "c2", "c2_norm", "c2_act"),
)  # fmt: skip

# --- Structure: nothing non-linear, nothing learned, filters alike

_case(
    "no activation: the second of three Conv1D",
    lambda: _fit(
        "signals", chain, of={"widths": (16, 24, 24), "pools": 0, "of": {"c2": {"activation": None}}}, epochs=4
    ),
    also_shows.linear("c2", "c2"),
    "missing_activation",
    ("c2",),
)
_case(
    "no activation: between two dense layers on volumes",
    lambda: _fit("volumes", chain, of={"flat": True, "dense": (48, 32), "of": {"d1": {"activation": None}}}, epochs=4),
    also_shows.linear("d1", "d1"),
    "missing_activation",
    ("d1",),
)


class OnlyHead(keras.Model):  # type: ignore[misc]
    """A training step that a programmer has limited to the last layer."""

    def train_step(self, data: Any) -> Any:
        """Gradients of the output layer alone."""
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=(told := self(x, training=True)))
        own = self.layers[-1].trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in own]), own, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, told)
        return {m.name: m.result() for m in self.metrics}


class Quantised(layers.Layer):  # type: ignore[misc]
    """Rounds to eighths, which has no slope."""

    def call(self, inputs: Any) -> Any:
        """Rounded inputs."""
        return ops.round(8 * inputs) / 8


def _only_head() -> Trial:
    data = fresh("photos")
    model = chain(data, widths=(12, 16, 16))
    return trial(data, OnlyHead(model.inputs, model.outputs), optimizers.SGD(0.1), epochs=6)


def _quantised() -> Trial:
    data = fresh("signals")
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(16, 5, activation="relu", name="c1")(inputs)
    x = layers.Conv1D(16, 5, strides=2, name="c2")(x)
    x = layers.Conv1D(24, 3, activation="relu", name="c3")(layers.ReLU()(Quantised()(x)))
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="out")(x))
    return trial(data, model, epochs=6)


def _random_features() -> Trial:
    data = fresh("photos")
    model = shortcut(data, norm="group")
    for name in ("r0a", "r0b", "r1a", "r1b"):
        model.get_layer(name).trainable = False
    return trial(data, model, epochs=6)


_case("frozen: rounded in the middle of signals", _quantised, shows.unmoved("c1", "c2"), "frozen_layer", ("c1", "c2"))
_case(
    "frozen: random residual blocks",
    _random_features,
    shows.unmoved("r0a", "r1b"),
    "frozen_layer",
    ("r0a", "r0b", "r1a", "r1b"),
)
_case(
    "frozen: a training step for the head alone",
    _only_head,
    shows.unmoved("c1", "c3"),
    "frozen_layer",
    ("c1", "c2", "c3"),
)


def _tiled(repeat: int, noise: float) -> Callable[..., Any]:
    """A few kernels tiled along the filters, as ``np.tile`` does, with a little noise."""

    def draw(shape: Any, dtype: Any = None) -> Any:
        rng = np.random.default_rng(11)
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        few = rng.normal(0, deviation, (*shape[:-1], -(-shape[-1] // repeat)))
        every = np.concatenate([few] * repeat, axis=-1)[..., : shape[-1]]
        return (every + rng.normal(0, noise * deviation, shape)).astype("float32")

    return draw


for _data, _net, _layer, _of, _repeat in (
    ("signals", chain, "c2", {"size": 5}, 3),
    ("volumes", chain, "c2", {}, 2),
    ("photos", chain, "c3", {"widths": (16, 24, 32)}, 4),
):
    _case(
        f"alike: {_layer} tiled {_repeat} times, {_data}",
        lambda data=_data, net=_net, layer=_layer, of=_of, repeat=_repeat: _fit(
            data, net, of={**of, "of": {layer: {"kernel_initializer": _tiled(repeat, 0.05)}}}, epochs=4
        ),
        shows.alike(_layer),
        "redundant_filters",
        (_layer,),
    )

# --- Answers, fit, batches


def _weighted(name: str, net: Callable[..., Any], kind: int, **options: Any) -> Trial:
    data = fresh(name)
    done = trial(data, net(data), optimizers.Adam(2e-3), epochs=6)
    done.options = {"sample_weight": np.where(data.y == kind, 50.0, 0.01).astype("float32")}
    return done


_case(
    "collapsed: sample weights of one class, signals",
    lambda: _weighted("signals", chain, 3),
    shows.one_answer,
    "collapsed_output",
    ("out",),
)
_case(
    "collapsed: decay of 30 by AdamW, volumes",
    lambda: _fit("volumes", chain, optimizers.AdamW(5e-3, weight_decay=30.0), epochs=7),
    shows.one_answer,
    "collapsed_output",
    ("out",),
    ("dead_units", "underfitting"),
)
_case(
    "overfitting: 36 photographs, wide and long",
    lambda: _fit(
        "photos", chain, of={"widths": (32, 64), "flat": True, "dense": (256,)}, samples=36, batch=12, epochs=40
    ),
    shows.overfits,
    "overfitting",
)
_case(
    "overfitting: labels of materials shuffled",
    lambda: _fit(
        "materials", chain, of={"widths": (32, 64), "flat": True, "dense": (256,)},
        y=lambda y: np.random.default_rng(9).permutation(y), samples=200, epochs=30,
    ),
    shows.overfits,
    "overfitting",
)  # fmt: skip
_case(
    "overfitting: 40 signals, Conv1D with GELU",
    lambda: _fit(
        "signals", chain, of={"widths": (48, 64), "activation": "gelu", "flat": True}, samples=40, batch=10, epochs=40
    ),
    shows.overfits,
    "overfitting",
)
_case(
    "underfitting: one filter for five kinds of signal",
    lambda: _fit("signals", chain, optimizers.Adam(5e-3), of={"widths": (1, 1)}, epochs=24),
    shows.worse_than(0.7),
    "underfitting",
    ("c1", "c2"),
    ("dead_units",),
)
_case(
    "underfitting: dropout of 0.97 before the head",
    lambda: _fit("photos", chain, of={"dropout": 0.97, "activation": "leaky_relu"}, epochs=24),
    also_shows.loses_to(0.5),
    "underfitting",
)
_case(
    "underfitting: strong L2 on a Conv3D net",
    lambda: _fit("volumes", chain, optimizers.Adam(3e-3), of={"penalty": regularizers.L2(0.4)}, epochs=24),
    shows.worse_than(0.75),
    "underfitting",
    (),
    ("collapsed_output",),
)
for _data, _make_net, _norm, _batch in (
    ("photos", lambda data: chain(data, norm="batch"), "c2_norm", 2),
    ("materials", mobile, "pw2_norm", 1),
    ("volumes", shortcut, "r1b_norm", 2),
):
    _case(
        f"batch of {_batch} with batch normalisation, {_data}",
        lambda data=_data, net=_make_net, batch=_batch: trial(
            fresh(data), net(fresh(data)), batch=batch, samples=min(240 * batch, 600), epochs=5
        ),
        also_shows.noisy_statistics(_norm, _batch),
        "batch_too_small_for_bn",
    )

FRESH_FAULTY: tuple[Case, ...] = tuple(_CASES)
