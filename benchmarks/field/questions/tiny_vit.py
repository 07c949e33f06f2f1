"""A Transformer on patches of photographs."""

import keras
from keras import layers, ops

(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
num_patches, dim = 64, 32


class AddPosition(layers.Layer):
    def build(self, shape):
        self.position = self.add_weight(shape=(1, num_patches, dim), initializer="random_normal", name="position")

    def call(self, x):
        return x + self.position


inputs = keras.Input((32, 32, 3))
x = layers.Conv2D(dim, 4, strides=4, name="patches")(inputs)
x = layers.Reshape((num_patches, dim))(x)
x = AddPosition()(x)
for number in range(2):
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    y = layers.MultiHeadAttention(num_heads=4, key_dim=8, dropout=0.1, name=f"attention{number}")(y, y)
    x = layers.Add()([x, y])
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    y = layers.Dense(64, activation="gelu", name=f"mlp{number}_in")(y)
    y = layers.Dense(dim, name=f"mlp{number}_out")(y)
    x = layers.Add()([x, y])
x = layers.LayerNormalization(epsilon=1e-6)(x)
x = layers.Lambda(lambda tokens: ops.mean(tokens, axis=1))(x)
outputs = layers.Dense(10, name="logits")(x)
model = keras.Model(inputs, outputs)
model.compile(
    keras.optimizers.AdamW(2e-3, weight_decay=1e-4),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=32, epochs=8, validation_data=(x_test, y_test))
