"""Which units have to be on, and which off: suggested by the stretch, typed as lists, or chosen one by one."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QToolButton, QWidget

from lstm_studio.session.units import UnitsError, read_units, units_text
from lstm_studio.session.wishes import Stance, Suggested, Units
from lstm_studio.ui.explore.similar.query import Query, count_words
from lstm_studio.ui.explore.similar.unit_list import ListedUnits, UnitList
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

_SUGGESTED = {Suggested.ON: "on", Suggested.BOTH: "on and off", Suggested.NONE: "chosen"}
_SUGGESTED_TIPS = {
    Suggested.ON: "All units that are on throughout the stretch",
    Suggested.BOTH: "All that are on throughout it, and all that are off throughout it",
    Suggested.NONE: "Only those that are chosen below",
}
_RESET = "Look for the units that the stretch suggests"


class UnitsChooser(QWidget):
    """A choice of what is suggested, two lists to type, and a list of all units with three words for each."""

    wish_chosen = Signal(object)
    """The Wish with other units."""
    unit_chosen = Signal(int)
    """The unit whose row was chosen."""
    returned = Signal()
    """Return was pressed in a field."""
    judged = Signal()
    """What is typed became a list of units, or is none any more."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._query: Query | None = None
        self._wrong = ""
        self.suggested = Segments("Units", {str(one): words for one, words in _SUGGESTED.items()}, padding=3)
        self.on, self.off = QLineEdit(), QLineEdit()
        self._wrong_words, self._reset = label(kind="caption"), QToolButton()
        self.list = UnitList(theme)
        self.fold = Fold(theme, "", self.list)
        for suggested, tip in _SUGGESTED_TIPS.items():
            self.suggested.button(str(suggested)).setToolTip(tip)
        for field, what in ((self.on, "on"), (self.off, "off")):
            field.setAccessibleName(f"Units that have to be {what}")
            field.setToolTip(f"Units that have to be {what} throughout, as in 3, 5, 8–12")
            field.setMinimumWidth(64)
        self._reset.setProperty("kind", "flat")
        self._reset.setText("Reset")
        self._reset.setAccessibleName(_RESET)
        self._reset.setToolTip(_RESET)
        self._wrong_words.setWordWrap(True)
        self._lay_out()
        self.suggested.chosen.connect(self._choose_suggested)
        self.on.textEdited.connect(self.type_on)
        self.off.textEdited.connect(self.type_off)
        for field in (self.on, self.off):
            field.editingFinished.connect(self._finish_typing)
            field.returnPressed.connect(self.returned)
        self._reset.clicked.connect(self._forget)
        self.list.stance_chosen.connect(self._choose_stance)
        self.list.unit_chosen.connect(self.unit_chosen)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        both = QHBoxLayout()
        both.setSpacing(HALF_GRID + 2)
        both.addWidget(self.on, 1)
        both.addWidget(label("Off", "secondary"))
        both.addWidget(self.off, 1)
        grid.addWidget(label("Units", "secondary"), 0, 0)
        grid.addWidget(self.suggested, 0, 1)
        grid.addWidget(label("On", "secondary"), 1, 0)
        grid.addLayout(both, 1, 1)
        grid.addWidget(self._wrong_words, 2, 0, 1, 2)
        grid.addWidget(self.fold, 3, 0, 1, 2)
        grid.addWidget(self._reset, 3, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)

    @property
    def wrong(self) -> str:
        """Why what is typed is no list of units; empty where it is one."""
        return self._wrong

    @property
    def words(self) -> str:
        """How many units are looked for, or why that cannot be done."""
        return self._wrong_words.text() or self.fold.title

    def align(self, width: int) -> None:
        """Leave so much room for the words at the left."""
        layout = self.layout()
        assert isinstance(layout, QGridLayout)  # noqa: S101 - made above
        layout.setColumnMinimumWidth(0, width)

    def show_query(self, query: Query, listed: ListedUnits | None, unit: int) -> None:
        """Show what is looked for, and the units that it is about."""
        self._query = query
        self._show_words()
        marked = query.stretch is not None
        self.fold.setVisible(marked)
        self.list.show_units(listed, unit)
        for part in (self.suggested, self.on, self.off):
            part.setEnabled(query.choice is not None)

    def _show_words(self) -> None:
        query = self._query
        if query is None:
            return
        wish = query.wish
        by_hand = wish.suggested is Suggested.NONE or bool(wish.by_hand)
        self.suggested.show_choice(str(wish.suggested))
        for field, units in ((self.on, query.on), (self.off, query.off)):
            if not (field.hasFocus() and field.isModified()):
                field.setText(units_text(units) if by_hand else "")
            field.setPlaceholderText(units_text(units) or "none")
        problem = (self._wrong or query.problem) if query.stretch is not None else ""
        self._wrong_words.setText(problem)
        self._wrong_words.setVisible(bool(problem))
        self.fold.show_title(count_words(query))
        self._reset.setVisible(by_hand and query.stretch is not None)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self.fold.apply_theme(theme)
        self.list.apply_theme(theme)

    def _choose_suggested(self, key: str) -> None:
        if self._query is None:
            return
        suggested = Suggested(key)
        # A choice by hand begins with what is looked for now.
        on, off = (self._query.on, self._query.off) if suggested is Suggested.NONE else ((), ())
        self._choose(suggested, on, off)

    def _forget(self) -> None:
        for field in (self.on, self.off):
            field.setModified(False)
        self._choose(Suggested.ON, (), ())

    def _choose(self, suggested: Suggested, on: Units, off: Units) -> None:
        if self._query is not None:
            self._judge("")
            self.wish_chosen.emit(replace(self._query.wish, suggested=suggested, on=on, off=off, any=()))
            # What was typed may come to what was looked for before.
            self._show_words()

    def _choose_stance(self, unit: int, stance: Stance | None) -> None:
        if self._query is not None:
            self._judge("")
            self.wish_chosen.emit(self._query.wish.with_stance(unit, stance))
            self.unit_chosen.emit(unit)

    def type_on(self, text: str) -> None:
        """Take over what is typed as the units that have to be on, where it is a list of units."""
        typed = self._read(text)
        if typed is not None and self._query is not None:
            self._take(typed, _without(self._query.off, typed))

    def type_off(self, text: str) -> None:
        """Take over what is typed as the units that have to be off, where it is a list of units."""
        typed = self._read(text)
        if typed is not None and self._query is not None:
            self._take(_without(self._query.on, typed), typed)

    def _take(self, on: Units, off: Units) -> None:
        # Nothing in either field asks for what the stretch suggests.
        self._choose(Suggested.NONE if on or off else Suggested.ON, on, off)

    def _read(self, text: str) -> Units | None:
        if self._query is None or self._query.choice is None:
            return None
        try:
            return read_units(text, self._query.choice.units) if text.strip() else ()
        except UnitsError as error:
            self._judge(str(error))
            return None

    def _judge(self, wrong: str) -> None:
        if wrong != self._wrong:
            self._wrong = wrong
            self._show_words()
            self.judged.emit()

    def _finish_typing(self) -> None:
        if self._wrong:
            # It stays to be put right.
            return
        for field in (self.on, self.off):
            field.setModified(False)
        self._show_words()


def _without(units: Units, others: Units) -> Units:
    return tuple(unit for unit in units if unit not in set(others))
