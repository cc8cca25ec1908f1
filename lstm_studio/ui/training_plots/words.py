"""Plots of a training in words, for who cannot see them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_studio.ui.numbers import format_count, format_number, format_scientific
from lstm_studio.ui.training_plots.pictures import Happening, Line, Reference


def curve_words(
    lines: tuple[Line, ...], references: tuple[Reference, ...] = (), happenings: tuple[Happening, ...] = ()
) -> str:
    """Return where each curve begins and ends, what they are compared with, and what happened."""
    parts = []
    for line in lines:
        if len(line.y) and not line.faint:
            first, last = format_number(float(line.y[0])), format_number(float(line.y[-1]))
            parts.append(f"{line.name} from {first} to {last} at step {format_count(round(float(line.x[-1])))}")
    parts += [reference.text for reference in references if reference.text]
    parts += [happening.text for happening in happenings]
    return "; ".join(parts) or "nothing yet"


def lag_words(steps: NDArray[np.int64], norms: NDArray[np.float64], spacing: int) -> str:
    """Return what the first and the last record of gradients by lag hold."""
    parts = []
    for place in dict.fromkeys((0, len(steps) - 1)) if len(steps) else ():
        known = np.flatnonzero(~np.isnan(norms[place]))
        if len(known):
            first, last = (format_scientific(float(norms[place, at])) for at in (known[0], known[-1]))
            back, step = format_count(int(known[-1]) * spacing), format_count(int(steps[place]))
            parts.append(f"at step {step} {first} at lag 0 and {last} at lag {back}")
    return f"gradient by lag on a log scale of colours: {'; '.join(parts) or 'nothing yet'}"
