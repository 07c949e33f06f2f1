"""A sequence backwards: an encoder-decoder Transformer in small."""

import keras
import numpy as np
from keras import layers

vocab, length = 20, 8
rng = np.random.default_rng(4)
source = rng.integers(2, vocab, (3000, length))
target = source[:, ::-1]
decoder_in = np.concatenate([np.ones((3000, 1), int), target[:, :-1]], axis=1)


def embed(tokens, name):
    positions = keras.ops.arange(length)
    return layers.Embedding(vocab, 32, name=f"{name}_tokens")(tokens) + layers.Embedding(
        length, 32, name=f"{name}_places"
    )(positions)


def feed_forward(x, name):
    y = layers.Dense(64, activation="relu", name=f"{name}_ff1")(x)
    y = layers.Dense(32, name=f"{name}_ff2")(y)
    return layers.LayerNormalization()(x + y)


enc_in, dec_in = (
    keras.Input((length,), dtype="int32", name="source"),
    keras.Input((length,), dtype="int32", name="shifted"),
)
e = embed(enc_in, "enc")
e = layers.LayerNormalization()(e + layers.MultiHeadAttention(4, 8, name="enc_self")(e, e))
e = feed_forward(e, "enc")
d = embed(dec_in, "dec")
d = layers.LayerNormalization()(d + layers.MultiHeadAttention(4, 8, name="dec_self")(d, d, use_causal_mask=True))
d = layers.LayerNormalization()(d + layers.MultiHeadAttention(4, 8, name="dec_cross")(d, e))
d = feed_forward(d, "dec")
out = layers.Dense(vocab, activation="softmax", name="next_token")(d)
model = keras.Model({"source": enc_in, "shifted": dec_in}, out)
model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit({"source": source, "shifted": decoder_in}, target, batch_size=64, epochs=10, validation_split=0.1)
