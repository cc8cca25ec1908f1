"""The view that holds all rows, and turns mouse and wheel into intents."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

_NOTCH = 120.0


class Canvas(QGraphicsView):
    """A view without scroll bars whose scene coordinates are its own logical pixels.

    Parameters
    ----------
    parent
        The stack.
    """

    pressed = Signal(QPointF)
    dragged = Signal(QPointF)
    released = Signal()
    marked = Signal(QPointF, QPointF, bool)
    """Where the left button was pressed with Shift, where the mouse is now, and whether it has moved since."""
    hovered = Signal(QPointF)
    left = Signal()
    zoomed = Signal(QPointF, float)
    """Where, and how many notches of the wheel; positive is closer."""
    wheel_panned = Signal(float)
    """Notches; positive is towards the end."""
    drag_panned = Signal(float)
    """Logical pixels since the last one."""
    double_clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setScene(QGraphicsScene(self))
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setMouseTracking(True)
        # A scene takes whatever is dropped on it: files are the window's.
        self.setAcceptDrops(False)
        self.setAccessibleName("Plots on one time cursor")
        self._panning: QPoint | None = None
        self._marking: QPointF | None = None

    def fit(self) -> None:
        """Make one scene unit one logical pixel, with the origin at the top left."""
        self.setSceneRect(QRectF(self.viewport().rect()))

    def viewportEvent(self, event: QEvent) -> bool:
        """Keep a shown tool tip: the view would ask its items for one, find none, and hide it after a second."""
        if event.type() == QEvent.Type.ToolTip:
            event.accept()
            return True
        return super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Scrub with the left button, mark a stretch with Shift and the left one, pan with the middle one."""
        if event.button() == Qt.MouseButton.LeftButton and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._marking = event.position()
            self.marked.emit(self._marking, self._marking, False)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(event.position())
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._panning = event.position().toPoint()
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub, mark, pan or hover."""
        if self._panning is not None:
            here = event.position().toPoint()
            self.drag_panned.emit(float(here.x() - self._panning.x()))
            self._panning = here
        elif self._marking is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.marked.emit(self._marking, event.position(), True)
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(event.position())
        else:
            self.hovered.emit(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a pan or a stretch."""
        if event.button() == Qt.MouseButton.MiddleButton:
            self._panning = None
        elif event.button() == Qt.MouseButton.LeftButton:
            self._marking = None
            self.released.emit()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Ask for the whole sequence."""
        self.double_clicked.emit()

    def leaveEvent(self, _event: QEvent) -> None:
        """Say that the mouse is elsewhere."""
        self.left.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom the time axis; with Shift, or sideways, pan it."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y()):
            self.wheel_panned.emit(-(delta.x() or delta.y()) / _NOTCH)
        else:
            self.zoomed.emit(event.position(), delta.y() / _NOTCH)
        event.accept()
