"""The editor of stop conditions: each reads as a sentence, and at the bottom it says how many steps they meet."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.networks.signals import INPUT, Labels
from lstm_studio.session.conditions import Condition, Quantifier, Relation, StopWhen, suggested
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.condition_words import RELATIONS, Choice, choices, is_single
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.numbers import format_count, format_tick
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

MOST = 8
"""Conditions at once; more nobody can read."""
_EITHER, _EVERY = "either", "every"
_MOST_LISTED = 14
_ARROW = 10
_UNIT_WORDS = {
    Quantifier.ANY: "any unit’s",
    Quantifier.ALL: "every unit’s",
    Quantifier.MEAN: "the mean",
    Quantifier.ONE: "the selected unit’s",
}
_FEATURE_WORDS = {
    Quantifier.ANY: "any feature of the",
    Quantifier.ALL: "every feature of the",
    Quantifier.MEAN: "the mean",
    Quantifier.ONE: "the first feature of the",
}


def read_threshold(text: str) -> float | None:
    """Return the number that was typed, or None where it is none; a decimal comma and a true minus are allowed."""
    try:
        value = float(text.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class _Lines(QStyledItemDelegate):
    """Lines as high as those of a menu."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size of a line."""
        size = super().sizeHint(option, index)
        return QSize(size.width(), size.height() + GRID)


class _Row(QWidget):
    """One condition."""

    changed = Signal()
    removed = Signal(int)

    def __init__(self, theme: Theme, index: int) -> None:
        super().__init__()
        self.index = index
        self.condition = Condition("")
        self._choices: tuple[Choice, ...] = ()
        name = f"Condition {index + 1}"
        self.quantifier, self.signal, self.relation = QComboBox(), QComboBox(), QComboBox()
        self.number = QLineEdit()
        self.remove = QToolButton()
        for widget, words in (
            (self.quantifier, "units"),
            (self.signal, "signal"),
            (self.relation, "comparison"),
            (self.number, "number"),
        ):
            widget.setAccessibleName(f"{name}: {words}")
            # On Linux a combo box is called by what is chosen in it.
            widget.setAccessibleDescription(f"{name}: {words}")
        self.signal.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.signal.setMinimumContentsLength(24)
        self.signal.setMaxVisibleItems(_MOST_LISTED)
        # Fusion lists as much as the screen holds, whatever the number.
        self.signal.setStyleSheet("QComboBox { combobox-popup: 0; } QComboBox QListView::item { padding-left: 3px; }")
        self.signal.setItemDelegate(_Lines(self.signal))
        for relation in Relation:
            self.relation.addItem(str(relation), relation)
            self.relation.setItemData(self.relation.count() - 1, RELATIONS[relation], Qt.ItemDataRole.ToolTipRole)
        self.number.setToolTip("A number, for example 0.1 or 1e−6")
        self.remove.setProperty("kind", "flat")
        self.remove.setToolTip("Remove this condition")
        self.remove.setAccessibleName(f"Remove {name.lower()}")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(HALF_GRID)
        line.addWidget(self.quantifier)
        line.addWidget(self.signal, 1)
        line.addWidget(self.relation)
        line.addWidget(self.number)
        line.addWidget(self.remove)
        self.quantifier.activated.connect(self._choose)
        self.signal.activated.connect(self._choose)
        self.relation.activated.connect(self._choose)
        self.number.editingFinished.connect(self._choose)
        self.remove.clicked.connect(self._remove)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        set_icon(self.remove, Icon.CROSS, theme, size=_ARROW)
        self.number.setFixedWidth(self.number.fontMetrics().horizontalAdvance("−8.88e−888") + 2 * GRID)

    def show_condition(self, condition: Condition, offered: tuple[Choice, ...]) -> None:
        """Show a condition and what it could be."""
        self.condition = condition
        if offered != self._choices:
            self._choices = offered
            self.signal.clear()
            for choice in offered:
                self.signal.addItem(choice.text)
            view = self.signal.view()
            view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
            view.setMinimumWidth(view.sizeHintForColumn(0) + view.verticalScrollBar().sizeHint().width() + GRID)
        self.signal.setCurrentIndex(self._place(condition))
        words = _FEATURE_WORDS if condition.signal == INPUT.name else _UNIT_WORDS
        self.quantifier.clear()
        for quantifier, text in words.items():
            named = quantifier is Quantifier.ONE and condition.unit is not None
            self.quantifier.addItem(f"unit {condition.unit}’s" if named else text, quantifier)
        self.quantifier.setCurrentIndex(list(words).index(condition.quantifier))
        index = self.signal.currentIndex()
        # A number that stands alone has no units to choose from.
        self.quantifier.setVisible(index < 0 or not offered[index].single)
        self.relation.setCurrentIndex(list(Relation).index(condition.relation))
        if read_threshold(self.number.text()) != condition.threshold:
            self.number.setText(format_tick(condition.threshold))

    def chosen(self) -> Condition | None:
        """Return what the widgets say, or None where the number is none."""
        threshold = read_threshold(self.number.text())
        if threshold is None:
            return None
        relation, quantifier = list(Relation)[self.relation.currentIndex()], self.quantifier.currentData()
        changed = replace(
            self.condition, relation=relation, threshold=threshold, quantifier=Quantifier(quantifier or Quantifier.ANY)
        )
        index = self.signal.currentIndex()
        if index < 0 or index == self._place(self.condition):
            return changed
        choice = self._choices[index]
        one = Quantifier.ONE if choice.unit is not None else None
        left_feature = self.condition.signal == INPUT.name and self.condition.unit is not None
        quantifier = one or (Quantifier.ANY if left_feature else changed.quantifier)
        return replace(
            changed, network=choice.network, signal=choice.signal, unit=choice.unit, quantifier=Quantifier(quantifier)
        )

    def _place(self, condition: Condition) -> int:
        """Return which choice a condition is of, −1 where what is shown has it not."""
        unit = condition.unit if condition.signal == INPUT.name else None
        wanted = (condition.network, condition.signal, unit)
        return next(
            (index for index, each in enumerate(self._choices) if (each.network, each.signal, each.unit) == wanted), -1
        )

    def _choose(self) -> None:
        self.changed.emit()

    def _remove(self) -> None:
        self.removed.emit(self.index)


class StopEditor(QFrame):
    """A pop-up with the conditions; every change is kept at once and can be undone."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._session, self._theme = session, theme
        self._rows: list[_Row] = []
        self._corner = QPoint()
        self._offered: tuple[tuple[Result | None, Labels | None], tuple[Choice, ...]] = ((None, None), ())
        self.setProperty("kind", "popup")
        self.setAccessibleName("Stop when")
        self._join = Segments("Stop when", {_EITHER: "one holds", _EVERY: "all hold"})
        self._place = QVBoxLayout()
        self._place.setSpacing(HALF_GRID + 2)
        self._add = QPushButton("Add a condition")
        self._add.setProperty("kind", "link")
        self._problem, self._count = label(kind="caption"), label(kind="secondary")
        grid = QGridLayout(self)
        grid.setContentsMargins(PANEL_INSET, PANEL_INSET, PANEL_INSET, PANEL_INSET)
        grid.setVerticalSpacing(GRID)
        grid.addWidget(label("Stop playing when", "title"), 0, 0)
        grid.addWidget(self._join, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addLayout(self._place, 1, 0, 1, 2)
        grid.addWidget(self._problem, 2, 0, 1, 2)
        grid.addWidget(self._add, 3, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self._count, 3, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        self._problem.hide()
        self._join.chosen.connect(self._choose_join)
        self._add.clicked.connect(self._add_condition)

    def show_stop(self, stop: StopWhen, hits: int, steps: int) -> None:
        """Show the conditions and how many steps meet them."""
        offered = self._choices()
        while len(self._rows) < len(stop.conditions):
            row = _Row(self._theme, len(self._rows))
            row.changed.connect(self._keep)
            row.removed.connect(self._remove)
            self._rows.append(row)
            self._place.addWidget(row)
        for row, condition in zip(self._rows, stop.conditions, strict=False):
            row.show_condition(condition, offered)
        for index, row in enumerate(self._rows):
            row.setVisible(index < len(stop.conditions))
        self._join.setVisible(len(stop.conditions) > 1)
        self._join.show_choice(_EVERY if stop.every else _EITHER)
        self._add.setEnabled(len(stop.conditions) < MOST)
        self._count.setText(met_words(hits, steps) if stop.conditions else "No condition")
        self._problem.hide()
        self.adjustSize()

    def stand_on(self, corner: QPoint) -> None:
        """Open with the bottom right there, in global coordinates, and grow from there, up and to the left."""
        self._corner = corner
        self.adjustSize()
        self._stand()
        self.show()

    def _stand(self) -> None:
        screen = self.screen().availableGeometry()
        left, top = self._corner.x() - self.width(), self._corner.y() - self.height()
        self.move(max(screen.left(), left), max(screen.top(), top))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stay above the box."""
        super().resizeEvent(event)
        if self.isVisible():
            self._stand()

    def rows(self) -> tuple[_Row, ...]:
        """Return the visible rows."""
        return tuple(row for row in self._rows if not row.isHidden())

    def count_text(self) -> str:
        """Return what it says about the number of steps."""
        return self._count.text()

    def problem_text(self) -> str:
        """Return what is wrong with what was typed, or nothing."""
        return "" if self._problem.isHidden() else self._problem.text()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        for row in self._rows:
            row.apply_theme(theme)

    def _choices(self) -> tuple[Choice, ...]:
        key = (self._session.result, self._session.view.labels)
        if self._offered[0] != key:
            self._offered = (key, choices(*key))
        return self._offered[1]

    def _keep(self) -> None:
        """Take over what the rows say, unless a number is none."""
        stop = self._session.remarks.stop
        chosen = []
        for row in self._rows[: len(stop.conditions)]:
            condition = row.chosen()
            if condition is None:
                self._problem.setText(f"“{row.number.text()}” is not a number. Type digits, for example 0.1 or 1e−6.")
                self._problem.show()
                self.adjustSize()
                return
            single = is_single(self._session.result, condition)
            chosen.append(replace(condition, quantifier=Quantifier.ANY) if single else condition)
        self._problem.hide()
        self._session.remark("Change where playing stops", stop=replace(stop, conditions=tuple(chosen)))

    def _choose_join(self, key: str) -> None:
        stop = self._session.remarks.stop
        self._session.remark("Change where playing stops", stop=replace(stop, every=key == _EVERY))

    def _add_condition(self) -> None:
        stop = self._session.remarks.stop
        new = suggested(self._session.result)
        if new is not None and len(stop.conditions) < MOST:
            changed = replace(stop, conditions=(*stop.conditions, new), on=True)
            self._session.remark("Add a stop condition", stop=changed)

    def _remove(self, index: int) -> None:
        stop = self._session.remarks.stop
        left = (*stop.conditions[:index], *stop.conditions[index + 1 :])
        self._session.remark("Remove a stop condition", stop=replace(stop, conditions=left, on=stop.on and bool(left)))


def count_words(hits: int, steps: int) -> str:
    """Return how many steps of all."""
    return f"{format_count(hits)} of {format_count(steps)} steps" if hits else "No step"


def met_words(hits: int, steps: int) -> str:
    """Return how many steps meet the conditions, as a sentence."""
    return f"{count_words(hits, steps)} {'meet' if hits > 1 else 'meets'} this"
