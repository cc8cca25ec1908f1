"""Errors and notes as cards over the plots: what, where, the cure; they never take the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.session.compute import Request
from lstm_studio.ui.icons import Icon, set_icon, show_icon
from lstm_studio.ui.theme import PANEL_INSET, SECTION_GAP, Theme, scaled
from lstm_studio.ui.widgets.said import say

WIDTH = 400
"""Pixels of a card at 100 %."""
_LONGEST_WORD = 24
"""Letters after which a word may be broken anywhere: nothing else breaks the name of a file."""
NOTE_LASTS = 12_000
"""Milliseconds after which a note goes by itself, unless the mouse rests on it; errors and warnings stay."""
MOST_CARDS = 3
"""Cards on the screen; an older one makes place, so that notices never hide the plots altogether."""


class Level(StrEnum):
    """How serious a notice is."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


_MOVES = {QEvent.Type.LayoutRequest, QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide}
_LONG_WORD = re.compile(rf"[^\s\u200b]{{{_LONGEST_WORD},}}")
_ICONS = {Level.NOTE: Icon.NOTE, Level.WARNING: Icon.TRIANGLE, Level.ERROR: Icon.OCTAGON}


@dataclass(frozen=True, eq=False, slots=True)
class Offer:
    """A way out that one click takes.

    Parameters
    ----------
    text
        On the button.
    request
        What is asked of the worker when it is pressed.
    """

    text: str
    request: Request


@dataclass(frozen=True, eq=False, slots=True)
class Notice:
    """What the user should know.

    Parameters
    ----------
    level
        How serious it is.
    found
        What was found and where.
    cure
        What to do; may be empty.
    details
        What "Copy details" copies beside that, for example a traceback.
    offers
        Cures that a click takes.
    """

    level: Level
    found: str
    cure: str = ""
    details: str = ""
    offers: tuple[Offer, ...] = ()

    @property
    def text(self) -> str:
        """Everything, for the clipboard."""
        return "\n".join(part for part in (self.found, self.cure, self.details) if part)


class NoticeBoard(QWidget):
    """The cards, newest at the bottom; its owner places it with :meth:`settle`."""

    offer_taken = Signal(object)
    """The Offer that was clicked."""
    keyboard_left = Signal()
    """A card with the keyboard in it is gone."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: list[_Card] = []
        self._roomy: QWidget | None = None
        self._free_corner: Callable[[QSize], QRect | None] = _nowhere
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.settle)
        self.setAccessibleName("Notices")
        self._content = QWidget()
        self._content.installEventFilter(self)
        self._layout = QVBoxLayout(self._content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SECTION_GAP)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setAccessibleName("Notices, scrolling")
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setWidget(self._content)
        self._content.setAutoFillBackground(False)
        self.hide()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is shown, oldest first."""
        return tuple(card.notice for card in self._cards)

    @property
    def buttons(self) -> tuple[QAbstractButton, ...]:
        """What the keyboard reaches in the cards, the newest first."""
        return tuple(button for card in reversed(self._cards) for button in card.buttons)

    def show_notice(self, notice: Notice) -> None:
        """Add a card; the same text again only moves to the end."""
        for card in [card for card in self._cards if card.notice.text == notice.text]:
            self._remove(card)
        while len(self._cards) >= MOST_CARDS:
            self._remove(self._cards[0])
        card = _Card(notice, self._theme, self)
        card.closed.connect(self._on_closed)
        card.offer_taken.connect(self._on_offer)
        self._cards.append(card)
        self._layout.addWidget(card)
        self.show()
        self.settle()
        say(self, _spoken(notice), urgent=notice.level is Level.ERROR)

    def dismiss(self) -> bool:
        """Close the newest card; return whether there was one."""
        if not self._cards:
            return False
        self._remove(self._cards[-1])
        return True

    def clear(self) -> None:
        """Close all cards."""
        while self.dismiss():
            pass

    def prefer(self, roomy: QWidget, free_corner: Callable[[QSize], QRect | None]) -> None:
        """Sit where a widget has room to spare, as long as it is seen and has any.

        Parameters
        ----------
        roomy
            The widget.
        free_corner
            Returns where in it something so large hides nothing that matters, None if nowhere.
        """
        self._roomy, self._free_corner = roomy, free_corner
        roomy.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Settle again when a card has found out how high it is, or what has room to spare has changed."""
        if event.type() is QEvent.Type.LayoutRequest and watched is self._content:
            self.settle()
        elif watched is self._roomy and event.type() in _MOVES and self._cards:
            # What lies in it is placed only after that.
            self._later.start()
        return False

    def settle(self) -> None:
        """Sit where nothing is hidden, else in the lower right corner of the parent; what has no room scrolls."""
        parent = self.parentWidget()
        if parent is None or not self._cards:
            return
        inset = 2 * PANEL_INSET
        width, room = min(scaled(WIDTH), parent.width() - inset), parent.height() - inset
        inside = width
        height = self._layout.totalHeightForWidth(inside)
        if height > room:
            inside -= self._scroll.verticalScrollBar().sizeHint().width()
            height = self._layout.totalHeightForWidth(inside)
        seen = min(height, room)
        place = QRect(parent.width() - width - PANEL_INSET, parent.height() - seen - PANEL_INSET, width, seen)
        if self._roomy is not None and self._roomy.isVisible() and (free := self._free_corner(place.size())):
            place = free.translated(self._roomy.mapTo(parent, QPoint()))
        self.setGeometry(place)
        self._scroll.setGeometry(self.rect())
        if self._content.size() != QSize(inside, height):
            self._content.resize(inside, height)
            self._layout.activate()
            # The end of the newest, or where it begins if there is not even room for that.
            self._scroll.verticalScrollBar().setValue(min(self._cards[-1].y(), height - seen))
        self.raise_()

    def apply_theme(self, theme: Theme) -> None:
        """Draw the cards in the colours of a theme."""
        self._theme = theme
        for card in self._cards:
            card.apply_theme(theme)
        self.settle()

    def _remove(self, card: _Card) -> None:
        focused = QApplication.focusWidget()
        left = focused is not None and card.isAncestorOf(focused)
        self._cards.remove(card)
        self._layout.removeWidget(card)
        card.hide()
        card.deleteLater()
        self.setVisible(bool(self._cards))
        self.settle()
        if left:
            # Else Qt gives it to whatever stands next.
            self.keyboard_left.emit()

    def _on_closed(self, card: _Card) -> None:
        # While a dialog runs, a card that was removed is not deleted yet, and its time may come.
        if card in self._cards:
            self._remove(card)

    def _on_offer(self, card: _Card, offer: Offer) -> None:
        self._remove(card)
        self.offer_taken.emit(offer)


class _Card(QFrame):
    closed = Signal(object)
    offer_taken = Signal(object, object)

    def __init__(self, notice: Notice, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        # The style sheet knows three levels by colour; a note is a plain card.
        self.setProperty("kind", "card" if notice.level is Level.NOTE else "notice")
        self.setProperty("level", str(notice.level))
        self.setAccessibleName(f"{notice.level.value}: {notice.text}")
        self._icon = QLabel()
        found = _wrapped(notice.found)
        if notice.level is not Level.NOTE:
            found.setProperty("kind", "title")
        self._close = QToolButton()
        self._close.setProperty("kind", "flat")
        self._close.setToolTip("Close (Escape)")
        self._close.setAccessibleName("Close this notice")
        self._close.clicked.connect(self._on_close)
        head = QHBoxLayout()
        head.setSpacing(SECTION_GAP)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(found, 1)
        head.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PANEL_INSET, SECTION_GAP, SECTION_GAP, SECTION_GAP)
        layout.setSpacing(6)
        layout.addLayout(head)
        if notice.cure:
            layout.addWidget(_wrapped(notice.cure))
        self._offers: dict[QPushButton, Offer] = {}
        buttons = QHBoxLayout()
        buttons.setSpacing(SECTION_GAP)
        for offer in notice.offers:
            button = QPushButton(offer.text)
            button.clicked.connect(self._on_offer)
            self._offers[button] = offer
            buttons.addWidget(button)
        buttons.addStretch(1)
        copies: tuple[QAbstractButton, ...] = ()
        if notice.level is not Level.NOTE:
            copy = QPushButton("Copy details")
            copy.setProperty("kind", "link")
            copy.clicked.connect(self._on_copy)
            buttons.addWidget(copy)
            copies = (copy,)
        layout.addLayout(buttons)
        self.buttons: tuple[QAbstractButton, ...] = (*self._offers, *copies, self._close)
        # Reached with Tab, but a click leaves the keyboard where it was.
        for reachable in self.buttons:
            reachable.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lasts = QTimer(self)
        self._lasts.setSingleShot(True)
        self._lasts.timeout.connect(self._on_close)
        if notice.level is Level.NOTE:
            self._lasts.start(NOTE_LASTS)
        self.apply_theme(theme)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the mouse is here."""
        super().enterEvent(event)
        self._lasts.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go some time after the mouse has gone."""
        super().leaveEvent(event)
        if self.notice.level is Level.NOTE:
            self._lasts.start(NOTE_LASTS)

    def apply_theme(self, theme: Theme) -> None:
        """Draw the icons in the colours of a theme."""
        colour = {Level.NOTE: theme.ink2, Level.WARNING: theme.warning, Level.ERROR: theme.error}[self.notice.level]
        show_icon(self._icon, _ICONS[self.notice.level], colour)
        set_icon(self._close, Icon.CROSS, theme, size=12)

    def _on_close(self) -> None:
        self.closed.emit(self)

    def _on_offer(self) -> None:
        button = self.sender()
        if isinstance(button, QPushButton):
            self.offer_taken.emit(self, self._offers[button])

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.notice.text)


def _nowhere(_size: QSize) -> QRect | None:
    return None


def _spoken(notice: Notice) -> str:
    """Return what is said of a notice: how serious it is, all that can be read, and what can be done with Tab."""
    level = "" if notice.level is Level.NOTE else f"{notice.level.value.capitalize()}."
    offered = f"Tab: {', '.join(offer.text for offer in notice.offers)}." if notice.offers else ""
    return " ".join(part for part in (level, notice.found, notice.cure, offered) if part)


def _broken(word: re.Match[str]) -> str:
    return "\u200b".join(word[0])


def _wrapped(text: str) -> QLabel:
    """Return a label for text that may hold anything, and whose parts can be marked and copied."""
    label = QLabel(_LONG_WORD.sub(_broken, text))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label
