"""Fresh trainings that are well, though something about them looks like a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, losses, ops, optimizers, regularizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import Data
from benchmarks.faults.fresh_data import fresh, masks, pitches
from benchmarks.faults.fresh_networks import (
    attentive,
    chain,
    convnext,
    dense_links,
    inception,
    mobile,
    shortcut,
    squeezed,
    twin,
    unet,
    wavenet,
)
from benchmarks.faults.fresh_symptoms import well, well_falls
from benchmarks.faults.symptoms import Symptom

OK = well(0.75)
SCHEDULES = optimizers.schedules


def _centred(x: Any) -> Any:
    """Pixels around 0: a 1 × 1 filter over positive pixels of one channel is dead by half at its start."""
    return 4 * (x - 0.5)


_CASES: list[Case] = []


def _case(name: str, make: Callable[[], Trial], symptom: Symptom = OK) -> None:
    _CASES.append(Case(f"fresh healthy: {name}", make, symptom, fresh=True))


def _fit(data: str, net: Callable[..., Any], optimizer: Any = None, **options: Any) -> Callable[[], Trial]:
    """A trial; ``optimizer`` is a function, ``of`` has options of the network."""
    of = options.pop("of", {})
    make = optimizer or (lambda: optimizers.Adam(2e-3))
    return lambda: trial(fresh(data), net(fresh(data), **of), make(), **options)


def _one_hot(classes: int) -> Callable[[Any], Any]:
    return lambda y: np.eye(classes, dtype="float32")[y]


# --- Signals

_case("Conv1D", _fit("signals", chain, epochs=14))
_case(
    "Conv1D, GroupNorm, GELU, AdamW",
    _fit("signals", chain, lambda: optimizers.AdamW(3e-3), of={"norm": "group", "activation": "gelu"}, epochs=10),
)
_case(
    "Conv1D, LayerNorm, SiLU, Nadam",
    _fit("signals", chain, lambda: optimizers.Nadam(2e-3), of={"norm": "layer", "activation": "silu"}, epochs=10),
)
_case(
    "Conv1D, BN, SGD 0.3 with Nesterov momentum",
    _fit("signals", chain, lambda: optimizers.SGD(0.3, 0.9, nesterov=True), of={"norm": "batch"}, epochs=10),
)
_case("gates of tanh and sigmoid, dilated", _fit("signals", wavenet, lambda: optimizers.Adam(4e-3), epochs=12))
_case("self-attention over signals", _fit("signals", attentive, epochs=12))
_case("squeezed Conv1D, RMSprop", _fit("signals", squeezed, lambda: optimizers.RMSprop(1e-3), epochs=10))
_case(
    "residual Conv1D from a zero scale",
    _fit("signals", shortcut, lambda: optimizers.Adam(3e-3), of={"zero_scale": True}, epochs=10),
)
_case("Conv1D by Lion", _fit("signals", chain, lambda: optimizers.Lion(5e-4), of={"norm": "batch"}, epochs=12))
_case(
    "Conv1D, batches of 200, Adam 0.01",
    _fit("signals", chain, lambda: optimizers.Adam(0.01), of={"widths": (24, 32, 32)}, batch=200, epochs=24),
)
_case(
    "Conv1D, maxima flat, L2, long",
    _fit(
        "signals",
        chain,
        of={"flat": True, "penalty": regularizers.L2(2e-3), "norm": "batch", "dropout": 0.3},
        epochs=30,
    ),
)
_case(
    "Conv1D, rate lowered on plateaus",
    _fit(
        "signals",
        chain,
        lambda: optimizers.Adam(0.01),
        of={"norm": "batch"},
        epochs=20,
        callbacks=(keras.callbacks.ReduceLROnPlateau(patience=2),),
    ),
)
_case(
    "Conv1D, mean of weights (EMA)",
    _fit(
        "signals", chain, lambda: optimizers.Adam(4e-3, use_ema=True, ema_momentum=0.9), of={"norm": "batch"}, epochs=10
    ),
)
_case("one epoch of Conv1D", _fit("signals", chain, epochs=1), well(0.0))


def _pitch(loss: Any, **of: Any) -> Callable[[], Trial]:
    def make() -> Trial:
        x, turns = pitches()
        model = chain(Data(x, turns, x, turns, 1), units=1, head=of.pop("head", None), norm="batch", flat=True, **of)
        model.compile(optimizers.Adam(3e-3), loss)
        return Trial(model, x[:800], turns[:800], (x[800:], turns[800:]), epochs=12)

    return make


_case("turns by Huber loss", _pitch(losses.Huber()), well_falls(0.5))
_case("turns by squares, answers all positive (softplus)", _pitch("mse", head="softplus"), well_falls(0.5))


def _denoise() -> Trial:
    x, _ = pitches()
    noisy = x + np.random.default_rng(1).normal(0, 0.5, x.shape).astype("float32")
    options: dict[str, Any] = {"padding": "same", "activation": "relu"}
    model = keras.Sequential(
        [
            keras.Input((64, 1)),
            layers.Conv1D(16, 5, strides=2, name="down1", **options),
            layers.Conv1D(24, 5, strides=2, name="down2", **options),
            layers.Conv1DTranspose(16, 5, strides=2, name="up1", **options),
            layers.Conv1DTranspose(16, 5, strides=2, name="up2", **options),
            layers.Conv1D(1, 5, padding="same", name="out"),
        ]
    )
    model.compile(optimizers.Adam(3e-3), "mse")
    return Trial(model, noisy[:800], x[:800], (noisy[800:], x[800:]), epochs=10)


def _recurrent() -> Trial:
    data = fresh("signals")
    stack = [keras.Input(data.shape), layers.Conv1D(16, 5, strides=2, activation="relu", name="c1")]
    stack += [layers.GRU(24), layers.Dense(data.classes, activation="softmax", name="out")]
    return trial(data, keras.Sequential(stack), optimizers.Adam(5e-3), epochs=14)


def _class_and_strength() -> Trial:
    data = fresh("signals")
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(24, 5, activation="relu", name="c1")(inputs)
    x = layers.MaxPooling1D()(layers.Conv1D(32, 5, activation="relu", name="c2")(x))
    x = layers.GlobalAveragePooling1D()(layers.Conv1D(32, 3, activation="relu", name="c3")(x))
    kind = layers.Dense(data.classes, activation="softmax", name="kind")(x)
    model = keras.Model(inputs, {"kind": kind, "strength": layers.Dense(1, name="strength")(x)})
    model.compile(
        optimizers.Adam(3e-3), {"kind": "sparse_categorical_crossentropy", "strength": "mse"},
        metrics={"kind": ["accuracy"]},
    )  # fmt: skip
    y = [{"kind": k, "strength": v.std(axis=(1, 2))} for k, v in ((data.y, data.x), (data.yv, data.xv))]
    return Trial(model, data.x, y[0], (data.xv, y[1]), epochs=12)


_case("signals cleaned by a Conv1D autoencoder", _denoise, well_falls(0.6))
_case("convolution, then a GRU", _recurrent, well(0.6))
_case("two answers by name from a Conv1D", _class_and_strength, well_falls(0.6))

# --- Volumes, which are mostly empty

_case("Conv3D", _fit("volumes", chain, lambda: optimizers.Adam(5e-3), of={"widths": (12, 24)}, epochs=16))
_case(
    "Conv3D, BN, SGD with momentum",
    _fit("volumes", chain, lambda: optimizers.SGD(0.05, 0.9), of={"norm": "batch"}, epochs=10),
)
_case("residual Conv3D", _fit("volumes", shortcut, lambda: optimizers.Adam(4e-3), epochs=12))
_case(
    "Conv3D, ELU, flat, dropout",
    _fit("volumes", chain, of={"activation": "elu", "flat": True, "dropout": 0.4}, epochs=10),
)
_case("squeezed Conv3D", _fit("volumes", squeezed, lambda: optimizers.Adam(3e-3), epochs=10))
_case("Conv3D, batches of 8 with GroupNorm", _fit("volumes", chain, of={"norm": "group"}, batch=8, epochs=6))
_case("Conv3D, Adafactor", _fit("volumes", chain, lambda: optimizers.Adafactor(0.02), of={"norm": "batch"}, epochs=12))
_case("one epoch of Conv3D", _fit("volumes", chain, epochs=1), well(0.0))

# --- Faces: 320 samples

_two: dict[str, Any] = {"loss": "binary_crossentropy", "y": lambda y: y.astype("float32")}
_case("faces, one sigmoid, squeezed", _fit("faces", squeezed, of={"units": 1, "head": "sigmoid"}, epochs=8, **_two))
_case(
    "faces, leaky, RMSprop",
    _fit("faces", chain, lambda: optimizers.RMSprop(1e-3), of={"activation": "leaky_relu"}, epochs=14),
)
_case("faces, mobile net", _fit("faces", mobile, lambda: optimizers.Adam(4e-3), epochs=20))
_case("faces, two epochs", _fit("faces", inception, x=_centred, epochs=2), well(0.0))
_case("faces, GroupNorm, batches of 4", _fit("faces", chain, of={"norm": "group"}, batch=4, epochs=8))
_case(
    "faces, residual with BN, batches of 16",
    _fit("faces", shortcut, lambda: optimizers.SGD(0.05, 0.9), batch=16, epochs=14),
)


def _face_images() -> Trial:
    data = fresh("faces")
    x, xv = data.x[:, :24, :24], data.xv[:, :24, :24]
    model = unet(x.shape[1:])
    model.compile(optimizers.Adam(2e-3), "mse")
    return Trial(model, x, x, (xv, xv), epochs=10)


def _alike_faces() -> Trial:
    data = fresh("faces")
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, len(data.x), (2, 800))
    model = twin(data, epsilon=1e-6)

    def contrastive(y: Any, distance: Any) -> Any:
        return y * distance**2 + (1 - y) * ops.maximum(1.0 - distance, 0.0) ** 2

    model.compile(optimizers.Adam(1e-3), contrastive)
    same = (data.y[a] == data.y[b]).astype("float32")[:, None]
    return Trial(model, [data.x[a], data.x[b]], same, epochs=8)


def _picture_and_numbers() -> Trial:
    data = fresh("photos")

    def numbers(x: Any) -> Any:
        return np.concatenate([x.mean(axis=(1, 2)), x.std(axis=(1, 2))], axis=1)

    image, facts = keras.Input(data.shape, name="image"), keras.Input((6,), name="facts")
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(image)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x))
    x = layers.Concatenate()([x, layers.Dense(12, activation="relu", name="d1")(facts)])
    model = keras.Model({"image": image, "facts": facts}, layers.Dense(6, activation="softmax", name="out")(x))
    model.compile(optimizers.Adam(4e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    parts = [{"image": v, "facts": numbers(v)} for v in (data.x, data.xv)]
    return Trial(model, parts[0], data.y, (parts[1], data.yv), epochs=12)


_case("faces to faces, U-Net", _face_images, well_falls(0.5))
_case("siamese faces", _alike_faces, well_falls(0.8))
_case("a picture and numbers, both by name", _picture_and_numbers, well_falls(0.6))

# --- Materials and photographs


class Residue(keras.Model):  # type: ignore[misc]
    """Subclassed: blocks as attributes, activations as functions."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = layers.Conv2D(16, 3, strides=2, name="first")
        self.inner = [layers.Conv2D(16, 3, padding="same", name=f"inner{i}") for i in range(2)]
        self.out = layers.Dense(classes, activation="softmax", name="out")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Shares of classes."""
        x = ops.relu(self.first(inputs))
        for layer in self.inner:
            x = x + ops.relu(layer(x))
        return self.out(ops.mean(x, axis=(1, 2)))


class Mixed(keras.Model):  # type: ignore[misc]
    """A training step of its own: mixup of each batch with itself reversed."""

    def train_step(self, data: Any) -> Any:
        """One step on mixed pairs."""
        import tensorflow as tf

        x, y = data
        x, y = 0.8 * x + 0.2 * x[::-1], 0.8 * y + 0.2 * y[::-1]
        with tf.GradientTape() as tape:
            told = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=told)
        own = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in own]), own, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, told)
        return {m.name: m.result() for m in self.metrics}


class DropPath(layers.Layer):  # type: ignore[misc]
    """Stochastic depth: leaves a branch out for whole samples."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(3)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The branch, or nothing."""
        if not training:
            return inputs
        shape = (ops.shape(inputs)[0], *(1 for _ in inputs.shape[1:]))
        return inputs * ops.floor(0.8 + keras.random.uniform(shape, seed=self.seeds)) / 0.8


def _residue() -> Trial:
    data = fresh("photos")
    model = Residue(data.classes)
    model(data.x[:2])
    return trial(data, model, optimizers.Adam(4e-3), epochs=12)


def _mixed_pairs() -> Trial:
    data = fresh("materials")
    built = chain(data, norm="batch")
    model = Mixed(built.inputs, built.outputs)
    return trial(data, model, optimizers.Adam(3e-3), loss="categorical_crossentropy", y=_one_hot(3), epochs=10)


def _dropped_paths() -> Trial:
    data = fresh("materials")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, name="stem")(inputs)
    for i in range(3):
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.Add()([x, DropPath()(layers.Conv2D(16, 3, padding="same", name=f"r{i}")(y))])
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="out")(x))
    return trial(data, model, optimizers.Adam(3e-3), epochs=14)


def _rotations_first() -> Trial:
    """Convolutions that have learned to tell rotations of photographs, frozen below a new head."""
    data = fresh("photos")
    turned = np.concatenate([np.rot90(data.x, k, axes=(1, 2)) for k in range(4)])
    model = chain(data, widths=(24, 32, 48), norm="batch", units=4)
    model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(turned, np.repeat(np.arange(4), len(data.x)), batch_size=64, epochs=3, verbose=0)
    for layer in model.layers:
        layer.trainable = False
    out = layers.Dense(6, activation="softmax", name="kinds")(model.layers[-2].output)
    return trial(data, keras.Model(model.inputs, out), optimizers.Adam(0.01), epochs=10)


def _half_precision() -> Trial:
    keras.config.set_dtype_policy("mixed_float16")
    model = chain(fresh("faces"), norm="batch", of={"out": {"dtype": "float32"}})
    return trial(fresh("faces"), model, optimizers.Adam(3e-3), epochs=8)


def _traits() -> Trial:
    """Three yes-or-no questions of each photograph."""

    def ask(y: Any) -> Any:
        return np.stack([y < 3, y % 2 == 0, np.isin(y, (1, 2, 5))], axis=1).astype("float32")

    model = chain(fresh("photos"), units=3, head="sigmoid", norm="batch")
    return trial(fresh("photos"), model, optimizers.Adam(3e-3), loss="binary_crossentropy", y=ask, epochs=10,
                 metrics=("binary_accuracy",))  # fmt: skip


def _scarce() -> Trial:
    """One class has a tenth of the others' samples, and ten times their weight."""
    data = fresh("photos")
    done = trial(data, shortcut(data), optimizers.Adam(3e-3), epochs=12)
    keep = (data.y != 2) | (np.arange(len(data.y)) % 10 == 0)
    done.x, done.y = data.x[keep], data.y[keep]
    done.options = {"class_weight": {i: 10.0 if i == 2 else 1.0 for i in range(6)}}
    return done


def _spectral() -> Trial:
    data = fresh("materials")
    inputs = x = keras.Input(data.shape)
    for i, width in enumerate((16, 24), 1):
        x = layers.SpectralNormalization(layers.Conv2D(width, 3, strides=2, activation="relu"), name=f"c{i}")(x)
    x = layers.Flatten()(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="out")(x))
    return trial(data, model, optimizers.Adam(2e-3), epochs=8)


def _fully_convolutional() -> Trial:
    data = fresh("photos")
    stack: list[Any] = [keras.Input(data.shape)]
    for i, width in enumerate((16, 24, 6), 1):
        stack += [layers.Conv2D(width, 3, strides=2, activation="relu" if i < 3 else None, name=f"c{i}")]
    stack += [layers.GlobalAveragePooling2D(), layers.Softmax()]
    return trial(data, keras.Sequential(stack), optimizers.Adam(5e-3), epochs=14)


def _segmented(loss: Any) -> Callable[[], Trial]:
    def make() -> Trial:
        x, y = masks()
        model = unet(x.shape[1:])
        model.compile(optimizers.Adam(2e-3), loss, metrics=[keras.metrics.BinaryAccuracy("accuracy")])
        return Trial(model, x[:256], y[:256], (x[256:], y[256:]), epochs=8)

    return make


def _dice(y: Any, p: Any) -> Any:
    both = ops.sum(y * p, axis=(1, 2, 3))
    return 1 - (2 * both + 1) / (ops.sum(y, axis=(1, 2, 3)) + ops.sum(p, axis=(1, 2, 3)) + 1)


def _adapted() -> Any:
    layer = layers.Normalization()
    layer.adapt(1000 * fresh("volumes").x)
    return layer


def _each_standardised(x: Any) -> Any:
    axes = tuple(range(1, x.ndim))
    return (x - x.mean(axis=axes, keepdims=True)) / (x.std(axis=axes, keepdims=True) + 1e-3)


_flips = (layers.RandomFlip("horizontal_and_vertical", seed=1),)
_case("inception on materials", _fit("materials", inception, x=_centred, epochs=10))
_case(
    "inception with BN on photographs",
    _fit("photos", inception, lambda: optimizers.Adam(3e-3), of={"norm": "batch"}, x=_centred, epochs=8),
)
_case("mobile net on materials", _fit("materials", mobile, lambda: optimizers.Adam(4e-3), epochs=14))
_case(
    "residual GroupNorm on materials",
    _fit("materials", shortcut, lambda: optimizers.Adam(3e-3), of={"norm": "group"}, epochs=10),
)
_case(
    "labels smoothed on photographs",
    _fit(
        "photos",
        chain,
        lambda: optimizers.Adam(5e-3),
        loss=losses.CategoricalCrossentropy(label_smoothing=0.15),
        y=_one_hot(6),
        epochs=14,
    ),
)
_case(
    "each material standardised",
    _fit("materials", chain, lambda: optimizers.Adam(4e-3), x=_each_standardised, epochs=14),
)
_case(
    "cosine from a warm start, ConvNeXt",
    _fit(
        "photos",
        convnext,
        lambda: optimizers.AdamW(
            SCHEDULES.CosineDecay(1e-5, 360, warmup_target=4e-3, warmup_steps=60), weight_decay=0.02
        ),
        epochs=12,
    ),
    well(0.6),
)
_case("ConvNeXt on materials", _fit("materials", convnext, lambda: optimizers.AdamW(2e-3), epochs=12))
_case("dense links on photographs", _fit("photos", dense_links, epochs=8))
_case(
    "bytes with Rescaling inside",
    _fit(
        "photos",
        chain,
        lambda: optimizers.Adam(5e-3),
        x=lambda x: 255 * x,
        of={"before": (layers.Rescaling(1 / 127.5, -1),)},
        epochs=12,
    ),
)
_case(
    "volumes of a thousand with Normalization inside",
    lambda: _fit(
        "volumes",
        chain,
        lambda: optimizers.Adam(5e-3),
        x=lambda x: 1000 * x,
        of={"before": (_adapted(),), "norm": "batch"},
        epochs=10,
    )(),
)
_case("residual on photographs", _fit("photos", shortcut, lambda: optimizers.Adam(1e-3), epochs=7), well(0.6))
_case(
    "flipped materials, flips in the model",
    _fit("materials", chain, lambda: optimizers.Adam(4e-3), of={"before": _flips, "norm": "group"}, epochs=12),
)
_case(
    "steps of exponential decay",
    _fit(
        "photos",
        chain,
        lambda: optimizers.Adam(SCHEDULES.ExponentialDecay(0.01, 100, 0.7)),
        of={"norm": "layer"},
        epochs=12,
    ),
)
_case("clipped values, Adamax", _fit("photos", squeezed, lambda: optimizers.Adamax(4e-3, clipvalue=0.1), epochs=10))
_case("Adagrad 0.1 with BN", _fit("photos", chain, lambda: optimizers.Adagrad(0.1), of={"norm": "batch"}, epochs=12))
_case(
    "SGD 0.1, LayerNorm, hard swish",
    _fit("photos", chain, lambda: optimizers.SGD(0.1), of={"norm": "layer", "activation": "hard_swish"}, epochs=12),
    well(0.6),
)
_case("subclassed with shortcuts", _residue, well(0.7))
_case("a training step of its own, mixed pairs", _mixed_pairs)
_case("branches left out at random", _dropped_paths)
_case("frozen after telling rotations", _rotations_first, well(0.5))
_case("mixed precision on faces", _half_precision, well(0.7))
_case("three traits of photographs", _traits, well_falls(0.6))
_case("a scarce class, weighted", _scarce)
_case("spectral norm", _spectral)
_case("fully convolutional", _fully_convolutional, well(0.6))
_case("segmentation", _segmented("binary_crossentropy"), well(0.8))
_case("segmentation by overlap (Dice)", _segmented(_dice), well(0.8))
_case(
    "a third of the labels wrong, BN",
    _fit(
        "photos",
        chain,
        lambda: optimizers.Adam(3e-3),
        of={"norm": "batch"},
        epochs=8,
        y=lambda y: np.where(
            np.random.default_rng(len(y)).random(len(y)) < 0.3, np.random.default_rng(1).integers(0, 6, len(y)), y
        ),
    ),
    well(0.5),
)

FRESH_HEALTHY: tuple[Case, ...] = tuple(_CASES)
