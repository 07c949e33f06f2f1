"""Forecast of a noisy wave by an LSTM, scaled to 0 … 1."""

import keras
import numpy as np
from keras.layers import LSTM, Dense

rng = np.random.default_rng(1)
t = np.arange(2500)
series = 50 + 20 * np.sin(t / 8) + 8 * np.sin(t / 29) + rng.normal(0, 1, len(t))
series = (series - series.min()) / (series.max() - series.min())
look_back = 24
X = np.array([series[i : i + look_back] for i in range(len(series) - look_back)])
Y = series[look_back:]
X = X.reshape(X.shape[0], look_back, 1)
split = int(0.8 * len(X))

model = keras.Sequential([keras.Input((look_back, 1))])
model.add(LSTM(24, name="lstm"))
model.add(Dense(12, activation="relu", name="fc"))
model.add(Dense(1, name="forecast"))
model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(0.002))
model.fit(X[:split], Y[:split], epochs=12, batch_size=32, validation_data=(X[split:], Y[split:]))
