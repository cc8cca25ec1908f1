"""A gate taken apart: one line of weights and symbols, one of numbers; each term tells weight and value."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QToolTip, QVBoxLayout, QWidget

from lstm_studio.ui.explore.gate_terms import GateTerms, Part, sign_before
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.widgets.text import label, plain

WAITING = "starting PyTorch…"

_SUBSCRIPT = 1.25
"""Qt draws a subscript at two thirds of its size: too small to read the number of a unit."""
_MINUS = "−"
_UNBROKEN = "\N{NO-BREAK SPACE}"


class GateView(QWidget):
    """The terms of one gate of one unit; both lines wrap."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._gate: GateTerms | None = None
        self._link = ""
        self._symbols, self._numbers = label(), label()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        for text in (self._symbols, self._numbers):
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.RichText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
            text.linkHovered.connect(self._tell)
            layout.addWidget(text)

    def show_gate(self, gate: GateTerms) -> None:
        """Show another gate, or other numbers."""
        self._gate, self._link = gate, ""
        self.setAccessibleName(plain(gate.spoken))
        colour = self._theme.roles[gate.role].text
        result = f'<span style="color: {colour}; font-weight: 600">{gate.result}</span>'
        squashed = _UNBROKEN.join((f"{gate.squash}({gate.total})", gate.comes_to, result))
        if gate.parts is None:
            waiting = f'<span style="color: {self._theme.ink3}">{WAITING}</span>'
            self._symbols.setText(
                f'<span style="color: {self._theme.ink2}">{gate.symbol} = {gate.squash}(<i>a</i>)</span> {waiting}'
            )
            self._numbers.setText(f"= {squashed}")
            return
        ink, ink2 = self._theme.ink, self._theme.ink2
        symbols = "".join(
            sign_before(part.negative, first=index == 0) + _link(index, part.symbolic, ink2)
            for index, part in enumerate(gate.parts)
        )
        numbers = "".join(
            sign_before(part.number.startswith(_MINUS), first=index == 0)
            + _link(index, part.number.removeprefix(_MINUS), ink)
            for index, part in enumerate(gate.parts)
        )
        legible = f'<sub style="font-size: {round(_SUBSCRIPT * self._symbols.fontInfo().pixelSize())}px">'
        text = f"{gate.symbol} = {gate.squash}({symbols})".replace("<sub>", legible)
        self._symbols.setText(f'<span style="color: {ink2}">{text}</span>')
        self._numbers.setText(f"= {gate.squash}({numbers}) {gate.relation} {squashed}")

    def texts(self) -> tuple[str, str]:
        """Return both lines as rich text."""
        return self._symbols.text(), self._numbers.text()

    def tips(self) -> tuple[str, ...]:
        """Return what each term tells when the mouse is over it."""
        parts: tuple[Part, ...] = () if self._gate is None or self._gate.parts is None else self._gate.parts
        return tuple(part.tip for part in parts)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        if self._gate is not None:
            self.show_gate(self._gate)

    def event(self, event: QEvent) -> bool:
        """Keep the tool tip of the whole operation from covering that of a term."""
        if event.type() is QEvent.Type.ToolTip:
            self._tell(self._link)
            return True
        return super().event(event)

    def _tell(self, link: str) -> None:
        self._link = link
        if link:
            tip = f'<p style="white-space: pre; margin: 0">{self.tips()[int(link)]}</p>'
            QToolTip.showText(QCursor.pos(), tip, self)
        else:
            QToolTip.hideText()


def _link(index: int, text: str, colour: str) -> str:
    unbroken = text.replace(" ", _UNBROKEN)
    return f'<a href="{index}" style="color: {colour}; text-decoration: none">{unbroken}</a>'
