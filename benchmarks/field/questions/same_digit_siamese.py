"""Are two digits the same? Two towers with shared weights."""

import keras
import numpy as np
from keras import layers, ops

(x, y), _ = keras.datasets.mnist.load_data()
x = x.astype("float32")[..., None] / 255
rng = np.random.default_rng(0)
left, right, same = [], [], []
by_digit = [np.flatnonzero(y == digit) for digit in range(10)]
for index in range(len(x)):
    match = rng.random() < 0.5
    digit = y[index] if match else (y[index] + rng.integers(1, 10)) % 10
    left.append(x[index])
    right.append(x[rng.choice(by_digit[digit])])
    same.append(float(match))
left, right, same = np.array(left), np.array(right), np.array(same)

tower = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 5, strides=2, activation="relu", name="conv1"),
        layers.Conv2D(32, 5, strides=2, activation="relu", name="conv2"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(48, activation="relu", name="embedding"),
    ],
    name="tower",
)
a, b = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
distance = layers.Lambda(lambda both: ops.abs(both[0] - both[1]))([tower(a), tower(b)])
score = layers.Dense(1, activation="sigmoid", name="score")(distance)
siamese = keras.Model([a, b], score)
siamese.compile(keras.optimizers.Adam(0.002), "binary_crossentropy", metrics=["accuracy"])
siamese.fit([left, right], same, epochs=10, batch_size=32, validation_split=0.15)
