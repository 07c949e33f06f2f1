"""Where is the dot? Two numbers from a picture, in a loop written by hand."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

rng = np.random.default_rng(7)
places = rng.uniform(4, 20, (1200, 2)).astype("float32")
rows, columns = np.mgrid[:24, :24]
away = (rows - places[:, 0, None, None]) ** 2 + (columns - places[:, 1, None, None]) ** 2
images = (np.exp(-away / 4) + rng.normal(0, 0.05, away.shape)).astype("float32")[..., None]
targets = places / 24
data = tf.data.Dataset.from_tensor_slices((images[:1000], targets[:1000])).shuffle(1000, seed=0).batch(32)

net = keras.Sequential(
    [
        keras.Input((24, 24, 1)),
        layers.Conv2D(8, 3, strides=2, activation="relu", name="conv1"),
        layers.Conv2D(16, 3, strides=2, activation="relu", name="conv2"),
        layers.Flatten(),
        layers.Dense(32, activation="relu", name="dense"),
        layers.Dense(2, name="position"),
    ]
)
optimizer = keras.optimizers.Adam(1e-3)
optimizer.build(net.trainable_variables)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(x, training=True) - y) ** 2)
    gradients = tape.gradient(loss, net.trainable_variables)
    optimizer.apply(gradients, net.trainable_variables)
    return loss


field.watch(net=net, optimizers=[optimizer])
for _ in range(12):
    for x, y in data:
        field.step({"loss": step(x, y)})
    field.end_epoch()
held_out_error = float(np.mean((net.predict(images[1000:], verbose=0) - targets[1000:]) ** 2))
