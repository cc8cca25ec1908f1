"""How good answers are: loss, accuracy, and the papers' "all outputs within 0.3 of the target"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.3
"""An output is right in the sense of Hochreiter & Schmidhuber (1997, experiment 6) if it is nearer than this."""


@dataclass(frozen=True, slots=True)
class Score:
    """How good the answers to a number of sequences are.

    Parameters
    ----------
    sequences
        How many were answered.
    loss
        Mean over the scored steps: cross-entropy in nats for classes, squared error summed over the K outputs for
        values.
    accuracy
        Share of scored steps whose likeliest class is right, in 0…1; equally likely classes share the point. None for
        values.
    within
        Share of sequences with all outputs at all scored steps nearer to the target than the task's tolerance (0.3
        unless it says otherwise), in 0…1.
    squared_error
        Mean over the scored steps of the squared error, summed over the K outputs.
    """

    sequences: int
    loss: float
    accuracy: float | None
    within: float
    squared_error: float


def score(
    outputs: NDArray[np.floating[Any]],
    targets: NDArray[np.floating[Any]],
    scored: NDArray[np.bool_],
    *,
    classes: bool,
    near: float = TOLERANCE,
) -> Score:
    """Return how good answers are, computed in float64.

    Parameters
    ----------
    outputs
        (T, B, K): probabilities of the classes, or values.
    targets
        (T, B, K): the same for the right answer.
    scored
        (T, B) bool: the steps that count; at least one.
    classes
        Whether the answers are classes.
    near
        An output is near its target if it is nearer than this.
    """
    given, wanted = np.asarray(outputs, np.float64)[scored], np.asarray(targets, np.float64)[scored]
    squared_error = float(np.square(given - wanted).sum(axis=-1).mean())
    fits = (np.abs(np.asarray(outputs, np.float64) - targets) < near).all(axis=-1) | ~scored
    loss, accuracy = squared_error, None
    if classes:
        # A right class with probability 0 is an infinite loss, and is said to be one.
        with np.errstate(divide="ignore"):
            nats = np.where(wanted > 0.0, wanted * -np.log(np.where(wanted > 0.0, given, 1.0)), 0.0)
        loss = float(nats.sum(axis=-1).mean())
        likeliest = given == given.max(axis=-1, keepdims=True)
        right = wanted == wanted.max(axis=-1, keepdims=True)
        accuracy = float(((likeliest & right).sum(axis=-1) / likeliest.sum(axis=-1)).mean())
    return Score(scored.shape[1], loss, accuracy, float(fits.all(axis=0).mean()), squared_error)


def right_answers(
    outputs: NDArray[np.floating[Any]], targets: NDArray[np.floating[Any]], scored: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return for which sequences the likeliest class is right at every scored step, (B,) bool."""
    right = outputs.argmax(axis=-1) == targets.argmax(axis=-1)
    return np.asarray((right | ~scored).all(axis=0), np.bool_)
