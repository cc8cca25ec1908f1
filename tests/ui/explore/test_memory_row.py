"""The norms of the Jacobians among the rows of plots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QApplication

from lstm_studio.session.state import Result, View
from lstm_studio.ui.explore.horizon.memory_row import MEMORY_KEY
from lstm_studio.ui.explore.rows import GRADIENT_KEY, StackResolver
from lstm_studio.ui.plots.gradient_item import GradientItem
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.rows import GradientRow
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.fakes import answer, small_setup


def with_memory(result: Result) -> Result:
    """The result as a setup with ``memory`` would give it, with invented norms."""
    traces = []
    for trace in result.traces:
        names = [name for name in trace.names if name.endswith((".cell_state", ".hidden_state")) and "grad" not in name]
        arrays = {f"jac.{name}": -np.arange(trace.steps, dtype=np.float64)[::-1] * 30 for name in names}
        traces.append(replace(trace, arrays={**trace.arrays, **arrays}))
    return replace(result, traces=tuple(traces))


def test_a_trace_with_memory_curves_has_a_row_below_the_gradient() -> None:
    result = answer(small_setup())
    resolver = StackResolver()
    assert [row.key for row in resolver.resolve(result, View()).rows][-1] == GRADIENT_KEY
    rows = resolver.resolve(with_memory(result), View()).rows
    assert [row.key for row in rows][-2:] == [GRADIENT_KEY, MEMORY_KEY]
    row = rows[-1]
    assert isinstance(row, GradientRow)
    assert [curve.full_name for curve in row.curves] == ["LSTM ∂c", "LSTM ∂h", "RNN ∂h"]
    assert [(curve.dashed, curve.squares) for curve in row.curves] == [(False, False), (True, False), (False, True)]
    for curve in row.curves:
        np.testing.assert_allclose(curve.values, 10.0 ** (-30.0 * np.arange(20)[::-1]))
        assert curve.values[0] == 0
        assert not curve.values.flags.writeable


def test_the_summary_tells_jacobians_from_gradients(qapp: QApplication) -> None:
    rows = StackResolver().resolve(with_memory(answer(small_setup())), View()).rows[-2:]
    texts = [GradientItem(row, Look(LIGHT)).summary() for row in rows if isinstance(row, GradientRow)]
    assert texts[0].startswith("Gradient norms on a log axis: LSTM ∂c 5.0e−3 to 5.0e−1; ")
    assert texts[1].startswith(
        "Jacobian norms on a log axis: LSTM ∂c 1.0e−300 to 1.0e0, 0 or below 1e−290 at 9 steps; "
    )
