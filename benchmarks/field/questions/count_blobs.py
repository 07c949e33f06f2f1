"""How many bacteria are in the dish? A count, with the Poisson loss."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(33)
size, n = 32, 1200
counts = rng.integers(1, 9, n)
grid = np.arange(size)
dishes = np.zeros((n, size, size), "float32")
for dish, count in zip(dishes, counts):
    for r, c in rng.uniform(3, size - 3, (count, 2)):
        dish += np.exp(-((grid[:, None] - r) ** 2 + (grid[None] - c) ** 2) / 3)
dishes += rng.normal(0, 0.05, dishes.shape)
X, y = dishes[..., None].astype("float32"), counts.astype("float32")

inputs = keras.Input((size, size, 1))
x = layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv")(inputs)
x = layers.MaxPooling2D()(x)
x = layers.Conv2D(16, 3, padding="same", activation="relu", name="block2_conv")(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dense(32, activation="relu", name="fc")(x)
outputs = layers.Dense(1, activation="softplus", name="count")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="poisson", metrics=["mae"])
model.fit(X[:1000], y[:1000], batch_size=32, epochs=20, validation_data=(X[1000:], y[1000:]))
