"""Question: how deep can a plain network of dense layers be?"""

from tensorflow import keras

depth, width, act = 8, 64, "relu"

(X, y), (X_test, y_test) = keras.datasets.mnist.load_data()
X, X_test = X.reshape(-1, 784) / 255.0, X_test.reshape(-1, 784) / 255.0

net = keras.Sequential([keras.layers.Input((784,))], name="deep")
for i in range(depth):
    net.add(keras.layers.Dense(width, activation=act, kernel_initializer="he_normal", name=f"layer_{i}"))
net.add(keras.layers.Dense(10, activation="softmax", name="digit"))
net.compile(
    loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.SGD(0.02, momentum=0.9), metrics=["accuracy"]
)
net.fit(X, y, epochs=8, batch_size=64, validation_data=(X_test, y_test))
