"""The cases of the sixth round: as in the fifth, other programs and other pairs of a program and a fault.

Programs of our own are in ``questions/``; published ones are of either half, and not of the fifth round. A fault is one
more edit, mostly of one line. Frozen before any rule saw them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from benchmarks.field import symptoms as shows
from benchmarks.field.case import FieldCase, faulty, healthy
from benchmarks.field.program import program
from benchmarks.field.symptoms import both, last, learned, no_progress
from benchmarks.field.trainings import Training


@functools.cache
def cases() -> tuple[FieldCase, ...]:
    """All cases, healthy ones first."""
    return (
        healthy("wine_table.py", learned("val_accuracy", 0.9)),
        healthy(
            "energy_two_outputs.py",
            both(learned("val_heating_mae", at_most=1.2), last("val_cooling_mae", at_most=1.2)),
        ),
        healthy("fashion_tfdata.py", learned("val_accuracy", 0.5)),
        healthy("activity_gru.py", learned("val_accuracy", 0.85)),
        healthy("vae_digits.py", learned("loss", at_most=170)),
        healthy("count_blobs.py", learned("val_mae", at_most=0.8)),
        healthy("bounding_box.py", learned("val_mae", at_most=0.05)),
        healthy("inception_photos.py", learned("val_accuracy", 0.55)),
        healthy("depthwise_photos.py", learned("val_accuracy", 0.55)),
        healthy("road_segmentation.py", learned("val_loss", at_most=0.3)),
        healthy("review_attention.py", learned("val_accuracy", 0.85)),
        healthy("demand_generator.py", learned("val_mae", at_most=0.3)),
        healthy("credit_rating.py", learned("val_accuracy", 0.85)),
        healthy("photo_and_table.py", learned("val_mae", at_most=0.3)),
        healthy("contrastive_digits.py", learned("val_binary_accuracy", 0.88), samples=4000),
        healthy("finetune_patches.py", learned("val_accuracy", 0.6)),
        healthy("deep_mlp_digits.py", learned("val_accuracy", 0.88), samples=4000),
        healthy("resnet_plateau.py", learned("val_accuracy", 0.6)),
        healthy("temperature_lstm.py", learned("val_loss", at_most=0.01)),
        healthy("binary_codes.py", learned("val_loss", at_most=0.17), samples=4000),
        healthy("sparse_codes.py", learned("val_loss", at_most=0.15)),
        healthy("shapes_gan.py", shows.balanced_gan),
        healthy("spiral_loop.py", lambda done: sum(done[-1].history["loss"][-100:]) < 15),
        healthy("surnames_lstm.py", learned("val_acc", 0.85)),
        healthy("dl-lstm-embedding", learned("val_accuracy", 0.85), epochs=8),
        healthy("hm-deep-rnn", learned("val_mae", at_most=0.06)),
        healthy("hm-tied-autoencoder", learned("val_loss", at_most=0.01)),
        healthy("dl-housing", learned("mean_absolute_error", at_most=0.4), samples=3000, epochs=25),
        healthy("dl-seq2seq-gru", learned("val_accuracy", 0.7), epochs=15),
        healthy("dl-cats-convnet", learned("val_accuracy", 0.8), epochs=10),
        healthy("dl-transformer", learned("val_accuracy", 0.7), epochs=14),
        healthy("tf-titanic", learned("loss", at_most=0.62), epochs=20),
        healthy("tf-advanced-loop", lambda done: sum(done[-1].history["loss"][-50:]) < 5),
        healthy("gd-autoencoder", learned("val_loss", at_most=0.4), epochs=12),
        healthy("hm-recurrent-autoencoder", learned("val_loss", at_most=0.6), epochs=12),
        *_inputs_and_outputs(),
        *_weights_and_steps(),
        *_layers_and_data(),
    )


def _inputs_and_outputs() -> tuple[FieldCase, ...]:
    return (
        faulty(
            "scaler forgotten",
            "wine_table.py",
            "unnormalised_input",
            "dense",
            "dead_units collapsed_output exploding_gradient learning_rate_too_high",
            last("loss", at_least=0.6),
            (r"^X_train, X_test = scaler.*", ""),
        ),
        faulty(
            "square feet and years as they are",
            "photo_and_table.py",
            "unnormalised_input",
            "table_fc1",
            "dead_units",
            last("val_mae", at_least=0.3),
            (r"^table = StandardScaler.*", ""),
        ),
        faulty(
            "not standardized",
            "dl-housing",
            "unnormalised_input",
            "dense",
            "",
            last("mean_absolute_error", at_least=0.6),
            (r"\(train_data - mean\) / std", "train_data"),
            samples=3000,
            epochs=25,
        ),
        faulty(
            "a tanh for counts up to eight",
            "count_blobs.py",
            "output_loss_mismatch",
            "count",
            "nan_or_inf saturated_activation collapsed_output",
            lambda done: not done[-1].history["mae"][-1] < 2,
            (r'activation="softplus"', 'activation="tanh"'),
        ),
        faulty(
            "boxes in pixels, sigmoid",
            "bounding_box.py",
            "output_loss_mismatch",
            "box",
            "saturated_activation collapsed_output",
            last("mae", at_least=5),
            (r"^train_y, val_y = .*", ""),
        ),
        faulty(
            "softmax over one channel",
            "road_segmentation.py",
            "output_loss_mismatch",
            "road",
            "collapsed_output",
            last("accuracy", at_most=0.5),
            (r'Conv2D\(1, 1, activation="sigmoid"', 'Conv2D(1, 1, activation="softmax"'),
        ),
        faulty(
            "logarithm of a variance that is negative",
            "vae_digits.py",
            "nan_or_inf",
            "",
            "",
            shows.not_finite,
            (
                r"1 \+ log_var - tf.square\(mean\) - tf.exp\(log_var\)",
                "1 + tf.math.log(log_var) - tf.square(mean) - log_var",
            ),
        ),
        faulty(
            "an age that is missing",
            "tf-titanic",
            "nan_or_inf",
            "sequential/dense sequential/dense_1",
            "",
            _weights_not_finite,
            (
                r"^titanic_features = titanic.copy\(\)",
                "titanic_features = titanic.copy()\ntitanic_features.loc[5, 'age'] = np.nan",
            ),
        ),
        faulty(
            "a day without a reading",
            "temperature_lstm.py",
            "nan_or_inf",
            "lstm lstm_1 dense",
            "",
            shows.not_finite,
            (r"^training_set, test_set", "temperature[700] = np.nan\ntraining_set, test_set"),
        ),
    )


def _weights_and_steps() -> tuple[FieldCase, ...]:
    return (
        faulty(
            "Adam at 0.2",
            "fashion_tfdata.py",
            "learning_rate_too_high",
            "",
            "dead_units collapsed_output exploding_gradient",
            last("accuracy", at_most=0.3),
            (r"ExponentialDecay\(0.002", "ExponentialDecay(0.2"),
        ),
        faulty(
            "fine-tuned at 0.2",
            "finetune_patches.py",
            "learning_rate_too_high",
            "",
            "dead_units collapsed_output exploding_gradient",
            last("accuracy", at_most=0.4),
            (r"Adam\(2e-4\)", "Adam(0.2)"),
        ),
        faulty(
            "SGD at 1 with momentum",
            "hm-deep-rnn",
            "learning_rate_too_high",
            "",
            "exploding_gradient saturated_activation collapsed_output nan_or_inf",
            last("mae", at_least=0.1),
            (r"learning_rate=0.01", "learning_rate=1.0"),
        ),
        faulty(
            "SGD at 1e-4",
            "activity_gru.py",
            "learning_rate_too_low",
            "",
            "underfitting too_few_epochs",
            last("accuracy", at_most=0.6),
            (r"Adam\(2e-3\)", "SGD(1e-4)"),
        ),
        faulty(
            "SGD at 1e-5",
            "tf-penguins-loop",
            "learning_rate_too_low",
            "",
            "underfitting too_few_epochs",
            lambda done: done[-1].history["loss"][-1] > 0.9 * done[-1].history["loss"][0],
            (r"learning_rate=0.01", "learning_rate=1e-5"),
        ),
        faulty(
            "Adam at 1e-6",
            "demand_generator.py",
            "learning_rate_too_low",
            "",
            "underfitting too_few_epochs",
            last("mae", at_least=0.5),
            (r"learning_rate=1e-3", "learning_rate=1e-6"),
        ),
        faulty(
            "stopped after three epochs",
            "energy_two_outputs.py",
            "too_few_epochs",
            "",
            "underfitting",
            shows.unsettled,
            (r"epochs=40", "epochs=3"),
        ),
        faulty(
            "stopped after two epochs",
            "temperature_lstm.py",
            "too_few_epochs",
            "",
            "underfitting",
            shows.unsettled,
            (r"epochs=20", "epochs=2"),
        ),
        faulty(
            "stopped after three epochs",
            "dl-seq2seq-gru",
            "too_few_epochs",
            "",
            "underfitting",
            shows.unsettled,
            epochs=3,
        ),
        faulty(
            "eight sigmoid layers",
            "deep_mlp_digits.py",
            "vanishing_gradient",
            "layer_{0..7}",
            "saturated_activation collapsed_output",
            both(no_progress, shows.small_gradient("layer_0", "digit", 1e-2)),
            (r'act = 8, 64, "relu"', 'act = 8, 64, "sigmoid"'),
            samples=4000,
        ),
        faulty(
            "sigmoid in place of SELU",
            "hm-deep-selu",
            "vanishing_gradient",
            "dense dense_{1..18}",
            "saturated_activation collapsed_output",
            both(no_progress, shows.small_gradient("dense", "dense_20", 1e-2)),
            (r'activation="selu"', 'activation="sigmoid"'),
        ),
        faulty(
            "normal weights of deviation 0.01",
            "deep_mlp_digits.py",
            "bad_init",
            "layer_{0..7}",
            "vanishing_gradient",
            no_progress,
            (r'kernel_initializer="he_normal"', "kernel_initializer=keras.initializers.RandomNormal(stddev=0.01)"),
            samples=4000,
        ),
        faulty(
            "weights of one",
            "dl-mnist",
            "bad_init",
            "dense dense_1",
            "redundant_filters dead_units exploding_gradient collapsed_output",
            last("accuracy", at_most=0.9),
            (r'Dense\(512, activation="relu"', 'Dense(512, activation="relu", kernel_initializer="ones"'),
        ),
        faulty(
            "standard normal weights",
            "hm-deep-selu",
            "bad_init",
            "dense dense_{1..19}",
            "exploding_gradient nan_or_inf learning_rate_too_high",
            lambda done: not done[-1].history["loss"][-1] < 2.3,
            (r'kernel_initializer="lecun_normal"', "kernel_initializer=tf.keras.initializers.RandomNormal(stddev=1.0)"),
        ),
        faulty(
            "the square as activation",
            "deep_mlp_digits.py",
            "exploding_gradient",
            "layer_{0..7}",
            "nan_or_inf bad_init learning_rate_too_high",
            shows.not_finite,
            (r'act = 8, 64, "relu"', "act = 8, 64, keras.ops.square"),
            samples=4000,
        ),
    )


def _layers_and_data() -> tuple[FieldCase, ...]:
    return (
        faulty(
            "weights not loaded, never unfrozen",
            "finetune_patches.py",
            "frozen_layer",
            "backbone backbone/bb_conv{1..3}",
            "underfitting",
            shows.unchanged("bb_conv1", "bb_conv2", "bb_conv3"),
            (r"^backbone.load_weights.*", ""),
            (r"^backbone.trainable = True", ""),
        ),
        faulty(
            "codes rounded",
            "binary_codes.py",
            "frozen_layer",
            "encoder/enc{1,2} encoder/code_logits",
            "vanishing_gradient underfitting",
            shows.unchanged("enc1", "enc2", "code_logits"),
            (r"ops.sigmoid\(t\)", "ops.round(ops.sigmoid(t))"),
            samples=4000,
        ),
        faulty(
            "a sigmoid 100 times as steep",
            "binary_codes.py",
            "saturated_activation",
            "encoder/code encoder/code_logits",
            "vanishing_gradient underfitting bad_init",
            both(_steep, last("val_loss", at_least=0.15)),
            (r"ops.sigmoid\(t\)", "ops.sigmoid(100 * t)"),
            samples=4000,
        ),
        faulty(
            "a penalty of 0.01 on the code",
            "sparse_codes.py",
            "dead_units",
            "encoded",
            "collapsed_output underfitting",
            shows.dead("encoded", 0.5),
            (r"l1\(1e-5\)", "l1(1e-2)"),
        ),
        faulty(
            "discriminator a thousand times as fast",
            "shapes_gan.py",
            "discriminator_overpowers",
            "",
            "vanishing_gradient learning_rate_too_low",
            shows.discriminator_wins,
            (r"d_lr=2e-4, g_lr=4e-4", "d_lr=2e-3, g_lr=2e-6"),
        ),
        faulty(
            "generator at 0.05",
            "shapes_gan.py",
            "mode_collapse",
            "",
            "learning_rate_too_high discriminator_overpowers saturated_activation",
            shows.samples_alike,
            (r"g_lr=4e-4", "g_lr=5e-2"),
        ),
        faulty(
            "activations forgotten",
            "spiral_loop.py",
            "missing_activation",
            "dense dense_{1,2}",
            "underfitting",
            lambda done: sum(done[-1].history["loss"][-100:]) > 50,
            (r'Dense\(32, activation="relu"\)', "Dense(32)"),
        ),
        faulty(
            "activations forgotten",
            "dl-housing",
            "missing_activation",
            "dense dense_1",
            "underfitting",
            last("mean_absolute_error", at_least=0.28),
            (r'Dense\(64, activation="relu"\)', "Dense(64)"),
            samples=3000,
            epochs=25,
        ),
        faulty(
            "padded behind to 150 characters, no mask",
            "surnames_lstm.py",
            "collapsed_output",
            "",
            "vanishing_gradient underfitting",
            both(shows.one_class, last("val_acc", at_most=0.4)),
            (r"maxlen = max\(map\(len, names\)\)", "maxlen = 150"),
            (r", mask_zero=True", ""),
        ),
        faulty(
            "pixel errors averaged, not added",
            "vae_digits.py",
            "collapsed_output",
            "",
            "underfitting",
            _one_picture,
            (r"tf.reduce_sum\(errors, axis=\(1, 2\)\)", "errors"),
        ),
        faulty(
            "batches of two",
            "credit_rating.py",
            "batch_too_small_for_bn",
            "",
            "stale_batch_statistics",
            last("accuracy", at_most=0.85),
            (r"epochs=20, batch_size=64", "epochs=4, batch_size=2"),
        ),
        faulty(
            "momentum of 0.999",
            "depthwise_photos.py",
            "stale_batch_statistics",
            "conv2d conv2d_{1..3} depthwise_conv2d depthwise_conv2d_{1,2} "
            "batch_normalization batch_normalization_{1..6}",
            "",
            shows.worse_in_inference,
            (r"momentum=0.9\b", "momentum=0.999"),
        ),
        faulty(
            "few large batches",
            "hm-resnet34",
            "stale_batch_statistics",
            "conv2d batch_normalization residual_unit residual_unit_{1..5} "
            "residual_unit/conv2d_{1,2} residual_unit_1/conv2d_{3,4} residual_unit_2/conv2d_{5..7} "
            "residual_unit_3/conv2d_{8,9} residual_unit_4/conv2d_{10..12} residual_unit_5/conv2d_{13,14} "
            "residual_unit/batch_normalization_{1,2} residual_unit_1/batch_normalization_{3,4} "
            "residual_unit_2/batch_normalization_{5..7} residual_unit_3/batch_normalization_{8,9} "
            "residual_unit_4/batch_normalization_{10..12} residual_unit_5/batch_normalization_{13,14}",
            "too_few_epochs",
            shows.worse_in_inference,
            code=program("hm-resnet34").code.replace("epochs=5", "epochs=8, batch_size=256"),
        ),
        faulty(
            "one to three channels",
            "depthwise_photos.py",
            "underfitting",
            "",
            "",
            both(last("accuracy", at_most=0.5), lambda done: shows.settled(done[-1].history)),
            (r"^alpha = 1.0", "alpha = 0.07"),
            (r"epochs=12", "epochs=40"),
        ),
        faulty(
            "dropout of 0.9, twice",
            "hm-cnn",
            "underfitting",
            "",
            "collapsed_output",
            last("accuracy", at_most=0.35),
            (r"Dropout\(0.5\)", "Dropout(0.9)"),
            epochs=10,
        ),
        faulty(
            "two hundred digits",
            "deep_mlp_digits.py",
            "overfitting",
            "",
            "",
            shows.overfitted,
            (r"epochs=8", "epochs=60"),
            samples=200,
        ),
        faulty(
            "six times as long",
            "surnames_lstm.py",
            "overfitting",
            "",
            "",
            shows.overfitted,
            (r"epochs=10", "epochs=60"),
        ),
        faulty(
            "nine tenths kept for the validation",
            "tf-flowers",
            "overfitting",
            "",
            "",
            shows.overfitted,
            (r"validation_split=0.2", "validation_split=0.9"),
            (r"^epochs *= *10", "epochs = 50"),
            epochs=0,
        ),
    )


def _weights_not_finite(trainings: Sequence[Training]) -> bool:
    """A weight of the last model is NaN or infinite."""
    return not all(np.isfinite(weight).all() for weight in trainings[-1].model.get_weights())


def _steep(trainings: Sequence[Training]) -> bool:
    """Nine tenths of the codes are within 0.01 of 0 or 1."""
    training = trainings[-1]
    assert training.data is not None
    codes = np.asarray(training.model.layers[0].predict(np.asarray(training.data[0])[:256], verbose=0))
    return bool((np.minimum(codes, 1 - codes) < 0.01).mean() > 0.9)


def _one_picture(trainings: Sequence[Training]) -> bool:
    """Reconstructions differ from each other by less than a tenth of what the pictures do."""
    training = trainings[-1]
    assert training.data is not None
    pictures = np.asarray(training.data[0])[:200]
    drawn = np.asarray(training.model.predict(pictures, verbose=0))
    return bool(drawn.std(axis=0).mean() < 0.1 * pictures.std(axis=0).mean())
