"""A residual network of Keras layers with augmentation, ReduceLROnPlateau and weight decay."""

import keras
from keras import layers

(x_train, y_train), _ = keras.datasets.fashion_mnist.load_data()
x_train = x_train[..., None].astype("float32")

augment = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomTranslation(0.08, 0.08)], name="augment")


def residual_block(x, filters, stride=1):
    shortcut = x
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    if stride != 1 or shortcut.shape[-1] != filters:
        shortcut = layers.Conv2D(filters, 1, strides=stride)(shortcut)
    return layers.Activation("relu")(layers.Add()([x, shortcut]))


inputs = keras.Input((28, 28, 1))
x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
x = augment(x)
x = layers.Conv2D(12, 3, strides=2, padding="same", use_bias=False)(x)
x = layers.BatchNormalization(momentum=0.9)(x)
x = layers.Activation("relu")(x)
x = residual_block(x, 12)
x = residual_block(x, 24, stride=2)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.AdamW(3e-3, weight_decay=1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
plateau = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.3, patience=3, min_lr=1e-5)
model.fit(x_train, y_train, epochs=20, batch_size=32, validation_split=0.2, callbacks=[plateau])
