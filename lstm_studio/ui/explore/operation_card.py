"""The operations of a step, one under the other, each with its equation and this step's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import add, mul

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Phase, Role
from lstm_studio.ui.explore.gate_terms import GateTerms
from lstm_studio.ui.explore.gate_view import GateView
from lstm_studio.ui.explore.operations import Operation, Reading
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.numbers import Equation, equation, format_number
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme, scaled
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.card import EDGE, Card
from lstm_studio.ui.widgets.surplus import drop_surplus
from lstm_studio.ui.widgets.tab_order import put_after
from lstm_studio.ui.widgets.text import Room, label

_FOLD, _AROUND_FOLD = 10, 8
_ARITHMETIC = {"×": mul, "+": add}


def printed(operation: Operation) -> Equation:
    """Return an operation's numbers as they are printed."""
    return equation(_ARITHMETIC[operation.sign], (operation.left, operation.right), operation.result)


@dataclass(frozen=True, slots=True)
class CardContent:
    """What the card shows.

    Parameters
    ----------
    operations, readings
        Its lines.
    hint
        Added to the tool tips of the operations that admit something.
    live
        The operation that is taken, where steps are taken in phases: the others stand back.
    terms
        Line → the gates that are taken apart below it.
    """

    operations: tuple[Operation, ...] = ()
    readings: tuple[Reading, ...] = ()
    hint: str = ""
    live: Phase | None = None
    terms: Mapping[str, tuple[GateTerms, ...]] = field(default_factory=dict)


class _Line(QWidget):
    """One line of a card: edge and badge in the role's colour, a title, an equation, numbers, gates taken apart."""

    toggled = Signal(str)
    """The signal whose gates are to be unfolded, or folded."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._role = theme, Role.INPUT
        self._live: bool | None = None
        self._key = ""
        self.shown: object = None
        """What it shows; None where it has to be shown anew."""
        self._icon: Icon | None = None
        self.badge = Badge(theme)
        self.title, self.equation, self.numbers = label(kind="title"), label(), label()
        for text in (self.equation, self.numbers):
            text.setTextFormat(Qt.TextFormat.RichText)
            text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.numbers_room = Room(self.numbers, grows=True)
        self.fold = QToolButton()
        self.fold.setProperty("kind", "view")
        # Its border shows that it has the keyboard, and nothing else.
        self.fold.setStyleSheet("QToolButton:!focus { border-color: transparent; background: transparent; }")
        self.fold.clicked.connect(self._toggle)
        self.gates = QWidget()
        gates = QVBoxLayout(self.gates)
        gates.setContentsMargins(0, HALF_GRID, 0, 0)
        gates.setSpacing(HALF_GRID + 2)
        self.views: list[GateView] = []
        self.setLayout(self._grid())

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(EDGE + GRID + 2, HALF_GRID + 2, GRID + 2, HALF_GRID + 2)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.title)
        head.addWidget(self.fold)
        grid.addWidget(self.badge, 0, 0)
        grid.addLayout(head, 0, 1)
        grid.addWidget(self.equation, 0, 2)
        grid.addWidget(self.numbers_room, 1, 1, 1, 2)
        grid.addWidget(self.gates, 2, 0, 1, 3)
        grid.setColumnStretch(2, 1)
        return grid

    def show_line(self, role: Role, *, live: bool | None) -> tuple[str, str]:
        """Take a role, stand out or back (None for neither), and return the colours of the result and of the rest."""
        if (role, live) != (self._role, self._live):
            self._role, self._live = role, live
            self.update()
        self.badge.setEnabled(live is not False)
        self.title.setEnabled(live is not False)
        self.numbers.setEnabled(live is not False)
        if live is False:
            return self._theme.ink3, self._theme.ink3
        return self._theme.roles[role].text, self._theme.ink2

    def show_gates(self, key: str, gates: tuple[GateTerms, ...], *, possible: bool, name: str) -> None:
        """Show the gates that are taken apart; with ``possible`` a button that folds or unfolds them."""
        self._key = key
        while len(self.views) < len(gates):
            self.views.append(GateView(self._theme))
            layout = self.gates.layout()
            if layout is not None:
                layout.addWidget(self.views[-1])
        if gates or possible:
            # Where each operation is live in its turn they wait for it; those folded by hand or of a larger cell go.
            drop_surplus(self.views, len(gates))
        for view, gate in zip(self.views, gates, strict=False):
            view.show_gate(gate)
        for index, view in enumerate(self.views):
            view.setVisible(index < len(gates))
        opened = bool(gates)
        self.gates.setVisible(opened)
        self.fold.setVisible(possible)
        icon = Icon.CHEVRON_DOWN if opened else Icon.CHEVRON_RIGHT
        if icon is not self._icon:
            self._icon = icon
            set_icon(self.fold, icon, self._theme, size=_FOLD)
            self.fold.setFixedSize(scaled(_FOLD) + _AROUND_FOLD, scaled(_FOLD) + _AROUND_FOLD)
        self.fold.setAccessibleName(f"{name}: weights and values")
        self.fold.setAccessibleDescription("open" if opened else "folded")
        self.fold.setToolTip("Hide the weights and values" if opened else "Show the weights and values behind it")

    def _toggle(self) -> None:
        self.toggled.emit(self._key)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.shown = self._icon = None
        self.badge.apply_theme(theme)
        for view in self.views:
            view.apply_theme(theme)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the edge, inside the card's frame, and the wash of the live operation."""
        painter = QPainter(self)
        colours = self._theme.roles[self._role]
        if self._live:
            painter.fillRect(self.rect(), QColor(colours.wash))
        mark = QColor(self._theme.line if self._live is False else colours.mark)
        painter.fillRect(QRectF(0, 2, EDGE, self.height() - 4), mark)


class OperationCard(Card):
    """What a step does to one unit: its operations, or the plain list of its signals."""

    unfolded_changed = Signal()
    """The user wants to see the terms of another line, or of one less."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._lines: list[_Line] = []
        self._rules: list[QWidget] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(1, 2, 1, 2)
        self._layout.setSpacing(0)
        self._shown = CardContent()
        self.unfolded: frozenset[str] = frozenset()
        """The lines whose gates the user wants to see."""

    @property
    def content(self) -> CardContent:
        """What it shows."""
        return self._shown

    def show_step(self, content: CardContent) -> None:
        """Show other numbers."""
        self._shown = content
        operations, readings = content.operations, content.readings
        self._need(len(operations) + len(readings))
        for line, operation in zip(self._lines, operations, strict=False):
            self._show_operation(line, operation)
        for line, reading in zip(self._lines[len(operations) :], readings, strict=False):
            self._show_reading(line, reading)
        for index, line in enumerate(self._lines):
            line.numbers_room.setVisible(index < len(operations))

    def _show_operation(self, line: _Line, operation: Operation) -> None:
        content = self._shown
        live = None if content.live is None else operation.number == content.live
        gates = content.terms.get(operation.signal, ())
        shown = (operation, content.hint, live, gates)
        if shown == line.shown:
            return
        line.shown = shown
        colour, quiet = line.show_line(operation.role, live=live)
        line.badge.show_badge(str(operation.number), operation.role)
        numbers = printed(operation)
        line.title.setText(operation.title)
        line.equation.setText(f'<span style="color: {quiet}">{operation.equation}</span>')
        left, right = numbers.operands
        # A negative second operand reads as what it is: 6.73 + (−0.58).
        right = f"({right})" if right.startswith("−") else right
        line.numbers.setText(
            f"{left} {operation.sign} {right} {numbers.relation} "
            f'<span style="color: {colour}; font-weight: 600">{numbers.result}</span>'
        )
        hinted = content.hint and operation.role is Role.LEARN
        line.setToolTip(f"{operation.words}\n{content.hint}" if hinted else operation.words)
        state = ", live" if live else ""
        line.setAccessibleName(
            f"{operation.title}{state}: {left} {operation.sign} {right} {numbers.relation} {numbers.result}"
        )
        line.show_gates(operation.signal, gates, possible=bool(operation.gates) and live is None, name=operation.title)

    def _show_reading(self, line: _Line, reading: Reading) -> None:
        live = None if self._shown.live is None else False
        gates = self._shown.terms.get(reading.signal, ())
        if (reading, live, gates) == line.shown:
            return
        line.shown = (reading, live, gates)
        colour, _ = line.show_line(reading.role, live=live)
        line.badge.show_badge(reading.badge, reading.role)
        line.title.setText(reading.title)
        line.equation.setText(
            f'{reading.symbol} = <span style="color: {colour}; font-weight: 600">{format_number(reading.value)}</span>'
        )
        line.numbers.clear()
        line.setToolTip("")
        line.setAccessibleName(f"{reading.title}: {format_number(reading.value)}")
        line.show_gates(reading.signal, gates, possible=bool(reading.gates) and live is None, name=reading.title)

    def _toggle(self, key: str) -> None:
        self.unfolded ^= {key}
        self.unfolded_changed.emit()

    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """Return title, equation and numbers of each line, as rich text."""
        return tuple((line.title.text(), line.equation.text(), line.numbers.text()) for line in self._lines)

    def gate_texts(self) -> tuple[tuple[str, str], ...]:
        """Return symbols and numbers of each gate that is taken apart, as rich text."""
        return tuple(view.texts() for line in self._lines for view in line.views if not view.isHidden())

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        super().apply_theme(theme)
        for line in self._lines:
            line.apply_theme(theme)
        for rule in self._rules:
            _colour_rule(rule, theme)
        self.show_step(self._shown)

    def _need(self, count: int) -> None:
        while len(self._lines) < count:
            if self._lines:
                rule = QLabel()
                rule.setFixedHeight(1)
                _colour_rule(rule, self._theme)
                self._rules.append(rule)
                self._layout.addWidget(rule)
                rule.show()
            line = _Line(self._theme)
            line.toggled.connect(self._toggle)
            self._layout.addWidget(line)
            put_after(self._lines[-1].fold if self._lines else self, line.fold)
            self._lines.append(line)
            line.show()
        # Kept for the cell with the most operations so far, they would only ever become more.
        drop_surplus(self._lines, count)
        drop_surplus(self._rules, max(0, count - 1))


def _colour_rule(rule: QWidget, theme: Theme) -> None:
    rule.setStyleSheet(f"background: {theme.line};")
