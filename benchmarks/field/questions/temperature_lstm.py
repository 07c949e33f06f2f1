"""Tomorrow's temperature from the last 30 days with an LSTM: MinMaxScaler, sliding window."""

import numpy as np
from sklearn.preprocessing import MinMaxScaler
from tensorflow.keras.layers import LSTM, Dense, Dropout, Input
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import Adam

rng = np.random.default_rng(14)
days = np.arange(1600)
noise = np.zeros(len(days))
for d in range(1, len(days)):
    noise[d] = 0.7 * noise[d - 1] + rng.normal(0, 0.8)
temperature = (11 + 9 * np.sin(2 * np.pi * days / 365) + noise).reshape(-1, 1)
training_set, test_set = temperature[:1300], temperature[1300:]

sc = MinMaxScaler(feature_range=(0, 1))
training_set_scaled = sc.fit_transform(training_set)
test_set_scaled = sc.transform(test_set)


def window(series, n_steps=30):
    X = [series[i - n_steps : i, 0] for i in range(n_steps, len(series))]
    return np.array(X)[..., None], series[n_steps:, 0]


X_train, y_train = window(training_set_scaled)
X_test, y_test = window(test_set_scaled)

regressor = Sequential()
regressor.add(Input((30, 1)))
regressor.add(LSTM(units=32, return_sequences=True))
regressor.add(Dropout(0.1))
regressor.add(LSTM(units=32))
regressor.add(Dense(units=1))
regressor.compile(optimizer=Adam(0.001), loss="mean_squared_error")
regressor.fit(X_train, y_train, epochs=20, batch_size=32, validation_data=(X_test, y_test))
