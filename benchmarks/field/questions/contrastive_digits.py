"""Siamese network with the euclidean distance and the contrastive loss."""

import keras
import numpy as np
from keras import layers, ops

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = x_train.astype("float32") / 255, x_test.astype("float32") / 255


def make_pairs(x, y, seed):
    rng = np.random.default_rng(seed)
    by_class = [np.where(y == c)[0] for c in range(10)]
    pairs, labels = [], []
    for i in range(len(x)):
        j = rng.choice(by_class[y[i]])
        pairs.append([x[i], x[j]])
        k = rng.choice(by_class[(y[i] + rng.integers(1, 10)) % 10])
        pairs.append([x[i], x[k]])
        labels += [0, 1]
    return np.array(pairs), np.array(labels).astype("float32")


pairs_train, labels_train = make_pairs(x_train, y_train, 0)
pairs_test, labels_test = make_pairs(x_test, y_test, 1)


def euclidean_distance(vects):
    x, y = vects
    sum_square = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(sum_square, keras.backend.epsilon()))


def contrastive_loss(y_true, y_pred, margin=1.0):
    return ops.mean((1 - y_true) * ops.square(y_pred) + y_true * ops.square(ops.maximum(margin - y_pred, 0)))


inp = keras.Input((28, 28, 1))
x = layers.Conv2D(8, 5, activation="relu", name="emb_conv1")(inp)
x = layers.MaxPooling2D(2)(x)
x = layers.Conv2D(16, 5, activation="relu", name="emb_conv2")(x)
x = layers.MaxPooling2D(2)(x)
x = layers.Flatten()(x)
x = layers.Dense(16, name="emb_out")(x)
embedding_network = keras.Model(inp, x, name="embedding")

input_1, input_2 = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
distance = layers.Lambda(euclidean_distance, output_shape=(1,))(
    [embedding_network(input_1), embedding_network(input_2)]
)
siamese = keras.Model([input_1, input_2], distance)
siamese.compile(
    loss=contrastive_loss, optimizer=keras.optimizers.Adam(1e-3), metrics=[keras.metrics.BinaryAccuracy(threshold=0.5)]
)
siamese.fit(
    [pairs_train[:, 0], pairs_train[:, 1]],
    labels_train,
    batch_size=64,
    epochs=15,
    validation_data=([pairs_test[:, 0], pairs_test[:, 1]], labels_test),
)
