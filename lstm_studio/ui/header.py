"""The two rows at the top of the window: menus; and files, device and labels. One row where the window is low."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMenuBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.networks.signals import Labels
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup, View
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.commands import MENUS
from lstm_studio.ui.find_button import FindButton
from lstm_studio.ui.icons import GRID_SIZE, Icon, set_icon
from lstm_studio.ui.theme import PANEL_INSET, SECTION_GAP, Theme, scaled
from lstm_studio.ui.widgets.action_button import ActionButton
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import ElidedLabel
from lstm_studio.ui.workspaces import WORKSPACES

MENU_ROW_HEIGHT = 32
TOOL_ROW_HEIGHT = 40
_NAME_WIDTH = 56
"""Pixels for the name of what is open, where room is short."""


class Header(QWidget):
    """Menus and tools of one window.

    Parameters
    ----------
    session
        Says what is open; takes the choice of labels and device.
    actions
        Fill the menus and two of the buttons.
    """

    cancelled = Signal()
    """The user does not want to wait for what is in progress."""
    keyboard_left = Signal()
    """What had the keyboard is gone."""
    painted = Signal()
    """The window has been painted for the first time."""

    def __init__(self, session: Session, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._document = ("", "")
        self._was_painted = False
        self._after_paint = QTimer(self)
        self._after_paint.setSingleShot(True)
        self._after_paint.timeout.connect(self.painted)
        self.setAccessibleName("Menus and tools")
        self.setAutoFillBackground(True)
        self.submenus: dict[str, QMenu] = {}
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self._menu_row = QWidget()
        self._menu_row.setMinimumHeight(MENU_ROW_HEIGHT)
        self._menu_row.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        menus = QHBoxLayout(self._menu_row)
        menus.setContentsMargins(SECTION_GAP, 0, SECTION_GAP, 0)
        self.menu_bar = self._filled_menu_bar(actions)
        menus.addWidget(self.menu_bar, 1, Qt.AlignmentFlag.AlignVCenter)
        self.workspaces = Segments("Workspace", {info.key: info.title for info in WORKSPACES})
        for info in WORKSPACES:
            button = self.workspaces.button(info.key)
            button.setToolTip(actions[info.action].toolTip())
            button.clicked.connect(actions[info.action].trigger)
        menus.addWidget(self.workspaces, 0, Qt.AlignmentFlag.AlignVCenter)
        self.find_button = FindButton(actions["help.find-command"])
        # As much room as the menus have, so that the switch stands in the middle.
        menus.addWidget(self.find_button, 1, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        self._tool_row = QFrame()
        self._tool_row.setProperty("kind", "panel")
        self._tool_row.setMinimumHeight(TOOL_ROW_HEIGHT)
        self._fill_tools(actions)
        self._line = QFrame()
        self._line.setFixedHeight(1)
        self._line.setAutoFillBackground(True)
        for row in (self._menu_row, self._tool_row, self._line):
            self._rows.addWidget(row)
        self.show_devices(())
        self.show_busy(False)
        session.result_replaced.connect(self._on_result_replaced)
        session.setup_changed.connect(self._on_setup_changed)
        session.view_changed.connect(self._on_view_changed)
        self._on_result_replaced(session.result)
        self._on_view_changed(session.view, session.view)
        self.apply_theme(theme)

    def _filled_menu_bar(self, actions: Actions) -> QMenuBar:
        bar = QMenuBar()
        bar.setAccessibleName("Menus")
        for title, keys in MENUS:
            # With Alt and its first letter a menu opens; no two begin with the same.
            menu = bar.addMenu(f"&{title}")
            menu.setToolTipsVisible(True)
            self.submenus.update(actions.fill(menu, keys))
        return bar

    def _fill_tools(self, actions: Actions) -> None:
        keys = ("file.open-sequence", "file.open-network")
        self._buttons: list[QToolButton] = [ActionButton(actions[key]) for key in keys]
        for button, key in zip(self._buttons, keys, strict=True):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setAccessibleName(actions[key].text())
        self.open_button = self._buttons[0]
        self._samples = QToolButton()
        self._samples.setText("Samples")
        self._samples.setToolTip("Trained networks on sequences made for them.")
        self._samples.setAccessibleName("Samples")
        self._samples.setMenu(self.submenus["Samples"])
        self._samples.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._samples.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        # The chevron stands behind the word, as in a combo box.
        self._samples.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._separator = QFrame()
        self._separator.setFixedSize(1, 20)
        self._separator.setAutoFillBackground(True)
        self._name, self._state = ElidedLabel(kind="title"), ElidedLabel(kind="caption")
        for elided in (self._name, self._state):
            elided.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._cancel = QPushButton("Cancel")
        self._cancel.setProperty("kind", "link")
        self._cancel.setToolTip("Stop, and keep what is on the screen")
        # A click leaves the keyboard where it is: the button goes when the work ends.
        self._cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._cancel.clicked.connect(self.cancelled)
        self._devices = QComboBox()
        self._devices.setAccessibleName("Device")
        self._devices.activated.connect(self._on_device_chosen)
        self._labels = Segments("Labels", {str(Labels.STANDARD): "Standard", str(Labels.CLASSROOM): "Classroom"})
        self._labels.chosen.connect(self._on_labels_chosen)
        tools = QHBoxLayout(self._tool_row)
        tools.setContentsMargins(PANEL_INSET, 0, PANEL_INSET, 0)
        tools.setSpacing(SECTION_GAP)
        tools.setDirection(QBoxLayout.Direction.LeftToRight)
        for widget in (*self._buttons, self._samples, self._separator, self._name, self._state, self._cancel):
            tools.addWidget(widget)
        tools.addStretch(1)
        self._titles = (QLabel("Device"), QLabel("Labels"))
        for label, widget in zip(self._titles, (self._devices, self._labels), strict=True):
            label.setProperty("kind", "secondary")
            label.setBuddy(widget)
            tools.addWidget(label)
            tools.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_on_one_row(self, one_row: bool) -> None:
        """Put menus and tools side by side, or one above the other."""
        direction = QBoxLayout.Direction.LeftToRight if one_row else QBoxLayout.Direction.TopToBottom
        if self._rows.direction() is direction:
            return
        self._rows.setDirection(direction)
        self._line.setVisible(not one_row)
        self._menu_row.setMinimumHeight(TOOL_ROW_HEIGHT if one_row else MENU_ROW_HEIGHT)
        policy = QSizePolicy.Policy.Maximum if one_row else QSizePolicy.Policy.Preferred
        self._menu_row.setSizePolicy(policy, QSizePolicy.Policy.Fixed)
        self._spare_room()

    def _spare_room(self) -> None:
        """Leave out of the tools what the menus have, as much as does not fit, and words that speak for themselves."""
        one_row = self._rows.direction() is QBoxLayout.Direction.LeftToRight
        menus = self.menu_bar.sizeHint().width() + self.workspaces.sizeHint().width() + 4 * SECTION_GAP
        self.find_button.show_words(not one_row and menus + self.find_button.width_with_words <= self.width())
        room = self.width() - (self._menu_row.sizeHint().width() if one_row else 0)
        # In this order. Menus and tools that share a row never have the words, nor what opens a network.
        spare: list[tuple[QWidget, ...]] = [self._titles, (self._buttons[1],)]
        rest: list[tuple[QWidget, ...]] = [(self._devices,), (self._samples,), (self._labels,), (self._buttons[0],)]
        for tools in spare if one_row else ():
            _show(tools, False)
        order = rest if one_row else [spare[0], rest[0], spare[1], *rest[1:]]
        needed = [sum(tool.sizeHint().width() + SECTION_GAP for tool in tools) for tools in order]
        least = _NAME_WIDTH + 2 * PANEL_INSET + 5 * SECTION_GAP
        for place, tools in enumerate(order):
            _show(tools, least + sum(needed[place:]) <= room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many of the tools as have room."""
        super().resizeEvent(event)
        self._spare_room()

    def event(self, event: QEvent) -> bool:
        """Likewise where one of them needs another width."""
        done = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            self._spare_room()
        return done

    def show_devices(self, devices: tuple[str, ...]) -> None:
        """Offer the devices that were found; without any, torch is still starting."""
        self._devices.clear()
        self._devices.addItem("Automatic", "auto")
        for device in devices:
            self._devices.addItem(device.upper(), device)
        self._devices.setEnabled(bool(devices))
        self._devices.setToolTip("Where networks are traced" if devices else "Starting PyTorch…")
        self._on_setup_changed(self._session.setup)

    def show_workspace(self, key: str) -> None:
        """Press the button of the workspace that is shown."""
        self.workspaces.show_choice(key)

    def show_busy(self, busy: bool) -> None:
        """Show or hide Cancel; the words stand in the place of the state."""
        left = self._cancel.hasFocus() and not busy
        self._cancel.setVisible(busy)
        if left:
            # Else Qt gives it to the next control, where the keys that step would choose a device.
            self.keyboard_left.emit()
        if not busy:
            self._on_result_replaced(self._session.result)

    def show_document(self, name: str, words: str) -> None:
        """Show the name of the session's file, or that of the sequences where it has none; and whether it is saved."""
        self._document = (name, words)
        self._on_result_replaced(self._session.result)

    def show_progress(self, words: str) -> None:
        """Say what is being done."""
        if self._cancel.isVisibleTo(self):
            self._state.setText(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell of the first paint once all of the window has been painted.

        Of all widgets this one: what opaque children cover, such as the centre, is never painted itself.
        """
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            self._after_paint.start()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.find_button.apply_theme(theme)
        set_icon(self._samples, Icon.CHEVRON_DOWN, theme, size=10)
        side = scaled(GRID_SIZE)
        for button in self._buttons:
            button.setIconSize(QSize(side, side))
        for line in (self._separator, self._line):
            line.setStyleSheet(f"background: {theme.line};")

    def _on_result_replaced(self, result: Result) -> None:
        document, words = self._document
        title = result.sequences.title or "Sequence"
        self._name.setText(document or title)
        source = result.setup.data.source
        self._name.hint = f"{title}\n{source}" if document else source
        name = Path(source).name
        file = name if Path(source).suffix and name != title and not document else ""
        self._state.setText(" · ".join(part for part in (file, words) if part))

    def _on_setup_changed(self, setup: Setup) -> None:
        self._devices.setCurrentIndex(max(0, self._devices.findData(setup.device)))

    def _on_view_changed(self, after: View, _: View) -> None:
        self._labels.show_choice(str(after.labels))

    def _on_device_chosen(self, index: int) -> None:
        self._session.change("Change the device", device=str(self._devices.itemData(index)))

    def _on_labels_chosen(self, key: str) -> None:
        self._session.look(labels=Labels(key))


def _show(tools: tuple[QWidget, ...], on: bool) -> None:
    for tool in tools:
        tool.setVisible(on)
