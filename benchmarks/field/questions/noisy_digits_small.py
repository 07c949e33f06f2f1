"""Gray patches of photographs with heavy regularization: dropout, L2, augmentation."""

import keras
from keras import layers, regularizers

(x_train, y_train), (x_val, y_val) = keras.datasets.fashion_mnist.load_data()
x_train, x_val = x_train[..., None] / 255.0, x_val[..., None] / 255.0
l2 = regularizers.l2(1e-4)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.RandomTranslation(0.05, 0.05),
        layers.Conv2D(16, 3, activation="relu", kernel_regularizer=l2, name="conv1"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu", kernel_regularizer=l2, name="conv2"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(64, activation="relu", kernel_regularizer=l2, name="fc"),
        layers.Dropout(0.3),
        layers.Dense(10, activation="softmax", name="out"),
    ]
)
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=14, batch_size=32, validation_data=(x_val, y_val))
