"""What was sampled of a training step, and the records that are made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine import recovery
from lstm_studio.engine.norms import row_norms_by_name
from lstm_studio.engine.recovery import CallGradients, RecoveredLayer
from lstm_studio.engine.storage import pieces_of_trace
from lstm_studio.engine.trace import Provenance, Trace
from lstm_studio.engine.tracing import non_finite
from lstm_studio.engine.weight_gradients import weight_gradient_norms
from lstm_studio.networks.cell import Cell
from lstm_studio.runs.blocks import blocks_of, narrowed
from lstm_studio.runs.format import ITEM_KEY, LAGS_KEY, LAYER, PATH_KEY, STATISTICS, STEP_KEY, TRACE, Line
from lstm_studio.runs.summaries import by_lag, constant, spread
from lstm_studio.runs.writer import Payload

Array = NDArray[Any]

_BYTES = 128
"""That a step of a unit takes: eleven signals, and six gradients."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call of a recurrent module, as it was for one item of the batch.

    Parameters
    ----------
    layers
        What is recovered of it.
    entered
        (T, F).
    gradients
        Of the loss; None where none came to it.
    """

    layers: list[RecoveredLayer]
    entered: Array
    gradients: CallGradients | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What one module did with one item of the batch in one training step.

    Parameters
    ----------
    item
        Which one, from 0.
    path
        Of the module, as in the names of its signals, without the number of the layer.
    cell
        Its kind.
    parts
        Its calls, in the order of time.
    about
        Where the numbers come from.
    """

    item: int
    path: str
    cell: Cell
    parts: list[Part]
    about: Provenance

    @property
    def nbytes(self) -> int:
        """The bytes that all this takes, about."""
        return _BYTES * sum(layer.description.units * len(part.entered) for part in self.parts for layer in part.layers)

    def trace(self) -> Trace:
        """Return its signals, and with gradients ``grad.…`` and ``norm.grad.…`` of the loss, as they were computed."""
        layers = recovery.joined([part.layers for part in self.parts])
        signals = {"input": np.concatenate([part.entered for part in self.parts])}
        described = []
        for layer in layers:
            kept = tuple(signal for signal in layer.description.signals if not signal.name.endswith(".preactivation"))
            described.append(replace(layer.description, signals=kept))
            for signal in kept:
                name = f"{layer.description.prefix}.{signal.name}"
                signals[name] = layer.in_time(layer.signals[signal.name])
        gradients, norms = self._gradients(layers)
        reverse = [layer.description.prefix for layer in layers if layer.reverse]
        # A gradient whose norms are finite is finite; the norms are a hundredth of it to look at.
        odd = {name: array for name, array in gradients.items() if not np.isfinite(norms[f"norm.{name}"]).all()}
        odd |= {name: array for name, array in signals.items() if not np.isfinite(array.sum())}
        about = replace(self.about, non_finite=non_finite(odd, reverse)) if odd else self.about
        return Trace(signals | gradients | norms, tuple(described), about)

    def _gradients(self, layers: list[RecoveredLayer]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return ``grad.…`` and ``norm.grad.…``; empty where no gradient came to it."""
        parts = self.parts
        found = [part.gradients for part in parts if part.gradients is not None]
        if not found:
            return {}, {}
        if len(found) < len(parts):
            # The loss does not reach every call: what it does not reach has no gradient, and counts as zero.
            like = found[0]
            found = [part.gradients or _zeros_like(like, len(part.entered)) for part in parts]
        joined = {f"grad.{name}": _in_one([one.signals[name] for one in found]) for name in found[0].signals}
        joined["grad.input"] = _in_one([one.input for one in found])
        norms = row_norms_by_name({f"norm.{name}": array for name, array in joined.items()})
        for same in zip(*(part.layers for part in parts), strict=True):
            norm = weight_gradient_norms(self.cell, list(same), joined, norms)
            if norm is not None:
                norms[f"norm.grad.{same[0].description.prefix}.weights"] = norm
        order = {
            f"grad.{layer.description.prefix}.{signal.name}": None
            for layer in layers
            for signal in layer.description.signals
        }
        ordered = {name: joined[name] for name in [*order, *joined] if name in joined}
        return ordered, norms


def records_of(samples: Sequence[Sample], step: int, dtype: str) -> Iterator[tuple[Line, Payload]]:
    """Yield a trace and statistics of every sample.

    Parameters
    ----------
    samples
        What one step did.
    step
        Its number.
    dtype
        Precision in which signals are kept.
    """
    with np.errstate(all="ignore"):
        traces = [sample.trace() for sample in samples]
        for sample, trace in zip(samples, traces, strict=True):
            path, blocks = f"{LAYER}{sample.path}", blocks_of(trace)
            texts = {STEP_KEY: str(step), ITEM_KEY: str(sample.item), PATH_KEY: sample.path}
            yield Line(path, TRACE), pieces_of_trace(narrowed(trace, blocks, dtype), texts)
            values = spread(blocks) | {f"{sample.path}.recovery_error": float(sample.about.recovery_error)}
            about: dict[str, Any] = {"step": step, "item": sample.item, "values": values}
            if sample.item == 0:
                items = [found for other, found in zip(samples, traces, strict=True) if other.path == sample.path]
                values |= constant(items)
                lags = by_lag(items)
                about |= {LAGS_KEY: lags} if lags else {}
            yield Line(path, STATISTICS), about


def _in_one(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _zeros_like(like: CallGradients, steps: int) -> CallGradients:
    signals = {name: np.zeros((steps, array.shape[1])) for name, array in like.signals.items()}
    return CallGradients(signals, np.zeros((steps, like.input.shape[1])), like.initial)
