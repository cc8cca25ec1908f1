"""The panels beside the plots: docks with title bars of our own, and the strip they fold to where room is short."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

from PySide6 import QtWidgets
from PySide6.QtCore import QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleInterface,
    QAction,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QMoveEvent,
    QRegion,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QStyle,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.ui.actions import Actions
from lstm_studio.ui.dropping import local_files
from lstm_studio.ui.icons import GRID_SIZE, Icon, set_icon
from lstm_studio.ui.theme import HALF_GRID, Text, Theme, font, header_height, scaled
from lstm_studio.ui.widgets.action_button import ActionButton
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.tab_order import put_after

STRIP_WIDTH = 40
"""Pixels at 100 %."""
_ICON = 10
_AROUND_ICON = 14
_ASIDE = 24
"""Pixels by which a panel that floats comes away from its place."""
_BESIDE = (STRIP_WIDTH - GRID_SIZE - _AROUND_ICON) // 2


class Dock(QDockWidget):
    """One panel with its title bar.

    Parameters
    ----------
    key
        Its name in the saved layout.
    title
        In the title bar.
    about
        What it shows, for screen readers.
    make
        Returns what it holds; called when the dock is first shown or its panel first asked for.
    """

    keyboard_left = Signal()
    """It was hidden with the keyboard in it."""
    files_dropped = Signal(list)
    """Their paths; only while it floats, else they are the window's."""

    def __init__(self, key: str, title: str, about: str, make: Callable[[], QWidget], parent: QWidget) -> None:
        super().__init__(title, parent)
        self._make = make
        self._panel: QWidget | None = None
        self._docked: dict[str, QSize] = {}
        self.setObjectName(f"dock-{key}")
        self.setAccessibleName(title)
        self.setAccessibleDescription(about)
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        self._float = QToolButton()
        self._float.setProperty("kind", "flat")
        self._float.setAccessibleName(f"Float {title}")
        self._float.setToolTip("Put this panel into a window of its own, or back")
        self._float.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._float.clicked.connect(self._on_float)
        self._close = QToolButton()
        self._close.setProperty("kind", "flat")
        self._close.setAccessibleName(f"Hide {title}")
        self._close.setToolTip("Hide this panel; View brings it back")
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.clicked.connect(self.close)
        self._title = QLabel(title)
        self._title.setProperty("kind", "dock-header")
        self._link: QPushButton | None = None
        self._bar = bar = QFrame()
        bar.setProperty("kind", "dock-bar")
        row = self._row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, HALF_GRID, 0)
        row.addWidget(self._title, 1)
        row.addWidget(self._float)
        row.addWidget(self._close)
        self.setTitleBarWidget(bar)
        frame = QFrame()
        frame.setProperty("kind", "sunken")
        self._inside = QHBoxLayout(frame)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._frame = frame
        self.setWidget(frame)
        self.topLevelChanged.connect(self._show_floating)

    def offer(self, action: QAction) -> None:
        """Offer a command as a link in the title bar."""
        link = self._link = QPushButton(action.text())
        link.setProperty("kind", "link")
        link.setToolTip(action.toolTip())
        link.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        link.clicked.connect(action.trigger)
        self._row.insertWidget(self._row.indexOf(self._float), link)

    @property
    def made(self) -> QWidget | None:
        """The panel, if it has been needed."""
        return self._panel

    @property
    def needed_height(self) -> int:
        """The height at which nothing scrolls, at the width that the dock has."""
        more = self._panel.more_height if isinstance(self._panel, Panel) else 0
        return self.sizeHint().height() + more

    @property
    def panel(self) -> QWidget:
        """The panel."""
        if self._panel is None:
            self._panel = self._make()
            self._inside.addWidget(self._panel)
            # Else Tab would come to the title bars of all panels before it comes to anything in them.
            link = () if self._link is None else (self._link,)
            put_after(self._panel, *link, self._float, self._close)
        return self._panel

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell when it goes with the keyboard, which would come to whatever stands next."""
        focused = QApplication.focusWidget()
        if self.isHidden() and focused is not None and self.isAncestorOf(focused):
            self.keyboard_left.emit()
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the panel the first time."""
        _ = self.panel
        super().showEvent(event)

    def moveEvent(self, event: QMoveEvent) -> None:
        """Have the lines around it drawn anew."""
        super().moveEvent(event)
        self._draw_lines()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Likewise."""
        super().resizeEvent(event)
        self._draw_lines()

    def _draw_lines(self) -> None:
        """Have what separates it from its neighbours drawn: Qt leaves that where it was if it moves only a little."""
        window = self.parentWidget()
        if window is not None and not self.isFloating():
            beside = self.style().pixelMetric(QStyle.PixelMetric.PM_DockWidgetSeparatorExtent, None, window)
            around = self.geometry().adjusted(-beside, -beside, beside, beside)
            window.update(QRegion(around) - QRegion(self.geometry()))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files, nothing else."""
        if local_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Say which files were dropped."""
        paths = local_files(event)
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)

    def _on_float(self) -> None:
        if not self.isFloating():
            self._docked = {dock.objectName(): dock.size() for dock in self._beside}
        self.setFloating(not self.isFloating())
        if self.isFloating():
            # Where it was, it would hide what has taken its place, as if it were still there.
            room = self.screen().availableGeometry()
            place = self.pos() + QPoint(_ASIDE, _ASIDE)
            self.move(
                max(room.left(), min(place.x(), room.right() - self.width())),
                max(room.top(), min(place.y(), room.bottom() - self.height())),
            )
        else:
            # Among tabs it would return behind the one that took its place.
            self.raise_()
            # By then it is without the frame that it had by itself.
            QTimer.singleShot(0, self, self._take_place)

    @property
    def _beside(self) -> list[Dock]:
        """The docks on its side of the window that are seen, itself among them."""
        window = self.parentWidget()
        if not isinstance(window, QMainWindow) or self.isFloating():
            return []
        docks = (dock for dock in window.findChildren(Dock) if dock.isVisible() and not dock.isFloating())
        return [dock for dock in docks if window.dockWidgetArea(dock) is window.dockWidgetArea(self)]

    def _take_place(self) -> None:
        """Be as large again as before it floated: Qt gives it part of what the others leave, and less each time."""
        window = self.parentWidget()
        docks: list[QDockWidget] = [dock for dock in self._beside if dock.objectName() in self._docked]
        if isinstance(window, QMainWindow) and docks:
            sizes = [self._docked[dock.objectName()] for dock in docks]
            window.resizeDocks(docks, [size.width() for size in sizes], Qt.Orientation.Horizontal)
            window.resizeDocks(docks, [size.height() for size in sizes], Qt.Orientation.Vertical)

    def _show_floating(self, floating: bool) -> None:
        """Draw a frame around a panel in a window of its own, which has none from the desktop; files can be dropped."""
        self.setAcceptDrops(floating)
        for part, sides in ((self._bar, (1, 1, 1, 0)), (self._frame, (1, 0, 1, 1))):
            part.setProperty("floating", floating)
            part.style().unpolish(part)
            part.style().polish(part)
            part.setContentsMargins(*(sides if floating else (0, 0, 0, 0)))

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        height = header_height()
        self._bar.setFixedHeight(height)
        for button, what in ((self._float, Icon.FLOAT), (self._close, Icon.CROSS)):
            set_icon(button, what, theme, theme.ink3, size=_ICON)
            button.setFixedSize(height - 2, height - 2)
        if self._link is not None:
            self._link.setFixedHeight(height - 2)
        # Capitals and tracking, which a style sheet cannot say.
        self._title.setFont(font(Text.DOCK_HEADER))


@cache
def describe_docks() -> None:
    """Let screen readers hear what each panel is for, once for all of them: of a dock, Qt tells the name alone."""
    # Where a version of PySide lacks it, every label of a panel is read that the keyboard comes to, as before.
    if hasattr(QAccessible, "installFactory") and hasattr(QtWidgets, "QAccessibleWidget"):
        QAccessible.installFactory(_face_of)


def _face_of(_kind: str, thing: QObject) -> QAccessibleInterface | None:
    return QtWidgets.QAccessibleWidget(thing, QAccessible.Role.Pane) if isinstance(thing, Dock) else None


class Bar(QToolBar):
    """A bar that stays where it is, in the colours of the docks."""

    def __init__(self, key: str, title: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.setObjectName(key)
        self.setAccessibleName(title)
        self.setMovable(False)
        self.setFloatable(False)
        layout = self.layout()
        assert layout is not None  # noqa: S101 - a tool bar always has one
        layout.setContentsMargins(0, 0, 0, 0)

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        edge = "top" if self.orientation() is Qt.Orientation.Horizontal else "right"
        self.setStyleSheet(
            f"QToolBar {{ background: {theme.sunken}; border: 0; border-{edge}: 1px solid {theme.line};"
            " padding: 0; spacing: 4px; }"
        )


class Strip(Bar):
    """A narrow column of buttons that bring folded panels back.

    Parameters
    ----------
    actions
        Where the switches of the panels are.
    keys
        Of those switches.
    """

    def __init__(self, actions: Actions, keys: Collection[str], parent: QWidget) -> None:
        super().__init__("strip", "Folded panels", parent)
        self._places: dict[str, QAction] = {}
        self._buttons: list[QToolButton] = []
        for key in keys:
            button = ActionButton(actions[key])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setAccessibleName(actions[key].text())
            self._buttons.append(button)
            # A tool bar's own layout pays no heed to margins.
            place = QWidget()
            column = QVBoxLayout(place)
            column.setContentsMargins(_BESIDE, HALF_GRID, _BESIDE - 1, 0)
            column.addWidget(button)
            self._places[key] = self.addWidget(place)

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme, and the size of the text."""
        super().apply_theme(theme)
        icon = scaled(GRID_SIZE)
        side = icon + _AROUND_ICON
        self.setFixedWidth(side + 2 * _BESIDE)
        for button in self._buttons:
            button.setIconSize(QSize(icon, icon))
            button.setFixedSize(side, side)

    def show_buttons(self, keys: Collection[str]) -> None:
        """Show the buttons of these switches only."""
        for key, place in self._places.items():
            place.setVisible(key in keys)
