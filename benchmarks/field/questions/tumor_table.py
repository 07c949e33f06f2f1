"""Breast tumors from 30 measurements: two hidden layers and one sigmoid."""

import keras
from keras.layers import Dense
from keras.models import Sequential
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)

classifier = Sequential()
classifier.add(keras.Input((30,)))
classifier.add(Dense(16, activation="relu", name="first"))
classifier.add(Dense(16, activation="relu", name="second"))
classifier.add(Dense(1, activation="sigmoid", name="output"))
opt = keras.optimizers.Adam(learning_rate=0.002)
classifier.compile(optimizer=opt, loss="binary_crossentropy", metrics=["accuracy"])
classifier.fit(X_train, y_train, batch_size=16, epochs=40, validation_data=(X_test, y_test))
