"""Theme and text size of the whole program, and the way back to what Qt had before."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from lstm_studio.ui.colour_maps import with_maps
from lstm_studio.ui.icons import forget_icons
from lstm_studio.ui.style_sheet import style_sheet
from lstm_studio.ui.theme import DARK, LIGHT, Theme, palette


class Appearance(QObject):
    """Gives the application its palette, style sheet and font.

    The font setting scales the application's font, from which every size in the window follows.
    """

    changed = Signal(object)
    """The Theme that everything that paints itself must now use; also when only the font has changed."""

    def __init__(self, application: QApplication, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._font = QFont(QApplication.font())
        self._before = (QPalette(QApplication.palette()), application.styleSheet())
        self._wanted = "system"
        self._scale = 100
        self._maps = ("cividis", "blue-orange")
        self._shown: tuple[Theme, int] | None = None
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_changed)

    @property
    def theme(self) -> Theme:
        """The theme that is wanted now."""
        dark = self._wanted == "dark"
        if self._wanted == "system":
            dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return self.in_my_maps(DARK if dark else LIGHT)

    def in_my_maps(self, theme: Theme) -> Theme:
        """Return one of the two themes with the colour maps that the user has chosen."""
        return with_maps(theme, *self._maps)

    def use_maps(self, gates: str, signed: str) -> None:
        """Show numbers in other colours; keys as in :mod:`lstm_studio.ui.colour_maps`."""
        self._maps = (gates, signed)
        if self._shown is not None:
            self._show()

    def prepare(self, theme: str, font_scale: int) -> None:
        """Set font and palette for widgets that are about to be made; :meth:`apply` completes it.

        With the style sheet already there, Qt would style each widget anew whenever it is put into another.
        """
        self._wanted, self._scale = theme, font_scale
        self._set_font_and_palette()

    def apply(self, theme: str, font_scale: int) -> None:
        """Show ``"system"``, ``"light"`` or ``"dark"``, with text at so many percent of the system's size."""
        self._wanted, self._scale = theme, font_scale
        self._show()

    def restore(self) -> None:
        """Leave the application as it was found."""
        QGuiApplication.styleHints().colorSchemeChanged.disconnect(self._on_system_changed)
        before, sheet = self._before
        self._application.setStyleSheet(sheet)
        QApplication.setPalette(before)
        QApplication.setFont(self._font)

    def _show(self) -> None:
        theme = self.theme
        if self._shown == (theme, self._scale):
            return
        if self._shown is not None and self._shown[1] != self._scale:
            forget_icons()
        self._shown = (theme, self._scale)
        self._set_font_and_palette()
        self._application.setStyleSheet(style_sheet(theme))
        self.changed.emit(theme)

    def _set_font_and_palette(self) -> None:
        font = QFont(self._font)
        if font.pointSizeF() > 0:
            font.setPointSizeF(self._font.pointSizeF() * self._scale / 100)
        else:
            font.setPixelSize(round(self._font.pixelSize() * self._scale / 100))
        QApplication.setFont(font)
        QApplication.setPalette(palette(self.theme))

    def _on_system_changed(self) -> None:
        if self._wanted == "system":
            self._show()
