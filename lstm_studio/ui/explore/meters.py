"""Numbers with bars: gradient norms on a log scale, and the read-outs of the networks."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.bar import Bar
from lstm_studio.ui.widgets.surplus import drop_surplus
from lstm_studio.ui.widgets.text import Room, label, plain

_SWATCH = 9
_ALL_THE_ROOM = 1_000


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its bar.

    Parameters
    ----------
    number
        As it is printed.
    share
        Of the bar, 0…1; None for no bar.
    role
        Colour of the bar.
    """

    number: str
    share: float | None
    role: Role


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A name and its numbers, one for each column.

    Parameters
    ----------
    name
        Rich text.
    measures
        As many as there are columns.
    marked
        Whether the row is filled as selected.
    swatch
        Whether the role's colour stands before the name as well.
    heading
        Whether the numbers are the headings of their columns.
    """

    name: str
    measures: tuple[Measure, ...]
    marked: bool = False
    swatch: bool = False
    heading: bool = False


class _Swatch(QWidget):
    """The colour of a role, as in a legend."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme, self.role = theme, Role.INPUT
        self.setFixedSize(_SWATCH, _SWATCH)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the square."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.roles[self.role].mark))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)


class _Row(QWidget):
    def __init__(self, theme: Theme, columns: int) -> None:
        super().__init__()
        self._theme, self._marked = theme, False
        self._shown: tuple[MeterRow, str] | None = None
        self.swatch = _Swatch(theme)
        self.name = label()
        self.name.setTextFormat(Qt.TextFormat.RichText)
        self.bars = tuple(Bar(theme) for _ in range(columns))
        self.numbers = tuple(label(kind="value") for _ in range(columns))
        self.grid = grid = QGridLayout(self)
        grid.setContentsMargins(HALF_GRID, 2, HALF_GRID, 2)
        grid.setHorizontalSpacing(GRID)
        grid.addWidget(self.swatch, 0, 0)
        grid.addWidget(self.name, 0, 1)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        grid.setColumnStretch(1, 3)
        for column, (bar, number) in enumerate(zip(self.bars, self.numbers, strict=True)):
            number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(bar, 0, 2 + 2 * column)
            grid.addWidget(Room(number), 0, 3 + 2 * column)
            grid.setColumnStretch(2 + 2 * column, 4 if columns == 1 else 3)
            grid.setColumnStretch(3 + 2 * column, 0)

    def show_row(self, row: MeterRow, widest: str) -> None:
        if self._shown == (row, widest):
            return
        self._shown = (row, widest)
        self.swatch.setVisible(row.swatch)
        barless = all(measure.share is None for measure in row.measures) and len(row.measures) == 1
        share = _ALL_THE_ROOM if barless else 3
        if share != self.grid.columnStretch(1):
            # Even the same share again would have the whole column laid out.
            self.grid.setColumnStretch(1, share)
        self.name.setText(row.name)
        for bar, number, measure in zip(self.bars, self.numbers, row.measures, strict=True):
            bar.setVisible(measure.share is not None)
            bar.show_share(measure.share or 0.0, measure.role)
            colour = self._theme.roles[measure.role].text
            heading = f'<span style="color: {colour}">{measure.number}</span>'
            number.setText(heading if row.heading else measure.number)
            number.ensurePolished()
            number.setMinimumWidth(number.fontMetrics().horizontalAdvance(widest) + 2)
            if measure.role is not self.swatch.role:
                self.swatch.role = measure.role
                self.swatch.update()
        if self._marked != row.marked:
            self._marked = row.marked
            self.update()
        numbers = ", ".join(measure.number for measure in row.measures)
        self.setAccessibleName(f"{plain(row.name)}: {numbers}" if row.name else numbers)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = self.swatch.theme = theme
        self._shown = None
        for bar in self.bars:
            bar.apply_theme(theme)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._marked:
            QPainter(self).fillRect(self.rect(), QColor(self._theme.selected))


class Meters(QWidget):
    """Rows of numbers with bars.

    Parameters
    ----------
    columns
        Numbers in each row.
    """

    def __init__(self, theme: Theme, columns: int = 1) -> None:
        super().__init__()
        self._theme, self._columns = theme, columns
        self._rows: list[_Row] = []
        self._names: tuple[str, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    def show_rows(self, rows: tuple[MeterRow, ...], widest: str) -> None:
        """Show other rows; ``widest`` is the longest number to expect, so that bars end at one edge."""
        while len(self._rows) < len(rows):
            row = _Row(self._theme, self._columns)
            self._rows.append(row)
            self._layout.addWidget(row)
            row.show()
        # Other networks have other rows; from step to step there are as many.
        drop_surplus(self._rows, len(rows))
        for widget, shown in zip(self._rows, rows, strict=True):
            widget.show_row(shown, widest)
        self._leave_room(tuple(row.name for row in rows if row.swatch))

    def _leave_room(self, names: tuple[str, ...]) -> None:
        """Give names of curves the room that the longest needs: bars begin at one edge, and no name is cut."""
        if names == self._names:
            return
        self._names = names
        needed = 0
        if names:
            for row in self._rows:
                row.name.ensurePolished()
            needed = max(row.name.sizeHint().width() for row in self._rows)
        for row in self._rows:
            row.name.setMinimumWidth(needed)

    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Return name and numbers of each row."""
        return tuple((row.name.text(), *(number.text() for number in row.numbers)) for row in self._rows)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self._names = ()
        for row in self._rows:
            row.apply_theme(theme)
