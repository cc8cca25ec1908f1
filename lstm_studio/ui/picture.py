"""Pictures of widgets as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
from PySide6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from lstm_studio.errors import StudioError
from lstm_studio.ui.theme import LIGHT, Theme
from lstm_studio.ui.widgets.themed import Themed

PICTURE_FORMATS: Mapping[str, str] = MappingProxyType({"PNG (*.png)": ".png"})
"""Filter of the file dialog → suffix."""

SHARPNESS = 2.0
"""Pixels of a picture for each pixel of the screen, so that it can be printed."""


def save_picture(widget: QWidget, path: Path, theme: Theme) -> Path:
    """Save a widget as it is on the screen, but in the light colours, as print needs them.

    Parameters
    ----------
    widget
        Has ``apply_theme``.
    path
        The file; its suffix is the format.
    theme
        What the widget has now and gets back.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    StudioError
        If the suffix is unknown or the file cannot be written.
    """
    if path.suffix.lower() not in PICTURE_FORMATS.values():
        known = ", ".join(PICTURE_FORMATS.values())
        raise StudioError(f"{path}: a picture cannot be saved as {path.suffix}.", f"Choose one of {known}.")
    themed = cast(Themed, widget)
    themed.apply_theme(LIGHT)
    try:
        image = _drawn(widget)
    finally:
        themed.apply_theme(theme)
    if not image.save(str(path)):
        raise StudioError(f"{path} cannot be written.", "Choose a folder in which you may write.")
    return path


def picture_of(window: QWidget) -> QImage:
    """Return a window as it would look on a screen, without showing it on one."""
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    window.show()
    # Twice: a layout that wraps text asks for its final height only when it has its width.
    for _ in range(2):
        QCoreApplication.sendPostedEvents()
        QCoreApplication.processEvents()
    return window.grab().toImage()


def _drawn(widget: QWidget) -> QImage:
    image = QImage(widget.size() * SHARPNESS, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARPNESS)
    image.fill(QColor(LIGHT.panel))
    painter = QPainter(image)
    widget.render(painter, QPoint(), QRect(QPoint(), widget.size()))
    painter.end()
    return image


def colours_in(widget: QWidget) -> int:
    """Return the number of different colours in a picture of a widget; a blank one has few."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32)
    return len(np.unique(pixels))
