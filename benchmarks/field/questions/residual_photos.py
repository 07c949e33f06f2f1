"""A residual network with batch normalization on small photographs."""

import keras
from keras import layers, regularizers

(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255
mean = x_train.mean(axis=0)
x_train, x_test = x_train - mean, x_test - mean


def conv(x, filters, name, strides=1, relu=True):
    x = layers.Conv2D(
        filters, 3, strides, padding="same", kernel_initializer="he_normal", kernel_regularizer=regularizers.l2(1e-4),
        name=name,
    )(x)  # fmt: skip
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.Activation("relu")(x) if relu else x


inputs = keras.Input((32, 32, 3))
x = conv(inputs, 16, "stem")
for stage, filters in enumerate((16, 32, 48)):
    strides = 1 if stage == 0 else 2
    y = conv(x, filters, f"s{stage}a", strides)
    y = conv(y, filters, f"s{stage}b", relu=False)
    if stage:
        x = layers.Conv2D(filters, 1, strides, kernel_initializer="he_normal", name=f"s{stage}skip")(x)
    x = layers.Activation("relu")(layers.add([x, y]))
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation="softmax", kernel_initializer="he_normal", name="fc")(x)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=6, validation_data=(x_test, y_test))
