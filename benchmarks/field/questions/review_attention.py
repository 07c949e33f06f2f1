"""Is the review good? Embedding, one attention block, early stopping."""

from tensorflow import keras
from tensorflow.keras import layers

vocab_size, maxlen, embed_dim = 2000, 100, 32
(x_train, y_train), (x_val, y_val) = keras.datasets.imdb.load_data(num_words=vocab_size)
x_train = keras.utils.pad_sequences(x_train, maxlen=maxlen)
x_val = keras.utils.pad_sequences(x_val, maxlen=maxlen)

inputs = layers.Input(shape=(maxlen,))
tokens = layers.Embedding(vocab_size, embed_dim, name="tokens")(inputs)
attention = layers.MultiHeadAttention(num_heads=2, key_dim=16, name="attention")(tokens, tokens)
x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([tokens, attention]))
ffn = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(embed_dim)], name="ffn")(x)
x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, ffn]))
x = layers.GlobalAveragePooling1D()(x)
x = layers.Dropout(0.4)(x)
x = layers.Dense(20, activation="relu")(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(3e-4), loss="binary_crossentropy", metrics=["accuracy"])
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
model.fit(x_train, y_train, batch_size=32, epochs=12, validation_data=(x_val, y_val), callbacks=[stop])
