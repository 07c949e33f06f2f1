"""Heartbeats: Conv1D on a signal, a class per beat."""

import keras
from keras import layers

from benchmarks.corpus.data import load

d = load("heartbeats")
model = keras.Sequential(
    [
        keras.Input(d.shape),
        layers.Conv1D(16, 7, strides=2, activation="relu", name="c1"),
        layers.Conv1D(32, 5, strides=2, activation="relu", name="c2"),
        layers.Conv1D(32, 3, activation="relu", name="c3"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(32, activation="relu", name="fc"),
        layers.Dense(d.classes, activation="softmax", name="beat"),
    ]
)
model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(d.x, d.y, epochs=20, batch_size=32, validation_data=(d.xv, d.yv))
