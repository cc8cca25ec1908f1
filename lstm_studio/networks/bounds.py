"""Between which numbers the results lie, where sums are so large that rounding them off counts.

A sum of many terms is rounded off by some units of the last digit of the terms, not of the sum: beside terms of 1e5,
float32 has no digits left for what decides on the sign of a unit. Which way it goes depends on the order in which a
kernel adds. Given what every kernel may be off by, interval arithmetic (Moore 1966) says what it may come to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_UNITS = 8.0
"""A sum may be off by so many units of rounding of the sum of its terms' magnitudes. PyTorch's kernels were off by 2.1
at most, from 4 terms to 3000: they add in many short rows, so that it does not grow with their number."""

_UNITS_OF_TWO = 4.0
"""Likewise where a state is multiplied by a factor that is rounded off itself, and a product added to it: each of the
three is half a unit, and the factor two at most."""


class Bounds(NamedTuple):
    """Between which numbers each number lies, both included."""

    low: Array
    high: Array

    def through(self, rising: Callable[[Array], Array]) -> Bounds:
        """Return the bounds of a function that never falls."""
        return Bounds(rising(self.low), rising(self.high))

    def plus(self, other: Bounds) -> Bounds:
        """Return the bounds of the sum."""
        return Bounds(self.low + other.low, self.high + other.high)

    def times(self, other: Bounds) -> Bounds:
        """Return the bounds of the product."""
        products = [one * two for one in self for two in other]
        low, high = np.minimum.reduce(products), np.maximum.reduce(products)
        # Nothing times what has no bounds may be anything.
        return Bounds(np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high))

    def mixed(self, one: Bounds, two: Bounds) -> Bounds:
        """Return the bounds of s · one + (1 − s) · two, where these are the bounds of s, within 0…1."""
        lows = [share * one.low + (1 - share) * two.low for share in self]
        highs = [share * one.high + (1 - share) * two.high for share in self]
        return Bounds(np.minimum(*lows), np.maximum(*highs))

    def multiplied(self, weights: Array) -> Bounds:
        """Return the bounds of the product with a matrix, (T, P) for (T, H) and (P, H)."""
        positive, negative = np.maximum(weights, 0).T, np.minimum(weights, 0).T
        low, high = self.low @ positive + self.high @ negative, self.high @ positive + self.low @ negative
        return Bounds(low, high)

    def widened(self, off: Array) -> Bounds:
        """Return the bounds of what may be off by so much."""
        return Bounds(self.low - off, self.high + off)

    def row(self, step: int) -> Bounds:
        """Return the bounds of one row."""
        return Bounds(self.low[step], self.high[step])

    def part(self, columns: slice) -> Bounds:
        """Return the bounds of some columns."""
        return Bounds(self.low[:, columns], self.high[:, columns])

    def repeated(self, count: int) -> Bounds:
        """Return the bounds of every column so many times, one beside the other."""
        return Bounds(self.low.repeat(count, axis=1), self.high.repeat(count, axis=1))

    @property
    def largest(self) -> Array:
        """The largest magnitudes within."""
        magnitudes: Array = np.maximum(np.abs(self.low), np.abs(self.high))
        return magnitudes


def stacked(rows: Iterable[Bounds]) -> Bounds:
    """Return the bounds of rows, one below the other."""
    low, high = zip(*rows, strict=True)
    return Bounds(np.stack(low), np.stack(high))


class Rounding(NamedTuple):
    """How sums are rounded off.

    Parameters
    ----------
    dtype
        The precision in which they were computed.
    least
        What they are off by counts only if it is more than that.
    """

    dtype: np.dtype[Any]
    least: float

    def sums(self, *products: tuple[Array | Bounds, Array], bias: Array | None) -> Bounds:
        """Return the bounds of weighted sums, (T, R).

        Parameters
        ----------
        products
            Values (T, N), or their bounds, and their weights (R, N), in float64.
        bias
            (R,), or None.
        """
        total, size = exactly(np.asarray(0.0)), np.asarray(0.0)
        for values, weights in products:
            if isinstance(values, Bounds):
                total, largest = total.plus(values.multiplied(weights)), values.largest
            else:
                total, largest = total.plus(exactly(values @ weights.T)), np.abs(values)
            size = size + largest @ np.abs(weights).T
        if bias is not None:
            total, size = total.plus(exactly(bias)), size + np.abs(bias)
        off = self.counting(_UNITS * float(np.finfo(self.dtype).eps) * size)
        # On its way to a sum that has room, a kernel may come to one that has not.
        off[(size > float(np.finfo(self.dtype).max)) & np.isfinite(size)] = np.inf
        return total.widened(off)

    def added(self, size: Array) -> Array:
        """Return what a state may be off by after one more product is added, by the magnitudes of both together."""
        return _UNITS_OF_TWO * float(np.finfo(self.dtype).eps) * size

    def counting(self, off: Array) -> Array:
        """Return what sums may be off by as far as it counts."""
        return np.where(np.isfinite(off) & (off > self.least), off, 0.0)


def exactly(values: Array) -> Bounds:
    """Return the bounds of what is known."""
    return Bounds(values, values)
