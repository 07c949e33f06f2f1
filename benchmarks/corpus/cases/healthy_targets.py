"""Healthy trainings whose answers are not one class: numbers, vectors, images, several answers at once."""

from typing import Any

import keras
import numpy as np
from keras import constraints, layers, losses, metrics, ops, optimizers, regularizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import FROM_LOGITS, Training, Trial, fit, healthy, itself, shows
from benchmarks.corpus.data import Data, colored, load, split, traits
from benchmarks.corpus.lazy import LINEAR, layer, network, trained

_SAME = {"padding": "same"}

# Regressions and several answers


def _regress(data: Any, loss: Any, *, rate: Any = 2e-3, y: Any = itself, **network: Any) -> Any:
    """Images to numbers; by one unit unless the network says otherwise."""
    network = {"units": 1, "head": None} | network
    return fit(data, net.tutorial(**network), by.adam(rate), loss=loss, metrics=(), y=y, epochs=12)


def _pinball(y: Any, p: Any) -> Any:
    return ops.mean(ops.maximum(0.9 * (y - p), -0.1 * (y - p)))


def _own_deviation(y: Any, p: Any) -> Any:
    """Gaussian likelihood with a deviation of its own for each answer; the loss falls below zero."""
    mean, log_variance = p[:, :2], ops.clip(p[:, 2:], -7.0, 4.0)
    return ops.mean(0.5 * log_variance + 0.5 * (y - mean) ** 2 * ops.exp(-log_variance))


def _rent(y: Any) -> Any:
    """Numbers of tens of thousands."""
    return 20_000 + 5_000 * y


@network
def _rescaled(data: Any) -> Any:
    """A fixed scale behind the head that makes up for large targets."""
    inner = net.tutorial(units=1, head=None)(data)
    return keras.Model(inner.inputs, layers.Rescaling(10_000, offset=40_000, name="unit")(inner.outputs[0]))


def _shape_and_color() -> Any:
    x, kind, color = colored()
    inputs = keras.Input(x.shape[1:])
    stem = layers.Conv2D(24, 3, strides=2, activation="relu", name="stem")(inputs)
    y = layers.Flatten()(layers.Conv2D(24, 3, strides=2, activation="relu", name="deep")(stem))
    heads = {
        "kind": layers.Dense(4, activation="softmax", name="kind")(y),
        "colour": layers.Dense(3, activation="softmax", name="colour")(layers.GlobalAveragePooling2D()(stem)),
    }
    model = keras.Model(inputs, heads)
    model.compile(
        optimizers.Adam(3e-3),
        dict.fromkeys(heads, "sparse_categorical_crossentropy"),
        loss_weights={"kind": 1.0, "colour": 0.2},
        metrics={"kind": ["accuracy"]},
    )
    parts = [{"kind": kind[s], "colour": color[s]} for s in (slice(900), slice(900, None))]
    return Trial(model, x[:900], parts[0], (x[900:], parts[1]), epochs=14)


def _right(threshold: Any = 0.5) -> Any:
    return (metrics.BinaryAccuracy("right", threshold=threshold),)


_SHAPES_THERE = {"units": 4, "norm": layers.BatchNormalization}


def _two_digits() -> Any:
    """Two digits side by side, each of which may be there or not: ten answers that do not exclude each other."""
    data = load("digits")

    def pairs(x: Any, y: Any, seed: Any) -> Any:
        other = np.random.default_rng(seed).permutation(len(x))
        there = np.zeros((len(x), data.classes), "float32")
        there[np.arange(len(x)), y] = there[np.arange(len(x)), y[other]] = 1
        return np.concatenate([x, x[other]], axis=2), there

    (x, y), (xv, yv) = pairs(data.x, data.y, 82), pairs(data.xv, data.yv, 83)
    return Data(x, y, xv, yv, data.classes)


# Vectors and pairs


def _taught() -> Any:
    """A small net learns the soft answers of a larger one, at a temperature (distillation)."""
    data = load("toys")
    teacher = trained(net.blocks(norm=layers.BatchNormalization), by.adam(3e-3), epochs=4)(data)

    def soft(x: Any) -> Any:
        shares = teacher.predict(x, verbose=0) ** 0.5
        return shares / shares.sum(axis=1, keepdims=True)

    pupil = net.tutorial(widths=(12, 16), hidden=(24,))(data)
    pupil.compile(optimizers.Adam(3e-3), "kl_divergence", metrics=["accuracy"])
    return Trial(pupil, data.x, soft(data.x), (data.xv, soft(data.xv)), epochs=12)


def _same_letter() -> Any:
    """Are two letters the same? Squares of differences of embeddings under a sigmoid."""
    data = load("glyphs")
    rng = np.random.default_rng(13)
    a = rng.integers(0, len(data.x), 3600)
    b = np.where(rng.random(3600) < 0.5, rng.integers(0, len(data.x), 3600), 0)
    likes = [rng.choice(np.flatnonzero(data.y == k)) for k in data.y[a]]
    b = np.where(np.arange(3600) % 2 == 0, likes, b)
    same = (data.y[a] == data.y[b]).astype("float32")[:, None]
    shared = net.encoder(data.shape, 8)
    left, right = keras.Input(data.shape, name="left"), keras.Input(data.shape, name="right")
    gap = layers.Subtract(name="gap")([shared(left), shared(right)])
    answer = layers.Dense(1, activation="sigmoid", name="same")(layers.Lambda(ops.square, name="squares")(gap))
    model = keras.Model([left, right], answer)
    model.compile(optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy"])
    parts = [[data.x[a[s]], data.x[b[s]]] for s in (slice(3000), slice(3000, None))]
    return Trial(model, parts[0], same[:3000], (parts[1], same[3000:]), epochs=6)


def _alike_faces() -> Any:
    """Distances under a contrastive loss."""
    data = load("faces")
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, len(data.x), (2, 800))
    model = net.distance(data, epsilon=1e-6)
    model.compile(optimizers.Adam(1e-3), lambda y, far: y * far**2 + (1 - y) * ops.maximum(1.0 - far, 0.0) ** 2)
    return Trial(model, [data.x[a], data.x[b]], (data.y[a] == data.y[b]).astype("float32")[:, None], epochs=8)


def _supervised_contrast(y: Any, z: Any) -> Any:
    """Vectors of one class together, all others apart, within a batch (Khosla et al. 2020)."""
    y = ops.reshape(y, (-1,))
    own = ops.eye(ops.shape(y)[0])
    likes = ops.cast(y[:, None] == y[None, :], z.dtype) - own
    close = ops.matmul(z, ops.transpose(z)) / 0.2 - 1e9 * own
    log_share = close - ops.logsumexp(close, axis=1, keepdims=True)
    return -ops.mean(ops.sum(likes * log_share, axis=1) / ops.maximum(ops.sum(likes, axis=1), 1.0))


# Cosines with learned directions, sharpened, as logits (NormFace).
_ANGULAR = net.sequential(
    *net.encoding(24), layer.UnitNormalization(name="unit"),
    layer.Dense(8, use_bias=False, kernel_constraint=constraints.UnitNorm(axis=0), name="cosines"),
    layer.Rescaling(12.0, name="sharpness"), head=None,
)  # fmt: skip

# Images, maps and spectra out


def _dice(y: Any, p: Any) -> Any:
    both = ops.sum(y * p, axis=(1, 2, 3))
    return 1 - (2 * both + 1) / (ops.sum(y, axis=(1, 2, 3)) + ops.sum(p, axis=(1, 2, 3)) + 1)


def _overlap(y: Any, p: Any) -> Any:
    """Cross-entropy and overlap together."""
    overlap = (2 * ops.sum(y * p) + 1) / (ops.sum(y) + ops.sum(p) + 1)
    return ops.mean(keras.losses.binary_crossentropy(y, p)) + 1 - overlap


def _noise(x: Any, seed: Any, deviation: Any) -> Any:
    return np.random.default_rng(seed).normal(0, deviation, x.shape)


def _wet(x: Any) -> Any:
    return x + _noise(x, 61, 0.2).astype("float32")


def _spoiled(x: Any) -> Any:
    return (x + _noise(x, 81, 0.3)).clip(0, 1).astype("float32")


def _pictures() -> Any:
    return np.concatenate([load("pictures").x, load("pictures").xv])


def _gray_pictures() -> Any:
    """Gray and in color, -1 … 1."""
    x = _pictures()
    return split(2 * x.mean(axis=-1, keepdims=True) - 1, 2 * x - 1)


def _noisy_pictures() -> Any:
    x = _pictures()
    return split((x + _noise(x, 14, 0.15)).astype("float32"), x)


def _hidden_patches() -> Any:
    """A quarter of each picture is blacked out and to be filled in."""
    x = _pictures()
    shown = x.copy()
    for image, (r, c) in zip(shown, np.random.default_rng(15).integers(0, 8, (len(x), 2)), strict=True):
        image[r : r + 8, c : c + 8] = 0
    return split(shown, x)


@network
def _denoiser(data: Any) -> Any:
    """Noise is predicted, and taken away from the image (DnCNN): linear at the end, normalized within."""
    inputs = keras.Input(data.shape)
    y = layers.Conv2D(20, 3, activation="relu", name="conv_first", **_SAME)(inputs)
    for i in range(2):
        y = layers.Conv2D(20, 3, use_bias=False, name=f"conv_mid{i}", **_SAME)(y)
        y = layers.ReLU()(net.batch_norm()(y))
    noise = layers.Conv2D(3, 3, name="noise", **_SAME)(y)
    return keras.Model(inputs, layers.Subtract(name="clean")([inputs, noise]))


def _cropped_faces() -> Any:
    """24 × 24, which can be halved twice."""
    data = load("faces")
    return Data(data.x[:, :24, :24], data.y, data.xv[:, :24, :24], data.yv, data.classes)


def _halved() -> Any:
    """Pictures of half the size, to be made as large as they were."""
    x = _pictures()
    return split(x.reshape(len(x), 8, 2, 8, 2, 3).mean(axis=(2, 4)), x)


@network
def _sharper(data: Any) -> Any:
    """Twice the size by moving channels to places (super-resolution)."""
    inputs = keras.Input(data.shape)
    y = layers.Conv2D(24, 5, activation="tanh", name="conv1", **_SAME)(inputs)
    y = layers.Conv2D(24, 3, activation="tanh", name="conv2", **_SAME)(y)
    y = layers.Reshape((8, 8, 2, 2, 3))(layers.Conv2D(12, 3, name="subpixels", **_SAME)(y))
    return keras.Model(inputs, layers.Reshape((16, 16, 3), name="shuffle")(layers.Permute((1, 3, 2, 4, 5))(y)))


def _heat(y: Any) -> Any:
    """A map that is almost zero everywhere but at the spot."""
    row, column = np.mgrid[:16, :16]
    away = (row - 16 * y[:, :1, None]) ** 2 + (column - 16 * y[:, 1:, None]) ** 2
    return 10 * np.exp(-away / 4)[..., None].astype("float32")


class Sampling(layers.Layer):
    """Draws a code and adds its distance from a standard normal to the loss (VAE)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(5)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The mean, in training with noise."""
        mean, log_variance = inputs
        self.add_loss(-1e-4 * ops.mean(ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=-1)))
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * log_variance) * noise if training else mean


@network
def _variational(data: Any) -> Any:
    inputs = keras.Input(data.shape)
    y = layers.Conv2D(16, 3, strides=2, activation="relu", name="encoder_conv1", **_SAME)(inputs)
    y = layers.Conv2D(24, 3, strides=2, activation="relu", name="encoder_conv2", **_SAME)(y)
    y = layers.Flatten()(y)
    z = Sampling(name="z")([layers.Dense(8, name="z_mean")(y), layers.Dense(8, name="z_log_var")(y)])
    y = layers.Reshape((4, 4, 24))(layers.Dense(384, activation="relu", name="decoder_dense")(z))
    y = layers.Conv2DTranspose(24, 3, strides=2, activation="relu", name="decoder_conv1", **_SAME)(y)
    return keras.Model(inputs, layers.Conv2DTranspose(1, 3, strides=2, name="decoder_out", **_SAME)(y))


_NARROW_CODE = net.sequential(
    layer.Conv1D(12, 7, strides=4, activation="elu", name="conv_down", **_SAME),
    layer.Flatten(),
    layer.Dense(6, name="code"),
    layer.Dense(64, activation="elu", name="dense_up"),
    layer.Dense(128, name="spectrum"),
    head=None,
)


def _training_spectra() -> Any:
    x = load("spectra").x
    return split(x, x[..., 0])


CASES = healthy(
    first={
        "faces to faces, U-Net": shows(sym.learns(loss_share=0.5)).of(
            fit(_cropped_faces, net.unet(), loss="mse", target=itself, epochs=10)),
        "siamese faces": shows(sym.learns(loss_share=0.8)).of(Training(_alike_faces)),
        "three traits of photographs": shows(sym.learns(loss_share=0.6)).of(
            fit("photos", net.chain(units=3, head="sigmoid", norm="batch"), by.adam(3e-3), loss="binary_crossentropy",
                y=lambda y: np.stack([y < 3, y % 2 == 0, np.isin(y, (1, 2, 5))], axis=1).astype("float32"), epochs=10,
                metrics=("binary_accuracy",))),
        "segmentation": shows(sym.learns(0.8)).of(
            fit("masks", net.unet(), loss="binary_crossentropy", metrics=(metrics.BinaryAccuracy("accuracy"),))),
        "segmentation by overlap (Dice)": shows(sym.learns(0.8)).of(
            fit("masks", net.unet(), loss=_dice, metrics=(metrics.BinaryAccuracy("accuracy"),))),
    },
    second={
        "spots counted by squares": shows(sym.learns(loss_share=0.35)).of(_regress("crowds", "mse")),
        "spots counted by a Poisson loss and an exponential head": shows(sym.learns(loss=-2.4)).of(
            _regress("crowds", "poisson", head="exponential")),
        "rents of tens of thousands in relative errors": shows(sym.learns(loss_share=0.5)).of(
            _regress("crowds", "mean_absolute_percentage_error", rate=1e-2, y=_rent)),
        "rents with their scale inside the model": shows(sym.learns(loss_share=0.35)).of(
            fit("crowds", _rescaled(), y=_rent, epochs=12)),
        "places by two sigmoids": shows(sym.learns(loss_share=0.3)).of(
            _regress("spots", "mse", units=2, head="sigmoid")),
        "directions by cosine similarity and tanh": shows(sym.learns(loss=-0.95)).of(
            _regress("directions", "cosine_similarity", y=lambda turn: np.stack([np.sin(2 * turn), np.cos(2 * turn)],
                axis=1).astype("float32"), units=2, head="tanh")),
        "a quantile of counts": shows(sym.learns(loss_share=0.6)).of(_regress("crowds", _pinball, activation="silu")),
        "places with a deviation of their own: a loss below zero": shows(sym.learns(loss=-1.5)).of(
            _regress("spots", _own_deviation, units=4)),
        "counts by log-cosh": shows(sym.learns(loss_share=0.35)).of(_regress("crowds", "log_cosh", norm="batch")),
        "more than so many: ordinal regression": shows(sym.learns(loss_share=0.6)).of(
            _regress("crowds", "binary_crossentropy", y=lambda y: (y > np.arange(8)).astype("float32"), units=8,
                head="sigmoid")),
        "shape and colour": shows(sym.learns(val_kind_accuracy=0.8)).of(Training(_shape_and_color)),
        "which shapes are there, sigmoids": shows(sym.learns(val_right=0.8)).of(
            fit("scenes", net.blocks(**_SHAPES_THERE, head="sigmoid"), loss="binary_crossentropy", metrics=_right())),
        "which shapes are there, logits": shows(sym.learns(val_right=0.8)).of(
            fit("scenes", net.blocks(**_SHAPES_THERE, head=None), loss=losses.BinaryCrossentropy(from_logits=True),
                metrics=_right(0.0))),
        "a rare letter by focal loss": shows(sym.learns(0.92)).of(
            fit("glyphs", net.tutorial(units=1, head="sigmoid"),
                loss=losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.75),
                y=lambda y: (y == 7).astype("float32"), epochs=10)),
        "soft answers of a teacher": Training(_taught),
        "the same letter or not": shows(sym.learns(0.72)).of(Training(_same_letter)),
        "vectors by supervised contrast": shows(sym.learns(loss_share=0.9)).of(
            fit("sounds", net.sequential(*net.encoding(), layer.UnitNormalization(name="unit"), head=None),
                loss=_supervised_contrast, metrics=(), batch=64, epochs=10)),
        "cosines with learned directions": fit("glyphs", _ANGULAR, loss=FROM_LOGITS, epochs=10),
        "noise taken away from pictures": shows(sym.learns(loss_share=0.4)).of(
            fit(_noisy_pictures, _denoiser(), loss="mse", metrics=(), epochs=10)),
        "pictures of twice the size": shows(sym.learns(loss_share=0.6)).of(
            fit(_halved, _sharper(), by.adam(3e-3), loss="mae", metrics=(), epochs=14)),
        "grey pictures coloured in": shows(sym.learns(loss_share=0.6)).of(
            fit(_gray_pictures, net.segmenter(classes=3, head="tanh", norm=True), loss="mse", metrics=(), epochs=10)),
        "pixels of five classes": shows(sym.learns(0.9)).of(
            fit("pixels", net.segmenter(classes=5, head="softmax", norm=True))),
        "pixels of crosses alone": shows(sym.learns(loss_share=0.6)).of(
            fit("pixels", net.segmenter(norm=True), loss=_overlap, metrics=(),
                y=lambda y: (y == 4).astype("float32")[..., None])),
        "a heat map of one spot": shows(sym.learns(loss_share=0.5)).of(
            fit("spots", net.segmenter(head=None, norm=True), loss="mse", metrics=(), y=_heat)),
        "patches filled in": shows(sym.learns(loss_share=0.6)).of(
            fit(_hidden_patches, net.segmenter(classes=3, norm=True), loss="mae", metrics=(), epochs=10)),
        "spots through a random code (VAE)": shows(sym.learns(loss_share=0.6)).of(
            fit("spots", _variational(), by.adam(3e-3), loss="mse", target=itself, epochs=14)),
        "spectra through six numbers": shows(sym.learns(loss_share=0.5)).of(
            fit(_training_spectra, _NARROW_CODE, by.adam(3e-3), loss="mse", metrics=(), epochs=14)),
    },
    third={
        "breast cancer, one sigmoid": shows(sym.learns(0.92)).of(fit("cancer", net.mlp(), epochs=10)),
        "breast cancer by one layer: logistic regression": shows(sym.learns(0.92)).of(
            fit("cancer", net.mlp(hidden=()), by.adam(0.02), epochs=15)),
        "breast cancer in its own units behind a Normalization": shows(sym.learns(0.92)).of(
            fit("cancer_raw", net.mlp(before=(net.adapted("cancer_raw", name="scaled"),)), by.adam(3e-3), epochs=10)),
        "wine in its own units behind a batch normalisation": shows(sym.learns(0.85)).of(
            fit("wine_raw", net.mlp(before=(layer.BatchNormalization(momentum=0.9, name="scaled"),)), by.adam(3e-3),
                epochs=25)),
        "two circles by eight tanh units": shows(sym.learns(0.9)).of(
            fit("circles", net.mlp(hidden=(8,), activation="tanh"), by.adam(0.02), epochs=20)),
        "miles per gallon as they are": shows(sym.learns(loss_share=0.1)).of(
            fit("cars", net.mlp(), by.adam(3e-3), epochs=30)),
        "miles per gallon by one layer: linear regression": shows(sym.learns(loss_share=0.2)).of(
            fit("cars", net.mlp(hidden=()), by.adam(0.3), epochs=20)),
        "progression of a disease, absolute errors in the hundreds": shows(sym.learns(loss_share=0.45)).of(
            fit("diabetes", net.mlp(hidden=(32,), dropout=0.1), by.rmsprop(5e-3), loss="mae", metrics=(), epochs=32)),
        "how red, green and blue a patch is": shows(sym.learns(loss_share=0.3)).of(
            fit("views", net.convnet(units=3, head=None, widths=(12, 16), hidden=(32,)), by.adam(1e-3), loss="mse",
                metrics=("mae",), target=lambda x: x.mean(axis=(1, 2)))),
        "bright, warm, full of edges: three sigmoids": shows(sym.learns(val_right=0.85)).of(
            fit("views", net.convnet(units=3, head="sigmoid", hidden=(48,), widths=(16, 24)),
                loss="binary_crossentropy", metrics=_right(), target=traits)),
        "bright, warm, full of edges: three logits": shows(sym.learns(val_right=0.85)).of(
            fit("views", net.convnet(units=3, head=None, activation="gelu", flat=False, hidden=()),
                loss=losses.BinaryCrossentropy(from_logits=True), metrics=_right(0.0), target=traits)),
        "a code of 16 numbers, digits": shows(sym.learns(loss_share=0.5)).of(
            fit("digits", net.dense_autoencoder(), by.adam(3e-3), loss="mse", target=itself, epochs=12)),
        "a code wider than the image, kept sparse": shows(sym.learns(loss_share=0.4)).of(
            fit("digits", net.dense_autoencoder(widths=(128,), layer1={"activity_regularizer": regularizers.L1(1e-5)}),
                by.adam(3e-3), loss="mse", target=itself, epochs=12)),
        "a code without an activation, mnist": shows(sym.learns(loss_share=0.7)).of(
            fit("mnist", net.dense_autoencoder(widths=(96, 12, 96), layer2=LINEAR), loss="binary_crossentropy",
                target=itself)),
        "noise taken away from views": shows(sym.learns(loss_share=0.6)).of(
            fit("views", net.conv_autoencoder(head=None), loss="mse", x=_wet, target=itself, epochs=5)),
        "where coins are": shows(sym.learns(0.85)).of(
            fit("coins", net.segmenter(norm=True), by.adam(5e-3), loss="binary_crossentropy", metrics=("accuracy",),
                batch=16)),
    },
    fourth={
        "prices of houses in thousands": shows(sym.learns(loss_share=0.1)).of(
            fit("housing", net.mlp(), by.adam(5e-3), epochs=25)),
        "houses in their own units behind a Normalization": shows(sym.learns(loss_share=0.15)).of(
            fit("housing_raw", net.mlp(before=(net.adapted("housing_raw", name="scaled"),), dropout=0.1), by.adam(5e-3),
                epochs=25)),
        "irises by one hidden layer, no validation": shows(sym.learns(accuracy=0.9)).of(
            fit("iris", net.mlp(hidden=(16,)), by.adam(0.01), batch=8, epochs=20, validate=False)),
        "breast cancer, normalised layers, one sigmoid": shows(sym.learns(0.92)).of(
            fit("cancer", net.mlp(norm="batch", hidden=(32, 16)), by.adam(2e-3), epochs=10)),
        "faces by one sigmoid": shows(sym.learns(0.85)).of(
            fit("faces", net.simple(units=1, head="sigmoid", dropout=0.4), by.adam(1e-3), batch=16, epochs=12)),
        "logits that the loss knows of, snaps":
            fit("snaps", net.vgg(each=1, head=None), by.adam(1e-3), loss=FROM_LOGITS, epochs=6),
        "bytes behind a Rescaling, snaps": fit("snaps",
            net.vgg(each=1, before=(layer.Rescaling(1 / 255, name="rescaling"),)), by.adam(1e-3),
            x=lambda x: np.round(255 * x).astype("float32"), epochs=6),
        "letters to themselves by strides": shows(sym.learns(loss_share=0.75)).of(
            fit("glyphs", net.autoencoder(), by.adam(3e-3), loss="binary_crossentropy", target=itself, epochs=6)),
        "noise taken from mnist": shows(sym.learns(loss_share=0.6)).of(
            fit("mnist", net.conv_autoencoder(), by.adam(1e-3), loss="binary_crossentropy", x=_spoiled, target=itself,
                epochs=4)),
        "two digits at once, ten sigmoids": shows(sym.learns(val_binary_accuracy=0.87)).of(
            fit(_two_digits, net.simple(head="sigmoid", padding="same", hidden=(96,)), by.adam(3e-3),
                loss="binary_crossentropy", metrics=("binary_accuracy",), epochs=10)),
    },
)  # fmt: skip
