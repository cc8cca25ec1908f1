"""How long one move of the time cursor takes, from the new state to the painted picture.

Eight rows at 1600 × 1000 logical pixels: five heat maps, lines, a band and the gradient, of 256 units × 1,000 steps and
of 512 × 10,000; and, of the smaller size, with a second trace to compare with: over the first in every row, and in
rows of its own. 500 moves to the next step and 500 to random ones, each painted before the next. Targets: 95 % under
16 ms and under 33 ms, for each kind of move by itself. The processor time beside tells a slow program from a busy
machine; only the wall clock decides.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from dataclasses import replace

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.rows import Curve, GradientRow, Row, StackState, UnitRow, View
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import LIGHT

MOVES = 500
VIEWS = (View.HEAT, View.HEAT, View.HEAT, View.HEAT, View.HEAT, View.LINES, View.BAND)


def make_rows(units: int, steps: int) -> tuple[Row, ...]:
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for place, view in enumerate(VIEWS):
        drift = np.cumsum(rng.normal(0, 0.1, (steps, units)).astype(np.float32), axis=0)
        values = np.tanh(drift + rng.normal(0, 0.2, (steps, units)).astype(np.float32))
        values.flags.writeable = False
        row = UnitRow(
            f"signal {place}", "Hidden state", "<i>h</i>", "", "h", Role.SHORT_TERM, values, (-1.0, 1.0), view, "lstm.0"
        )
        rows.append(row)
    times = np.linspace(0, 1, steps)
    curves = (
        Curve("LSTM", "∂c", 10.0 ** (-times), Role.LONG_TERM),
        Curve("LSTM", "∂h", 10.0 ** (-1 - times), Role.SHORT_TERM, dashed=True),
        Curve("RNN", "∂h", 10.0 ** (-20 * (1 - times)), Role.RECURRENT, squares=True),
    )
    rows.append(GradientRow("gradient", "Gradient", "norm, log axis", curves))
    return tuple(rows)


def with_second(rows: tuple[Row, ...], how: str) -> tuple[Row, ...]:
    """Return the rows with another trace that leaves the first in their middle: over it, or beside it."""
    both: list[Row] = []
    for row in rows:
        if not isinstance(row, UnitRow):
            both.append(row)
            continue
        other = np.array(row.values)
        half = len(other) // 2
        other[half:] = -other[half:]
        if how == "overlay":
            both.append(replace(row, other=other, view=View.LINES if row.view is View.HEAT else row.view))
        else:
            both += [row, replace(row, key=f"{row.key}|B", values=other)]
    return tuple(both)


def measure(app: QApplication, units: int, steps: int, limit: float, *, reveal_all: bool, compared: str = "") -> bool:
    stack = PlotStack(LIGHT)
    stack.resize(1600, 1000)
    stack.show()
    rows = make_rows(units, steps)
    if compared:
        rows = with_second(rows, compared)
    state = StackState(rows, steps, selected={"lstm.0": 14}, reveal_all=reveal_all)
    began = time.perf_counter()
    stack.apply(state)
    app.processEvents()
    first = 1000 * (time.perf_counter() - began)
    rng = np.random.default_rng(1)
    targets = [*range(1, MOVES + 1), *rng.integers(0, steps, MOVES).tolist()]
    frames, work = np.empty(len(targets)), np.empty(len(targets))
    for place, step in enumerate(targets):
        began, busy = time.perf_counter(), time.process_time()
        state = replace(state, cursor=step)
        stack.apply(state)
        app.processEvents()
        frames[place] = 1000 * (time.perf_counter() - began)
        work[place] = 1000 * (time.process_time() - busy)
    stack.close()
    stack.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    reached = True
    for name, which in (("next step", slice(None, MOVES)), ("random step", slice(MOVES, None))):
        part = frames[which]
        late = float(np.quantile(part, 0.95))
        reached = reached and late < limit
        print(
            f"{units} × {steps:,}, {f'{compared}, ' if compared else ''}"
            f"future {'faint' if reveal_all else 'hidden'}, {name}:"
            f" median {np.median(part):.1f} ms, 95 % {late:.1f} ms, longest {part.max():.1f} ms,"
            f" under 16 ms {np.mean(part < 16):.1%}, under 33 ms {np.mean(part < 33):.1%},"
            f" processor time median {np.median(work[which]):.1f} ms, 95 % {np.quantile(work[which], 0.95):.1f} ms,"
            f" target {'reached' if late < limit else 'MISSED'}"
        )
    print(f"{units} × {steps:,}: first picture {first:.0f} ms")
    return reached


def main() -> int:
    app = QApplication([])
    reached = [
        measure(app, units, steps, limit, reveal_all=reveal_all)
        for units, steps, limit in ((256, 1000, 16.0), (512, 10_000, 33.0))
        for reveal_all in (False, True)
    ]
    reached += [measure(app, 256, 1000, 16.0, reveal_all=True, compared=how) for how in ("overlay", "side by side")]
    print("all targets reached" if all(reached) else "a target was missed")
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
