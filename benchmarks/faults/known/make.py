"""What several files of cases share."""

from __future__ import annotations

from keras import optimizers

from benchmarks.faults import symptoms as shows

NAMES = ("mnist", "digits", "shapes")

SGD, ADAM = optimizers.SGD, optimizers.Adam

LOW = shows.worse_than(0.6)
