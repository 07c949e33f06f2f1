"""What is natural for the images of a probe: their range, the covariance of their channels, and their spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tb_cnndiag.numerics.hartley import frequencies
from tb_cnndiag.payloads import FloatArray

# Images that the statistics are taken of.
SAMPLES = 256
# The mean of an image starts no nearer to the ends of the range, in half ranges: there its gradient would vanish.
_MARGIN = 0.9


@dataclass(frozen=True)
class Natural:
    """Statistics of images ``(samples, height, width, channels)``.

    Attributes:
        low: Smallest value of each channel, ``(channels,)``.
        high: Largest value of each channel.
        mean: Mean of each channel.
        colors: ``(channels, channels)``, symmetric root of the covariance of the channels.
        spectrum: ``(height, width)``, mean magnitude of each frequency in decorrelated channels; its mean square is 1.
    """

    low: FloatArray
    high: FloatArray
    mean: FloatArray
    colors: FloatArray
    spectrum: FloatArray

    @classmethod
    def of(cls, images: FloatArray) -> Natural:
        """Measure finite images. Frequencies that do not occur get a thousandth of the strongest."""
        values = np.asarray(images[:SAMPLES], np.float64)
        mean = values.mean(axis=(0, 1, 2))
        centered = values - mean
        flat = centered.reshape(-1, values.shape[-1])
        strengths, directions = np.linalg.eigh(flat.T @ flat / len(flat))
        strengths = np.maximum(strengths, 1e-6 * max(float(strengths[-1]), 1e-12))
        colors = (directions * np.sqrt(strengths)) @ directions.T
        white = centered @ ((directions / np.sqrt(strengths)) @ directions.T)
        spectrum = np.abs(np.fft.fft2(white, axes=(1, 2))).mean(axis=(0, 3))
        spectrum = np.maximum(spectrum, 1e-3 * spectrum.max())
        if not spectrum.max() > 0:
            spectrum = 1 / np.maximum(frequencies(*spectrum.shape), 1 / max(spectrum.shape))
        spectrum /= np.sqrt((spectrum**2).mean())
        return cls(values.min(axis=(0, 1, 2)), values.max(axis=(0, 1, 2)), mean, colors, spectrum)

    @property
    def middle(self) -> FloatArray:
        """Middle of the range of each channel."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> FloatArray:
        """Half of the range of each channel; 1 for a channel that is constant."""
        return np.where(self.high > self.low, (self.high - self.low) / 2, 1.0)

    @property
    def start(self) -> FloatArray:
        """The mean where the range is mapped to all numbers by the inverse of tanh."""
        return np.arctanh(np.clip((self.mean - self.middle) / self.half, -_MARGIN, _MARGIN))
