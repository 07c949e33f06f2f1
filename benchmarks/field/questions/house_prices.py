"""Prices of houses from eight columns in very different units."""

import keras
from keras import layers
from sklearn.datasets import fetch_california_housing
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

housing = fetch_california_housing()
x_train, x_val, y_train, y_val = train_test_split(housing.data, housing.target, random_state=1)
scaler = StandardScaler().fit(x_train)
x_train, x_val = scaler.transform(x_train), scaler.transform(x_val)

inputs = keras.Input(shape=(8,))
x = layers.Dense(64, activation="relu", name="dense1")(inputs)
x = layers.Dense(64, activation="relu", name="dense2")(x)
x = layers.Dense(32, activation="relu", name="dense3")(x)
price = layers.Dense(1, name="price")(x)
model = keras.Model(inputs, price)
model.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse", metrics=["mae"])
history = model.fit(x_train, y_train, epochs=30, batch_size=32, validation_data=(x_val, y_val))
