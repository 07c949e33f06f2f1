"""Three ratings, the worst one rare: class weights from scikit-learn, batch normalization, dropout."""

import keras
import numpy as np
from keras.layers import BatchNormalization, Dense, Dropout, Input
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

X, y = make_classification(
    n_samples=5000,
    n_features=20,
    n_informative=8,
    n_redundant=4,
    n_classes=3,
    weights=[0.6, 0.32, 0.08],
    n_clusters_per_class=1,
    class_sep=1.6,
    flip_y=0.01,
    random_state=7,
)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_val = scaler.transform(X_val)
weights = compute_class_weight("balanced", classes=np.unique(y_train), y=y_train)
class_weight = dict(enumerate(weights))

model = keras.Sequential([Input((20,))])
for units in (64, 32):
    model.add(Dense(units, use_bias=False))
    model.add(BatchNormalization(momentum=0.9))
    model.add(keras.layers.Activation("relu"))
    model.add(Dropout(0.2))
model.add(Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, validation_data=(X_val, y_val), epochs=20, batch_size=64, class_weight=class_weight)
