"""The cases of the fifth round: programs as people write them, healthy, or with one realistic fault put in.

Programs of our own are in ``questions/``; published ones are of the half set aside. A fault is one more edit, mostly
of one line. ``layers`` are any of the right places; empty if the fault has none. Frozen before any rule saw them.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.corpus.case import words
from benchmarks.field import symptoms as shows
from benchmarks.field.program import Program, program
from benchmarks.field.symptoms import Symptom, both, last, learned, no_progress

OTHER_FREQUENCY = 25


@dataclass(frozen=True)
class FieldCase:
    """One case.

    Attributes:
        name: Its name.
        program: The program with the fault's edits.
        fault: The id that a diagnosis should name first; None for a healthy program.
        layers: Paths any of which is the right place.
        also: Ids that are right too.
        symptom: What its trainings show without us.
    """

    name: str
    program: Program
    fault: str | None
    layers: tuple[str, ...]
    also: tuple[str, ...]
    symptom: Symptom

    @property
    def update_freq(self) -> int:
        """A third of the cases are also trained with a snapshot every so many batches; 0 for the others."""
        return OTHER_FREQUENCY if hashlib.blake2b(self.name.encode(), digest_size=1).digest()[0] % 3 == 0 else 0


def _healthy(of: str, symptom: Symptom, edits: tuple[tuple[str, str], ...] = (), **changes: Any) -> FieldCase:
    return FieldCase(f"healthy {of.removesuffix('.py')}", _program(of, edits, **changes), None, (), (), symptom)


def _faulty(
    what: str, of: str, fault: str, layers: str, also: str, symptom: Symptom, *edits: tuple[str, str], **changes: Any
) -> FieldCase:
    name = f"{fault} {of.removesuffix('.py')}: {what}"
    return FieldCase(name, _program(of, edits, **changes), fault, words(layers), tuple(also.split()), symptom)


def _program(of: str, edits: tuple[tuple[str, str], ...], **changes: Any) -> Program:
    base = Program(of.removesuffix(".py"), None, of) if of.endswith(".py") else program(of)
    return replace(base, edits=(*base.edits, *edits), **changes)


def case(name: str) -> FieldCase:
    """The case of this name."""
    return next(each for each in cases() if each.name == name)


@functools.cache
def cases() -> tuple[FieldCase, ...]:
    """All cases, healthy ones first."""
    return (
        _healthy("cnn_digits.py", learned("val_accuracy", 0.9)),
        _healthy("tumor_table.py", learned("val_accuracy", 0.9)),
        _healthy("house_prices.py", learned("val_mae", at_most=0.45)),
        _healthy("sine_lstm.py", learned("val_loss", at_most=0.002)),
        _healthy("review_conv1d.py", learned("val_accuracy", 0.9)),
        _healthy("textures_bn.py", learned("val_accuracy", 0.75)),
        _healthy("digits_autoencoder.py", learned("val_loss", at_most=0.16)),
        _healthy("cells_unet.py", learned("val_loss", at_most=0.12)),
        _healthy("same_digit_siamese.py", learned("val_accuracy", 0.85), samples=4000),
        _healthy("digits_gan.py", shows.balanced_gan),
        _healthy("tiny_vit.py", learned("val_accuracy", 0.5)),
        _healthy("fraud_table.py", learned("val_auc", 0.9)),
        _healthy("new_head.py", learned("val_accuracy", 0.88)),
        _healthy("two_rings.py", learned("val_accuracy", 0.95)),
        _healthy("heartbeat_conv1d.py", learned("val_accuracy", 0.85)),
        _healthy("photo_tags.py", learned("val_binary_accuracy", 0.85)),
        _healthy("residual_photos.py", learned("val_accuracy", 0.6)),
        _healthy("dot_position.py", learned("loss", at_most=0.01)),
        _healthy("reverse_words.py", learned("val_accuracy", 0.9)),
        _healthy("noisy_digits_small.py", learned("val_accuracy", 0.5)),
        _healthy("tf-cnn", learned("val_accuracy", 0.5)),
        _healthy("tf-denoising", learned("val_loss", at_most=0.03)),
        _healthy("tf-regression", learned("val_loss", at_most=3.5)),
        _healthy("tf-autoencoder", learned("val_loss", at_most=0.01)),
        _healthy("tf-simple-audio", learned("val_accuracy", 0.8)),
        _healthy("tf-timeseries-residual-lstm", learned("val_loss", at_most=0.5)),
        _healthy("dl-segmentation", learned("val_loss", at_most=0.6), epochs=8),
        _healthy("dl-vae", learned("loss", at_most=250)),
        _healthy("hm-wide-deep", learned("loss", at_most=0.6)),
        _healthy("kh-resnet", learned("val_accuracy", 0.4)),
        _healthy("kh-bert", learned("val_accuracy", 0.7), code=program("kh-bert").code.replace("epochs=4", "epochs=7")),
        *_inputs_and_outputs(),
        *_weights_and_steps(),
        *_layers_and_data(),
    )


def _inputs_and_outputs() -> tuple[FieldCase, ...]:
    tumor = (r'Dense\(1, activation="sigmoid"', 'Dense(1, activation="softmax"')
    return (
        _faulty(
            "columns not scaled",
            "house_prices.py",
            "unnormalised_input",
            "dense1",
            "",
            last("val_mae", at_least=0.5),
            (r"^x_train, x_val = scaler.*", ""),
        ),
        _faulty(
            "scaled twice",
            "tf-cnn",
            "unnormalised_input",
            "conv2d",
            "",
            last("val_accuracy", at_most=0.4),
            (r"/ 255.0$", "/ 255.0\ntrain_images, test_images = train_images / 255.0, test_images / 255.0"),
        ),
        _faulty(
            "forgot to scale, sigmoids",
            "tumor_table.py",
            "unnormalised_input",
            "first",
            "saturated_activation",
            last("loss", at_least=0.15),
            (r"^X_t(rain|est) = sc.*", ""),
            ('"relu"', '"sigmoid"'),
        ),
        _faulty(
            "softmax over one unit",
            "tumor_table.py",
            "output_loss_mismatch",
            "output",
            "collapsed_output",
            shows.one_class,
            tumor,
        ),
        _faulty(
            "sigmoid for a price",
            "house_prices.py",
            "output_loss_mismatch",
            "price",
            "saturated_activation",
            last("val_mae", at_least=0.8),
            (r"Dense\(1, name", 'Dense(1, activation="sigmoid", name'),
        ),
        _faulty(
            "relu in front of a cross-entropy",
            "gd-cnn",
            "output_loss_mismatch",
            "dense_1",
            "collapsed_output dead_units nan_or_inf",
            lambda done: not done[-1].history["loss"][-1] < 1.0,
            (r'Activation\("softmax"\)', 'Activation("relu")'),
        ),
        _faulty(
            "softmax for tags",
            "photo_tags.py",
            "output_loss_mismatch",
            "tags",
            "",
            last("val_binary_accuracy", at_most=0.8),
            (r'activation="sigmoid"', 'activation="softmax"'),
        ),
        _faulty(
            "one missing value",
            "tumor_table.py",
            "nan_or_inf",
            "first second output",
            "",
            shows.broken("first"),
            (r"^sc = ", 'X_train[7, 3] = float("nan")\nsc = '),
        ),
        _faulty(
            "log of zero in a loss of one's own",
            "fraud_table.py",
            "nan_or_inf",
            "d1 d2 p_fraud",
            "exploding_gradient",
            shows.not_finite,
            (
                r'"binary_crossentropy"',
                "lambda t, p: -keras.ops.mean(t * keras.ops.log(p) + (1 - t) * keras.ops.log(1 - keras.ops.round(p)))",
            ),
        ),
        _faulty(
            "labels shuffled",
            "cnn_digits.py",
            "underfitting",
            "",
            "overfitting collapsed_output",
            last("val_accuracy", at_most=0.2),
            (r"^y_train = keras", "import numpy as np\ny_train = np.random.permutation(y_train)\ny_train = keras"),
        ),
    )


def _weights_and_steps() -> tuple[FieldCase, ...]:
    return (
        _faulty(
            "weights of zero",
            "two_rings.py",
            "bad_init",
            "h{0..5} inside",
            "redundant_filters dead_units vanishing_gradient",
            no_progress,
            (r'activation="relu", name', 'activation="relu", kernel_initializer="zeros", name'),
        ),
        _faulty(
            "normal weights of deviation 1",
            "cnn_digits.py",
            "bad_init",
            "conv_{a,b} hidden",
            "exploding_gradient learning_rate_too_high",
            lambda done: done[-1].history["loss"][0] > 10,
            (
                r'activation="relu", name',
                'activation="relu", kernel_initializer=keras.initializers.RandomNormal(stddev=1.0), name',
            ),
        ),
        _faulty(
            "equal weights",
            "noisy_digits_small.py",
            "bad_init",
            "conv{1,2} fc",
            "redundant_filters",
            both(shows.equal_filters("conv1"), last("val_accuracy", at_most=0.5)),
            (
                r"kernel_regularizer=l2, name",
                "kernel_regularizer=l2, kernel_initializer=keras.initializers.Constant(0.05), name",
            ),
        ),
        _faulty(
            "Adam at 0.1",
            "cnn_digits.py",
            "learning_rate_too_high",
            "",
            "dead_units collapsed_output exploding_gradient",
            last("val_accuracy", at_most=0.5),
            (r"Adam\(0.001\)", "Adam(0.1)"),
        ),
        _faulty(
            "Adam at 0.3",
            "reverse_words.py",
            "learning_rate_too_high",
            "",
            "collapsed_output exploding_gradient",
            last("val_accuracy", at_most=0.3),
            ("3e-3", "0.3"),
        ),
        _faulty(
            "RMSprop at 0.5",
            "dl-segmentation",
            "learning_rate_too_high",
            "",
            "dead_units collapsed_output exploding_gradient",
            last("val_loss", at_least=0.6),
            (r'^    optimizer="adam"', "    optimizer=keras.optimizers.RMSprop(0.5)"),
        ),
        _faulty(
            "Adam at 1e-6",
            "textures_bn.py",
            "learning_rate_too_low",
            "",
            "underfitting too_few_epochs",
            last("accuracy", at_most=0.5),
            (r"=1e-3", "=1e-6"),
        ),
        _faulty(
            "SGD at 1e-5",
            "tf-fashion",
            "learning_rate_too_low",
            "",
            "underfitting too_few_epochs",
            last("accuracy", at_most=0.3),
            (r"optimizer='adam'", "optimizer=tf.keras.optimizers.SGD(1e-5)"),
            epochs=8,
        ),
        _faulty(
            "prices in dollars, SGD",
            "house_prices.py",
            "exploding_gradient",
            "",
            "nan_or_inf learning_rate_too_high unnormalised_input",
            shows.not_finite,
            (r"Adam\(0.001\)", "SGD(0.01)"),
            (r"housing.target, ", "housing.target * 1e5, "),
        ),
        _faulty(
            "fourteen sigmoid layers",
            "two_rings.py",
            "vanishing_gradient",
            "h{0..12}",
            "saturated_activation",
            both(no_progress, shows.small_gradient("h0", "inside", 1e-2)),
            (r"range\(6\)", "range(14)"),
            ('"relu"', '"sigmoid"'),
        ),
        _faulty(
            "tanh behind large weights",
            "two_rings.py",
            "saturated_activation",
            "h{0..5}",
            "bad_init vanishing_gradient",
            both(shows.saturated("h3", 0.5), last("val_accuracy", at_most=0.9)),
            (
                r'activation="relu", name',
                'activation="tanh", kernel_initializer=keras.initializers.RandomNormal(stddev=5.0), name',
            ),
        ),
        _faulty(
            "biases of −5",
            "noisy_digits_small.py",
            "dead_units",
            "conv2",
            "bad_init",
            shows.dead("conv2", 0.5),
            (r'name="conv2"', 'bias_initializer=keras.initializers.Constant(-5.0), name="conv2"'),
        ),
        _faulty(
            "stopped after two epochs",
            "digits_autoencoder.py",
            "too_few_epochs",
            "",
            "underfitting",
            shows.unsettled,
            ("epochs=15", "epochs=2"),
        ),
        _faulty(
            "stopped after two epochs, SGD",
            "tf-beginner",
            "too_few_epochs",
            "",
            "underfitting learning_rate_too_low",
            shows.unsettled,
            (r"optimizer='adam'", "optimizer='sgd'"),
            (r"epochs=5", "epochs=2"),
        ),
    )


def _layers_and_data() -> tuple[FieldCase, ...]:
    return (
        _faulty(
            "activations forgotten",
            "two_rings.py",
            "missing_activation",
            "h{0..5}",
            "underfitting",
            last("val_accuracy", at_most=0.7),
            (r'activation="relu", ', ""),
        ),
        _faulty(
            "convolutions without activations",
            "heartbeat_conv1d.py",
            "missing_activation",
            "c{1..3}",
            "underfitting",
            last("val_accuracy", at_most=0.85),
            (r'activation="relu", name="c', 'name="c'),
        ),
        _faulty(
            "frozen without training it before",
            "new_head.py",
            "frozen_layer",
            "base/base_conv{1,2} base/base_dense",
            "underfitting",
            shows.unchanged("base_conv1", "base_conv2", "base_dense"),
            (r"range\(8\)", "range(0)"),
            (r"base.trainable = True", "base.trainable = False"),
        ),
        _faulty(
            "one in fifty, features that say little",
            "fraud_table.py",
            "collapsed_output",
            "",
            "underfitting",
            shows.one_class,
            (r"< 1 / 12", "< 1 / 50"),
            (r"\+= 1.1", "+= 0.3"),
            (r", class_weight=class_weight", ""),
        ),
        _faulty(
            "discriminator 25 times as fast",
            "digits_gan.py",
            "discriminator_overpowers",
            "",
            "vanishing_gradient learning_rate_too_high",
            shows.discriminator_wins,
            (
                r"^gan.compile.*",
                "gan.compile(keras.optimizers.Adam(5e-3, beta_1=0.5), keras.optimizers.Adam(1e-5, beta_1=0.5))",
            ),
        ),
        _faulty(
            "generator at 0.02",
            "digits_gan.py",
            "mode_collapse",
            "",
            "learning_rate_too_high discriminator_overpowers saturated_activation",
            shows.samples_alike,
            (
                r"^gan.compile.*",
                "gan.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-2, beta_1=0.5))",
            ),
        ),
        _faulty(
            "batches of two behind dense layers",
            "tumor_table.py",
            "batch_too_small_for_bn",
            "",
            "stale_batch_statistics",
            last("accuracy", at_most=0.93),
            (r"batch_size=16, epochs=40", "batch_size=2, epochs=8"),
            (
                r', activation="relu", name="(\w+)"\)\)',
                r', name="\1"))\nclassifier.add(keras.layers.BatchNormalization())'
                r'\nclassifier.add(keras.layers.Activation("relu"))',
            ),
        ),
        _faulty(
            "dropout of 0.95",
            "cnn_digits.py",
            "underfitting",
            "",
            "",
            last("accuracy", at_most=0.6),
            (r"Dropout\(0\.\d+\)", "Dropout(0.95)"),
        ),
        _faulty(
            "L2 of 0.5",
            "noisy_digits_small.py",
            "underfitting",
            "",
            "collapsed_output",
            last("accuracy", at_most=0.35),
            (r"l2\(1e-4\)", "l2(0.5)"),
        ),
        _faulty(
            "one filter each",
            "heartbeat_conv1d.py",
            "underfitting",
            "",
            "dead_units",
            last("accuracy", at_most=0.75),
            (r"Conv1D\(\d+", "Conv1D(1"),
        ),
        _faulty(
            "a hundred photographs",
            "tf-cnn",
            "overfitting",
            "",
            "",
            shows.overfitted,
            (r"epochs=10", "epochs=40"),
            samples=120,
            epochs=0,
        ),
        _faulty(
            "as published: wide layers, noisy table",
            "tf-overfit-large",
            "overfitting",
            "",
            "",
            shows.overfitted,
            epochs=60,
        ),
        _faulty(
            "moving averages that lag",
            "textures_bn.py",
            "stale_batch_statistics",
            "conv{1..3} bn{1..3} predictions",
            "",
            shows.worse_in_inference,
            (r"momentum=0.9", "momentum=0.999"),
            ("epochs=12", "epochs=4"),
        ),
        _faulty(
            "few large batches",
            "gd-cnn",
            "stale_batch_statistics",
            "conv2d conv2d_{1..3} dense dense_1 batch_normalization batch_normalization_{1..4}",
            "too_few_epochs",
            shows.worse_in_inference,
            ("batch_size=32", "batch_size=256"),
            epochs=5,
        ),
    )
