"""The view on one diagram: what mouse and keyboard do in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAction, QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication, QFrame, QGraphicsView, QMenu, QToolTip, QWidget

from lstm_studio.networks.signals import Phase
from lstm_studio.networks.wiring import HEIGHT, INPUT_NAME, Side, Strip, Zone
from lstm_studio.ui.explore.diagram.labels import PartLabels
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.explore.diagram.scene import EDGE, DiagramScene
from lstm_studio.ui.explore.diagram.state import DiagramState
from lstm_studio.ui.explore.diagram.strip import StripMark
from lstm_studio.ui.explore.diagram.words import Part, part_words, summary, unit_words
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.widgets.focus_ring import BY_KEYBOARD

_DRAG_FROM = 4
"""Pixels that a press has to move to become a drag."""
_WHOLE_RANGE = 160.0
"""Pixels of a drag from one end of the levels to the other."""
_HOW_TO_CHANGE = "\nWhat if: drag it, or double-click to type"
_MOST_LISTED = 128
_HOW = "Left and Right go through its parts, Return chooses an operation or a unit."
_ON_KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


@dataclass(frozen=True, eq=False, slots=True)
class _Drag:
    """A value that is being chosen: where the press was, and the value there."""

    mark: StripMark
    y: float
    value: float


class DiagramView(QGraphicsView):
    """One diagram at a scale.

    Hovering names what is under the mouse, a click in a strip selects a unit, a click on a pill shows an operation, and
    the selected unit's value can be dragged up and down, or typed after a double click. With the keyboard in it, Left
    and Right go through its parts.
    """

    unit_requested = Signal(str, int)
    """Group and unit."""
    phase_requested = Signal(Phase)
    value_dragged = Signal(int, str, int, int, float)
    """Index of the network, name of the signal, unit, step, and the value to which it was dragged."""
    value_requested = Signal(int, str, int, int)
    """Index of the network, name of the signal in its layer, unit and step of a value that is to be typed."""

    def __init__(self, look: DiagramLook, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.diagram = DiagramScene(look, self)
        self.setScene(self.diagram)
        self._labels = PartLabels(self, self.diagram)
        self._drag: _Drag | None = None
        self._pressed: tuple[QPoint, StripMark | None] | None = None
        self._lent_by: QWidget | None = None
        self._reached = -1
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        # A click leaves the keyboard to the plots, where the arrows step.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.viewport().setMouseTracking(True)
        # A scene takes whatever is dropped on it: files are the window's.
        self.setAcceptDrops(False)
        self.scale(look.scale, look.scale)
        self._paint_ground()

    @property
    def state(self) -> DiagramState | None:
        """What is shown."""
        return self.diagram.state

    def apply(self, state: DiagramState) -> None:
        """Show a state."""
        before = self.state
        self.diagram.apply(state)
        if before is None or before.plan is not state.plan:
            self._drop()
            self._reached = -1
            self.diagram.ring(None)
            self.updateGeometry()
        if self.hasFocus() and self._reached >= 0:
            self._name_reached()
        elif before is None or before.plan is not state.plan:
            self.setAccessibleName(f"Diagram of the {state.plan.title}")
            self.setAccessibleDescription(_HOW)
        if QAccessible.isActive():
            # Its name is that of the part which the keyboard is at.
            self.setAccessibleDescription(f"Diagram of the {state.plan.title}: {self.words()}. {_HOW}")
        self._labels.follow()

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in another theme, or for another scale."""
        rescaled = look.scale != self.diagram.look.scale
        self.diagram.apply_look(look)
        self._paint_ground()
        if rescaled:
            self.resetTransform()
            self.scale(look.scale, look.scale)
            self.updateGeometry()
            self._labels.follow()

    def _paint_ground(self) -> None:
        self.setBackgroundBrush(QColor(self.diagram.look.theme.panel))

    def sizeHint(self) -> QSize:
        """Return the diagram's size at its scale."""
        plan = None if self.state is None else self.state.plan
        width = plan.wiring.width + 2 * EDGE if plan is not None and plan.wiring is not None else 0.0
        scale = self.diagram.look.scale
        return QSize(round(width * scale), round(HEIGHT * scale))

    def words(self) -> str:
        """Return all values that the diagram shows at its step."""
        return "" if self.state is None else summary(self.state)

    # The mouse.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where a click or a drag begins."""
        if event.button() == Qt.MouseButton.RightButton:
            self._drop()
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        at = self._local(event.position())
        self._pressed = (event.position().toPoint(), self._draggable(at))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag a value, or name what is under the mouse."""
        if self._drag is not None:
            self._drag.mark.drag_to(self._dragged_value(event.position().y()))
            return
        if self._pressed is not None:
            start, mark = self._pressed
            moved = abs(event.position().y() - start.y())
            if mark is not None and mark.value is not None and moved >= _DRAG_FROM:
                QToolTip.hideText()
                self._drag = _Drag(mark, float(start.y()), mark.value)
                # For Escape; it goes back to who had it when the drag ends.
                self._lent_by = QApplication.focusWidget()
                self.setFocus(Qt.FocusReason.MouseFocusReason)
                mark.drag_to(self._dragged_value(event.position().y()))
            return
        self._hover(self._local(event.position()), event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Click, or end a drag."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        drag, self._drag = self._drag, None
        pressed, self._pressed = self._pressed, None
        self._return_keyboard()
        if drag is not None:
            value = drag.mark.dragged
            drag.mark.drag_to(None)
            if value is not None and self.state is not None:
                plan = self.state.plan
                name = f"{plan.shown.layer.prefix}.{drag.mark.strip.tap.signal}"
                self.value_dragged.emit(plan.shown.network, name, self.state.unit, self.state.step, value)
        elif pressed is not None and (event.position().toPoint() - pressed[0]).manhattanLength() < 2 * _DRAG_FROM:
            self._click(self._local(event.position()), event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for another value of the selected unit; elsewhere it is another click."""
        mark = self._draggable(self._local(event.position()))
        if event.button() == Qt.MouseButton.LeftButton and mark is not None and self.state is not None:
            plan = self.state.plan
            self._pressed = None
            self.value_requested.emit(plan.shown.network, mark.strip.tap.signal, self.state.unit, self.state.step)
        else:
            self.mousePressEvent(event)

    def leaveEvent(self, _event: QEvent) -> None:
        """Let go of what the mouse was over."""
        self.diagram.hover_pill(None)
        self.viewport().unsetCursor()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Do nothing: a diagram neither zooms nor scrolls."""
        event.ignore()

    def viewportEvent(self, event: QEvent) -> bool:
        """Keep a shown tool tip: the view would ask its items for one, find none, and hide it."""
        if event.type() == QEvent.Type.ToolTip:
            event.accept()
            return True
        return super().viewportEvent(event)

    def _local(self, at: QPointF) -> QPointF:
        return self.viewportTransform().inverted()[0].map(at)

    def _hover(self, at: QPointF, where: QPoint) -> None:
        part = self.diagram.part_at(at)
        self.diagram.hover_pill(part)
        if self._draggable(at) is not None:
            self.viewport().setCursor(Qt.CursorShape.SizeVerCursor)
        elif isinstance(part, Zone | Strip):
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.viewport().unsetCursor()
        text = self.text_at(at)
        if text and self._draggable(at) is not None:
            text += _HOW_TO_CHANGE
        if text:
            QToolTip.showText(where + QPoint(2, 12), text, self.viewport())
        else:
            QToolTip.hideText()

    def text_at(self, at: QPointF) -> str:
        """Return what lies at a point in local units, in words; empty where nothing does."""
        part = self.diagram.part_at(at)
        state = self.state
        if part is None or state is None:
            return ""
        if not isinstance(part, Strip):
            return part_words(part, state)
        mark = self.diagram.strips[part.key]
        local = at - mark.pos()
        if mark.bands is None or not mark.body.adjusted(-4, 0, 4, 0).contains(local):
            return part_words(part, state)
        line = mark.line_at(local)
        members = mark.bands.members(line or 0)
        if len(members) == 1:
            return unit_words(part, state, members[0])
        if not self._has_units(mark):
            features = state.plan.recorded[part.tap.signal].names
            return f"{part_words(part, state)}; mean of {_listed(members, 'features' if features else 'units')}"
        return f"{part_words(part, state)}; mean of {_listed(members)}: click to choose one"

    def _click(self, at: QPointF, where: QPoint) -> None:
        part = self.diagram.part_at(at)
        if isinstance(part, Zone):
            self.phase_requested.emit(part.phase)
        elif isinstance(part, Strip):
            mark = self.diagram.strips[part.key]
            line = mark.line_at(at - mark.pos())
            if line is not None and mark.body.adjusted(-4, -1, 4, 1).contains(at - mark.pos()):
                self._choose(mark, line, where)

    def _choose(self, mark: StripMark, line: int, where: QPoint) -> None:
        """Select the unit of a line; of several, ask which."""
        if mark.bands is not None and self._has_units(mark):
            self._choose_among(mark, mark.bands.members(line), where)

    def _choose_among(self, mark: StripMark, members: tuple[int, ...], where: QPoint) -> None:
        state = self.state
        if state is None:
            return
        if len(members) == 1:
            self.unit_requested.emit(state.plan.shown.group, members[0])
            return
        menu = QMenu(self)
        menu.setAccessibleName(f"Units of {_listed(members)}")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for unit in members[:_MOST_LISTED]:
            words = unit_words(mark.strip, state, unit).partition(", ")[2]
            action = menu.addAction(words[:1].upper() + words[1:])
            action.setData(unit)
        if len(members) > _MOST_LISTED:
            menu.addAction(f"and {format_count(len(members) - _MOST_LISTED)} more, by number in Units").setEnabled(
                False
            )
        menu.triggered.connect(self._on_unit_chosen)
        menu.popup(where)

    def _on_unit_chosen(self, action: QAction) -> None:
        if self.state is not None and action.data() is not None:
            self.unit_requested.emit(self.state.plan.shown.group, int(action.data()))

    def _has_units(self, mark: StripMark) -> bool:
        """Return whether the lines of a strip are units of the layer, not features."""
        if self.state is None:
            return False
        plan = self.state.plan
        found = plan.recorded.get(mark.strip.tap.signal)
        return found is not None and mark.strip.tap.signal != INPUT_NAME and found.values.shape[1] == plan.units

    def _draggable(self, at: QPointF) -> StripMark | None:
        """Return the strip whose selected value is at a point, where it can be held at another."""
        if self.state is None or not self.state.plan.can_hold:
            return None
        for mark in self.diagram.strips.values():
            tap = mark.strip.tap
            if mark.value is None or tap.lag or not self._has_units(mark) or mark.bands is None:
                continue
            local = at - mark.pos()
            on_line = mark.body.adjusted(-2, 0, 2, 0).contains(local) and mark.line_at(local) == mark.bands.marked
            handle = QRectF(mark.value_rect)
            if mark.strip.value is Side.RIGHT:
                handle.setLeft(min(handle.left(), mark.body.right()))
            else:
                handle.setRight(mark.body.left())
            if on_line or (not mark.value_rect.isNull() and handle.contains(local)):
                return mark
        return None

    def _dragged_value(self, y: float) -> float:
        assert self._drag is not None  # noqa: S101 - only called during a drag
        assert self.state is not None  # noqa: S101 - likewise
        low, high = self.state.plan.recorded[self._drag.mark.strip.tap.signal].levels
        value = self._drag.value + (self._drag.y - y) / _WHOLE_RANGE * (high - low)
        # As many digits as a pixel is worth.
        return round(min(max(value, low), high), max(0, math.ceil(2 - math.log10(high - low))))

    def _drop(self) -> None:
        """End a drag without a change."""
        if self._drag is not None:
            self._drag.mark.drag_to(None)
        self._drag = self._pressed = None
        self._return_keyboard()

    def _return_keyboard(self) -> None:
        lender, self._lent_by = self._lent_by, None
        if lender is not None and self.hasFocus():
            lender.setFocus(Qt.FocusReason.OtherFocusReason)

    # The keyboard.

    def event(self, event: QEvent) -> bool:
        """Keep the keys of :meth:`keyPressEvent` from the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            escapes = event.key() == Qt.Key.Key_Escape and self._drag is not None
            held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if held == Qt.KeyboardModifier.NoModifier and (event.key() in _ON_KEYS or escapes):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go through the parts; Return does what a click would; Escape drops a drag."""
        key = Qt.Key(event.key())
        parts = self.diagram.parts()
        if key in _ON_KEYS and parts:
            self._reached = max(0, min(self._reached + _ON_KEYS[key], len(parts) - 1))
            self._name_reached()
            self._show_words(parts[self._reached])
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and 0 <= self._reached < len(parts):
            self._press(parts[self._reached])
        elif key == Qt.Key.Key_Escape and self._drag is not None:
            self._drop()
        else:
            event.ignore()

    def _press(self, part: Part) -> None:
        """Do what a click on a part does; of a strip, ask which of its units."""
        if isinstance(part, Zone):
            self.phase_requested.emit(part.phase)
        elif isinstance(part, Strip):
            mark = self.diagram.strips[part.key]
            if mark.bands is not None and self._has_units(mark):
                self._choose_among(mark, tuple(mark.bands.units.tolist()), self._below(part))

    def _show_words(self, part: Part) -> None:
        """Show what hovering would."""
        if self.state is not None:
            QToolTip.showText(self._below(part), part_words(part, self.state), self.viewport())

    def _below(self, part: Part) -> QPoint:
        return self.viewport().mapToGlobal(self.mapFromScene(self.diagram.rect_of(part).bottomLeft()))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Ring the part that the keyboard is at."""
        super().focusInEvent(event)
        parts = self.diagram.parts()
        if parts and event.reason() in BY_KEYBOARD:
            self._reached = max(0, min(self._reached, len(parts) - 1))
            self._name_reached()
            self._show_words(parts[self._reached])

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.diagram.ring(None)
        QToolTip.hideText()
        if self.state is not None:
            self.setAccessibleName(f"Diagram of the {self.state.plan.title}")

    def _name_reached(self) -> None:
        """Name the part that the keyboard is at, so that a screen reader says it."""
        parts = self.diagram.parts()
        if self.state is None or not 0 <= self._reached < len(parts):
            return
        part = parts[self._reached]
        self.diagram.ring(part)
        self.setAccessibleName(part_words(part, self.state))


def _listed(members: tuple[int, ...], what: str = "units") -> str:
    """Return which units these are: a range where they follow each other."""
    first, last = members[0], members[-1]
    if list(members) == list(range(first, last + 1)):
        return f"{what} {first}–{last}"
    return f"{format_count(len(members))} {what}"
