"""Scaling raw values into network inputs, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding, Scaling, Sequence, SequenceSet

SATURATING = 4.0
"""Root mean square of a feature above which a fresh network should not receive it raw."""

_ROWS = 65_536  # the arithmetic is in float64: this bounds what it needs beside the values


def scale(sequences: SequenceSet, scaling: Scaling) -> SequenceSet:
    """Return the same set with its values scaled, from the raw values whatever scaling it carries now.

    Parameters
    ----------
    sequences
        Finite values.
    scaling
        ``NONE`` gives the raw values back, exactly. One-hot codes and other indicators stay as they are.

    Returns
    -------
    SequenceSet
        Keeps ``raw``; ``values`` are ``(raw − offset) / factor`` in float32, with :func:`offsets_and_factors`.
    """
    if scaling is sequences.scaling:
        return sequences
    if scaling is Scaling.NONE:
        unscaled = tuple(replace(sequence, values=_raw(sequence)) for sequence in sequences)
        return replace(sequences, sequences=unscaled, scaling=scaling)
    offsets, factors = offsets_and_factors(sequences, scaling)
    if not offsets.any() and (factors == 1).all():
        return replace(sequences, scaling=scaling)
    scaled = tuple(replace(item, values=_apply(item, offsets, factors), raw=_raw(item)) for item in sequences)
    return replace(sequences, sequences=scaled, scaling=scaling)


def suggest_scaling(sequences: SequenceSet) -> Scaling:
    """Return STANDARD where the raw values would drive a freshly initialised network into saturation, else NONE.

    The first weights of PyTorch's recurrent layers lie within ±1/√H: an input of size ``SATURATING`` moves a
    pre-activation of a layer of 16 units by up to 1, and ten times that closes or opens every gate for good.
    """
    offsets, factors = offsets_and_factors(sequences, Scaling.STANDARD)
    root_mean_square = np.hypot(offsets, factors)[_scalable(sequences)]
    return Scaling.STANDARD if root_mean_square.max(initial=0) > SATURATING else Scaling.NONE


def offsets_and_factors(sequences: SequenceSet, scaling: Scaling) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a scaling subtracts from, and divides, each feature by.

    Parameters
    ----------
    sequences
        Statistics are taken over the raw values of all steps of all sequences.
    scaling
        STANDARD: mean and (population) standard deviation. MIN_MAX: minimum and range. NONE: zero and one.

    Returns
    -------
    offsets, factors
        (F,) float64 each. A constant feature and an indicator have factor 1, an indicator has offset 0.
    """
    features = len(sequences.names)
    offsets, factors = np.zeros(features), np.ones(features)
    untouched = ~_scalable(sequences)
    if scaling is Scaling.NONE or untouched.all():
        return offsets, factors
    if scaling is Scaling.MIN_MAX:
        low = np.min([_raw(item).min(axis=0) for item in sequences], axis=0).astype(np.float64)
        high = np.max([_raw(item).max(axis=0) for item in sequences], axis=0).astype(np.float64)
        offsets, factors = low, high - low
    else:
        steps = sum(map(len, sequences))
        total = sum((_raw(item).sum(axis=0, dtype=np.float64) for item in sequences), np.zeros(features))
        offsets = total / steps
        squares = np.zeros(features)
        for item in sequences:
            for start in range(0, len(item), _ROWS):
                squares += np.square(_raw(item)[start : start + _ROWS] - offsets).sum(axis=0)
        factors = np.sqrt(squares / steps)
        # The mean of equal values can be off by a rounding, which must not be taken for a deviation.
        factors[factors <= np.abs(offsets) * 1e-12] = 0
    factors[factors == 0] = 1
    offsets[untouched], factors[untouched] = 0, 1
    return offsets, factors


def _scalable(sequences: SequenceSet) -> NDArray[np.bool_]:
    """Return which of the F features are quantities, not codes."""
    one_hot = sequences[0].encoding is Encoding.ONE_HOT
    return np.array([not one_hot and name not in sequences.indicators for name in sequences.names], bool)


def _raw(sequence: Sequence) -> NDArray[np.float32]:
    return sequence.values if sequence.raw is None else sequence.raw


def _apply(sequence: Sequence, offsets: NDArray[np.float64], factors: NDArray[np.float64]) -> NDArray[np.float32]:
    raw = _raw(sequence)
    values = np.empty(raw.shape, np.float32)
    for start in range(0, len(raw), _ROWS):
        values[start : start + _ROWS] = (raw[start : start + _ROWS] - offsets) / factors
    return values
