"""How much of each step survives to the last one, whatever the loss: norms of the Jacobians dh_T/dh_t and dc_T/dc_t.

The norm is the spectral norm, the largest factor by which a small change of the state at step t is stretched on its
way to the last step T. The derivative is the total one: change h_t alone and let everything after it follow; a change
of c_t changes h_t = o_t ⊙ tanh(c_t) with it. Both equal 1 at t = T.

Going back from T, the matrix dh_T/dh_t is multiplied by the Jacobian of one step after the other, and scaled by powers
of two that are counted apart: products of 1e-300 and below come out as they are, in log10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lstm_studio.arguments import whole_number
from lstm_studio.engine.devices import one_blas_thread
from lstm_studio.engine.recurrences import Recurrence, recurrences, refuse_changes
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import TraceError
from lstm_studio.networks.network import Network
from lstm_studio.progress import Progress, ignore_progress

Array = NDArray[Any]

EXACT_UNITS = 128
"""Units up to which norms are exact; the time grows with their third power. Beyond, :data:`PROBES` vectors stand for
the matrix."""
PROBES = 16
"""Random directions beyond :data:`EXACT_UNITS`."""

_DOUBT = 1e-3
"""Probability with which a norm lies above the upper end of its band, at each step at most."""
_SAFE = 1e-60
"""The sum of squares of a matrix is between this and its inverse, or the matrix is scaled: its entries and the squares
of its squares then stay inside float64."""
_AT_ONCE = 24
"""Steps that are measured together, and after which rows that do not count are left out."""
_HIDDEN = 1e-34
"""Share of the squares of a state's rows that rounding hides: the square of a tenth of what float64 rounds off."""
_ROUNDING = 1e-13
"""Share of the square of a norm that does not count."""
_LOG10_OF_2 = float(np.log10(2.0))


def memory_curves(
    trace: Trace,
    network: Network | nn.Module | None = None,
    *,
    exact_units: int = EXACT_UNITS,
    progress: Progress = ignore_progress,
) -> dict[str, Array]:
    """Return the memory curves of every layer and direction.

    Parameters
    ----------
    trace
        What the network did.
    network
        The network; None for the one that the trace remembers.
    exact_units
        Units up to which norms are exact.
    progress
        Told how far it has come.

    Returns
    -------
    dict
        ``jac.{prefix}.{state}``, (T,) float64: log10 of the spectral norm of d state_T / d state_t, where T is the last
        step processed (the first in time for a reverse layer) and ``state`` each signal that the cell carries; −inf
        where nothing survives, NaN from where the Jacobian is not finite. Beyond ``exact_units`` an estimate from
        :data:`PROBES` random directions, and with it ``….low``, below which the norm cannot lie (rounding aside), and
        ``….high``, above which it lies at each step with a probability of at most 0.001. ``jac.{prefix}.direct_path``,
        (T,) float64, where the cell has one: log10 of the largest of the units' products of forget gates from t + 1 to
        T, the spectral norm of the path past all weights.

    Raises
    ------
    TraceError
        If there is no network, it is not the one of the trace, or its model changes states between the steps.
    """
    found: dict[str, Array] = {}
    refuse_changes(trace)
    exact_units = whole_number("exact_units", exact_units, TraceError)
    every = recurrences(trace, network)
    for done, recurrence in enumerate(every):
        curves = _curves(recurrence, exact_units, _teller(progress, recurrence, done, len(every)))
        direct = recurrence.cell.direct_path(recurrence.signals)
        if direct is not None:
            curves["direct_path"] = _direct_path(direct)
        for name, curve in curves.items():
            found[f"jac.{recurrence.layer.prefix}.{name}"] = recurrence.in_time(curve)
    return found


def _teller(progress: Progress, recurrence: Recurrence, done: int, count: int) -> Callable[[int], None]:
    """Return what is called with the number of steps that are left of one of several layers, and reports it."""

    def tell(left: int) -> None:
        progress((done + 1 - left / recurrence.steps) / count, f"Going back through {recurrence.layer.prefix}")

    return tell


def _direct_path(factors: Array) -> Array:
    """Return log10 of the largest product of the factors after each step, (T,), from log10 of the factors, (T, H)."""
    later = np.zeros(factors.shape)
    with np.errstate(invalid="ignore"):
        np.cumsum(factors[:0:-1], axis=0, out=later[1:])
    largest: Array = later.max(axis=1)[::-1]
    return largest


def _curves(recurrence: Recurrence, exact_units: int, tell: Callable[[int], None]) -> dict[str, Array]:
    """Go back once with the rows for all states together; return one curve per state, or three."""
    states = recurrence.cell.states
    sizes = [recurrence.signals[state].shape[1] for state in states]
    kind = _Exact if max(sizes) <= exact_units else _Probed
    going = [_Going(title, kind(size), recurrence.steps) for title, size in zip(states, sizes, strict=True)]
    starts = [one.measure.start for one in going]
    rows = tuple(np.zeros((sum(map(len, starts)), size)) for size in sizes)
    _share_out(going, [len(start) for start in starts])
    for own, one, start in zip(rows, going, starts, strict=True):
        own[one.rows] = start

    pull_back = recurrence.cell.pull_back(recurrence.weights, recurrence.signals)
    with np.errstate(all="ignore"), one_blas_thread():
        for last in range(recurrence.steps - 1, -1, -_AT_ONCE):
            steps = range(last, max(-1, last - _AT_ONCE), -1)
            tell(last + 1)
            totals, after = [], rows
            for step in steps:
                pulled = pull_back(step, after)
                totals.append(pulled.totals)
                after = pulled.before
            if all(
                one.take_all(steps, matrices) for one, matrices in zip(going, zip(*totals, strict=True), strict=True)
            ):
                rows = _without_what_rounding_hides(after, going)
                continue
            # Something left the range that is safe: once more, with a look at every step.
            for step in steps:
                pulled = pull_back(step, rows)
                rows = pulled.before
                for index, one in enumerate(going):
                    if one.is_open:
                        one.take(step, pulled.totals[index], rows)
            if not any(one.is_open for one in going):
                break
    return {name: curve for one in going for name, curve in one.named().items()}


class _Going:
    """The rows of one state on their way back, and the curve that they leave."""

    def __init__(self, title: str, measure: _Exact | _Probed, steps: int) -> None:
        self.measure = measure
        self.rows = slice(0)
        self.is_open = True
        self._title = title
        self._exponent = 0
        self._curve = np.full((steps, measure.curves), np.nan)

    def take_all(self, steps: range, totals: Sequence[Array]) -> bool:
        """Measure the Jacobians at several steps; return whether none came near the ends of float64's range."""
        matrices = np.stack([matrix[self.rows] for matrix in totals])
        squares = np.einsum("krh,krh->k", matrices, matrices)
        if not self.is_open or not ((squares > _SAFE**3) & (squares < _SAFE**-3)).all():
            return False
        shifts = np.frexp(np.sqrt(squares))[1]
        scales = np.ldexp(1.0, -shifts)
        norms = self.measure(matrices * scales[:, None, None], squares * scales**2)
        self._curve[list(steps)] = np.log10(norms) + _LOG10_OF_2 * (self._exponent + shifts)[:, None]
        return True

    def take(self, step: int, totals: Array, rows: tuple[Array, ...]) -> None:
        """Take note of the Jacobian at one step, and scale it, and its rows on their way, where it must be."""
        matrix = totals[self.rows]
        squares = float(np.vdot(matrix, matrix))
        if not _SAFE < squares < 1 / _SAFE:
            largest = float(np.abs(matrix).max())
            if not 0 < largest < np.inf:
                self._curve[: step + 1] = -np.inf if largest == 0 else np.nan
                # Nothing is left to survive, or nothing that could be told: so it is for all steps before.
                self.is_open = largest == 0 and any(bool(state[self.rows].any()) for state in rows)
                return
            shift = int(np.frexp(largest)[1])
            self._exponent += shift
            matrix = np.ldexp(matrix, -shift)
            squares = float(np.vdot(matrix, matrix))
            for state in rows:
                state[self.rows] = np.ldexp(state[self.rows], -shift)
        norms = self.measure(matrix[None], np.array([squares]))
        self._curve[step] = np.log10(norms[0]) + _LOG10_OF_2 * self._exponent

    def scaled(self, rows: Array) -> Array:
        """Return rows scaled to about 1 by a power of two, which is remembered."""
        shift = int(np.frexp(np.abs(rows).max())[1])
        self._exponent += shift
        return np.ldexp(rows, -shift)

    def named(self) -> dict[str, Array]:
        """Return the curve, and the bounds where there are any, by name."""
        if self.measure.curves > 1 and np.isfinite(self._curve[-1]).all():
            # From the last step to itself a change stays what it is, whatever the directions that were tried.
            self._curve[-1] = 0.0
        names = (self._title, f"{self._title}.low", f"{self._title}.high")[: self.measure.curves]
        return {name: self._curve[:, column] for column, name in enumerate(names)}


def _share_out(going: list[_Going], counts: list[int]) -> None:
    """Say which rows belong to which state."""
    ends = np.cumsum(counts)
    for one, end, count in zip(going, ends, counts, strict=True):
        one.rows = slice(int(end) - count, int(end))


def _without_what_rounding_hides(rows: tuple[Array, ...], going: list[_Going]) -> tuple[Array, ...]:
    """Return fewer rows with the same norms wherever they go from here, scaled to about 1.

    Over long lags few directions outweigh all others. A rotation of the rows of one state, here that of a QR
    decomposition, changes no norm and leaves rows that grow ever smaller. The last ones, of which nothing exceeds what
    every product rounds off anyway, are left out.
    """
    if not all(np.isfinite(state).all() for state in rows):
        return rows
    ends = np.cumsum([0, *(state.shape[1] for state in rows)])
    fewer = []
    for one in going:
        own = one.scaled(np.concatenate([state[one.rows] for state in rows], axis=1))
        if one.measure.can_rotate and len(own) > 1:
            own = np.asarray(np.linalg.qr(own, mode="r"))
            squares = np.add.reduceat(own * own, ends[:-1], axis=1)  # of each row, state by state
            rest = squares[::-1].cumsum(axis=0)[::-1]
            own = own[: max(1, int((rest > _HIDDEN * rest[0]).any(axis=1).sum()))]
        fewer.append(own)
    _share_out(going, [len(own) for own in fewer])
    joined = np.concatenate(fewer)
    return tuple(np.ascontiguousarray(joined[:, first:last]) for first, last in pairwise(ends.tolist()))


class _Exact:
    """The spectral norm of matrices whose rows grow smaller and smaller, to rounding."""

    curves = 1
    can_rotate = True

    def __init__(self, size: int) -> None:
        self.start = np.eye(size)

    def __call__(self, matrices: Array, squares: Array) -> Array:
        """Return the norms, (K, 1), of (K, R, ·) matrices, the squares of whose entries add up to ``squares``, (K,).

        A norm is the root of the largest eigenvalue of M Mᵀ, which is at least the R-th part of the trace, ``squares``.
        Without some rows of M it is smaller by the sum of their squares at most: the last ones, as far as that is less
        than rounding, are left out. Few are left over long lags, where few directions outweigh all others.
        """
        rest = np.einsum("krh,krh->kr", matrices, matrices)[:, ::-1].cumsum(axis=1)[:, ::-1]
        count = int((rest * matrices.shape[1] > _ROUNDING * squares[:, None]).any(axis=0).sum())
        some = matrices[:, : max(count, 1)]
        values = np.linalg.eigvalsh(some @ some.swapaxes(1, 2))
        return np.sqrt(np.maximum(values[:, -1:], 0.0))


class _Probed:
    """Bounds of the spectral norm of M from Ω M, with the rows of Ω standard normal."""

    curves = 3
    can_rotate = False

    def __init__(self, size: int) -> None:
        self.start = np.random.default_rng(0).standard_normal((PROBES, size))
        self._stretch = float(np.linalg.norm(self.start, 2))

    def __call__(self, images: Array, squares: Array) -> Array:
        """Return the norms that are likely, the least ones possible and the largest ones likely, (K, 3).

        ‖M‖ is at least ‖ΩM‖/‖Ω‖, and with k rows ω_i at most α √(2/π) max ‖ω_i M‖, but for a probability of α^−k
        (Halko, Martinsson & Tropp 2011, lemma 4.1). With ‖M‖_F from the mean of ‖ω_i M‖², (‖ΩM‖ − ‖M‖_F)/(√k − 1) is
        right on average where one direction outweighs all others, as over long lags, and up to a third too large where
        many are alike (Chevet: ‖ΩM‖ is √k ‖M‖ + ‖M‖_F on average, at most).
        """
        grams = images @ images.swapaxes(1, 2)
        norms = np.sqrt(np.maximum(np.linalg.eigvalsh(grams)[:, -1], 0.0))
        low = norms / self._stretch
        widest = np.sqrt(np.diagonal(grams, axis1=1, axis2=2).max(axis=1))
        high = _DOUBT ** (-1.0 / PROBES) * (2.0 / np.pi) ** 0.5 * widest
        likely = (norms - np.sqrt(squares / PROBES)) / (PROBES**0.5 - 1.0)
        return np.stack((np.minimum(np.maximum(likely, low), high), low, high), axis=1)
