"""The parts of a diagram as widgets for screen readers, which see nothing of what a scene draws."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QGraphicsView, QLabel

from lstm_studio.ui.explore.diagram.scene import DiagramScene
from lstm_studio.ui.explore.diagram.words import kind_words, part_words

REST = 150
"""Milliseconds after the last step until the names follow: while steps are played nobody could listen to them all."""


class PartLabels(QObject):
    """Lays a label that draws nothing over each part of a diagram, as soon as a screen reader listens.

    Parameters
    ----------
    view
        On the diagram; it has the labels.
    diagram
        Whose parts they name, in the order in which the keyboard goes through them.
    """

    def __init__(self, view: QGraphicsView, diagram: DiagramScene) -> None:
        super().__init__(view)
        self._view, self._diagram = view, diagram
        self._labels: list[QLabel] = []
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(self._show)

    def follow(self) -> None:
        """Name the parts as they are now, when the steps come to rest."""
        if QAccessible.isActive():
            self._rest.start()

    def _show(self) -> None:
        parts, state = self._diagram.parts(), self._diagram.state
        for label in self._labels[len(parts) :]:
            label.deleteLater()
        del self._labels[len(parts) :]
        while len(self._labels) < len(parts):
            self._labels.append(self._made())
        if state is None:
            return
        for label, part in zip(self._labels, parts, strict=True):
            label.setGeometry(self._view.mapFromScene(self._diagram.rect_of(part)).boundingRect())
            words = part_words(part, state)
            if words != label.accessibleName():
                label.setAccessibleName(words)
                label.setAccessibleDescription(kind_words(part))

    def _made(self) -> QLabel:
        label = QLabel(self._view.viewport())
        # All that a mouse does is the diagram's.
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        label.show()
        return label
