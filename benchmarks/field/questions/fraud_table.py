"""One payment in twelve is fraud: weights for the classes."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(3)
n = 6000
fraud = (rng.random(n) < 1 / 12).astype("float32")
X = rng.normal(size=(n, 12))
X[fraud == 1, :4] += 1.1
amount = rng.gamma(1.0, 80.0, n)
X = np.column_stack([X, np.log1p(amount) - 4])
X_train, y_train, X_val, y_val = X[:4500], fraud[:4500], X[4500:], fraud[4500:]

model = keras.Sequential(
    [
        keras.Input((13,)),
        layers.Dense(32, activation="relu", name="d1"),
        layers.Dropout(0.2),
        layers.Dense(16, activation="relu", name="d2"),
        layers.Dense(1, activation="sigmoid", name="p_fraud"),
    ]
)
model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")])
class_weight = {0: 1.0, 1: 6.0}
model.fit(X_train, y_train, batch_size=64, epochs=15, validation_data=(X_val, y_val), class_weight=class_weight)
