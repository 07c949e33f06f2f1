"""DCGAN, conditional on nothing: draws discs, squares and crosses of 16 x 16 pixels."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

rng = np.random.default_rng(19)
SIZE, NOISE = 16, 24
rows, cols = np.mgrid[:SIZE, :SIZE]
real_images = []
for _ in range(1500):
    r, c, radius, kind = *rng.integers(5, SIZE - 5, 2), rng.integers(2, 5), rng.integers(3)
    dr, dc = np.abs(rows - r), np.abs(cols - c)
    shape = (dr**2 + dc**2 <= radius**2, np.maximum(dr, dc) <= radius, (np.minimum(dr, dc) == 0) & (dr + dc <= radius))[
        kind
    ]
    real_images.append(np.where(shape, 0.9, -0.9) + rng.normal(0, 0.03, (SIZE, SIZE)))
real_images = np.clip(real_images, -1, 1)[..., None].astype("float32")


def make_discriminator():
    model = keras.Sequential(name="D")
    model.add(layers.Input((SIZE, SIZE, 1)))
    model.add(layers.Conv2D(24, 4, strides=2, padding="same"))
    model.add(layers.LeakyReLU(negative_slope=0.2))
    model.add(layers.Dropout(0.3))
    model.add(layers.Conv2D(48, 4, strides=2, padding="same"))
    model.add(layers.LeakyReLU(negative_slope=0.2))
    model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model


def make_generator():
    model = keras.Sequential(name="G")
    model.add(layers.Input((NOISE,)))
    model.add(layers.Dense(4 * 4 * 48, use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    model.add(layers.Reshape((4, 4, 48)))
    model.add(layers.Conv2DTranspose(24, 4, strides=2, padding="same", use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    model.add(layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"))
    return model


class DCGAN(keras.Model):
    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.d_metric, self.g_metric = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")

    def compile(self, d_lr, g_lr):
        super().compile()
        self.d_opt = keras.optimizers.Adam(d_lr, beta_1=0.5)
        self.g_opt = keras.optimizers.Adam(g_lr, beta_1=0.5)
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self):
        return [self.d_metric, self.g_metric]

    def train_step(self, real):
        n = tf.shape(real)[0]
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, NOISE)), training=True)
            logits_real, logits_fake = self.discriminator(real, training=True), self.discriminator(fake, training=True)
            d_loss = (self.bce(tf.ones((n, 1)), logits_real) + self.bce(tf.zeros((n, 1)), logits_fake)) / 2
        d_weights = self.discriminator.trainable_weights
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, d_weights), d_weights))
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, NOISE)), training=True)
            g_loss = self.bce(tf.ones((n, 1)), self.discriminator(fake, training=True))
        g_weights = self.generator.trainable_weights
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, g_weights), g_weights))
        self.d_metric.update_state(d_loss)
        self.g_metric.update_state(g_loss)
        return {"d_loss": self.d_metric.result(), "g_loss": self.g_metric.result()}


gan = DCGAN(make_discriminator(), make_generator())
gan.compile(d_lr=2e-4, g_lr=4e-4)
gan.fit(real_images, epochs=25, batch_size=32)
