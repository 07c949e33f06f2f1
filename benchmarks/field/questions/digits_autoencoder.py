"""Digits through 32 numbers and back."""

import keras
from keras import layers

encoding_dim = 32
(x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
x_train = x_train.astype("float32") / 255.0
x_test = x_test.astype("float32") / 255.0
x_train = x_train.reshape((len(x_train), 784))
x_test = x_test.reshape((len(x_test), 784))

input_img = keras.Input(shape=(784,))
encoded = layers.Dense(128, activation="relu", name="enc1")(input_img)
encoded = layers.Dense(encoding_dim, activation="relu", name="code")(encoded)
decoded = layers.Dense(128, activation="relu", name="dec1")(encoded)
decoded = layers.Dense(784, activation="sigmoid", name="pixels")(decoded)
autoencoder = keras.Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.fit(x_train, x_train, epochs=15, batch_size=64, shuffle=True, validation_data=(x_test, x_test))
