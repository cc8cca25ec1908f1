"""How much of each step survives to the last one, whatever the loss: norms of the Jacobians dh_T/dh_t and dc_T/dc_t.

The norm is the spectral norm, the largest factor by which a small change of the state at step t is stretched on its
way to the last step T. The derivative is the total one: change h_t alone and let everything after it follow; a change
of c_t changes h_t = o_t ⊙ tanh(c_t) with it. Both equal 1 at t = T.

Going back from T, the matrix dh_T/dh_t is multiplied by the Jacobian of one step after the other, and scaled by powers
of two that are counted apart: products of 1e-300 and below come out as they are, in log10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lstm_studio.engine.recurrences import Recurrence, recurrences
from lstm_studio.engine.trace import Trace
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
_BASIS = 8
"""Directions of the power method."""
_TURNS = 3
_REPORT_EVERY = 64
"""Steps between two reports of progress."""
_CONVERGED = 1e-13
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
        If there is no network, or it is not the one of the trace.
    """
    found: dict[str, Array] = {}
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
    """Return what is called with each step of one of several layers, and reports now and then."""

    def tell(step: int) -> None:
        if step % _REPORT_EVERY == 0:
            fraction = (done + 1 - step / recurrence.steps) / count
            progress(fraction, f"Going back through {recurrence.layer.prefix}")

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
    measures: list[_Exact | _Probed] = [_Exact(size) if max(sizes) <= exact_units else _Probed(size) for size in sizes]
    counts = [len(measure.start) for measure in measures]
    ends = np.cumsum(counts)
    blocks = [slice(int(end) - count, int(end)) for count, end in zip(counts, ends, strict=True)]
    rows = tuple(np.zeros((int(ends[-1]), size)) for size in sizes)
    for own, block, measure in zip(rows, blocks, measures, strict=True):
        own[block] = measure.start

    exponents = [0] * len(states)
    curves = [np.full((recurrence.steps, measure.curves), np.nan) for measure in measures]
    open_blocks = set(range(len(states)))
    pull_back = recurrence.cell.pull_back(recurrence.weights, recurrence.signals)
    with np.errstate(all="ignore"):
        for step in reversed(range(recurrence.steps)):
            tell(step)
            pulled = pull_back(step, rows)
            rows = pulled.before
            for index in sorted(open_blocks):
                matrix = pulled.totals[index][blocks[index]]
                squares = float(np.vdot(matrix, matrix))
                shift = 0
                if not _SAFE < squares < 1 / _SAFE:
                    largest = float(np.abs(matrix).max())
                    if not 0 < largest < np.inf:
                        curves[index][: step + 1] = -np.inf if largest == 0 else np.nan
                        if largest != 0 or not any(state[blocks[index]].any() for state in rows):
                            # Nothing is left to survive, or nothing that could be told: so it is for all steps before.
                            open_blocks.discard(index)
                        continue
                    shift = int(np.frexp(largest)[1])
                    matrix = np.ldexp(matrix, -shift)
                    squares = float(np.vdot(matrix, matrix))
                    for state in rows:
                        state[blocks[index]] = np.ldexp(state[blocks[index]], -shift)
                exponents[index] += shift
                curves[index][step] = np.log10(measures[index](matrix, squares)) + _LOG10_OF_2 * exponents[index]
            if not open_blocks:
                break
    found: dict[str, Array] = {}
    for title, measure, curve in zip(states, measures, curves, strict=True):
        names = (title, f"{title}.low", f"{title}.high")[: measure.curves]
        found |= {name: curve[:, column] for column, name in enumerate(names)}
    return found


class _Exact:
    """The spectral norm of matrices that change slowly, to rounding."""

    curves = 1

    def __init__(self, size: int) -> None:
        self.start = np.eye(size)
        self._basis = self.start[: min(_BASIS, size)]

    def __call__(self, matrix: Array, squares: float) -> tuple[float]:
        """Return the norm of a matrix, the squares of whose entries add up to ``squares``.

        It is the root of the largest eigenvalue of G = M Mᵀ. In an orthonormal basis that begins with a few rows V, G
        has the blocks A = V G Vᵀ, B and C; then it lies between the largest eigenvalue θ of A and θ + ‖B‖²/(θ − ‖C‖),
        with ‖C‖ at most what A leaves of G's trace, ``squares``. Over long lags few directions outweigh all others,
        and V of the step before proves θ to be it as it stands, or after a turn of the power method. Where there is no
        proof, all eigenvalues are computed, which takes several times as long.
        """
        for turn in range(_TURNS):
            through = self._basis @ matrix
            inner = through @ through.T
            theta = float(np.linalg.eigvalsh(inner)[-1])
            rest = max(squares - float(inner.trace()), 0.0)
            if not rest < theta:
                break
            image = through @ matrix.T
            outside = image - inner @ self._basis
            if float(np.vdot(outside, outside)) <= _CONVERGED * theta * (theta - rest):
                return (theta**0.5,)
            if turn < _TURNS - 1:
                self._basis = np.linalg.qr(image.T)[0].T
        values, vectors = np.linalg.eigh(matrix @ matrix.T)
        self._basis = np.ascontiguousarray(vectors[:, -_BASIS:].T)
        return (max(float(values[-1]), 0.0) ** 0.5,)


class _Probed:
    """Bounds of the spectral norm of M from Ω M, with the rows of Ω standard normal."""

    curves = 3

    def __init__(self, size: int) -> None:
        self.start = np.random.default_rng(0).standard_normal((PROBES, size))
        self._stretch = float(np.linalg.norm(self.start, 2))

    def __call__(self, image: Array, squares: float) -> tuple[float, float, float]:
        """Return the norm that is likely, the least one possible and the largest one likely.

        ‖M‖ is at least ‖ΩM‖/‖Ω‖, and with k rows ω_i at most α √(2/π) max ‖ω_i M‖, but for a probability of α^−k
        (Halko, Martinsson & Tropp 2011, lemma 4.1). With ‖M‖_F from the mean of ‖ω_i M‖², (‖ΩM‖ − ‖M‖_F)/(√k − 1) is
        right on average where one direction outweighs all others, as over long lags, and up to a third too large where
        many are alike (Chevet: ‖ΩM‖ is √k ‖M‖ + ‖M‖_F on average, at most).
        """
        gram = image @ image.T
        norm = max(float(np.linalg.eigvalsh(gram)[-1]), 0.0) ** 0.5
        low = norm / self._stretch
        high = _DOUBT ** (-1.0 / PROBES) * (2.0 / np.pi) ** 0.5 * float(np.diag(gram).max()) ** 0.5
        likely = (norm - (squares / PROBES) ** 0.5) / (PROBES**0.5 - 1.0)
        return min(max(likely, low), high), low, high
