"""The panels beside the plots: docks with title bars of our own, and the strip they fold to where room is short."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.ui.actions import Actions
from lstm_studio.ui.icons import GRID_SIZE, Icon, set_icon
from lstm_studio.ui.theme import HALF_GRID, Text, Theme, font, header_height, scaled
from lstm_studio.ui.widgets.action_button import ActionButton
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
    make
        Returns what it holds; called when the dock is first shown or its panel first asked for.
    """

    keyboard_left = Signal()
    """It was hidden with the keyboard in it."""

    def __init__(self, key: str, title: str, make: Callable[[], QWidget], parent: QWidget) -> None:
        super().__init__(title, parent)
        self._make = make
        self._panel: QWidget | None = None
        self.setObjectName(f"dock-{key}")
        self.setAccessibleName(title)
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

    def _on_float(self) -> None:
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

    def _show_floating(self, floating: bool) -> None:
        """Draw a frame around a panel in a window of its own, which has none from the desktop."""
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
