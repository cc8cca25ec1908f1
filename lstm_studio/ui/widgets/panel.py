"""What every panel of a dock is: a scrolling column that redraws what changed."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from lstm_studio.ui.theme import GRID, PANEL_INSET, SECTION_GAP

State = TypeVar("State")

_NARROWEST = 208
_LOWEST = 96


class Panel(QWidget, Generic[State]):
    """A panel that draws a frozen state: resolve it from the session, compare, apply what changed.

    Subclasses implement :meth:`_resolve` and :meth:`_apply`, and call :meth:`refresh` when the session tells.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._state: State | None = None
        self._body = _Body(self)
        self.column = QVBoxLayout(self._body)
        self.column.setContentsMargins(PANEL_INSET, SECTION_GAP, PANEL_INSET, SECTION_GAP)
        self.column.setSpacing(SECTION_GAP)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setAccessibleName(f"{name}, scrolling")
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setWidget(self._body)
        # setWidget makes the body paint the window's colour over that of the dock.
        self._body.setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)
        self._scroll.verticalScrollBar().rangeChanged.connect(self._keep_width)
        self._place = 0

    def refresh(self) -> None:
        """Draw what the session holds now."""
        state, before = self._resolve(), self._state
        if state != before:
            self._state = state
            self._apply(state, before)

    def reveal(self, part: QWidget, area: QRect | None = None) -> None:
        """Scroll so that as much of a part, or of an area of it, as possible can be seen."""
        # What was just unfolded has no place yet, and the body not the height for it.
        self.column.activate()
        self._body.resize(self._body.width(), self._body.sizeHint().height())
        bar, room = self._scroll.verticalScrollBar(), self._scroll.viewport().height()
        shown = area or part.rect()
        top = part.mapTo(self._body, shown.topLeft()).y()
        lowest = min(top, top + shown.height() - room + GRID)
        # Of a part, its end; an area, for example a line among others, moves no more than it has to.
        bar.setValue(lowest if area is None else max(lowest, min(bar.value(), top)))

    @property
    def scrolled(self) -> int:
        """How far it is scrolled, in pixels."""
        return self._scroll.verticalScrollBar().value()

    def scroll_to(self, place: int) -> None:
        """Scroll to where it was, when what was just shown or resized has been laid out."""
        self._place = place
        QTimer.singleShot(0, self, self._go_to_place)

    def _go_to_place(self) -> None:
        self._scroll.verticalScrollBar().setValue(self._place)

    def _keep_width(self, _first: int, last: int) -> None:
        """Let the bar stand in the margin: nothing else moves as it comes and goes, for example from phase to phase."""
        taken = min(self._scroll.verticalScrollBar().sizeHint().width(), PANEL_INSET) if last else 0
        if taken != PANEL_INSET - self.column.contentsMargins().right():
            self.column.setContentsMargins(PANEL_INSET, SECTION_GAP, PANEL_INSET - taken, SECTION_GAP)
            # Before anything is drawn at the width of before.
            self.column.activate()

    def sizeHint(self) -> QSize:
        """Return the size at which nothing scrolls."""
        return self._body.sizeHint()

    @property
    def more_height(self) -> int:
        """How much higher than that it has to be at the width that it has, where text takes more lines."""
        # The bar stands in the margin, and would not be there.
        width = self.width() - (PANEL_INSET - self.column.contentsMargins().right())
        needed = self.column.totalHeightForWidth(width) if self.column.hasHeightForWidth() else 0
        return max(0, needed - self.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return a width at which nothing is clipped, and a height from which it scrolls."""
        needed = self._body.minimumSizeHint()
        width = needed.width() + PANEL_INSET - self.column.contentsMargins().right()
        return QSize(max(_NARROWEST, width), min(_LOWEST, needed.height()))

    def _resolve(self) -> State:
        raise NotImplementedError

    def _apply(self, state: State, before: State | None) -> None:
        raise NotImplementedError


class _Body(QWidget):
    """The scrolled column. Through a scroll area no layout hears that it needs more room; so it tells the panel."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__()
        self._panel = panel
        self._told = QSize()

    def event(self, event: QEvent) -> bool:
        """Have the panel measured again where it needs more room or less, not for every text that changes."""
        done = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest and self.sizeHint() != self._told:
            self._told = self.sizeHint()
            self._panel.updateGeometry()
        return done
