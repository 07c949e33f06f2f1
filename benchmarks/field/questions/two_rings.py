"""Two rings of points by a deep narrow network."""

import keras
import sklearn.datasets
from keras import layers

X, y = sklearn.datasets.make_circles(1600, noise=0.08, factor=0.5, random_state=2)
X_train, y_train, X_val, y_val = X[:1200], y[:1200], X[1200:], y[1200:]

model = keras.Sequential()
model.add(keras.Input((2,)))
for i in range(6):
    model.add(layers.Dense(24, activation="relu", name=f"h{i}"))
model.add(layers.Dense(1, activation="sigmoid", name="inside"))
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=25, batch_size=32, validation_data=(X_val, y_val))
