"""Tags that do not exclude each other: three sigmoids."""

import keras
from keras import layers

from benchmarks.corpus.data import load, traits

views = load("views")
tags, tags_val = traits(views.x), traits(views.xv)
model = keras.Sequential(
    [
        keras.Input(views.shape),
        layers.Conv2D(16, 3, strides=2, activation="relu", name="conv1"),
        layers.Conv2D(32, 3, strides=2, activation="relu", name="conv2"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(32, activation="relu", name="fc"),
        layers.Dense(3, activation="sigmoid", name="tags"),
    ]
)
model.compile(keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["binary_accuracy"])
model.fit(views.x, tags, epochs=15, batch_size=32, validation_data=(views.xv, tags_val))
