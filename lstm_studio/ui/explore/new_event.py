"""New events at the end of the sequence: clicked, typed or drawn, and taken back."""

from __future__ import annotations

import math
import re

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from lstm_studio.networks.signals import INPUT, Labels
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.session.state import Event, Result
from lstm_studio.ui.explore.event_pad import EventPad
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import HALF_GRID, Theme
from lstm_studio.ui.widgets.text import label

_LOOKED_AT = 200
_SEPARATORS = re.compile(r"[\s;,]+")


class UnreadableEventError(ValueError):
    """What was typed is no event; the message says why and what to type."""


def parse_symbols(text: str, names: tuple[str, ...]) -> tuple[int, ...]:
    """Read symbols: one that is called like the whole text, several between spaces, or letter by letter.

    Raises
    ------
    UnreadableEventError
        If any of them is not a symbol of the sequences.
    """
    if text in names:
        return (names.index(text),)
    words = text.split()
    if not words or any(word not in names for word in words):
        words = [letter for letter in text if letter in names or not letter.isspace()]
    unknown = next((word for word in words if word not in names), None)
    if unknown is not None or not words:
        known = " ".join(names[:12]) + (" …" if len(names) > 12 else "")
        raise UnreadableEventError(f"{unknown or 'Nothing'} is no symbol here. Type one of {known}")
    return tuple(names.index(word) for word in words)


def parse_numbers(text: str, count: int) -> Event:
    """Read as many numbers as there are features, between spaces, commas or semicolons.

    A single number may have a decimal comma.

    Raises
    ------
    UnreadableEventError
        If there are more or fewer, or one is not a finite number.
    """
    text = text.strip().replace("−", "-")
    words = [text.replace(",", ".")] if count == 1 else [word for word in _SEPARATORS.split(text) if word]
    if len(words) != count or not text:
        found = len(words) if text else 0
        raise UnreadableEventError(f"{format_count(found)} of {format_count(count)} numbers. Type all, between spaces")
    values = []
    for word in words:
        try:
            value = float(word)
        except ValueError:
            raise UnreadableEventError(f"{word} is not a number. Type digits, for example −0.5") from None
        if not math.isfinite(value):
            raise UnreadableEventError(f"{word} is not finite. Type a finite number")
        values.append(value)
    return tuple(values)


class NewEvent(QWidget):
    """A field to type in, a pad to draw in for quantities, and a button that removes what was added last."""

    added = Signal(tuple)
    """The new event, raw."""
    removed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._names: tuple[str, ...] = ()
        self._symbols = False
        self._last: Event = ()
        self._result: Result | None = None
        self._ranges: tuple[SequenceSet | None, np.ndarray[tuple[int, int], np.dtype[np.float64]]] = (
            None,
            np.zeros((2, 0)),
        )
        self._title = label(kind="title")
        self._field, self._add = QLineEdit(), QPushButton("Add")
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._feature = QComboBox()
        self._feature.setAccessibleName("Variable to draw")
        self._feature.setToolTip("The variable that is drawn below")
        self._pad = EventPad(theme)
        self._remove = QPushButton("Remove last")
        self._remove.setProperty("kind", "link")
        self._count = label(kind="caption")
        typing = QHBoxLayout()
        typing.setSpacing(HALF_GRID)
        typing.addWidget(self._field, 1)
        typing.addWidget(self._add)
        for part in (self._remove, self._count):
            # What is below must not move under the mouse when the first event is added.
            policy = part.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            part.setSizePolicy(policy)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._count)
        head.addWidget(self._remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID + 2)
        layout.addLayout(head)
        layout.addLayout(typing)
        layout.addWidget(self._problem)
        layout.addWidget(self._feature)
        layout.addWidget(self._pad)
        self._field.returnPressed.connect(self._type)
        self._field.textEdited.connect(self._problem.hide)
        self._add.clicked.connect(self._type)
        self._pad.drawn.connect(self._draw)
        self._feature.currentIndexChanged.connect(self._show_pad)
        self._remove.clicked.connect(self.removed)

    @property
    def field(self) -> QLineEdit:
        """Where events are typed."""
        return self._field

    @property
    def pad(self) -> EventPad:
        """Where values are drawn."""
        return self._pad

    @property
    def problem(self) -> str:
        """What is wrong with what was typed, or nothing."""
        return "" if self._problem.isHidden() else self._problem.text()

    def show_result(self, result: Result, labels: Labels) -> None:
        """Show the end of another sequence."""
        names, symbols = result.sequences.names, result.sequence.symbols is not None
        self._result = result
        word = INPUT.label(labels).lower()
        self._title.setText(f"New {word}")
        self._add.setAccessibleName(f"Add the {word}")
        self._add.setToolTip(f"Add the {word} after the last step, and step to it")
        self._field.setAccessibleName(f"New {word}")
        if symbols:
            hint = "symbol, or several"
        else:
            hint = names[0] if len(names) == 1 else f"{format_count(len(names))} numbers"
        self._field.setPlaceholderText(hint)
        if names != self._names or symbols != self._symbols:
            self._names, self._symbols = names, symbols
            self._problem.hide()
            self._feature.blockSignals(True)
            self._feature.clear()
            self._feature.addItems(list(names))
            self._feature.blockSignals(False)
        self._feature.setVisible(not symbols and len(names) > 1)
        self._pad.setVisible(not symbols)
        added = len(result.setup.events)
        self._remove.setVisible(added > 0)
        self._count.setVisible(added > 0)
        self._count.setText(f"{format_count(added)} added")
        raw = result.sequence.raw
        assert raw is not None  # noqa: S101 - Sequence fills it
        self._last = tuple(float(value) for value in raw[-1]) if len(raw) else (0.0,) * len(names)
        if not symbols:
            self._show_pad()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self._problem.setStyleSheet(f"color: {theme.error};")
        self._pad.apply_theme(theme)

    def _show_pad(self) -> None:
        if self._result is None or self._symbols:
            return
        feature = max(0, self._feature.currentIndex())
        low, high = self._range_of(feature)
        raw = self._result.sequence.raw
        assert raw is not None  # noqa: S101 - Sequence fills it
        self._pad.show_feature(np.asarray(raw[-64:, feature], np.float64), low, high)

    def _range_of(self, feature: int) -> tuple[float, float]:
        """Return the raw range of a feature in the first sequences of the set, with a tenth to spare."""
        assert self._result is not None  # noqa: S101 - asked for only while something is shown
        sequences = self._result.sequences
        if self._ranges[0] is not sequences:
            stacked = [np.asarray(sequence.raw, np.float64) for sequence in sequences[:_LOOKED_AT] if sequence.steps]
            finite = [np.where(np.isfinite(raw), raw, 0.0) for raw in stacked]
            lows = np.min([raw.min(axis=0) for raw in finite], axis=0)
            highs = np.max([raw.max(axis=0) for raw in finite], axis=0)
            self._ranges = (sequences, np.array([lows, highs]))
        low, high = (float(limit) for limit in self._ranges[1][:, feature])
        spare = (high - low) / 10 or 1.0
        return low - spare, high + spare

    def _type(self) -> None:
        text = self._field.text()
        try:
            if self._symbols:
                events = [self.one_hot(index) for index in parse_symbols(text, self._names)]
            else:
                events = [parse_numbers(text, len(self._names))]
        except UnreadableEventError as problem:
            self._problem.setText(f"✗ {problem}")
            self._problem.show()
            return
        self._problem.hide()
        # Not cleared, which the field could undo: what was typed has become an event, and undo takes that back.
        self._field.setText("")
        for event in events:
            self._emit(event)

    def one_hot(self, index: int) -> Event:
        """Return the event of a symbol."""
        return tuple(float(other == index) for other in range(len(self._names)))

    def _draw(self, value: float) -> None:
        """Add the last event again, with another value for the drawn feature."""
        feature = max(0, self._feature.currentIndex())
        event = list(self._last)
        event[feature] = value
        self._emit(tuple(event))

    def _emit(self, event: Event) -> None:
        self._last = event
        self.added.emit(event)
