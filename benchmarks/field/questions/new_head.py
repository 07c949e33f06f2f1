"""A network that knows five digits gets a new head for the other five."""

import keras
from keras import layers

(x, y), (xv, yv) = keras.datasets.mnist.load_data()
x, xv = x[..., None] / 255.0, xv[..., None] / 255.0
base = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, strides=2, activation="relu", name="base_conv1"),
        layers.Conv2D(32, 3, strides=2, activation="relu", name="base_conv2"),
        layers.Flatten(),
        layers.Dense(64, activation="relu", name="base_dense"),
    ],
    name="base",
)
old = keras.Sequential([base, layers.Dense(5, activation="softmax")])
old.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
known = y < 5
for _ in range(8):
    for start in range(0, known.sum() - 64, 64):
        old.train_on_batch(x[known][start : start + 64], y[known][start : start + 64])

base.trainable = True
model = keras.Sequential([base, layers.Dense(5, activation="softmax", name="new_head")])
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[~known], y[~known] - 5, epochs=10, batch_size=32, validation_data=(xv[yv >= 5], yv[yv >= 5] - 5))
