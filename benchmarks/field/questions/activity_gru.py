"""What is the person doing? Windows of an accelerometer (three axes), four activities, one GRU."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(11)
steps, n = 64, 1600
labels = rng.integers(0, 4, n)
t = np.arange(steps) / 32
pace = np.array([0.0, 1.6, 2.6, 1.2])[labels] * rng.normal(1, 0.05, n)
strength = np.array([0.05, 0.8, 1.6, 0.5])[labels] * rng.uniform(0.8, 1.2, n)
phase = rng.uniform(0, 2 * np.pi, n)
wave = strength[:, None] * np.sin(2 * np.pi * pace[:, None] * t + phase[:, None])
signal = np.stack([wave, 0.5 * np.roll(wave, 6, axis=1), 0.3 * wave**2], axis=-1)
signal += rng.normal(0, 0.2, signal.shape)
mean, std = signal[:1200].mean(axis=(0, 1)), signal[:1200].std(axis=(0, 1))
signal = (signal - mean) / std

model = keras.Sequential(
    [
        layers.Input(shape=(steps, 3)),
        layers.GRU(32, name="gru"),
        layers.Dense(32, activation="relu", name="fc"),
        layers.Dropout(0.2),
        layers.Dense(4, activation="softmax", name="activity"),
    ]
)
model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(2e-3), metrics=["accuracy"])
model.fit(signal[:1200], labels[:1200], epochs=15, batch_size=32, validation_data=(signal[1200:], labels[1200:]))
