"""Roads from above: encoder and decoder with UpSampling2D, dice loss plus cross-entropy."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(17)
S = 32


def tile():
    mask = np.zeros((S, S))
    rows, cols = np.mgrid[:S, :S]
    for _ in range(rng.integers(1, 3)):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-8, 8)
        away = np.cos(angle) * (rows - S / 2) + np.sin(angle) * (cols - S / 2) - offset
        mask[np.abs(away) < rng.uniform(1.5, 3)] = 1
    ground = rng.normal(0.35, 0.1, (S, S, 3)) * np.array([0.8, 1.0, 0.6])
    road = rng.normal(0.55, 0.1, (S, S, 1))
    return np.where(mask[..., None] == 1, road, ground), mask[..., None]


images, masks = (np.array(part, "float32") for part in zip(*[tile() for _ in range(500)]))


def dice_loss(y_true, y_pred):
    overlap = 2 * tf.reduce_sum(y_true * y_pred) + 1
    return 1 - overlap / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + 1)


def bce_dice_loss(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, y_pred) + dice_loss(y_true, y_pred)


def conv(filters, x):
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.Activation("relu")(x)


inputs = layers.Input((S, S, 3))
e1 = conv(8, inputs)
e2 = conv(16, layers.MaxPooling2D()(e1))
b = conv(24, layers.MaxPooling2D()(e2))
d2 = conv(16, layers.Concatenate()([layers.UpSampling2D()(b), e2]))
d1 = conv(8, layers.Concatenate()([layers.UpSampling2D()(d2), e1]))
outputs = layers.Conv2D(1, 1, activation="sigmoid", name="road")(d1)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss=bce_dice_loss, metrics=["accuracy"])
model.fit(images[:400], masks[:400], epochs=18, batch_size=16, validation_data=(images[400:], masks[400:]))
