"""Optimizers, made anew for each trial, and their schedules."""

from __future__ import annotations

from keras import optimizers
from keras.optimizers import schedules

from benchmarks.corpus.lazy import lazily

adam, adamw, adamax, nadam = (lazily(getattr(optimizers, kind)) for kind in ("Adam", "AdamW", "Adamax", "Nadam"))
sgd, rmsprop, lion = (lazily(getattr(optimizers, kind)) for kind in ("SGD", "RMSprop", "Lion"))
adadelta, adagrad, adafactor = (lazily(getattr(optimizers, kind)) for kind in ("Adadelta", "Adagrad", "Adafactor"))
BY_NAME = {"Adam": adam, "SGD": sgd, "RMSprop": rmsprop}

cosine, restarts, exponential = schedules.CosineDecay, schedules.CosineDecayRestarts, schedules.ExponentialDecay
polynomial, piecewise = schedules.PolynomialDecay, schedules.PiecewiseConstantDecay
