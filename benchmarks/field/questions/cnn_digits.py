"""Digits with the small convolutional network that most tutorials begin with."""

import keras
from keras import layers

num_classes = 10
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255
x_train = x_train.reshape(-1, 28, 28, 1)
x_test = x_test.reshape(-1, 28, 28, 1)
y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

model = keras.Sequential()
model.add(layers.Input((28, 28, 1)))
model.add(layers.Conv2D(16, kernel_size=(3, 3), activation="relu", name="conv_a"))
model.add(layers.Conv2D(32, (3, 3), activation="relu", name="conv_b"))
model.add(layers.MaxPooling2D(pool_size=(2, 2)))
model.add(layers.Dropout(0.25))
model.add(layers.Flatten())
model.add(layers.Dense(64, activation="relu", name="hidden"))
model.add(layers.Dropout(0.5))
model.add(layers.Dense(num_classes, activation="softmax", name="out"))

model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(0.001), metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=64, epochs=6, validation_data=(x_test, y_test))
