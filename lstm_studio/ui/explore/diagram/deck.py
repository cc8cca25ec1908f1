"""The diagrams of all networks side by side, or one at a time where that does not fit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Phase
from lstm_studio.networks.wiring import HEIGHT
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.explore.diagram.scene import EDGE
from lstm_studio.ui.explore.diagram.state import DiagramState
from lstm_studio.ui.explore.diagram.view import DiagramView
from lstm_studio.ui.explore.diagram.words import header_note
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme, header_height
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.tab_order import put_after
from lstm_studio.ui.widgets.text import ElidedLabel, label

SMALLEST, LARGEST = 0.8, 1.6
"""Scales of a diagram."""
_SHARE = 0.335
"""Of the workspace's height that the diagrams may take where they could be larger."""
_UNKNOWN_WIDTH = 376.0
"""Local units for a network without a diagram."""
_LOW_BUTTONS = "QPushButton { min-height: 18px; padding: 0 7px; }"
"""So that a choice fits into a header."""
_FORWARD, _BACKWARD = "forward", "backward"


class _Note(ElidedLabel):
    """What is left out where hardly any of it fits."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, unless most of it would be missing."""
        if self.width() >= self.fontMetrics().horizontalAdvance(self.text()) / 2:
            super().paintEvent(event)


class DiagramCard(QWidget):
    """One diagram with its header."""

    direction_requested = Signal(bool)
    """Whether the direction that reads from the end is to be shown."""

    def __init__(self, look: DiagramLook, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = look.theme
        self.setAccessibleName("Diagram")
        self._badge = Badge(theme)
        self._title = label(kind="title")
        self._note = _Note(kind="caption")
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.direction = Segments("Direction", {_FORWARD: "→", _BACKWARD: "←"})
        self.direction.button(_FORWARD).setToolTip("The direction that reads from the beginning")
        self.direction.button(_BACKWARD).setToolTip("The direction that reads from the end")
        self.direction.setStyleSheet(_LOW_BUTTONS)
        self.direction.chosen.connect(self._choose_direction)
        self.view = DiagramView(look, self)
        self._empty = EmptyState(theme, "")
        self._head_row = head = QHBoxLayout()
        head.setContentsMargins(PANEL_INSET, 0, PANEL_INSET, 0)
        head.setSpacing(GRID)
        head.addWidget(self._badge)
        head.addWidget(self._title)
        head.addWidget(self.direction)
        head.addWidget(self._note, 1)
        self._head = QWidget()
        self._head.setLayout(head)
        self._head.setFixedHeight(header_height())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(self.view, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._empty, 1)

    @property
    def note(self) -> str:
        """What the header says beside the title."""
        return self._note.text()

    @property
    def message(self) -> str:
        """What stands in place of a diagram."""
        return self._empty.text()

    def apply(self, state: DiagramState) -> None:
        """Show a state."""
        plan = state.plan
        before = self.view.state
        self.view.apply(state)
        if before is None or before.plan is not plan:
            self._badge.show_badge(*plan.badge)
            self._title.setText(plan.title)
            self.setAccessibleName(plan.title)
            # One choice is enough: the networks follow it together.
            self.direction.setVisible(plan.directions > 1 and plan.shown.network == 0)
            self.direction.show_choice(_BACKWARD if plan.shown.backward else _FORWARD)
            self._empty.setText(
                f"{plan.shown.info.title} does not say how it is wired, so there is no diagram of it. "
                "Its signals are in the plots below."
            )
            self._empty.setVisible(plan.wiring is None)
            self.view.setVisible(plan.wiring is not None)
        said = (plan, state.unit, state.whose)
        if before is None or before.order is not state.order or (before.plan, before.unit, before.whose) != said:
            note = header_note(state)
            self._note.setText(note)
            self._note.setAccessibleName(note)

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in another theme, or for another scale."""
        self._head.setFixedHeight(header_height())
        self._badge.apply_theme(look.theme)
        self._empty.apply_theme(look.theme)
        self.view.apply_look(look)
        self.view.setFixedSize(self.view.sizeHint())

    def fit(self) -> None:
        """Give the diagram the size that it has at its scale."""
        self.view.setFixedSize(self.view.sizeHint())

    def leave_room(self, width: int) -> None:
        """Leave the right end of the header free."""
        self._head_row.setContentsMargins(PANEL_INSET, 0, PANEL_INSET + width, 0)

    def _choose_direction(self, key: str) -> None:
        self.direction_requested.emit(key == _BACKWARD)


class DiagramDeck(QWidget):
    """A card for each network.

    The diagrams have one scale, between 0.8 and 1.6, as large as width and height allow. Where they do not fit side by
    side at the smallest, one is shown at a time, and buttons in its header change to another.

    Parameters
    ----------
    theme
        Where colours come from.
    """

    unit_requested = Signal(str, int)
    phase_requested = Signal(Phase)
    direction_requested = Signal(bool)
    value_dragged = Signal(int, str, int, int, float)
    """Index of the network, name of the signal, unit, step, and the value to which it was dragged."""
    value_requested = Signal(int, str, int, int)
    """Index of the network, name of the signal in its layer, unit and step of a value that is to be typed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Diagrams")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._look = DiagramLook(theme)
        self._states: tuple[DiagramState, ...] = ()
        self._room = 0
        self._chosen = 0
        self.cards: list[DiagramCard] = []
        self.tabs: Segments | None = None
        self._tab_names: tuple[str, ...] = ()

    @property
    def scale(self) -> float:
        """Pixels per local unit."""
        return self._look.scale

    @property
    def side_by_side(self) -> bool:
        """Whether all diagrams fit at the smallest scale."""
        return len(self._states) < 2 or self.width() >= self._needed(SMALLEST)

    def apply(self, states: Sequence[DiagramState]) -> None:
        """Show a state for each network."""
        before, self._states = self._states, tuple(states)
        # Before it has a place it would draw everything only to draw it again at another scale.
        if self._room:
            self._show(before)

    def _show(self, before: Sequence[DiagramState]) -> None:
        states = self._states
        while len(self.cards) < len(states):
            self._add_card()
        for card, state in zip(self.cards, states, strict=False):
            card.apply(state)
        if len(before) != len(states) or any(
            old.plan is not new.plan for old, new in zip(before, states, strict=False)
        ):
            self._chosen = min(self._chosen, max(0, len(states) - 1))
            self._arrange()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._look = DiagramLook(theme, self._look.scale)
        for card in self.cards:
            card.apply_look(self._look)
        self.update()

    def fit_into(self, height: int) -> None:
        """Take so much of a workspace's height as suits it."""
        if height != self._room:
            first, self._room = not self._room, height
            self._arrange()
            if first:
                self._show(())

    def _add_card(self) -> None:
        card = DiagramCard(self._look, self)
        card.view.unit_requested.connect(self.unit_requested)
        card.view.phase_requested.connect(self.phase_requested)
        card.view.value_dragged.connect(self.value_dragged)
        card.view.value_requested.connect(self.value_requested)
        card.direction_requested.connect(self.direction_requested)
        card.show()
        last = self.cards[-1].view if self.cards else self
        put_after(last, card.direction.button(_FORWARD), card.direction.button(_BACKWARD), card.view)
        self.cards.append(card)

    def free_corner(self, size: QSize) -> QRect | None:
        """Return where in the upper right corner something so large hides no measured value; None if nowhere.

        Below the titles rather than over them. What is free is mostly the sky of a cell without a long-term path.
        """
        taken = [] if self.tabs is None else [self.tabs.geometry()]
        for view in (card.view for card in self.cards if card.isVisibleTo(self)):
            for mark in view.diagram.strips.values():
                strip = view.mapFromScene(mark.mapRectToScene(mark.boundingRect())).boundingRect()
                taken.append(strip.translated(view.mapTo(self, QPoint())))
        for top in (header_height(), PANEL_INSET):
            place = QRect(QPoint(self.width() - PANEL_INSET - size.width(), top), size)
            if self.rect().contains(place) and not any(map(place.intersects, taken)):
                return place
        return None

    # Layout.

    def _widths(self) -> list[float]:
        wirings = [state.plan.wiring for state in self._states]
        return [2 * EDGE + (_UNKNOWN_WIDTH if wiring is None else wiring.width) for wiring in wirings]

    def _needed(self, scale: float) -> float:
        widths = self._widths()
        return sum(widths) * scale

    def _best_scale(self) -> float:
        widths = self._widths()
        if not widths:
            return 1.0
        by_width = self.width() / (sum(widths) if self.side_by_side else max(widths))
        by_height = (self._room * _SHARE - header_height()) / HEIGHT
        # In hundredths: a window that is resized does not make new fonts for every pixel.
        return int(100 * min(max(min(by_width, by_height), SMALLEST), LARGEST)) / 100

    def _arrange(self) -> None:
        """Choose scale and arrangement for the room there is."""
        scale = self._best_scale()
        if scale != self._look.scale:
            self._look = DiagramLook(self._look.theme, scale)
            for card in self.cards:
                card.apply_look(self._look)
        self.setFixedHeight(self.sizeHint().height())
        widths = self._widths()
        together = self.side_by_side
        spare = (self.width() - self._needed(scale)) / max(1, len(widths))
        left = 0.0
        for index, card in enumerate(self.cards):
            there = index < len(widths) and (together or index == self._chosen)
            card.setVisible(there)
            if not there:
                continue
            card.fit()
            right = left + (widths[index] * scale + spare if together else self.width())
            last = not together or index == len(widths) - 1
            end = self.width() if last else round(right) - 1
            card.setGeometry(round(left), 0, end - round(left), self.height() - 1)
            left = right
        self._show_tabs(not together)
        self.update()

    def _show_tabs(self, on: bool) -> None:
        names = tuple(state.plan.name for state in self._states) if on else ()
        if names != self._tab_names:
            if self.tabs is not None:
                self.tabs.hide()
                self.tabs.deleteLater()
            self.tabs, self._tab_names = None, names
            if names:
                self.tabs = Segments("Diagram", {str(index): name for index, name in enumerate(names)}, self)
                self.tabs.setStyleSheet(_LOW_BUTTONS)
                self.tabs.chosen.connect(self._choose)
                put_after(self, *(self.tabs.button(str(index)) for index in range(len(names))))
                self.tabs.show()
        if self.tabs is not None:
            self.tabs.show_choice(str(self._chosen))
            size = self.tabs.sizeHint()
            top = max(0, (header_height() - size.height()) // 2)
            self.tabs.setGeometry(QRect(self.width() - size.width() - PANEL_INSET, top, size.width(), size.height()))
            self.tabs.raise_()
        for card in self.cards:
            card.leave_room(0 if self.tabs is None else self.tabs.width() + GRID)

    def _choose(self, key: str) -> None:
        self._chosen = int(key)
        self._arrange()

    def sizeHint(self) -> QSize:
        """Return the height at the present scale."""
        return QSize(600, header_height() + HALF_GRID + round(HEIGHT * self._look.scale) + 1)

    def minimumSizeHint(self) -> QSize:
        """Return no width: where it is short, one diagram is shown at a time."""
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose scale and arrangement anew."""
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the ground, and the lines between the cards and below them."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._look.theme.panel))
        colour = QColor(self._look.theme.line)
        painter.fillRect(0, self.height() - 1, self.width(), 1, colour)
        if self.side_by_side:
            for card in self.cards[: len(self._states) - 1]:
                painter.fillRect(card.geometry().right() + 1, 0, 1, self.height(), colour)
        painter.end()
