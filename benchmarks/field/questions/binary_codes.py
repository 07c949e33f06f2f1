"""Pictures as 24 nearly binary numbers, to search for similar ones."""

import keras
from keras import layers, ops

(x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

encoder = keras.Sequential(
    [
        keras.Input((28, 28)),
        layers.Flatten(),
        layers.Dense(128, activation="relu", name="enc1"),
        layers.Dense(64, activation="relu", name="enc2"),
        layers.Dense(24, name="code_logits"),
        layers.Lambda(lambda t: ops.sigmoid(t), name="code"),
    ],
    name="encoder",
)
decoder = keras.Sequential(
    [
        keras.Input((24,)),
        layers.Dense(64, activation="relu", name="dec1"),
        layers.Dense(128, activation="relu", name="dec2"),
        layers.Dense(784, activation="sigmoid", name="pixels"),
        layers.Reshape((28, 28)),
    ],
    name="decoder",
)
autoencoder = keras.Sequential([encoder, decoder])
autoencoder.compile(optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy")
autoencoder.fit(x_train, x_train, epochs=30, batch_size=64, validation_data=(x_test, x_test))
