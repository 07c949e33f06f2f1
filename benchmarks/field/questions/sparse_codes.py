"""A sparse autoencoder: a penalty on the activity of the code."""

from tensorflow.keras import Input, Model, regularizers
from tensorflow.keras.datasets import mnist
from tensorflow.keras.layers import Dense

(x_train, _), (x_test, _) = mnist.load_data()
x_train = x_train.astype("float32").reshape(-1, 784) / 255.0
x_test = x_test.astype("float32").reshape(-1, 784) / 255.0

encoding_dim = 64
input_img = Input(shape=(784,))
encoded = Dense(encoding_dim, activation="relu", activity_regularizer=regularizers.l1(1e-5), name="encoded")(input_img)
decoded = Dense(784, activation="sigmoid", name="decoded")(encoded)
autoencoder = Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.fit(x_train, x_train, epochs=25, batch_size=64, shuffle=True, validation_data=(x_test, x_test))
