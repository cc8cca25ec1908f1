"""The form that changes one event of the sequence: another symbol, or other numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget

from lstm_studio.session.emphasis import emphasised_symbols
from lstm_studio.session.state import Branch, Held, Result, View
from lstm_studio.ui.explore.new_event import UnreadableEventError, parse_numbers
from lstm_studio.ui.explore.what_if.form import Form, FormError, Place, step_field, text_field
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.symbols import written
from lstm_studio.ui.widgets.text import label

MOST_FIELDS = 6
"""Features with a field of their own; of more, one is chosen."""


class EventForm(Form):
    """Another event at a step: every network receives it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Edit event")
        self._step = step_field("Step")
        self._symbol = QComboBox()
        self._symbol.setAccessibleName("New symbol")
        self._symbol.setToolTip("The symbol that the networks receive instead")
        self._feature = QComboBox()
        self._feature.setAccessibleName("Variable")
        self._feature.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._numbers = QWidget()
        self._number_grid = QGridLayout(self._numbers)
        self._number_grid.setContentsMargins(0, 0, 0, 0)
        self._number_grid.setHorizontalSpacing(GRID)
        self._number_grid.setVerticalSpacing(HALF_GRID + 2)
        self._number_grid.setColumnStretch(1, 1)
        self._fields: list[QLineEdit] = []
        self._names: tuple[str, ...] = ()
        self._add_row("At step", self._step)
        self._symbol_word = self._add_row("", self._symbol)
        self._feature_word = self._add_row("Variable", self._feature)
        self._add_wide(self._numbers)
        self._step.valueChanged.connect(self._show_step)
        self._feature.activated.connect(self._show_step)

    @property
    def step(self) -> QSpinBox:
        """The field of the step."""
        return self._step

    @property
    def symbol(self) -> QComboBox:
        """The chooser of the symbol."""
        return self._symbol

    @property
    def feature(self) -> QComboBox:
        """The chooser of the variable, where there are many."""
        return self._feature

    @property
    def fields(self) -> tuple[QLineEdit, ...]:
        """The fields of the numbers."""
        return tuple(self._fields)

    def place(self, place: Place) -> None:
        """Begin at another step than the cursor's."""
        self._step.setValue(place.step + 1)

    def _fill(self, result: Result, view: View) -> None:
        sequence = result.sequence
        with QSignalBlocker(self._step):
            self._step.setRange(1, sequence.steps)
            self._step.setValue(min(view.cursor, sequence.steps - 1) + 1)
        one_hot, many = sequence.symbols is not None, sequence.features > MOST_FIELDS
        for part in (self._symbol_word, self._symbol):
            part.setVisible(one_hot)
        for part in (self._feature_word, self._feature):
            part.setVisible(many and not one_hot)
        self._numbers.setVisible(not one_hot)
        chosen = self._feature.currentIndex() if sequence.names == self._names else 0
        for chooser, names in ((self._symbol, map(written, sequence.names)), (self._feature, iter(sequence.names))):
            with QSignalBlocker(chooser):
                chooser.clear()
                chooser.addItems(list(names))
        self._feature.setCurrentIndex(max(0, chosen))
        self._names = sequence.names
        if not one_hot:
            self._make_fields(1 if many else sequence.features)
        self._show_step()

    def _make_fields(self, count: int) -> None:
        while len(self._fields) > count:
            row = len(self._fields) - 1
            for column in (0, 1):
                item = self._number_grid.itemAtPosition(row, column)
                widget = None if item is None else item.widget()
                if widget is not None:
                    self._number_grid.removeWidget(widget)
                    widget.deleteLater()
            self._fields.pop()
        while len(self._fields) < count:
            field = text_field("New value")
            row = len(self._fields)
            self._number_grid.addWidget(label(kind="secondary"), row, 0)
            self._number_grid.addWidget(field, row, 1)
            self._fields.append(field)
        # Else the keyboard would come to new ones after all that was there before them.
        for before, after in pairwise((self._feature, *self._fields, self._add)):
            QWidget.setTabOrder(before, after)

    def _features(self) -> list[int]:
        """Return the features that the fields are for."""
        return (
            [max(0, self._feature.currentIndex())] if len(self._names) > MOST_FIELDS else list(range(len(self._names)))
        )

    def _show_step(self) -> None:
        if self._result is None:
            return
        sequence, step = self._result.sequence, self._step.value() - 1
        if sequence.symbols is not None:
            now = sequence.symbols[step]
            self._symbol_word.setText(f"{written(now)} →")
            # An event of the task where there are some: what changes an answer.
            others = (*emphasised_symbols(self._result.sequences), *sequence.names)
            self._symbol.setCurrentIndex(sequence.names.index(next((one for one in others if one != now), now)))
            return
        for row, (field, feature) in enumerate(zip(self._fields, self._features(), strict=True)):
            item = self._number_grid.itemAtPosition(row, 0)
            word = None if item is None else item.widget()
            if word is not None:
                word.setProperty("text", self._names[feature])
            field.setAccessibleName(f"New value of {self._names[feature]}")
            field.setText(f"{self._raw(step, feature):.6g}")

    def _raw(self, step: int, feature: int) -> float:
        assert self._result is not None  # noqa: S101 - asked for only while something is shown
        raw = self._result.sequence.raw
        assert raw is not None  # noqa: S101 - Sequence fills it
        return float(raw[step, feature])

    def _branch(self) -> Branch:
        if self._result is None:
            raise FormError("There is no sequence. Open one")
        step = self._step.value() - 1
        changes = self._new_symbol(step) if self._result.sequence.symbols is not None else self._new_numbers(step)
        if not changes:
            raise FormError("The sequence has this already. Choose something else")
        return Branch("", step, events=((step, changes),))

    def _new_symbol(self, step: int) -> Held:
        assert self._result is not None  # noqa: S101 - asked for only while something is shown
        before = int(np.argmax(self._result.sequence.values[step]))
        after = self._symbol.currentIndex()
        return () if after == before else ((before, 0.0), (after, 1.0))

    def _new_numbers(self, step: int) -> Held:
        changes = []
        for field, feature in zip(self._fields, self._features(), strict=True):
            if field.text().strip() == f"{self._raw(step, feature):.6g}":
                continue
            try:
                (value,) = parse_numbers(field.text(), 1)
            except UnreadableEventError as problem:
                raise FormError(f"{self._names[feature]}: {problem}") from None
            changes.append((feature, value))
        return tuple(changes)
