"""The norms of the Jacobians as a row of plots, on the time axis that all rows share; free of Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.signals import Role
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.horizon.words import layer_name, letter, memories_of
from lstm_studio.ui.explore.layers import ShownLayer
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.rows import Curve, GradientRow

MEMORY_KEY = "jacobian"


def memory_row(result: Result, shown: tuple[ShownLayer, ...]) -> GradientRow | None:
    """Return the row, or None where the traces have no memory curves."""
    curves = []
    for one in shown:
        for signal in memories_of(one):
            name = f"jac.{one.layer.prefix}.{signal.name}"
            if name in one.trace:
                curves.append(
                    Curve(
                        name=layer_name(result, one, shown),
                        label=f"∂{letter(signal)}",
                        values=_magnitudes(one.trace[name]),
                        role=signal.role,
                        dashed=signal.role is Role.SHORT_TERM,
                        squares=one.network > 0,
                    )
                )
    if not curves:
        return None
    to = f"to step {format_count(result.sequence.steps)}"
    return GradientRow(MEMORY_KEY, "Jacobian", "norm, log axis", tuple(curves), to, badge="J")


def _magnitudes(log10: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T,) norms; what lies below the range of numbers becomes 0, which the row names."""
    with np.errstate(over="ignore"):
        norms: NDArray[np.float64] = np.power(10.0, log10)
    norms.flags.writeable = False
    return norms
