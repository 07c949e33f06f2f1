"""Heating and cooling load of a building from its shape: two outputs, one trunk."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(21)
n = 1500
surface = rng.uniform(500, 800, n)
wall = rng.uniform(245, 420, n)
height = rng.choice([3.5, 7.0], n)
glazing = rng.choice([0.0, 0.1, 0.25, 0.4], n)
orientation = rng.integers(2, 6, n)
heating = 5 + 3.2 * height + 24 * glazing + 0.02 * (wall - 245) - 0.008 * (surface - 500) + rng.normal(0, 0.8, n)
cooling = 9 + 2.9 * height + 18 * glazing + 0.015 * (wall - 245) + 0.4 * (orientation == 4) + rng.normal(0, 0.8, n)
X = np.column_stack([surface, wall, height, glazing, orientation]).astype("float32")
Y1, Y2 = heating.astype("float32"), cooling.astype("float32")
train, val = slice(0, 1200), slice(1200, n)

normalizer = layers.Normalization()
normalizer.adapt(X[train])

inputs = keras.Input(shape=(5,), name="building")
x = normalizer(inputs)
x = layers.Dense(64, activation="relu", name="trunk1")(x)
x = layers.Dense(64, activation="relu", name="trunk2")(x)
h = layers.Dense(16, activation="relu", name="heating_hidden")(x)
c = layers.Dense(16, activation="relu", name="cooling_hidden")(x)
y1 = layers.Dense(1, name="heating")(h)
y2 = layers.Dense(1, name="cooling")(c)
model = keras.Model(inputs, {"heating": y1, "cooling": y2})
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.002),
    loss={"heating": "mse", "cooling": "mse"},
    metrics={"heating": ["mae"], "cooling": ["mae"]},
)
model.fit(
    X[train],
    {"heating": Y1[train], "cooling": Y2[train]},
    validation_data=(X[val], {"heating": Y1[val], "cooling": Y2[val]}),
    epochs=40,
    batch_size=32,
)
