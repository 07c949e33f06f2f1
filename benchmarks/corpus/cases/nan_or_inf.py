"""Data that are not finite, and arithmetic that ends in NaN."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops, optimizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import Training, Trial, faulty, fit, one_hot, shows
from benchmarks.corpus.data import load


def _last_missing(samples: Any) -> Any:
    def spoiled(x: Any) -> Any:
        x = x.copy()
        x[-samples:, 0, 0] = np.nan
        return x

    return spoiled


def _log_loss(y: Any, p: Any) -> Any:
    p = ops.take_along_axis(p, ops.cast(ops.reshape(y, (-1, 1)), "int32"), axis=-1)
    return -ops.log(ops.relu(p - 0.05))


def _spoil(name: Any) -> Any:
    """Sets one weight of a layer to NaN after the second epoch."""

    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                kernel = self.model.get_layer(name).kernel
                value = np.array(kernel)
                value.reshape(-1)[0] = np.nan
                kernel.assign(value)

    return Spoil()


def _log_power(x: Any) -> Any:
    x = x.copy()
    x[5:12] = 0
    with np.errstate(divide="ignore"):
        return np.log10(x**2)


def _standardized_each(x: Any) -> Any:
    x = x.copy()
    x[3] = 0.5
    axes = tuple(range(1, x.ndim))
    with np.errstate(invalid="ignore"):
        return (x - x.mean(axis=axes, keepdims=True)) / x.std(axis=axes, keepdims=True)


def _standardized_pixels(x: Any) -> Any:
    """Pixels at the rim are 0 in all images, and so is their deviation."""
    train = load("digits").x
    with np.errstate(all="ignore"):
        return (x - train.mean(axis=0)) / train.std(axis=0)


def _pairs() -> Any:
    """Distances whose root is taken of 0."""
    data = load("faces")
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, len(data.x), (2, 600))
    b[:30] = a[:30]
    model = net.distance(data, epsilon=0.0)
    model.compile(optimizers.Adam(1e-3), lambda y, far: y * far + (1 - y) * ops.maximum(1.0 - far, 0.0))
    return Trial(model, [data.x[a], data.x[b]], (data.y[a] == data.y[b]).astype("float32")[:, None], epochs=6)


class ByItsMaximum(layers.Layer):
    """Divides each sample's maps by their largest value, which may be 0."""

    def call(self, x: Any) -> Any:
        """The scaled maps."""
        return x / ops.max(x, axis=(1, 2, 3), keepdims=True)


def _gaps(x: Any) -> Any:
    """A detector that fell silent: a dozen points of some spectra are missing."""
    x = x.copy()
    x[::97, 40:52] = np.nan
    return x


def _some_empty(x: Any) -> Any:
    return np.where(np.arange(len(x))[:, None, None, None] % 50 == 7, 0, x)


def _by_maximum(inputs: Any) -> Any:
    x = layers.Conv2D(12, 3, strides=2, activation="relu", use_bias=False, name="conv2d")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="conv2d_1")(ByItsMaximum(name="by_maximum")(x))
    return layers.Flatten()(x)


def _own_divergence(y: Any, p: Any) -> Any:
    """Of labels that are 0 but for one, with the logarithm of each."""
    return ops.sum(y * ops.log(y / p), axis=-1)


def _missing_rows(x: Any) -> Any:
    """Three images have lost a row of pixels, as a damaged file has."""
    x = x.copy()
    x[5::100, 3] = np.nan
    return x


def _logarithms(x: Any) -> Any:
    """Of every column, though there are zeros in two."""
    with np.errstate(divide="ignore"):
        return np.log(x)


CASES = faulty(
    "nan_or_inf",
    known={
        "nan: in the data of mnist": shows(sym.broken).of(fit("mnist", net.plain(), x=_last_missing(4), epochs=4)),
        "nan: in the data of shapes": shows(sym.broken).of(fit("shapes", net.plain(), x=_last_missing(40), epochs=4)),
        "nan: a loss with log 0 on digits": shows(sym.broken).of(fit("digits", net.plain(), loss=_log_loss, epochs=4)),
    }
    | {
        f"nan: a weight of {layer} on {data}": shows(sym.broken, layer).of(
            fit(data, net.plain(widths=(16, 24, 24)), callbacks=(_spoil(layer),), epochs=4))
        for data, layer in (("digits", "conv2"), ("shapes", "fc1"))
    },
    first={
        "log of silence in signals, Conv1D": shows(sym.broken).of(fit("signals", net.chain(), x=_log_power, epochs=4)),
        "a flat patch divided by its deviation, mobile net": shows(sym.broken).of(
            fit("materials", net.mobile(), by.sgd(0.02, 0.9), x=_standardized_each, epochs=4)),
        "siamese root of zero, faces": shows(sym.broken).of(Training(_pairs)),
    },
    second={
        "NaN: gaps in some spectra": shows(sym.broken).of(fit("spectra", net.branches(), x=_gaps, epochs=3)),
        "NaN: empty maps divided by their maximum": shows(sym.broken, "by_maximum").of(
            fit("sounds", net.functional(_by_maximum, "dense"), by.adam(1e-3), x=_some_empty, epochs=4)),
        "NaN: a Poisson loss of one's own over a rectified count": shows(sym.broken).of(
            fit("crowds", net.tutorial(units=1, head="relu"), loss=lambda y, rate: ops.mean(rate - y * ops.log(rate)),
                epochs=4)),
        "NaN: float16 throughout, heartbeats": shows(sym.broken).of(
            fit("heartbeats", net.tutorial(widths=(12, 16), hidden=(24,)), by.adam(1e-3, epsilon=1e-8),
                policy="float16", epochs=3)),
    },
    third={
        "NaN: the names of cars among their numbers": shows(sym.input_not_finite & sym.broken).of(
            fit("cars_named", net.mlp(hidden=(32, 16)), epochs=5)),
        "NaN: each pixel by its own deviation, which may be 0": shows(sym.input_not_finite & sym.broken).of(
            fit("digits", net.mlp(), by.adam(1e-3), x=_standardized_pixels, epochs=4)),
        "NaN: a square root for an activation, prints": shows(sym.broken).of(
            fit("prints", net.convnet(activation=lambda x: ops.sqrt(ops.relu(x))), epochs=3)),
        "NaN: a divergence of one's own from one-hot labels, mnist": shows(sym.broken).of(
            fit("mnist", net.lenet(), loss=_own_divergence, y=one_hot(10), epochs=3)),
    },
    fourth={
        "NaN: rows of pixels missing in a few images, materials": shows(sym.input_not_finite & sym.broken).of(
            fit("materials", net.vgg(each=1), by.adam(1e-3), x=_missing_rows, epochs=3)),
        "NaN: logarithms of columns with zeros, houses": shows(sym.input_not_finite & sym.broken).of(
            fit("housing_raw", net.mlp(), by.adam(1e-3), x=_logarithms)),
    },
)  # fmt: skip
