"""What the networks say at a step: probabilities of classes, or predicted values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Sequence
from lstm_studio.session.state import Result

MOST_ROWS = 8
"""Answers shown; of more, the likeliest."""


@dataclass(frozen=True, slots=True)
class ReadoutRow:
    """One class, or one predicted value.

    Parameters
    ----------
    name
        Of the class or value.
    numbers
        What each network says, None for one without a read-out.
    target
        For classes, whether this is the right one.
    truth
        For values, the true one, where known.
    """

    name: str
    numbers: tuple[float | None, ...]
    target: bool = False
    truth: float | None = None


@dataclass(frozen=True, slots=True)
class Readout:
    """The read-outs of all networks at one step.

    Parameters
    ----------
    rows
        At most :data:`MOST_ROWS`.
    probabilities
        Whether the numbers are probabilities of classes.
    target
        Name of the right class, or empty.
    left_out
        Number of classes or values that are not shown.
    """

    rows: tuple[ReadoutRow, ...]
    probabilities: bool
    target: str
    left_out: int


def readout_at(result: Result, step: int) -> Readout | None:
    """Return what the networks say at a step, or None where none has a read-out.

    A class that belongs to the whole sequence is the target at every step: before the last one, the read-out is what
    the network would say if the sequence ended here.
    """
    outputs = [_output(result, index, step) for index in range(len(result.traces))]
    given = next((output for output in outputs if output is not None), None)
    if given is None:
        return None
    size = len(given)
    classes = result.sequences.classes
    target = result.sequence.target
    probabilities = len(classes) == size
    # Whoever adds events changes the question, and nobody knows its answer.
    asked = step < result.sequence.steps - len(result.setup.events)
    right = _right_class(target, step, size) if probabilities and asked else None
    truths = None if probabilities else _truths(target, step, size, result.sequence.steps)
    names = classes if probabilities else _value_names(result, size)
    shown = _shown(given, right)
    rows = tuple(
        ReadoutRow(
            names[index],
            tuple(None if output is None or len(output) != size else float(output[index]) for output in outputs),
            index == right,
            None if truths is None else float(truths[index]),
        )
        for index in shown
    )
    return Readout(rows, probabilities, "" if right is None else names[right], size - len(shown))


def class_of(sequence: Sequence) -> int | None:
    """Return the class of a whole sequence, or None where it has none."""
    return int(sequence.target) if sequence.target is not None and sequence.target.ndim == 0 else None


def _output(result: Result, network: int, step: int) -> NDArray[Any] | None:
    trace = result.traces[network]
    return np.asarray(trace["output"][step]) if "output" in trace else None


def _right_class(target: NDArray[Any] | None, step: int, size: int) -> int | None:
    if target is None:
        return None
    if target.ndim == 0:
        return int(target)
    if target.ndim == 2 and target.shape[1] == size and step < len(target) and target[step].any():
        return int(target[step].argmax())
    if target.ndim == 1 and len(target) == size and target.dtype.kind == "f":
        return int(target.argmax())
    return None


def _truths(target: NDArray[Any] | None, step: int, size: int, steps: int) -> NDArray[Any] | None:
    if target is None or target.ndim == 0:
        return None
    if target.ndim == 2 and target.shape[1] == size:
        return target[step] if step < len(target) else None
    return target if len(target) == size and step == steps - 1 else None


def _value_names(result: Result, size: int) -> tuple[str, ...]:
    names = result.sequences.names
    if len(names) == size:
        return tuple(f"next {name}" for name in names)
    return tuple(f"output {number}" for number in range(1, size + 1)) if size > 1 else ("output",)


def _shown(given: NDArray[Any], right: int | None) -> list[int]:
    if len(given) <= MOST_ROWS:
        return list(range(len(given)))
    likeliest = np.argsort(-np.nan_to_num(given, nan=-np.inf), kind="stable")[:MOST_ROWS].tolist()
    if right is not None and right not in likeliest:
        likeliest[-1] = right
    return sorted(likeliest)
