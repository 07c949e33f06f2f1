"""A MobileNet in small: depthwise and pointwise convolutions, batch normalization, ReLU6."""

import keras
from keras import layers

(x, y), _ = keras.datasets.cifar10.load_data()
x = x / 255.0
alpha = 1.0


def conv_bn(t, filters, strides):
    t = layers.Conv2D(int(filters * alpha), 3, strides=strides, padding="same", use_bias=False)(t)
    t = layers.BatchNormalization(momentum=0.9)(t)
    return layers.ReLU(max_value=6.0)(t)


def separable(t, filters, strides=1):
    t = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(t)
    t = layers.BatchNormalization(momentum=0.9)(t)
    t = layers.ReLU(max_value=6.0)(t)
    t = layers.Conv2D(max(int(filters * alpha), 1), 1, padding="same", use_bias=False)(t)
    t = layers.BatchNormalization(momentum=0.9)(t)
    return layers.ReLU(max_value=6.0)(t)


inputs = keras.Input((32, 32, 3))
h = conv_bn(inputs, 16, strides=2)
h = separable(h, 24)
h = separable(h, 32, strides=2)
h = separable(h, 48)
h = layers.GlobalAveragePooling2D()(h)
outputs = layers.Dense(10, activation="softmax", name="predictions")(h)
model = keras.Model(inputs, outputs, name="mini_mobilenet")
model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=64, epochs=12, validation_split=0.2)
