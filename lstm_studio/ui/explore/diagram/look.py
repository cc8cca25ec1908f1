"""Colours and fonts of a diagram, made once for a theme and a scale."""

from __future__ import annotations

import math

from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPen

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.heat_item import colour_table
from lstm_studio.ui.theme import LIGHT, Text, Theme, font

_SMALLEST = 10.0
_LARGEST = {Text.TITLE: 15, Text.ROW_LABEL: 14, Text.SECONDARY: 14, Text.VALUE: 13}
"""Local units: what stands between and in the parts has no more room, however large the user's text is."""


class DiagramLook:
    """What items draw with.

    Parameters
    ----------
    theme
        Where colours come from.
    scale
        Pixels per local unit: text is never smaller than 10 px on the screen.
    """

    def __init__(self, theme: Theme = LIGHT, scale: float = 1.0) -> None:
        self.theme = theme
        self.scale = scale
        self.smallest = math.ceil(_SMALLEST / scale)
        """Size of the smallest text that can be read, in local units."""
        self.fonts = {use: _local_font(use, scale) for use in _LARGEST}
        # Symbols are a letter or two among wires, not titles of a line: they need the weight.
        self.fonts[Text.TITLE].setWeight(QFont.Weight.Bold)
        self.metrics = {use: QFontMetricsF(made) for use, made in self.fonts.items()}
        self.frame, self.ink, self.panel = QPen(QColor(theme.frame), 1), QColor(theme.ink), QColor(theme.panel)
        self.tables = {
            signed: [QColor(colour) for colour in colour_table(theme, signed=signed)] for signed in (False, True)
        }

    def mark(self, role: Role | None) -> QColor:
        """Return the colour of wires and borders; grey without a role."""
        return QColor(self.theme.ink3 if role is None else self.theme.roles[role].mark)

    def text(self, role: Role) -> QColor:
        """Return the colour of a role as text."""
        return QColor(self.theme.roles[role].text)


def _local_font(use: Text, scale: float) -> QFont:
    made = font(use)
    made.setPixelSize(min(_LARGEST[use], max(math.ceil(_SMALLEST / scale), made.pixelSize())))
    return made
