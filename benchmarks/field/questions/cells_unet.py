"""Where the cells are: a small U-Net on bright discs in noise."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(5)
size, count = 32, 400
rows, columns = np.mgrid[:size, :size]
masks = np.zeros((count, size, size), bool)
for mask in masks:
    for _ in range(rng.integers(1, 4)):
        r, c, radius = rng.integers(5, size - 5), rng.integers(5, size - 5), rng.integers(3, 6)
        mask |= (rows - r) ** 2 + (columns - c) ** 2 < radius**2
images = 0.3 + 0.4 * masks + rng.normal(0, 0.15, masks.shape)
X = images[..., None].astype("float32")
Y = masks[..., None].astype("float32")


def block(x, filters, name):
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_1")(x)
    return layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_2")(x)


inp = keras.Input((size, size, 1))
c1 = block(inp, 8, "down1")
c2 = block(layers.MaxPooling2D()(c1), 16, "down2")
c3 = block(layers.MaxPooling2D()(c2), 32, "middle")
u2 = layers.Conv2DTranspose(16, 2, strides=2, name="up2")(c3)
c4 = block(layers.concatenate([u2, c2]), 16, "right2")
u1 = layers.Conv2DTranspose(8, 2, strides=2, name="up1")(c4)
c5 = block(layers.concatenate([u1, c1]), 8, "right1")
out = layers.Conv2D(1, 1, activation="sigmoid", name="mask")(c5)
model = keras.Model(inp, out)
model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=[keras.metrics.BinaryIoU()])
model.fit(X[:320], Y[:320], batch_size=16, epochs=10, validation_data=(X[320:], Y[320:]))
