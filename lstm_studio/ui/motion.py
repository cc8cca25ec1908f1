"""Whether anything may move on the screen by itself."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QStyle


def motion_reduced() -> bool:
    """Return whether the system asks for as little motion as possible, as far as Qt tells.

    Windows says so for the effects of its own windows; elsewhere the style has durations, zero where nothing moves.
    """
    if sys.platform == "win32" and not QApplication.isEffectEnabled(Qt.UIEffect.UI_General):
        return True
    return QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) <= 0
