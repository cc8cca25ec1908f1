"""Pictures of the window and of its parts, for files and for checks."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget


def picture_of(window: QWidget) -> QImage:
    """Return a window as it would look on a screen, without showing it on one."""
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    window.show()
    # Twice: a layout that wraps text asks for its final height only when it has its width.
    for _ in range(2):
        QCoreApplication.sendPostedEvents()
        QCoreApplication.processEvents()
    return window.grab().toImage()


def colours_in(widget: QWidget) -> int:
    """Return the number of different colours in a picture of a widget; a blank one has few."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32)
    return len(np.unique(pixels))
