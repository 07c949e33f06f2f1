"""Faults that only checks before training can see: of the data, and of how the model treats its samples.

Preflight finds them with the data in hand; a log stores its findings, and judging it repeats them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from tb_cnndiag.finding import Findings
from tb_cnndiag.judging.conditions import Limits
from tb_cnndiag.judging.faults.base import Fault, Judged
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.before_training import stored


class FoundBefore(Fault):
    """A fault that preflight has found, or not; without a preflight it is not judged."""

    diagnostic: ClassVar[str] = "preflight"

    def judge(self, signals: Signals, limits: Limits) -> Judged:
        """What preflight has stored of it."""
        found: Findings = stored(signals)
        status = next((each for each in found.coverage if each.fault == self.id), None)
        if status is None:
            return Judged((), "not_applicable", "preflight was not run")
        own = tuple(replace(each, run=signals.history.run) for each in found if each.fault == self.id)
        return Judged(own, status.status, status.reason)


class DataMismatch(FoundBefore):
    """Inputs and targets that the model cannot take."""

    id = "data_mismatch"
    title = "Data do not fit the model"
    what = "Samples have another shape, axis order or number than the model or the labels."
    why = "Training fails at the first step, or trains on axes that mean something else."
    advice = "Give arrays of the shape that the model declares, channels last unless it says otherwise."
    source = "NeuraLint (Nikanjam et al., TOSEM 2021); UMLAUT (CHI 2021)."


class SortedData(FoundBefore):
    """Samples that are in the order of their classes."""

    id = "sorted_data"
    title = "Sorted data"
    what = "The samples are sorted by class."
    why = (
        "Batches of a single class teach the model that class and forget the others, unless they are shuffled; and "
        "validation_split takes the last classes only."
    )
    advice = "Shuffle the samples once, before fit and before they are split."
    source = "Bengio 2012, Practical recommendations (arXiv:1206.5533), section 2: shuffle."


class UninformativeLabels(FoundBefore):
    """Labels that simple models of the pixels predict no better than chance."""

    id = "uninformative_labels"
    title = "Uninformative labels"
    what = "Neither a linear model of the pixels nor nearest neighbors predict the labels better than chance."
    why = "Labels that lost the order of their samples cannot be learned, only memorized."
    advice = "Show some samples with their labels. If they are right, the task is hard for simple models: go on."
    source = "Zhang et al. 2017, Understanding deep learning requires rethinking generalization (arXiv:1611.03530)."


class LeakingSamples(FoundBefore):
    """The same images in training and validation."""

    id = "leaking_samples"
    title = "Samples in training and validation"
    what = "Samples of the validation data are also in the training data, exactly or nearly."
    why = "The validation accuracy then measures memory, and overfitting goes unnoticed."
    advice = "Remove the duplicates, or split by what the samples show (person, place, day) instead of at random."
    source = "Barz & Denzler 2020, Do we train on test data? (arXiv:1902.00423)."


class ImbalancedClasses(FoundBefore):
    """Classes with many more samples than others."""

    id = "imbalanced_classes"
    title = "Imbalanced classes"
    what = "A class has many times as many samples as another."
    why = "The accuracy of always predicting the large class is high, and rare classes are hardly learned."
    advice = "Judge by balanced accuracy, and give rare classes a larger class_weight, or sample them more often."
    source = "He & Garcia 2009, Learning from imbalanced data, IEEE TKDE 21(9)."


class SamplesInteract(FoundBefore):
    """An output for one sample that depends on the other samples of its batch."""

    id = "samples_interact"
    title = "Samples interact"
    what = "In inference mode the output for one sample depends on the other samples of the batch."
    why = "A reshape, a mean or a softmax over the wrong axis mixes samples: predictions depend on their company."
    advice = "Find the operation that joins the batch axis with another, or reduces over it."
    source = "Karpathy 2019, A recipe for training neural networks: use backprop to chart dependencies."


class CannotOverfit(FoundBefore):
    """A model that does not learn even 16 samples."""

    id = "cannot_overfit"
    title = "Cannot learn one batch"
    what = "The model does not learn a single batch of 16 samples by heart, at any learning rate."
    why = "What cannot learn 16 samples learns no more from thousands: no gradient arrives, or the loss is wrong."
    advice = "Check the loss and the layers that do not move; take regularization out until one batch can be learned."
    source = "Karpathy 2019, A recipe for training neural networks: overfit one batch."


class DestructiveAugmentation(FoundBefore):
    """Augmentation behind which samples are no longer recognizable."""

    id = "destructive_augmentation"
    title = "Destructive augmentation"
    what = "Behind an augmentation layer, many samples have lost their contrast or lie in another range."
    why = "The model learns from samples that show nothing, and later gets samples of another kind."
    advice = "Give value_range to layers such as RandomBrightness if pixels are not 0 … 255, or use smaller factors."
    source = "keras.layers.RandomBrightness and others: value_range is (0, 255) by default."


class WrongGradient(FoundBefore):
    """A layer or a loss whose gradient is not that of what it computes."""

    id = "wrong_gradient"
    title = "Wrong gradient"
    what = "The gradient of a layer or loss of your own is not the slope of the loss."
    why = "Steps then do not lead downhill, and the layers before it learn something else, or nothing."
    advice = "Check tf.custom_gradient, stop_gradient and in-place updates; a straight-through estimator is no fault."
    source = "CS231n, Gradient checks; Karpathy 2019, A recipe for training neural networks."


class InferenceDiffers(FoundBefore):
    """A model that knows in training mode what it does not know in inference mode."""

    id = "inference_differs"
    title = "Other answers in inference mode"
    what = "A batch that was learned by heart is not known in inference mode, although moving averages have settled."
    why = "Validation, evaluate and predict use inference mode: they see another network than training does."
    advice = (
        "Check layers of your own that use the argument training: averages that are never updated, or a branch that "
        "is taken in one mode only."
    )
    source = "Ioffe & Szegedy 2015 (arXiv:1502.03167), section 3.1; Karpathy 2019, A recipe for training networks."


OF_PREFLIGHT: tuple[type[FoundBefore], ...] = (
    DataMismatch,
    SortedData,
    UninformativeLabels,
    LeakingSamples,
    ImbalancedClasses,
    SamplesInteract,
    CannotOverfit,
    DestructiveAugmentation,
    WrongGradient,
    InferenceDiffers,
)
