"""From which language is the surname? Characters, embedding with a mask, LSTM."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(23)
endings = {
    "it": ["ini", "elli", "ucci", "etti"],
    "ru": ["ov", "ev", "enko", "sky"],
    "jp": ["moto", "yama", "mura", "saki"],
    "de": ["mann", "berg", "stein", "bauer"],
}
syllables = "ba be bi bo da de di do ka ke ki ko la le li lo ma me mi mo na ne ni no ra re ri ro sa se si so ta te ti to".split()
languages = list(endings)
names, origin = [], []
for _ in range(2400):
    k = rng.integers(len(languages))
    ending = rng.choice(endings[languages[k]]) if rng.random() < 0.93 else ""
    names.append("".join(rng.choice(syllables, rng.integers(1, 4))) + ending)
    origin.append(k)
chars = sorted(set("".join(names)))
char_to_id = {c: i + 1 for i, c in enumerate(chars)}
maxlen = max(map(len, names))
X = keras.utils.pad_sequences([[char_to_id[c] for c in name] for name in names], maxlen, padding="post")
y = keras.utils.to_categorical(origin, len(languages))

model = keras.models.Sequential()
model.add(layers.Input((maxlen,)))
model.add(layers.Embedding(len(chars) + 1, 16, mask_zero=True))
model.add(layers.LSTM(32))
model.add(layers.Dropout(0.2))
model.add(layers.Dense(len(languages), activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.RMSprop(2e-3), metrics=["acc"])
model.fit(X[:2000], y[:2000], batch_size=32, epochs=10, validation_data=(X[2000:], y[2000:]))
