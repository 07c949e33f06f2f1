"""Good and bad reviews by an embedding and a convolution over words."""

import keras
from keras import layers

max_features, maxlen = 2000, 120
(x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=max_features)
x_train = keras.utils.pad_sequences(x_train, maxlen=maxlen)
x_test = keras.utils.pad_sequences(x_test, maxlen=maxlen)

model = keras.Sequential()
model.add(layers.Input((maxlen,)))
model.add(layers.Embedding(max_features, 32, name="words"))
model.add(layers.Dropout(0.2))
model.add(layers.Conv1D(64, 3, padding="valid", activation="relu", name="conv"))
model.add(layers.GlobalMaxPooling1D())
model.add(layers.Dense(32, name="fc"))
model.add(layers.Dropout(0.2))
model.add(layers.Activation("relu"))
model.add(layers.Dense(1, name="out"))
model.add(layers.Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=5, validation_data=(x_test, y_test))
