"""An inception module or two, functional API, small photographs."""

from tensorflow.keras import Input, Model
from tensorflow.keras.datasets import cifar10
from tensorflow.keras.layers import (
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from tensorflow.keras.optimizers import Adam

(x_train, y_train), _ = cifar10.load_data()
x_train = x_train.astype("float32") / 127.5 - 1.0


def inception_module(x, f1, f3_in, f3, f5_in, f5, pool):
    path1 = Conv2D(f1, 1, padding="same", activation="relu")(x)
    path2 = Conv2D(f3_in, 1, padding="same", activation="relu")(x)
    path2 = Conv2D(f3, 3, padding="same", activation="relu")(path2)
    path3 = Conv2D(f5_in, 1, padding="same", activation="relu")(x)
    path3 = Conv2D(f5, 5, padding="same", activation="relu")(path3)
    path4 = MaxPooling2D(3, strides=1, padding="same")(x)
    path4 = Conv2D(pool, 1, padding="same", activation="relu")(path4)
    return Concatenate()([path1, path2, path3, path4])


inputs = Input((32, 32, 3))
x = Conv2D(16, 3, strides=2, padding="same", activation="relu")(inputs)
x = inception_module(x, 8, 8, 12, 4, 8, 4)
x = MaxPooling2D()(x)
x = inception_module(x, 16, 12, 24, 6, 16, 8)
x = GlobalAveragePooling2D()(x)
x = Dropout(0.3)(x)
outputs = Dense(10, activation="softmax")(x)

model = Model(inputs, outputs)
model.compile(Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=12, batch_size=32, validation_split=0.2)
