"""Faults of GANs on handmade histories: what must raise them, and what must not."""

from __future__ import annotations

import pytest

from tests.judging.faults.made import NAN, found, gan, history

LEVEL = [1.4, 1.3, 1.2, 1.3, 1.2, 1.3]


def test_images_that_become_identical() -> None:
    (finding,) = found("mode_collapse", gan([0.01, 0.2, 0.3, 0.02, 0.01, 0.01], LEVEL))
    assert (finding.layer, finding.severity, finding.first_step) == ("generator/image", "error", 30)
    assert finding.evidence["diversity_ratio"].value == pytest.approx(0.02)
    assert finding.evidence["largest_ratio"].value == pytest.approx(0.6)


@pytest.mark.parametrize(
    "diversity",
    [
        [0.01, 0.01, 0.01, 0.02, 0.02, 0.02],  # not yet diverse
        [0.01, 0.2, 0.3, 0.3, 0.02, 0.01],  # two snapshots only
        [0.01, 0.2, 0.3, 0.02, 0.01, 0.15],  # the diversity has come back
    ],
)
def test_images_that_may_still_become_diverse(diversity: list[float]) -> None:
    assert not found("mode_collapse", gan(diversity, LEVEL))


def test_images_that_never_differed() -> None:
    assert found("mode_collapse", gan([0.01] * 11, [1.3] * 11))


@pytest.mark.parametrize("name", ["d_loss", "disc_loss", "discriminator_loss", "loss_d"])
def test_a_discriminator_that_is_always_right(name: str) -> None:
    (finding,) = found("discriminator_overpowers", gan([0.3] * 5, [1.4, 0.9, 0.05, 0.02, 0.01], name=name))
    assert (finding.severity, finding.first_step) == ("warning", 20)
    fading = gan([0.3] * 5, [1.4, 0.9, 0.05, 0.02, 0.01], [1.0, 1.0, 0.1, 0.01, 0.001], name)
    assert found("discriminator_overpowers", fading)[0].severity == "error"


@pytest.mark.parametrize("loss", [[1.4, 0.9, 0.05, 0.02, 0.3], [1.4, -3.0, -5.0, -6.0, -7.0], [1.4] * 5])
def test_a_discriminator_that_can_be_wrong(loss: list[float]) -> None:
    assert not found("discriminator_overpowers", gan([0.3] * 5, loss))


def test_a_classifier_is_not_agan() -> None:
    run = history({"model_output.diversity": [[NAN] * 4] * 12}, scalars={"d_loss": [0.0] * 12})
    assert not found("discriminator_overpowers", run)
    assert not found("mode_collapse", run)
