"""Curves of any length as few points: what is new is looked at, what has been seen is not looked at again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_studio.runs.like import Curve


class Thinner:
    """Thins one growing curve: of each stretch the smallest and the largest value stay, each where it is.

    A spike of a single step is never lost, nor is a value that is no number. The work is that of what is new.

    Parameters
    ----------
    most
        Stretches; at most twice as many points remain, and those after the last whole stretch.
    """

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._seen: Curve | None = None
        self._stride = 1
        self._kept: NDArray[np.intp] = np.zeros((0, 2), np.intp)
        self._thin: Curve | None = None

    def __call__(self, curve: Curve) -> Curve:
        """Return a curve of few points that looks the same."""
        if self._thin is not None and self._seen is not None and self._seen[0] is curve[0]:
            return self._thin
        if not has_grown(self._seen, curve):
            self._stride, self._kept = 1, np.zeros((0, 2), np.intp)
        self._seen = curve
        steps, values = curve
        if len(steps) <= 2 * self._most:
            self._thin = curve
            return curve
        while len(steps) // self._stride > self._most:
            self._stride *= 2
            self._kept = _pairs(self._kept, values)
        done = len(self._kept) * self._stride
        fresh = (len(steps) - done) // self._stride
        if fresh:
            self._kept = np.concatenate((self._kept, _ends(values, done, fresh, self._stride)))
            done += fresh * self._stride
        # Both ends stay where they are: a curve must not stop before its last value.
        inner = np.sort(self._kept, axis=1).ravel()
        where = np.concatenate(([0], inner, np.arange(done, len(steps)), [len(steps) - 1]))
        where = where[np.append(True, np.diff(where) > 0)]
        self._thin = steps[where], values[where]
        return self._thin


def has_grown(before: Curve | None, now: Curve) -> bool:
    """Return whether a curve is one that was seen before, with points added at its end and nothing else.

    That costs nothing where both are views of one array, as those of a run that goes on are.
    """
    if before is None or len(now[0]) < len(before[0]):
        return False
    return now[0] is before[0] or (now[0].base is not None and now[0].base is before[0].base)


def _ends(values: NDArray[np.float64], begin: int, count: int, stride: int) -> NDArray[np.intp]:
    """Return (count, 2) indices of the smallest and the largest value of each stretch; what is no number is both."""
    part = values[begin : begin + count * stride].reshape(count, stride)
    starts = begin + np.arange(count) * stride
    # Both take the first that is not a number, where there is one.
    return np.stack((starts + part.argmin(axis=1), starts + part.argmax(axis=1)), axis=1)


def _pairs(kept: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return what stays of every two neighbouring stretches."""
    whole = kept[: len(kept) // 2 * 2].reshape(-1, 2, 2)
    low, high = whole[:, :, 0], whole[:, :, 1]
    rows = np.arange(len(whole))
    return np.stack((low[rows, values[low].argmin(axis=1)], high[rows, values[high].argmax(axis=1)]), axis=1)
