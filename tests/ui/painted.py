"""How far an item of a scene draws beyond what it says it covers: what lies there is left behind when it changes."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem

_AROUND = 40
_SMOOTHED = 1.0
"""Pixels by which Qt repaints more than an item covers, since edges are smoothed."""


def overdrawn(item: QGraphicsItem) -> float:
    """Return by how many pixels, at a scale of 1, an item draws beyond its bounds and what is smoothed around them."""
    bounds = item.boundingRect()
    left, top = np.floor(bounds.left()) - _AROUND, np.floor(bounds.top()) - _AROUND
    width, height = (int(np.ceil(side)) + 2 * _AROUND for side in (bounds.width(), bounds.height()))
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.translate(-left, -top)
    option = QStyleOptionGraphicsItem()
    option.exposedRect = bounds
    item.paint(painter, option, None)
    painter.end()
    seen = np.frombuffer(image.constBits(), np.uint8).reshape(height, width, 4)[..., 3] > 0
    ys, xs = np.nonzero(seen)
    if not len(ys):
        return 0.0
    drawn = QRectF(float(xs.min() + left), float(ys.min() + top), float(np.ptp(xs)) + 1, float(np.ptp(ys)) + 1)
    beyond = (
        bounds.left() - drawn.left(),
        bounds.top() - drawn.top(),
        drawn.right() - bounds.right(),
        drawn.bottom() - bounds.bottom(),
    )
    return float(max(0.0, max(beyond) - _SMOOTHED))
