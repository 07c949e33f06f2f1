"""The price of a house from a picture and a table: two inputs, joined late."""

import keras
import numpy as np
from keras import layers
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(12)
n = 1200
bedrooms, area, zipcode = rng.integers(1, 6, n), rng.uniform(400, 4000, n), rng.integers(0, 10, n)
table = np.column_stack([bedrooms, area, zipcode, rng.normal(1970, 20, n)]).astype("float32")
luxury = rng.random(n).astype("float32")
pictures = rng.normal(0.5, 0.1, (n, 32, 32, 3)).astype("float32")
for picture, level in zip(pictures, luxury):  # a pool
    w = int(4 + 14 * level)
    r, c = rng.integers(0, 32 - w, 2)
    picture[r : r + w, c : c + w] = np.array([0.2, 0.6, 0.9]) + rng.normal(0, 0.05, (w, w, 3))
price = 0.3 + 0.1 * bedrooms + 0.0003 * area + 1.2 * luxury + rng.normal(0, 0.08, n)
price = price.astype("float32")
split = 950
table = StandardScaler().fit(table[:split]).transform(table)
pictures = (pictures - 0.5) * 2

image_in = keras.Input((32, 32, 3), name="image")
x = layers.Conv2D(8, 3, activation="relu", name="image_conv1")(image_in)
x = layers.MaxPooling2D()(x)
x = layers.Conv2D(16, 3, activation="relu", name="image_conv2")(x)
x = layers.MaxPooling2D()(x)
x = layers.Flatten()(x)
x = layers.Dense(16, activation="relu", name="image_fc")(x)
table_in = keras.Input((4,), name="table")
t = layers.Dense(16, activation="relu", name="table_fc1")(table_in)
t = layers.Dense(8, activation="relu", name="table_fc2")(t)
z = layers.Concatenate()([x, t])
z = layers.Dense(16, activation="relu", name="joint")(z)
out = layers.Dense(1, name="price")(z)
model = keras.Model([image_in, table_in], out)
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mean_squared_error", metrics=["mae"])
model.fit(
    {"image": pictures[:split], "table": table[:split]},
    price[:split],
    epochs=20,
    batch_size=32,
    validation_data=({"image": pictures[split:], "table": table[split:]}, price[split:]),
)
