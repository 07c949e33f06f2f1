"""Patches of photographs by three convolutions with batch normalization."""

import keras
from keras import layers

from benchmarks.corpus.data import load

data = load("photos")
x_train, y_train, x_val, y_val = data.x, data.y, data.xv, data.yv

inputs = keras.Input(shape=x_train.shape[1:])
x = inputs
for block, filters in enumerate((16, 32, 48), 1):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{block}")(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"bn{block}")(x)
    x = layers.Activation("relu")(x)
    x = layers.MaxPooling2D()(x)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(data.classes, activation="softmax", name="predictions")(x)
model = keras.Model(inputs, outputs)
optimizer = keras.optimizers.Adam(learning_rate=1e-3)
model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=12, validation_data=(x_val, y_val))
