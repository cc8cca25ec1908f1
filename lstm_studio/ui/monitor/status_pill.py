"""What has become of a training, as a word with its sign in a pill: colour never stands alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from lstm_studio.runs.like import Status
from lstm_studio.ui.icons import Icon, paint_icon
from lstm_studio.ui.theme import HALF_GRID, Theme, scaled

_PADDING = 7.0
_ICON = 10.0


@dataclass(frozen=True, slots=True)
class Pill:
    """A word, its sign, and the tokens of the theme for both and for what is below them."""

    word: str
    icon: Icon
    colour: str
    fill: str


PILLS: Mapping[Status, Pill] = {
    Status.RUNNING: Pill("Live", Icon.DOT, "ok", "ok_fill"),
    Status.FINISHED: Pill("Finished", Icon.TICK, "ink2", "hover"),
    Status.DIED: Pill("Died", Icon.CROSS, "error", "error_fill"),
}
WAITING = Pill("Waiting", Icon.NOTE, "ink2", "hover")
"""Nothing could be read yet."""


def pill_size(metrics: QFontMetricsF, pill: Pill) -> tuple[float, float]:
    """Return width and height of a pill in a font."""
    return 2 * _PADDING + scaled(_ICON) + HALF_GRID + metrics.horizontalAdvance(pill.word) + 1, metrics.height() + 4


def paint_pill(painter: QPainter, rect: QRectF, pill: Pill, theme: Theme) -> None:
    """Draw a pill with the painter's font."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(getattr(theme, pill.fill)))
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    colour = QColor(getattr(theme, pill.colour))
    side = scaled(_ICON)
    sign = QRectF(rect.left() + _PADDING, rect.center().y() - side / 2, side, side)
    # The sign of what lives is a dot that fills its place.
    more = 0.3 * side
    paint_icon(painter, pill.icon, sign.adjusted(-more, -more, more, more) if pill.icon is Icon.DOT else sign, colour)
    painter.setPen(colour)
    words = QRectF(sign.right() + HALF_GRID, rect.top(), rect.right() - sign.right(), rect.height())
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, pill.word)
    painter.restore()
