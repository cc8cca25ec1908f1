"""The plots and diagrams as they would be in a window of another size, drawn apart from the one on the screen."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QEvent, QIODevice, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QImageWriter, QPainter, QPalette
from PySide6.QtWidgets import QAbstractButton, QWidget

from lstm_studio.networks.signals import Phase
from lstm_studio.session.session import Session
from lstm_studio.session.writing import write_whole
from lstm_studio.ui.explore.diagram.view import DiagramView
from lstm_studio.ui.explore.workspace import ExploreWorkspace
from lstm_studio.ui.plots.header import RowHeader
from lstm_studio.ui.style_sheet import style_sheet
from lstm_studio.ui.theme import Theme, palette

SMALLEST = (640, 480)
"""Below this the workspace would be larger than asked for."""
LARGEST = (8_000, 8_000)


class StandIn:
    """A workspace of its own, never on the screen; used with ``with``.

    Parameters
    ----------
    session
        What it shows now: later changes do not reach it.
    size
        Width and height in logical pixels.
    theme
        Its colours.
    """

    def __init__(self, session: Session, size: tuple[int, int], theme: Theme) -> None:
        self._theme = theme
        self._session = Session(session.result, session.view, session.remarks)
        self._workspace = ExploreWorkspace(self._session, theme)
        self._workspace.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        # In the window it lies on the panel's colour; by itself it would lie on that of the frame.
        colours = QPalette(palette(theme))
        colours.setColor(QPalette.ColorRole.Window, QColor(theme.panel))
        self._workspace.setPalette(colours)
        self._workspace.setStyleSheet(style_sheet(theme))
        self._workspace.apply_theme(theme)
        self._workspace.resize(*size)
        self._workspace.show()
        # Twice: a layout that wraps text asks for its final height only when it has its width.
        for _ in range(2):
            QCoreApplication.sendPostedEvents()

    def __enter__(self) -> StandIn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free it."""
        self._workspace.close()
        self._workspace.deleteLater()
        QCoreApplication.sendPostedEvents(self._workspace, QEvent.Type.DeferredDelete)

    @property
    def steps(self) -> int:
        """Number of steps of what it shows."""
        return self._session.steps

    @property
    def words(self) -> str:
        """What it shows, for those who do not see it: what is compared, and a sentence for each row of the plots."""
        bar = self._workspace.compare_bar
        said = [] if bar.isHidden() else [bar.accessibleDescription()]
        headers = sorted(self._workspace.stack.findChildren(RowHeader), key=RowHeader.y)
        said += [f"{header.accessibleName()}: {header.accessibleDescription()}" for header in headers]
        return " ".join(f"{words.rstrip('.')}." for words in said)

    def show_step(self, step: int, phase: Phase | None = None) -> None:
        """Show a step, 0-based: whole, or one phase of it."""
        shown = self._session.view.phase if phase is None else phase
        self._session.look(cursor=step, four_phases=phase is not None, phase=shown)
        for diagram in self._workspace.findChildren(DiagramView):
            # Phases fade into each other; a picture would show one half-way.
            diagram.diagram.finish_fading()

    def draw(self, ratio: float = 1.0) -> QImage:
        """Return the picture, with so many pixels for each logical one."""
        self._workspace.stack.draw_at(ratio)
        return draw(self._workspace, self._theme, ratio)

    def frame(self) -> NDArray[np.uint8]:
        """Return the picture as (height, width, 3) red, green, blue."""
        image = self.draw().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def save_svg(self, path: Path, title: str) -> None:
        """Write it as SVG; see :func:`save_svg`."""
        save_svg(self._workspace, self._theme, path, title)


def draw(widget: QWidget, theme: Theme, ratio: float) -> QImage:
    """Return a picture of a widget on the panel's colour.

    Parameters
    ----------
    widget
        Laid out already.
    theme
        Decides the colour below it.
    ratio
        Pixels for each logical pixel.
    """
    image = QImage(widget.size() * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(theme.panel))
    painter = QPainter(image)
    widget.render(painter, QPoint(), QRect(QPoint(), widget.size()), QWidget.RenderFlag.DrawChildren)
    painter.end()
    if ratio != widget.devicePixelRatioF():
        _draw_icons(image, widget, ratio)
    return image


def _draw_icons(image: QImage, widget: QWidget, ratio: float) -> None:
    """Draw the icons of buttons as sharp as the rest: Qt takes them in the density of the screen."""
    places = []
    for button in widget.findChildren(QAbstractButton):
        if button.visibleRegion().isEmpty() or button.icon().isNull() or button.text():
            continue
        side = button.iconSize()
        corner = QPoint((button.width() - side.width()) // 2, (button.height() - side.height()) // 2)
        place = QRect(button.mapTo(widget, corner), side)
        # Icons leave the corners of their grid free.
        ground = image.pixelColor(place.topLeft() * ratio)
        mode = QIcon.Mode.Normal if button.isEnabled() else QIcon.Mode.Disabled
        places.append((place, ground, button.icon().pixmap(side, ratio, mode)))
    painter = QPainter(image)
    for place, ground, pixmap in places:
        painter.fillRect(place, ground)
        painter.drawPixmap(place.topLeft(), pixmap)
    painter.end()


def png_of(image: QImage) -> bytes:
    """Return a picture as a PNG file has it."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def save_svg(widget: QWidget, theme: Theme, path: Path, title: str) -> None:
    """Write a widget as SVG: text and curves as such, heat maps as the pixels that they are.

    Raises
    ------
    StudioError
        If the file cannot be written.
    """
    from PySide6.QtSvg import QSvgGenerator

    written = QBuffer()
    written.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(written)
    # Else a browser would show it larger than asked for: the file has its size in millimetres.
    generator.setResolution(widget.logicalDpiX())
    generator.setSize(QSize(widget.size()))
    generator.setViewBox(QRect(QPoint(), widget.size()))
    generator.setTitle(title)
    generator.setDescription("LSTM Studio")
    painter = QPainter(generator)
    painter.fillRect(QRect(QPoint(), widget.size()), QColor(theme.panel))
    widget.render(painter, QPoint(), QRect(QPoint(), widget.size()), QWidget.RenderFlag.DrawChildren)
    painter.end()
    write_whole(path, bytes(written.data().data()))
