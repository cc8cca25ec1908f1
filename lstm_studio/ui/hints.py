"""Three hints for whoever opens the program for the first time: a card beside the place it speaks of, and a ring there.

They take no focus and block nothing: one can play while they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from lstm_studio.ui.theme import CARD_RADIUS, GRID, PANEL_INSET, Theme, scaled
from lstm_studio.ui.widgets.said import say
from lstm_studio.ui.widgets.text import plain

_WIDTH = 320
"""Pixels of a card at 100 %."""
_AWAY = 12
"""Pixels between a card and the place it speaks of."""
_RING = 2
_MOVED = frozenset({QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Move, QEvent.Type.Resize})


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint.

    Parameters
    ----------
    title, words
        What the card says.
    place
        The widget it speaks of, which may be hidden.
    """

    title: str
    words: str
    place: QWidget


def first_hints(transport: QWidget, plots: QWidget, open_button: QWidget) -> tuple[Hint, ...]:
    """Return the hints of the first start, for the three places that they speak of."""
    return (
        Hint(
            "Press Space, and it plays",
            "The networks read the sequence step by step. The arrow keys go one step on or back; click or drag in any "
            "plot to go anywhere.",
            transport,
        ),
        Hint(
            "One unit, everywhere",
            "Click a row in a plot to choose a unit: all panels show its numbers at the step under the cursor. Compare "
            "how far back the curves at the bottom still reach.",
            plots,
        ),
        Hint(
            "Now your own",
            "Open a table, text, sound or array, or a network of yours, or drop a file here. <b>Ctrl K</b> finds any "
            "command by its name.",
            open_button,
        ),
    )


class Hints(QFrame):
    """The card, shown one hint after the other over a window.

    Parameters
    ----------
    hints
        At least one.
    window
        Over which they are shown.
    home
        The workspace of which they speak: while another one is shown, they wait.
    notices
        What they must not cover: it may offer what was not saved.
    """

    finished = Signal()
    """The last one was read, or they were closed."""
    keyboard_left = Signal()
    """They are gone, and the keyboard was in them."""

    def __init__(self, hints: tuple[Hint, ...], theme: Theme, window: QWidget, home: QWidget, notices: QWidget) -> None:
        super().__init__(window)
        self._home, self._notices = home, notices
        # What a place lies in moves it, too, as where a panel comes back.
        places = (around for hint in hints for around in _up_to(window, hint.place))
        self._watched = tuple(dict.fromkeys((home, notices, *places)))
        for watched in self._watched:
            watched.installEventFilter(self)
        self._hints, self._index = hints, 0
        self._window = window
        self._ring = _Ring(theme, window)
        self.setProperty("kind", "hint")
        self.setAccessibleName("Hint")
        self._title, self._words, self._count = QLabel(), QLabel(), QLabel()
        self._title.setProperty("kind", "title")
        self._count.setProperty("kind", "caption")
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.RichText)
        self.close_button, self.next_button = QPushButton("No more hints"), QPushButton("Next")
        self.close_button.setProperty("kind", "link")
        self.next_button.setProperty("kind", "primary")
        for button in (self.close_button, self.next_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.close_button.clicked.connect(self.end)
        self.next_button.clicked.connect(self.go_on)
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._count)
        foot.addWidget(self.close_button)
        foot.addStretch(1)
        foot.addWidget(self.next_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL_INSET, PANEL_INSET, PANEL_INSET, PANEL_INSET)
        column.setSpacing(GRID)
        column.addLayout(head)
        column.addWidget(self._words)
        column.addLayout(foot)
        self._show_hint()

    @property
    def hint(self) -> Hint:
        """The one that is shown."""
        return self._hints[self._index]

    @property
    def ring(self) -> QRect:
        """Where the ring is in the window; empty while there is none."""
        return self._ring.geometry() if self._ring.isVisible() else QRect()

    @property
    def buttons(self) -> tuple[QPushButton, ...]:
        """What the keyboard reaches, going on first."""
        return self.next_button, self.close_button

    def go_on(self) -> None:
        """Show the next hint; after the last one, end."""
        if self._index + 1 < len(self._hints):
            self._index += 1
            self._show_hint()
        else:
            self.end()

    def end(self) -> None:
        """Take card and ring away."""
        for watched in self._watched:
            watched.removeEventFilter(self)
        focused = QApplication.focusWidget()
        left = focused is not None and self.isAncestorOf(focused)
        self._ring.deleteLater()
        self._ring.hide()
        self.hide()
        self.deleteLater()
        self.finished.emit()
        if left:
            # Else Qt gives it to whatever stands next.
            self.keyboard_left.emit()

    def _show_hint(self) -> None:
        hint, last = self.hint, self._index + 1 == len(self._hints)
        self._title.setText(hint.title)
        self._words.setText(hint.words)
        self._count.setText(f"{self._index + 1} of {len(self._hints)}")
        self.next_button.setText("Done" if last else "Next")
        self.close_button.setVisible(not last)
        self.settle()
        if self.isVisible():
            how = "" if self._index else " Tab leads to the next one, Escape ends them."
            # Not as a description, too: where the keyboard is in the card, both would be heard.
            say(self, f"Hint {self._count.text()}. {hint.title}. {plain(hint.words)}{how}")

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Come and go with the workspace, move with the place, and make room for notices."""
        if event.type() in _MOVED:
            self.settle()
        return False

    def settle(self) -> None:
        """Go beside the place again: the window or its panels have moved."""
        window = self._window
        there = self._home.isVisible()
        self.setVisible(there)
        if not there:
            self._ring.hide()
            return
        place = self.hint.place
        width = min(scaled(_WIDTH), window.width() - 2 * _AWAY)
        self.setFixedSize(width, self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height())
        if not place.isVisible():
            self._ring.hide()
            self.raise_()
            self.move(window.rect().center() - self.rect().center())
            return
        room = QRect(place.mapTo(window, QPoint()), place.size())
        self._ring.setGeometry(room.adjusted(-_RING, -_RING, _RING, _RING).intersected(window.rect()))
        self._ring.show()
        self._ring.raise_()
        self.raise_()
        at = _beside(room, self.rect(), window.rect())
        if self._notices.isVisibleTo(window):
            taken = QRect(self._notices.mapTo(window, QPoint()), self._notices.size())
            at = _clear_of(taken, QRect(at, self.size()), window.rect())
        self.move(at)

    def apply_theme(self, theme: Theme) -> None:
        """Draw the ring in another theme, and the card at another size of text."""
        self._ring.theme = theme
        self._ring.update()
        self.settle()


def _up_to(window: QWidget, place: QWidget) -> list[QWidget]:
    """Return a place and everything that it lies in, within a window."""
    around: list[QWidget] = []
    inside: QWidget | None = place
    while inside is not None and inside is not window:
        around.append(inside)
        inside = inside.parentWidget()
    return around


def _beside(place: QRect, card: QRect, window: QRect) -> QPoint:
    """Return where a card goes: below the place, else above it, else over its middle; always within the window."""
    if place.bottom() + _AWAY + card.height() < window.bottom():
        y = place.bottom() + _AWAY
    elif place.top() - _AWAY - card.height() > window.top():
        y = place.top() - _AWAY - card.height()
    else:
        y = place.center().y() - card.height() // 2
    x = place.center().x() - card.width() // 2
    return QPoint(
        max(_AWAY, min(x, window.width() - card.width() - _AWAY)),
        max(_AWAY, min(y, window.height() - card.height() - _AWAY)),
    )


def _clear_of(taken: QRect, card: QRect, window: QRect) -> QPoint:
    """Return where a card goes that must not cover something: to the left of it, else above it, if it can."""
    left = card.translated(min(0, taken.left() - _AWAY - card.right()), 0)
    above = card.translated(0, min(0, taken.top() - _AWAY - card.bottom()))
    for place in (card, left, above):
        if not place.intersects(taken) and window.contains(place):
            return place.topLeft()
    return card.topLeft()


class _Ring(QWidget):
    """A line around a place, which lets the mouse through."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.theme.focus), _RING))
        inside = QRectF(self.rect()).adjusted(_RING / 2, _RING / 2, -_RING / 2, -_RING / 2)
        painter.drawRoundedRect(inside, CARD_RADIUS, CARD_RADIUS)
        painter.end()
