"""Whether anything may move on the screen by itself."""

from __future__ import annotations

import shutil
import sys
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QProcess, QSettings, QStandardPaths, Qt
from PySide6.QtWidgets import QApplication, QStyle

_PATIENCE = 500
"""Milliseconds that the desktop may take to say what it wants."""
_ASK_DESKTOP = ("get", "org.gnome.desktop.interface", "enable-animations")


class _Wish:
    less = False
    """Whether the user of this program wants less motion, whatever the desktop says."""


def reduce_motion(on: bool) -> None:
    """Let nothing move by itself, or as much as the desktop allows."""
    _Wish.less = on


def motion_reduced() -> bool:
    """Return whether the user, or the desktop, asks for as little motion as possible.

    Windows says so for the effects of its own windows; elsewhere the style has durations, zero where nothing moves,
    and desktops have a setting of their own.
    """
    if _Wish.less:
        return True
    if sys.platform == "win32" and not QApplication.isEffectEnabled(Qt.UIEffect.UI_General):
        return True
    return QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) <= 0 or desktop_reduces()


@lru_cache(maxsize=1)
def desktop_reduces() -> bool:
    """Return whether GNOME and its relatives, or KDE, are set to move nothing, which Qt does not tell; asked once."""
    if sys.platform in {"win32", "darwin"}:
        return False
    program = shutil.which("gsettings")
    if program is not None:
        asked = QProcess()
        asked.start(program, _ASK_DESKTOP)
        if not asked.waitForFinished(_PATIENCE):
            asked.kill()
            asked.waitForFinished(_PATIENCE)
        elif bytes(asked.readAllStandardOutput().data()).strip() == b"false":
            return True
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    kde = QSettings(str(Path(folder) / "kdeglobals"), QSettings.Format.IniFormat)
    return str(kde.value("KDE/AnimationDurationFactor", "")).strip() in {"0", "0.0"}
