"""Object localization: x, y, width and height of the one object in a photograph-like picture."""

import keras
import numpy as np
from keras import layers

IMG = 48
rng = np.random.default_rng(4)


def make(count):
    images = rng.normal(110, 25, (count, IMG, IMG, 3))
    boxes = np.zeros((count, 4))
    for i in range(count):
        w, h = rng.integers(8, 22, 2)
        x, y = rng.integers(0, IMG - w), rng.integers(0, IMG - h)
        images[i, y : y + h, x : x + w] += rng.uniform(50, 120) * np.array([1, 0.6, 0.2])
        boxes[i] = x, y, w, h
    return np.clip(images, 0, 255).astype("uint8"), boxes.astype("float32")


train_x, train_y = make(1000)
val_x, val_y = make(200)
train_y, val_y = train_y / IMG, val_y / IMG

model = keras.models.Sequential(
    [
        layers.Input((IMG, IMG, 3)),
        layers.Rescaling(1.0 / 127.5, offset=-1),
        layers.Conv2D(8, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(4, activation="sigmoid", name="box"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])
model.fit(train_x, train_y, batch_size=32, epochs=20, validation_data=(val_x, val_y))
