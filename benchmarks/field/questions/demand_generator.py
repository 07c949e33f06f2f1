"""Demand for the next 6 hours from the last 48, with a PyDataset and dilated causal convolutions."""

import math

import keras
import numpy as np
from keras import layers

hours = np.arange(3000)
rng = np.random.default_rng(9)
load = 50 + 12 * np.sin(2 * np.pi * hours / 24) + 5 * np.sin(2 * np.pi * hours / 168) + rng.normal(0, 1.5, len(hours))
load = load.astype("float32")
mean, std = load[:2400].mean(), load[:2400].std()
load = (load - mean) / std


class Windows(keras.utils.PyDataset):
    def __init__(self, series, batch_size=32, past=48, future=6, shuffle=True, **kwargs):
        super().__init__(**kwargs)
        self.series, self.batch_size, self.past, self.future, self.shuffle = series, batch_size, past, future, shuffle
        self.starts = np.arange(len(series) - past - future)
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.starts) / self.batch_size)

    def __getitem__(self, idx):
        starts = self.starts[idx * self.batch_size : (idx + 1) * self.batch_size]
        x = np.stack([self.series[s : s + self.past] for s in starts])
        y = np.stack([self.series[s + self.past : s + self.past + self.future] for s in starts])
        return x[..., None], y

    def on_epoch_end(self):
        if self.shuffle:
            np.random.shuffle(self.starts)


model = keras.Sequential([keras.Input((48, 1))])
for rate in (1, 2, 4, 8):
    model.add(layers.Conv1D(16, 2, dilation_rate=rate, padding="causal", activation="relu", name=f"causal_{rate}"))
model.add(layers.Lambda(lambda t: t[:, -1]))
model.add(layers.Dense(32, activation="relu", name="fc"))
model.add(layers.Dense(6, name="next_hours"))
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-3), loss="mse", metrics=["mae"])
model.fit(Windows(load[:2400]), epochs=15, validation_data=Windows(load[2400:], shuffle=False))
