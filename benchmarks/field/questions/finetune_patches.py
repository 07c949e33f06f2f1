"""Transfer learning: train a backbone on all classes, keep it, new head on few pictures, then fine-tune."""

import keras
from keras import layers

(x, y), _ = keras.datasets.cifar10.load_data()
x, y = x / 255.0, y[:, 0]
x, x_val, y, y_val = x[:1600], x[1600:], y[:1600], y[1600:]


def build_backbone():
    inputs = keras.Input((32, 32, 3))
    h = layers.Conv2D(16, 3, strides=2, activation="relu", name="bb_conv1")(inputs)
    h = layers.Conv2D(32, 3, strides=2, activation="relu", name="bb_conv2")(h)
    h = layers.Conv2D(48, 3, activation="relu", name="bb_conv3")(h)
    h = layers.GlobalAveragePooling2D()(h)
    return keras.Model(inputs, h, name="backbone")


pretrained = build_backbone()
source = keras.Sequential([pretrained, layers.Dense(10, activation="softmax")])
source.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
source.fit(x, y, epochs=8, batch_size=32)
pretrained.save_weights("backbone.weights.h5")

# the new task: which of five pairs of classes
small, labels, labels_val = slice(0, 1200), y // 2, y_val // 2
backbone = build_backbone()
backbone.load_weights("backbone.weights.h5")
backbone.trainable = False
model = keras.Sequential(
    [backbone, layers.Dense(24, activation="relu", name="head_fc"), layers.Dense(5, activation="softmax", name="head")]
)
model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[small], labels[small], epochs=8, batch_size=32, validation_data=(x_val, labels_val))

backbone.trainable = True
model.compile(keras.optimizers.Adam(2e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[small], labels[small], epochs=10, batch_size=32, validation_data=(x_val, labels_val))
