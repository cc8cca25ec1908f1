"""How far back a network still feels a step: curves over the lag, and where they fall below a share of their start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.state import Result

if TYPE_CHECKING:
    from lstm_studio.networks.network import Network

Array = NDArray[np.float64]

SHARES = (1e-2, 1e-6)
"""The shares of the start below which a network counts as having forgotten, nearly or altogether."""
DIRECT_PATH = "direct_path"
"""What stands for the product of forget gates in the place of a state."""
_BACKWARD = ".reverse"


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a curve over the lag falls below a share of its start.

    A curve need not fall steadily: where it rises again, ``first`` and ``below`` differ.

    Parameters
    ----------
    below
        The smallest lag from which on the curve stays below; None where its end is still above.
    first
        The smallest lag at which it is below at all; None where it never is.
    longest
        The largest lag of the curve.
    """

    below: int | None
    first: int | None
    longest: int


def reach(logs: Array, share: float, start: float | None = None) -> Reach | None:
    """Return where a curve falls below a share of its start.

    Parameters
    ----------
    logs
        (K + 1,) log10 of a magnitude at the lags 0 … K. −∞ is below everything; where it is not a number nobody knows
        that the curve is below, so that it counts as above.
    share
        Of the start, above 0.
    start
        log10 of the start where it is known better than ``logs[0]``.

    Returns
    -------
    Reach or None
        None where the start is zero or not finite: there are no shares of it.
    """
    start = float(logs[0]) if start is None else start
    if not np.isfinite(start):
        return None
    is_below = logs < start + np.log10(share)
    below, above = np.flatnonzero(is_below), np.flatnonzero(~is_below)
    last = int(above[-1]) if len(above) else -1
    longest = len(logs) - 1
    return Reach(last + 1 if last < longest else None, int(below[0]) if len(below) else None, longest)


@dataclass(frozen=True, eq=False, slots=True)
class LagCurve:
    """One magnitude over the lag: how many steps it lies before the step from which the lag counts.

    Parameters
    ----------
    network
        Index of the network.
    prefix
        Of the layer and direction, ``"lstm.0"``; one that reads backward counts its lag towards the end.
    state
        Canonical name of a state, or :data:`DIRECT_PATH`.
    end
        The step at lag 0.
    logs
        (K + 1,) log10; −∞ for zero.
    start
        log10 of what shares are taken of.
    low, high
        (K + 1,) bounds of an estimate; None where ``logs`` is exact.
    unlimited
        Whether −∞ is an exact zero, as magnitudes of any size are told apart; of a gradient it is what float64 does not
        reach as well.
    """

    network: int
    prefix: str
    state: str
    end: int
    logs: Array
    start: float
    low: Array | None = None
    high: Array | None = None
    unlimited: bool = True

    @property
    def backward(self) -> bool:
        """Whether its layer reads the sequence from its end."""
        return self.prefix.endswith(_BACKWARD)

    def step_at(self, lag: int) -> int:
        """Return the step, 0-based, that lies so many steps before the end in the order in which the layer reads."""
        return self.end + lag if self.backward else self.end - lag

    def lag_of(self, step: int) -> int | None:
        """Return the lag of a step, or None where the curve does not reach it."""
        lag = step - self.end if self.backward else self.end - step
        return lag if 0 <= lag < len(self.logs) else None

    def relative(self) -> Array:
        """Return log10 of the shares of the start, (K + 1,); not-a-number where the start is zero."""
        with np.errstate(invalid="ignore"):
            return self.logs - self.start

    def reach(self, share: float) -> Reach | None:
        """Return where it falls below a share of its start."""
        return reach(self.logs, share, self.start)

    def reach_between(self, share: float) -> tuple[Reach, Reach] | None:
        """Return where the lower and the upper bound of an estimate fall below the share; None where it is exact."""
        if self.low is None or self.high is None:
            return None
        shortest, longest = reach(self.low, share, self.start), reach(self.high, share, self.start)
        return None if shortest is None or longest is None else (shortest, longest)


def gradient_curves(result: Result, end: int | None = None) -> tuple[LagCurve, ...]:
    """Return ‖∂L/∂s_t‖ of every state s over the lag, as far as the traces hold gradients; shares are of lag 0.

    Parameters
    ----------
    result
        With gradients of its objective.
    end
        The step at lag 0; None for the last one that each layer reads.
    """
    found = []
    for network, trace in enumerate(result.traces):
        for layer in trace.layers:
            for signal in layer.signals:
                name = f"norm.grad.{layer.prefix}.{signal.name}"
                if name in trace and "." not in signal.name:
                    first = _end(layer, trace.steps, end)
                    with np.errstate(divide="ignore"):
                        logs = np.log10(_back_from(layer, trace[name], first))
                    found.append(
                        LagCurve(network, layer.prefix, signal.name, first, logs, float(logs[0]), unlimited=False)
                    )
    return tuple(found)


@dataclass(frozen=True, eq=False, slots=True)
class MemoryHorizon(Question):
    """Asks for the norms of the Jacobians from a step back; answered with curves of every layer of every network.

    The state at the end depends on the steps before it alone, so what comes later takes no part.

    Parameters
    ----------
    result
        What it is about.
    end
        The step at lag 0; None for the last one that each layer reads.
    """

    title: ClassVar[str] = "Measuring how far back the networks reach"

    result: Result
    end: int | None = None

    def answer(self, tools: Tools, progress: Progress) -> tuple[LagCurve, ...]:
        """Return the curves of each network, the first one's first; the start is 1, the norm at lag 0."""
        traces, networks = self.result.traces, tools.networks_of(self.result)
        found: list[LagCurve] = []
        for index, (trace, network) in enumerate(zip(traces, networks, strict=True)):

            def tell(fraction: float, words: str, index: int = index) -> None:
                progress((index + fraction) / len(traces), words)

            tell(0.0, self.title)
            arrays = self._norms(trace, network, tell)
            for layer in trace.layers:
                first = _end(layer, trace.steps, self.end)
                stem = f"jac.{layer.prefix}."
                parts = {name.removeprefix(stem): array for name, array in arrays.items() if name.startswith(stem)}
                over_lag = {
                    name: array if layer.prefix.endswith(_BACKWARD) else array[::-1] for name, array in parts.items()
                }
                for name, logs in over_lag.items():
                    # A name with a point belongs to a bound, or to the layer that reads the other way.
                    if "." not in name:
                        low, high = over_lag.get(f"{name}.low"), over_lag.get(f"{name}.high")
                        found.append(LagCurve(index, layer.prefix, name, first, logs, 0.0, low, high))
        return tuple(found)

    def _norms(self, trace: Trace, network: Network, tell: Progress) -> Mapping[str, Array]:
        """Return the memory curves, from the trace where it has them, else computed."""
        known = {name: trace[name] for name in trace.names if name.startswith("jac.")}
        if known and self.end is None:
            return known
        from lstm_studio.engine.jacobians import memory_curves

        return memory_curves(trace if self.end is None else _until(trace, self.end), network, progress=tell)


def _end(layer: TraceLayer, steps: int, wanted: int | None) -> int:
    """Return the step at lag 0: the wanted one, or the last that the layer reads."""
    if wanted is not None:
        return wanted
    return 0 if layer.prefix.endswith(_BACKWARD) else steps - 1


def _read_until(layer: TraceLayer, end: int) -> slice:
    """Return the steps that a layer has read when it has read ``end``, in the order of time."""
    return slice(end, None) if layer.prefix.endswith(_BACKWARD) else slice(end + 1)


def _back_from(layer: TraceLayer, array: Array, end: int) -> Array:
    """Return the part of an array over time that a layer has read at ``end``, lag 0 first."""
    part = array[_read_until(layer, end)]
    return part if layer.prefix.endswith(_BACKWARD) else part[::-1]


def _until(trace: Trace, end: int) -> Trace:
    """Return the signals of each layer as far as it has read when it has read ``end``."""
    arrays = {"input": trace["input"]}
    for layer in trace.layers:
        for name in (f"{layer.prefix}.{signal.name}" for signal in layer.signals):
            arrays[name] = trace[name][_read_until(layer, end)]
    return replace(trace, arrays=arrays)
