"""Two spirals: a subclassed network and a training loop written by hand."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(2)
n = 1200
label = rng.integers(0, 2, n)
turn = rng.uniform(0.3, 1, n)
angle = 2.2 * np.pi * turn + np.pi * label
points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) * 2 + rng.normal(0, 0.05, (n, 2))
points, label = points.astype("float32"), label.astype("float32")[:, None]
train = tf.data.Dataset.from_tensor_slices((points[:1000], label[:1000])).shuffle(1000).batch(32)


class SpiralNet(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.fc1 = tf.keras.layers.Dense(32, activation="relu")
        self.fc2 = tf.keras.layers.Dense(32, activation="relu")
        self.fc3 = tf.keras.layers.Dense(32, activation="relu")
        self.out = tf.keras.layers.Dense(1)

    def call(self, x):
        x = self.fc1(x)
        x = self.fc2(x)
        x = self.fc3(x)
        return self.out(x)


model = SpiralNet()
model(points[:1])
optimizer = tf.keras.optimizers.Adam(3e-3)
loss_fn = tf.keras.losses.BinaryCrossentropy(from_logits=True)
accuracy = tf.keras.metrics.BinaryAccuracy(threshold=0.0)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = loss_fn(y, logits)
    grads = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(grads, model.trainable_weights))
    accuracy.update_state(y, logits)
    return loss


field.watch(model=model, optimizers=[optimizer])
for epoch in range(40):
    accuracy.reset_state()
    for x, y in train:
        loss = train_step(x, y)
        field.step({"loss": loss})
    field.end_epoch()
    print(epoch, float(loss), float(accuracy.result()))
