"""Icons as paths on a 16 px grid: 1.5 px lines with square joins, one colour; transport glyphs are solid.

Drawn in code, so they follow theme and scale and need no files.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QLabel

from lstm_studio.ui.theme import Theme, scaled

GRID_SIZE = 16
_SCALES = (1, 1.5, 2, 3)
_KEPT = 128
"""Icons that are kept: all of the window in both themes at one size of text. Those of every size would be 24 MB."""


class Icon(StrEnum):
    """The icons there are."""

    FOLDER = "folder"
    FIRST = "first"
    PREVIOUS = "previous"
    PLAY = "play"
    PAUSE = "pause"
    STOP = "stop"
    NEXT = "next"
    LAST = "last"
    LOOP = "loop"
    HEAT = "heat map"
    LINES = "lines"
    BAND = "band"
    GRADIENT = "gradient"
    CHEVRON_LEFT = "chevron left"
    CHEVRON_RIGHT = "chevron right"
    CHEVRON_UP = "chevron up"
    CHEVRON_DOWN = "chevron down"
    TICK = "tick"
    CROSS = "cross"
    OCTAGON = "octagon"
    TRIANGLE = "triangle"
    NOTE = "note"
    COPY = "copy"
    SEARCH = "search"
    EYE = "eye"
    PENCIL = "pencil"
    SUN = "sun"
    MOON = "moon"
    PLUS = "plus"
    MINUS = "minus"
    UNDO = "undo"
    SAVE = "save"
    DOT = "dot"
    SEQUENCE = "sequence"
    NETWORK = "network"
    UNITS = "units"
    NUMBERS = "numbers"
    HORIZON = "horizon"
    BRANCH = "branch"
    COMMENT = "comment"
    FLOAT = "float"
    TASK = "task"
    EQUAL = "equal"
    UNEQUAL = "unequal"
    SNAPSHOT = "snapshot"


# M, L: move and line to x y. C: cubic to three points. Q: quadratic to two. Z: close. R: rectangle x y width height.
# O: circle centre radius.
_PATHS = {
    Icon.FOLDER: "M 1.75 13 L 1.75 3.5 L 6 3.5 L 7.5 5.25 L 14.25 5.25 L 14.25 13 Z",
    Icon.FIRST: "R 1.5 3 2 10 M 9 3 L 4 8 L 9 13 Z M 14.5 3 L 9.5 8 L 14.5 13 Z",
    Icon.PREVIOUS: "R 3.5 3 2 10 M 12.5 3 L 6.5 8 L 12.5 13 Z",
    Icon.PLAY: "M 4 2.5 L 13.5 8 L 4 13.5 Z",
    Icon.PAUSE: "R 3.5 3 3 10 R 9.5 3 3 10",
    Icon.STOP: "R 3.5 3.5 9 9",
    Icon.NEXT: "R 10.5 3 2 10 M 3.5 3 L 9.5 8 L 3.5 13 Z",
    Icon.LAST: "R 12.5 3 2 10 M 7 3 L 12 8 L 7 13 Z M 1.5 3 L 6.5 8 L 1.5 13 Z",
    Icon.LOOP: "M 4 4.5 L 11 4.5 Q 14 4.5 14 8 M 12 11.5 L 5 11.5 Q 2 11.5 2 8 M 6.5 2 L 4 4.5 L 6.5 7"
    " M 9.5 9 L 12 11.5 L 9.5 14",
    Icon.HEAT: "R 1 2 4.5 3.5 R 10.5 2 4.5 3.5 R 5.5 5.5 5 4 R 10.5 5.5 4.5 4 R 1 9.5 4.5 4.5 R 5.5 9.5 5 4.5",
    Icon.LINES: "M 1.5 12 L 5 5 L 8.5 9 L 14.5 3 M 1.5 6 L 5 10 L 9 4.5 L 14.5 11",
    Icon.BAND: "M 1 9 C 5 2 9 8 15 3 L 15 10 C 9 14 5 8 1 14 Z",
    Icon.GRADIENT: "M 1.5 13.5 L 14.5 2.5 M 1.5 4 L 14.5 5.5",
    Icon.CHEVRON_LEFT: "M 10 3.5 L 5.5 8 L 10 12.5",
    Icon.CHEVRON_RIGHT: "M 6 3.5 L 10.5 8 L 6 12.5",
    Icon.CHEVRON_UP: "M 3.5 10 L 8 5.5 L 12.5 10",
    Icon.CHEVRON_DOWN: "M 3.5 6 L 8 10.5 L 12.5 6",
    Icon.TICK: "M 2.5 8.5 L 6.5 12.5 L 13.5 4",
    Icon.FLOAT: "R 1.75 5.75 8.5 8.5 M 5.75 5.5 L 5.75 1.75 L 14.25 1.75 L 14.25 10.25 L 10.5 10.25",
    Icon.CROSS: "M 3.5 3.5 L 12.5 12.5 M 12.5 3.5 L 3.5 12.5",
    Icon.OCTAGON: "M 5.2 1.75 L 10.8 1.75 L 14.25 5.2 L 14.25 10.8 L 10.8 14.25 L 5.2 14.25 L 1.75 10.8 L 1.75 5.2 Z"
    " M 8 4.5 L 8 9 M 8 10.5 L 8 12",
    Icon.TRIANGLE: "M 8 2 L 14.5 13.75 L 1.5 13.75 Z M 8 6 L 8 10 M 8 11 L 8 12.5",
    Icon.NOTE: "O 8 8 6.25 M 8 7 L 8 12 M 8 4 L 8 5.5",
    Icon.COPY: "R 2 5.5 8.5 8.5 M 5.5 5.5 L 5.5 2 L 14 2 L 14 10.5 L 10.5 10.5",
    Icon.SEARCH: "O 6.75 6.75 4.75 M 10.25 10.25 L 14.25 14.25",
    Icon.EYE: "M 1 8 Q 8 0.5 15 8 Q 8 15.5 1 8 Z O 8 8 2.25",
    Icon.PENCIL: "M 2 14 L 2.75 10.5 L 10.75 2.5 L 13.5 5.25 L 5.5 13.25 Z M 8.75 4.5 L 11.5 7.25",
    Icon.SUN: "O 8 8 3 M 8 0.75 L 8 2.75 M 8 13.25 L 8 15.25 M 0.75 8 L 2.75 8 M 13.25 8 L 15.25 8"
    " M 2.9 2.9 L 4.3 4.3 M 11.7 11.7 L 13.1 13.1 M 13.1 2.9 L 11.7 4.3 M 4.3 11.7 L 2.9 13.1",
    Icon.MOON: "M 9.5 1.75 C 4.5 2.5 4.5 10 12.75 11.5 C 10 15.5 2.5 14.5 2.25 8 C 2.5 3.5 6 1.5 9.5 1.75 Z",
    Icon.PLUS: "M 8 2.5 L 8 13.5 M 2.5 8 L 13.5 8",
    Icon.MINUS: "M 2.5 8 L 13.5 8",
    Icon.UNDO: "M 5.5 2.5 L 2 6 L 5.5 9.5 M 2 6 L 10 6 C 15.5 6 15.5 13.5 10 13.5 L 6 13.5",
    Icon.SAVE: "M 2 2 L 11.5 2 L 14 4.5 L 14 14 L 2 14 Z M 5 2 L 5 6 L 10 6 L 10 2 M 4.5 14 L 4.5 9.5 L 11.5 9.5"
    " L 11.5 14",
    Icon.DOT: "O 8 8 4",
    Icon.SEQUENCE: "R 1.25 4.75 3.5 6.5 R 6.25 4.75 3.5 6.5 R 11.25 4.75 3.5 6.5",
    Icon.NETWORK: "O 3.5 8 2 O 12.5 3.5 2 O 12.5 12.5 2 M 5.3 7.1 L 10.7 4.4 M 5.3 8.9 L 10.7 11.6",
    Icon.UNITS: "R 4.75 1.75 6.5 12.5 M 4.75 6 L 11.25 6 M 4.75 10 L 11.25 10",
    Icon.COMMENT: "M 2 2.5 L 14 2.5 L 14 11 L 8 11 L 4.5 14 L 4.5 11 L 2 11 Z M 5 5.5 L 11 5.5 M 5 8 L 9 8",
    Icon.BRANCH: "M 1.5 11.5 L 14.5 11.5 M 4 11.5 C 8 11.5 7 4.5 11 4.5 L 14.5 4.5 M 12 2 L 14.5 4.5 L 12 7",
    Icon.TASK: "R 2.5 2.5 11 11.5 M 5.5 1.25 L 10.5 1.25 M 5 6.5 L 11 6.5 M 5 10 L 9 10",
    Icon.EQUAL: "M 2.5 5.75 L 13.5 5.75 M 2.5 10.25 L 13.5 10.25",
    Icon.UNEQUAL: "M 2.5 5.75 L 13.5 5.75 M 2.5 10.25 L 13.5 10.25 M 11 1.5 L 5 14.5",
    Icon.SNAPSHOT: "R 1.75 4.25 12.5 9.25 M 5.5 4 L 6.5 2 L 9.5 2 L 10.5 4 O 8 8.75 2.5",
    Icon.HORIZON: "M 1.75 1.5 L 1.75 14.25 L 14.5 14.25 M 3.5 3 C 5 10.5 8.5 11.75 14 11.75 M 3.5 3 L 14 5",
    Icon.NUMBERS: "M 1.75 4 L 9 4 M 1.75 8 L 9 8 M 1.75 12 L 9 12 M 12 4 L 14.25 4 M 12 8 L 14.25 8 M 12 12 L 14.25 12",
}
_SOLID = {
    Icon.FIRST,
    Icon.PREVIOUS,
    Icon.PLAY,
    Icon.PAUSE,
    Icon.STOP,
    Icon.NEXT,
    Icon.LAST,
    Icon.HEAT,
    Icon.BAND,
    Icon.DOT,
}


def icon_path(icon: Icon) -> QPainterPath:
    """Return the outline of an icon on the 16 px grid."""
    path = QPainterPath()
    words = iter(_PATHS[icon].split())

    def numbers(count: int) -> list[float]:
        return [float(next(words)) for _ in range(count)]

    for command in words:
        match command:
            case "M":
                path.moveTo(*numbers(2))
            case "L":
                path.lineTo(*numbers(2))
            case "Q":
                path.quadTo(*numbers(4))
            case "C":
                path.cubicTo(*numbers(6))
            case "Z":
                path.closeSubpath()
            case "R":
                path.addRect(QRectF(*numbers(4)))
            case "O":
                x, y, radius = numbers(3)
                path.addEllipse(QPointF(x, y), radius, radius)
            case _:
                raise ValueError(f"{command!r} in the path of the icon {icon.value!r}")
    return path


def paint_icon(painter: QPainter, icon: Icon, rect: QRectF, colour: QColor) -> None:
    """Draw an icon into a square of any size."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / GRID_SIZE, rect.height() / GRID_SIZE)
    path = icon_path(icon)
    if icon in _SOLID:
        painter.fillPath(path, colour)
    else:
        pen = QPen(colour, 1.5)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.strokePath(path, pen)
    painter.restore()


def icon_pixmap(icon: Icon, colour: str, size: int = GRID_SIZE, ratio: float = 1.0) -> QPixmap:
    """Return an icon as a pixmap of ``size`` logical pixels at a device pixel ratio."""
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_icon(painter, icon, QRectF(0, 0, size, size), QColor(colour))
    painter.end()
    # A picture that was drawn on keeps what it was drawn with, which is larger than an icon; its copy does not.
    return pixmap.copy()


def make_icon(icon: Icon, theme: Theme, colour: str | None = None, size: int = GRID_SIZE) -> QIcon:
    """Return an icon for buttons and menus, with its disabled state.

    Parameters
    ----------
    icon
        Which one.
    theme
        Gives ink, and ink 3 for the disabled state.
    colour
        Another colour, for example ``theme.panel`` on a primary button.
    size
        Logical pixels.
    """
    return QIcon(_made(icon, colour or theme.ink, theme.ink3, size))


def set_icon(
    button: QAbstractButton, icon: Icon, theme: Theme, colour: str | None = None, size: int = GRID_SIZE
) -> None:
    """Show an icon on a button, as much larger as the text is.

    Parameters
    ----------
    button
        Gets the icon.
    icon, theme, colour
        As in :func:`make_icon`.
    size
        Logical pixels at 100 %.
    """
    side = scaled(size)
    made = make_icon(icon, theme, colour, side)
    # The same again would have the button drawn and its neighbours laid out.
    if made.cacheKey() != button.icon().cacheKey():
        button.setIcon(made)
    if button.iconSize().width() != side:
        button.setIconSize(QSize(side, side))


def show_icon(place: QLabel, icon: Icon, colour: str, size: int = GRID_SIZE) -> None:
    """Show an icon by itself, in a label that gets its size: as much larger as the text is.

    Parameters
    ----------
    place
        Gets the icon.
    icon, colour
        As in :func:`icon_pixmap`.
    size
        Logical pixels at 100 %.
    """
    side = scaled(size)
    place.setFixedSize(side, side)
    place.setPixmap(icon_pixmap(icon, colour, side, place.devicePixelRatioF()))


def forget_icons() -> None:
    """Let go of all icons that are kept: at another size of text the window gets others."""
    _made.cache_clear()


@lru_cache(_KEPT)
def _made(icon: Icon, colour: str, disabled: str, size: int) -> QIcon:
    """Return an icon, drawn once: Qt keeps its own copies of what it shows, and would add to them with each new one."""
    made = QIcon()
    for ratio in _SCALES:
        made.addPixmap(icon_pixmap(icon, colour, size, ratio))
        made.addPixmap(icon_pixmap(icon, disabled, size, ratio), QIcon.Mode.Disabled)
    return made
