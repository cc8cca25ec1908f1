"""Units that do alike side by side: average linkage on correlation distance, and an order of the leaves of that tree.

The tree is that of hierarchical clustering with average linkage (Sokal and Michener 1958), found by following chains of
nearest neighbours (Murtagh 1983) in O(H²). Each of its branches can be turned round; as in Gruvaeus and Wainer (1972)
it is turned so that the units that meet where two branches join are as near to each other as the turns allow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_STEPS = 1_000
"""Steps from which the correlations are taken, evenly spaced over longer traces."""
_CONSTANT = 1e-6
"""Standard deviation, relative to the magnitude, below which a unit says nothing but its rounding."""


def correlation_distance(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return 1 − r for each pair of units, r being the correlation of their values over time.

    Parameters
    ----------
    values
        (T, H) float. Where one is not finite, the unit's mean stands for it. Of more than :data:`MOST_STEPS` steps
        as many are taken, evenly spaced.

    Returns
    -------
    NDArray
        (H, H) float64 in 0…2, zero on the diagonal. A unit that does not change correlates with nothing (1), but is
        like any other that does not change (0).
    """
    count = min(len(values), MOST_STEPS)
    chosen = values[np.linspace(0, len(values) - 1, count).round().astype(np.intp)] if count < len(values) else values
    chosen = np.array(chosen, np.float64)
    finite = np.isfinite(chosen)
    if not finite.all():
        chosen[~finite] = 0.0
    number = np.maximum(finite.sum(axis=0), 1)
    magnitude = np.abs(chosen).max(axis=0, initial=0.0)
    chosen -= chosen.sum(axis=0) / number
    chosen[~finite] = 0.0
    lengths = np.sqrt((chosen**2).sum(axis=0))
    constant = lengths <= _CONSTANT * magnitude * np.sqrt(number)
    chosen /= np.where(constant, 1.0, lengths)
    chosen[:, constant] = 0.0
    # In single precision: half the time, and more digits than the order can show.
    single = chosen.astype(np.float32)
    distance = np.clip(1.0 - (single.T @ single).astype(np.float64), 0.0, 2.0)
    distance[np.ix_(constant, constant)] = 0.0
    np.fill_diagonal(distance, 0.0)
    return distance


def leaf_order(distance: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the units in an order in which those that are near to each other stand together.

    Parameters
    ----------
    distance
        (H, H), symmetric, zero on the diagonal.

    Returns
    -------
    NDArray
        (H,) each unit once. Every branch of the average-linkage tree is one run of it; of the two directions the one
        that begins with the lower number.
    """
    count = len(distance)
    if not count:
        return np.zeros(0, np.intp)
    between = distance.copy()
    np.fill_diagonal(between, np.inf)
    branches: list[list[int]] = [[unit] for unit in range(count)]
    sizes = np.ones(count)
    alive = np.ones(count, bool)
    chain: list[int] = []
    for _ in range(count - 1):
        if not chain:
            chain.append(int(alive.argmax()))
        while True:
            here = chain[-1]
            nearest = int(between[here].argmin())
            # Of several that are equally near the one that the chain came from, or it would never end.
            if len(chain) > 1 and between[here, chain[-2]] <= between[here, nearest]:
                break
            chain.append(nearest)
        first, second = sorted((chain.pop(), chain.pop()))
        branches[first] = _joined(branches[first], branches[second], distance)
        total = sizes[first] + sizes[second]
        merged = (sizes[first] * between[first] + sizes[second] * between[second]) / total
        merged[first] = np.inf
        between[first], between[:, first] = merged, merged
        between[second], between[:, second] = np.inf, np.inf
        sizes[first], alive[second] = total, False
    order = branches[0]
    return np.array(order if order[0] <= order[-1] else order[::-1], np.intp)


def _joined(left: list[int], right: list[int], distance: NDArray[np.float64]) -> list[int]:
    """Return two branches as one, each turned so that the two units that meet are as near as possible."""
    turns = ((left[-1], right[0]), (left[-1], right[-1]), (left[0], right[0]), (left[0], right[-1]))
    best = min(range(len(turns)), key=lambda turn: distance[turns[turn]])
    return (left[::-1] if best >= 2 else left) + (right[::-1] if best % 2 else right)
