"""Clothes with tf.data: normalize, cache, shuffle, batch, prefetch; a learning rate that decays."""

import tensorflow as tf

(images, labels), _ = tf.keras.datasets.fashion_mnist.load_data()
cut = int(0.8 * len(images))
train_images, train_labels = images[:cut], labels[:cut]
test_images, test_labels = images[cut:], labels[cut:]
BATCH_SIZE = 64
AUTOTUNE = tf.data.AUTOTUNE


def normalize_img(image, label):
    """uint8 -> float32"""
    return tf.cast(image, tf.float32)[..., tf.newaxis] / 255.0, label


ds_train = tf.data.Dataset.from_tensor_slices((train_images, train_labels))
ds_train = ds_train.map(normalize_img, num_parallel_calls=AUTOTUNE).cache()
ds_train = ds_train.shuffle(len(train_images)).batch(BATCH_SIZE).prefetch(AUTOTUNE)
ds_test = tf.data.Dataset.from_tensor_slices((test_images, test_labels))
ds_test = ds_test.map(normalize_img, num_parallel_calls=AUTOTUNE).batch(BATCH_SIZE).cache().prefetch(AUTOTUNE)

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Input((28, 28, 1)),
        tf.keras.layers.Conv2D(24, 3, activation="relu"),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Conv2D(48, 3, activation="relu"),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dropout(0.4),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dense(10),
    ]
)
schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.002, decay_steps=100, decay_rate=0.9)
model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=schedule),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[tf.keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
)
model.fit(ds_train, epochs=15, validation_data=ds_test)
