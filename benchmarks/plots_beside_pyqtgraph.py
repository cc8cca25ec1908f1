"""The stack of plots beside the same rows built with pyqtgraph: the first picture, and one move of the cursor.

Both show, at 1600 × 1000, five heat maps and all units of one signal as lines. pyqtgraph is used as its users advise:
one GraphicsLayoutWidget, 8-bit images with a colour table and fixed levels, curves of width 1 cached as pixmaps, fixed
ranges, no automatic downsampling of images, and one cursor item above all rows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QPixmapCache
from PySide6.QtWidgets import QApplication, QGraphicsItem, QGraphicsRectItem, QWidget

from benchmarks.cursor_frames import make_rows
from lstm_studio.ui.plots.rows import StackState, UnitRow, View
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import LIGHT

# It ships without types: by name, the type checker need not look at it.
pyqtgraph: Any = import_module("pyqtgraph")

SIZES = ((16, 200), (64, 1_000), (256, 1_000), (512, 10_000))
MOVES = 200


def median_move(app: QApplication, move: Callable[[int], None], steps: int) -> float:
    targets = np.random.default_rng(1).integers(0, steps, MOVES).tolist()
    times = []
    for step in targets:
        began = time.perf_counter()
        move(step)
        app.processEvents()
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times))


def measure_ours(app: QApplication, rows: tuple[UnitRow, ...], steps: int) -> tuple[float, float]:
    stack = PlotStack(LIGHT)
    stack.resize(1600, 1000)
    stack.show()
    state = StackState(rows, steps, reveal_all=True)
    began = time.perf_counter()
    stack.apply(state)
    app.processEvents()
    first = 1000 * (time.perf_counter() - began)
    move = median_move(app, lambda step: stack.apply(replace(state, cursor=step)), steps)
    close(app, stack)
    return first, move


def measure_pyqtgraph(app: QApplication, rows: tuple[UnitRow, ...], steps: int) -> tuple[float, float]:
    QPixmapCache.setCacheLimit(512 * 1024)
    widget = pyqtgraph.GraphicsLayoutWidget()
    widget.resize(1600, 1000)
    widget.show()
    app.processEvents()
    began = time.perf_counter()
    for place, row in enumerate(rows):
        plot = widget.addPlot(row=place, col=0)
        plot.setMouseEnabled(False, False)
        plot.hideButtons()
        plot.setXRange(0, steps, padding=0)
        units = row.values.shape[1]
        if row.view is View.LINES:
            plot.setYRange(*row.levels, padding=0)
            for unit in range(units):
                curve = pyqtgraph.PlotCurveItem(row.values[:, unit], pen=pyqtgraph.mkPen(58, 155, 216, 80, width=1))
                curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
                plot.addItem(curve)
        else:
            low, high = row.levels
            indices = np.clip((row.values - low) / (high - low) * 255, 0, 255).astype(np.uint8)
            image = pyqtgraph.ImageItem(np.ascontiguousarray(indices.T), axisOrder="row-major", levels=(0, 255))
            image.setLookupTable(LIGHT.signed_table)
            plot.setYRange(0, units, padding=0)
            plot.addItem(image)
    app.processEvents()
    first = 1000 * (time.perf_counter() - began)
    cursor = QGraphicsRectItem(QRectF(0, 0, 4, 1000))
    widget.scene().addItem(cursor)
    app.processEvents()
    move = median_move(app, lambda step: cursor.setPos(1600 * step / steps, 0), steps)
    close(app, widget)
    return first, move


def close(app: QApplication, widget: QWidget) -> None:
    widget.close()
    widget.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def main() -> None:
    app = QApplication([])
    for units, steps in SIZES:
        rows = tuple(row for row in make_rows(units, steps) if isinstance(row, UnitRow) and row.view is not View.BAND)
        first, move = measure_ours(app, rows, steps)
        other_first, other_move = measure_pyqtgraph(app, rows, steps)
        print(
            f"{units} units × {steps:,} steps: first picture {first:.0f} ms, pyqtgraph {other_first:.0f} ms"
            f" (ratio {first / other_first:.2f}); cursor move {move:.1f} ms, pyqtgraph {other_move:.1f} ms"
            f" (ratio {move / other_move:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
