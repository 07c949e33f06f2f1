"""Small programs on the patterns that people write: what a callback meets in the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

IMAGES = np.random.default_rng(0).normal(size=(64, 16, 16, 3)).astype(np.float32)
CLASSES = (IMAGES.mean(axis=(1, 2, 3)) > 0).astype(np.int64)


class Program(NamedTuple):
    """A compiled model, what ``fit`` is given, and the parts whose activations are to be recorded."""

    model: Any
    data: tuple[Any, ...]
    options: dict[str, Any]
    parts: tuple[str, ...] = ("",)


def _classifier(*, built: bool = True) -> Any:
    return keras.Sequential(
        [
            *([keras.Input((16, 16, 3))] if built else []),
            layers.Conv2D(6, 3, activation="relu", name="conv1"),
            layers.Conv2D(6, 3, activation="relu", name="conv2"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, name="head"),
        ]
    )


def _crossentropy() -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def distiller() -> Program:
    """Inner models are built, the outer one is not; the loss is its own."""

    class Distiller(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.student, self.teacher = _classifier(), _classifier()

        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:
            loss = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
            return ops.mean(loss) + ops.mean((self.teacher(x, training=False) - y_pred) ** 2)

        def call(self, x: Any) -> Any:
            return self.student(x)

    model = Distiller()
    model.compile("adam")
    return Program(model, (IMAGES, CLASSES), {})


def augmented() -> Program:
    """An augmentation without weights as an attribute, unbuilt until the first batch."""

    class Augmented(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.augmentation = keras.Sequential([layers.RandomFlip()])
            self.classifier = _classifier()

        def call(self, x: Any, training: bool = False) -> Any:
            return self.classifier(self.augmentation(x, training=training), training=training)

    model = Augmented()
    model.compile("adam", _crossentropy())
    return Program(model, (IMAGES, CLASSES), {})


def no_channel_axis() -> Program:
    """``fit`` takes ``(samples, 16, 16)`` for an input ``(16, 16, 1)``."""
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(6, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return Program(model, (IMAGES[..., 0], CLASSES), {})


def any_size() -> Program:
    """A fully convolutional model, trained on images of several sizes."""
    inputs = keras.Input((None, None, 3))
    hidden = layers.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    model = keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(hidden))
    model.compile("adam", "mse")

    def batches() -> Any:
        for number in range(8):
            size = 8 + 4 * (number % 3)
            yield IMAGES[:8, :size, :size], IMAGES[:8, :size, :size]

    spec = tf.TensorSpec((None, None, None, 3))
    data = tf.data.Dataset.from_generator(batches, output_signature=(spec, spec)).repeat()
    return Program(model, (data,), {"steps_per_epoch": 8})


def named_inputs() -> Program:
    """A dictionary of inputs and a dictionary of outputs."""
    image, table = keras.Input((16, 16, 3), name="image"), keras.Input((3,), name="table")
    features = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(image))
    features = layers.Concatenate()([features, layers.Dense(4, activation="relu")(table)])
    outputs = {"kind": layers.Dense(2, name="kind")(features), "size": layers.Dense(1, name="size")(features)}
    model = keras.Model({"image": image, "table": table}, outputs)
    model.compile("adam", {"kind": _crossentropy(), "size": "mse"})
    y = {"kind": CLASSES, "size": IMAGES[:, 0, 0, :1]}
    return Program(model, ({"image": IMAGES, "table": IMAGES[:, 0, 0]}, y), {})


def gan() -> Program:
    """Two networks and a ``train_step``; the generator is called with noise."""

    class Gan(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.discriminator = keras.Sequential(
                [
                    keras.Input((16, 16, 3)),
                    layers.Conv2D(6, 4, strides=4),
                    layers.LeakyReLU(),
                    layers.Flatten(),
                    layers.Dense(1),
                ]
            )
            self.generator = keras.Sequential(
                [
                    keras.Input((5,)),
                    layers.Dense(4 * 4 * 6),
                    layers.LeakyReLU(),
                    layers.Reshape((4, 4, 6)),
                    layers.Conv2DTranspose(3, 4, strides=4, padding="same"),
                ]
            )
            self.noise = keras.random.SeedGenerator(1)

        def compile(self) -> None:
            super().compile()
            self.d_optimizer, self.g_optimizer = keras.optimizers.Adam(), keras.optimizers.Adam()
            self.criterion = keras.losses.BinaryCrossentropy(from_logits=True)

        def train_step(self, real: Any) -> dict[str, Any]:
            count = ops.shape(real)[0]
            latent = keras.random.normal((count, 5), seed=self.noise)
            images = ops.concatenate([self.generator(latent), real], axis=0)
            labels = ops.concatenate([ops.ones((count, 1)), ops.zeros((count, 1))], axis=0)
            with tf.GradientTape() as tape:
                d_loss = self.criterion(labels, self.discriminator(images))
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))
            with tf.GradientTape() as tape:
                g_loss = self.criterion(ops.zeros((count, 1)), self.discriminator(self.generator(latent)))
            weights = self.generator.trainable_weights
            self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
            return {"d_loss": d_loss, "g_loss": g_loss}

    model = Gan()
    model.compile()
    return Program(model, (IMAGES,), {}, ("discriminator", "generator"))


def vae() -> Program:
    """An encoder and a decoder; the decoder is called with what the encoder drew."""

    class Vae(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            image = keras.Input((16, 16, 3))
            hidden = layers.Flatten()(layers.Conv2D(4, 3, strides=2, activation="relu")(image))
            self.encoder = keras.Model(
                image, [layers.Dense(2, name="mean")(hidden), layers.Dense(2, name="log")(hidden)]
            )
            latent = keras.Input((2,))
            hidden = layers.Reshape((8, 8, 2))(layers.Dense(128, activation="relu")(latent))
            self.decoder = keras.Model(latent, layers.Conv2DTranspose(3, 3, strides=2, padding="same")(hidden))
            self.noise = keras.random.SeedGenerator(2)

        def train_step(self, images: Any) -> dict[str, Any]:
            with tf.GradientTape() as tape:
                mean, log = self.encoder(images)
                latent = mean + ops.exp(0.5 * log) * keras.random.normal(ops.shape(mean), seed=self.noise)
                loss = ops.mean((images - self.decoder(latent)) ** 2) + 0.01 * ops.mean(mean**2 + ops.exp(log) - log)
            weights = self.trainable_weights
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return {"loss": loss}

    model = Vae()
    model.compile(keras.optimizers.Adam())
    return Program(model, (IMAGES,), {}, ("encoder", "decoder"))


def one_batch() -> Program:
    """Built by its first batch, which is the whole epoch."""
    model = _classifier(built=False)
    model.compile("adam", _crossentropy())
    return Program(model, (IMAGES, CLASSES), {"batch_size": 64})


def recurrent() -> Program:
    """A Dense layer behind an LSTM reads no input of the model."""
    inputs = keras.Input((16, 3))
    model = keras.Model(inputs, layers.Dense(2, name="head")(layers.LSTM(4)(inputs)))
    model.compile("adam", _crossentropy())
    return Program(model, (IMAGES[:, :, 0], CLASSES), {})


def separable() -> Program:
    """Kernels without an activation of their own."""
    inputs = keras.Input((16, 16, 3))
    hidden = layers.GlobalAveragePooling2D()(layers.SeparableConv2D(4, 3, activation="relu")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(hidden))
    model.compile("adam", _crossentropy())
    return Program(model, (IMAGES, CLASSES), {})


def transformer() -> Program:
    """Embedding, attention, residuals."""
    tokens = keras.Input((16,), dtype="int32")
    x = layers.Embedding(10, 8)(tokens)
    x = x + layers.MultiHeadAttention(2, 4)(layers.LayerNormalization()(x), x)
    x = x + layers.Dense(8)(layers.Dense(16, activation="gelu")(layers.LayerNormalization()(x)))
    model = keras.Model(tokens, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", _crossentropy())
    return Program(model, ((np.abs(IMAGES[:, :, 0, 0]) * 4).astype(np.int32) % 10, CLASSES), {})


def plain_attributes() -> Program:
    """Layers in lists of a custom layer, and a matrix of the model's own."""

    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.conv = layers.Conv2D(4, 3, activation="relu")
            self.dense = [layers.Dense(4, activation="relu"), layers.Dense(4, activation="relu")]

        def call(self, x: Any) -> Any:
            x = self.conv(x)
            for dense in self.dense:
                x = dense(x)
            return x

    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.block, self.head = Block(), layers.Dense(2)

        def build(self, shape: Any) -> None:
            self.mix = self.add_weight(shape=(4, 5), name="mix")

        def call(self, x: Any) -> Any:
            return self.head(ops.mean(self.block(x) @ self.mix, axis=(1, 2)))

    model = Model()
    model.compile("adam", _crossentropy())
    return Program(model, (IMAGES, CLASSES), {})


def one_batch_size() -> Program:
    """Noise is drawn for batches of 16, as the data drop the remainder."""

    class Denoiser(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.network = keras.Sequential(
                [layers.Conv2D(6, 3, padding="same", activation="relu"), layers.Conv2D(3, 3, padding="same")]
            )

        def call(self, x: Any) -> Any:
            return self.network(x + keras.random.normal((16, 16, 16, 3)))

    model = Denoiser()
    model.build((16, 16, 16, 3))
    model.compile("adam", "mse")
    return Program(model, (tf.data.Dataset.from_tensor_slices((IMAGES, IMAGES)).batch(16, drop_remainder=True),), {})


def text_column() -> Program:
    """A dictionary of inputs, one of them words."""
    words = np.array(["red", "green", "blue", "red"] * 16)
    lookup = layers.StringLookup(vocabulary=["red", "green", "blue"], output_mode="one_hot")
    inputs = {"color": keras.Input((1,), dtype="string", name="color"), "size": keras.Input((3,), name="size")}
    joined = layers.Concatenate()([lookup(inputs["color"]), inputs["size"]])
    outputs = layers.Dense(1)(layers.Dense(8, activation="relu")(joined))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    sizes = IMAGES[:, 0, 0]
    data = {"color": tf.constant(words[:, None]), "size": tf.constant(sizes)}
    return Program(model, (tf.data.Dataset.from_tensor_slices((data, sizes[:, :1])).batch(16),), {})


PROGRAMS: tuple[Callable[[], Program], ...] = (
    distiller,
    augmented,
    no_channel_axis,
    any_size,
    named_inputs,
    gan,
    vae,
    one_batch,
    recurrent,
    separable,
    transformer,
    plain_attributes,
    one_batch_size,
    text_column,
)
