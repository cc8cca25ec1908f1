"""Log-mel spectra, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WINDOW = 0.025  # seconds
_HOP = 0.010  # seconds
_BANDS = 40
_FLOOR = 1e-10  # power below which silence is not told from silence
_FRAMES = 4_096  # frames transformed at once: bounds the memory


@dataclass(frozen=True, eq=False)
class LogMel:
    """The natural logarithm of the power in mel bands, frame by frame.

    A frame of 25 ms every 10 ms is weighted with a Hann window; its power spectrum is summed under triangles that are
    equally wide on the mel scale of O'Shaughnessy (1987), ``2595 log10(1 + f / 700)``, from 0 to half the sample rate.

    Parameters
    ----------
    rate
        Sample rate in hertz.
    window, hop
        Samples in a frame, and between the beginnings of two.
    filters
        (bins, bands) float32, the weight of each bin of the spectrum in each band.
    centres
        (bands,) float64, the middle of each band in hertz.
    """

    rate: int
    window: int
    hop: int
    filters: NDArray[np.float32]
    centres: NDArray[np.float64]

    @classmethod
    def at(cls, rate: int) -> LogMel:
        """Build the filters for a sample rate in hertz."""
        window, hop = max(1, round(_WINDOW * rate)), max(1, round(_HOP * rate))
        edges = _to_hertz(np.linspace(0.0, _to_mel(rate / 2), _BANDS + 2))
        low, centre, high = edges[:-2], edges[1:-1], edges[2:]
        # The lowest bands are the narrowest: each must catch at least one bin.
        size = 1 << (2 * window - 1).bit_length()
        while rate / size > centre[0] / 2:
            size *= 2
        bins = np.arange(size // 2 + 1)[:, None] * (rate / size)
        rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
        filters = np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
        return cls(rate, window, hop, filters, centre)

    @property
    def bands(self) -> int:
        """The number of features."""
        return len(self.centres)

    @property
    def names(self) -> tuple[str, ...]:
        """The feature names, for example ``"mel 1 (44 Hz)"``."""
        return tuple(f"mel {band + 1} ({hertz:.0f} Hz)" for band, hertz in enumerate(self.centres))

    def count(self, samples: int) -> int:
        """Return the number of frames; a sound shorter than a frame is one, filled up with silence."""
        return 1 + max(0, samples - self.window) // self.hop

    def times(self, frames: int) -> NDArray[np.float64]:
        """Return (frames,) float64, the middle of each frame in seconds."""
        times: NDArray[np.float64] = (np.arange(frames) * self.hop + self.window / 2) / self.rate
        return times

    def transform(self, samples: NDArray[np.float32], report: Callable[[float], None]) -> NDArray[np.float32]:
        """Return (frames, bands) float32 for (n,) samples in −1…1; ``report`` hears the fraction that is done."""
        if len(samples) < self.window:
            samples = np.pad(samples, (0, self.window - len(samples)))
        frames = self.count(len(samples))
        windows = np.lib.stride_tricks.sliding_window_view(samples, self.window)[:: self.hop]
        hann = np.hanning(self.window + 1)[:-1].astype(np.float32)
        size = 2 * (len(self.filters) - 1)
        values = np.empty((frames, self.bands), np.float32)
        for start in range(0, frames, _FRAMES):
            report(start / frames)
            spectrum = np.fft.rfft(windows[start : start + _FRAMES] * hann, size)
            power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
            values[start : start + _FRAMES] = np.log(np.maximum(power @ self.filters, _FLOOR))
        return values


def _to_mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    hertz: NDArray[np.float64] = 700 * (10 ** (mel / 2595) - 1)
    return hertz
