"""The operations of a step, one under the other, each with its equation and this step's numbers."""

from __future__ import annotations

from operator import add, mul

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.ui.explore.operations import Operation, Reading
from lstm_studio.ui.numbers import Equation, equation, format_number
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.card import EDGE, Card
from lstm_studio.ui.widgets.text import label

_ARITHMETIC = {"×": mul, "+": add}


def printed(operation: Operation) -> Equation:
    """Return an operation's numbers as they are printed."""
    return equation(_ARITHMETIC[operation.sign], (operation.left, operation.right), operation.result)


class _Line(QWidget):
    """One line of a card: edge and badge in the role's colour, a title, an equation, numbers."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._role = theme, Role.INPUT
        self.badge = Badge(theme)
        self.title, self.equation, self.numbers = label(kind="title"), label(), label()
        for text in (self.equation, self.numbers):
            text.setTextFormat(Qt.TextFormat.RichText)
            text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setLayout(self._grid())

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(EDGE + GRID + 2, HALF_GRID + 2, GRID + 2, HALF_GRID + 2)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.badge, 0, 0)
        grid.addWidget(self.title, 0, 1)
        grid.addWidget(self.equation, 0, 2)
        grid.addWidget(self.numbers, 1, 1, 1, 2)
        grid.setColumnStretch(2, 1)
        return grid

    def colour(self, role: Role) -> str:
        """Return the role's colour as text, and use the role for edge and badge."""
        self._role = role
        self.update()
        return self._theme.roles[role].text

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.badge.apply_theme(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002 - Qt's name
        """Draw the edge, inside the card's frame."""
        painter = QPainter(self)
        mark = QColor(self._theme.roles[self._role].mark)
        painter.fillRect(QRectF(0, 2, EDGE, self.height() - 4), mark)


class OperationCard(Card):
    """What a step does to one unit: its operations, or the plain list of its signals."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._lines: list[_Line] = []
        self._rules: list[QWidget] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(1, 2, 1, 2)
        self._layout.setSpacing(0)
        self._shown: tuple[tuple[Operation, ...], tuple[Reading, ...], str] = ((), (), "")

    def show_step(self, operations: tuple[Operation, ...], readings: tuple[Reading, ...], hint: str) -> None:
        """Show other numbers; ``hint`` is added to the tool tips of the operations that admit something."""
        self._shown = (operations, readings, hint)
        self._need(len(operations) + len(readings))
        for line, operation in zip(self._lines, operations, strict=False):
            line.badge.show_badge(str(operation.number), operation.role)
            colour = line.colour(operation.role)
            numbers = printed(operation)
            line.title.setText(operation.title)
            line.equation.setText(f'<span style="color: {self._theme.ink2}">{operation.equation}</span>')
            left, right = numbers.operands
            # A negative second operand reads as what it is: 6.73 + (−0.58).
            right = f"({right})" if right.startswith("−") else right
            line.numbers.setText(
                f"{left} {operation.sign} {right} {numbers.relation} "
                f'<span style="color: {colour}; font-weight: 600">{numbers.result}</span>'
            )
            line.setToolTip(f"{operation.words}\n{hint}" if hint and operation.role is Role.LEARN else operation.words)
            line.setAccessibleName(
                f"{operation.title}: {left} {operation.sign} {right} {numbers.relation} {numbers.result}"
            )
        for line, reading in zip(self._lines[len(operations) :], readings, strict=False):
            line.badge.show_badge(reading.badge, reading.role)
            colour = line.colour(reading.role)
            line.title.setText(reading.title)
            line.equation.setText(
                f'{reading.symbol} = <span style="color: {colour}; font-weight: 600">'
                f"{format_number(reading.value)}</span>"
            )
            line.numbers.clear()
            line.setToolTip("")
            line.setAccessibleName(f"{reading.title}: {format_number(reading.value)}")
        for index, line in enumerate(self._lines):
            line.numbers.setVisible(index < len(operations))

    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """Return title, equation and numbers of each visible line, as rich text."""
        return tuple(
            (line.title.text(), line.equation.text(), line.numbers.text())
            for line in self._lines
            if not line.isHidden()
        )

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        super().apply_theme(theme)
        for line in self._lines:
            line.apply_theme(theme)
        for rule in self._rules:
            _colour_rule(rule, theme)
        self.show_step(*self._shown)

    def _need(self, count: int) -> None:
        while len(self._lines) < count:
            if self._lines:
                rule = QLabel()
                rule.setFixedHeight(1)
                _colour_rule(rule, self._theme)
                self._rules.append(rule)
                self._layout.addWidget(rule)
            line = _Line(self._theme)
            self._lines.append(line)
            self._layout.addWidget(line)
        for index, line in enumerate(self._lines):
            line.setVisible(index < count)
        for index, separator in enumerate(self._rules, start=1):
            separator.setVisible(index < count)


def _colour_rule(rule: QWidget, theme: Theme) -> None:
    rule.setStyleSheet(f"background: {theme.line};")
