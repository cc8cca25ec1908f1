"""What is compared with what, and how: a bar above the plots, there only while something is compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent, QTextLayout
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from lstm_studio.session.session import Session
from lstm_studio.session.state import CompareMode
from lstm_studio.ui.explore.comparing import compared, difference_in_words, titles_of
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme, scaled
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label, written_tip

_CROSS = 10
_NARROWEST = 96
_WIDEST = 220
_BESIDE_TEXT = 44
"""Pixels of a chooser beside its text."""
_ONE_ROW_FROM = 860
"""Pixels of width at 100 % from which the words stand beside the choosers."""
_MODES = {
    CompareMode.OVERLAY.value: "Overlay",
    CompareMode.SIDE.value: "Side by side",
    CompareMode.DIFFERENCE.value: "Difference",
}
_TOOL_TIPS = {
    CompareMode.OVERLAY: "Both in one row: A solid, B dashed where it leaves A",
    CompareMode.SIDE: "A row for each",
    CompareMode.DIFFERENCE: "One row: B minus A",
}


@dataclass(frozen=True, slots=True)
class _State:
    sources: tuple[tuple[str, str], ...]
    base: str
    other: str
    mode: CompareMode
    words: str


class TwoLines(QLabel):
    """A sentence on one line or two, whatever room it gets; what does not fit is elided, the tool tip has it all."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "secondary")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the height of two lines."""
        return QSize(200, 2 * self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """Return a width that any window has."""
        return QSize(24, self.sizeHint().height())

    def lines(self) -> tuple[str, ...]:
        """Return what is shown."""
        metrics, text, width = self.fontMetrics(), self.text(), self.width()
        layout = QTextLayout(text, self.font())
        layout.beginLayout()
        first = layout.createLine()
        first.setLineWidth(width)
        layout.endLayout()
        if first.textLength() >= len(text):
            return (text,)
        rest = text[first.textLength() :]
        return text[: first.textLength()].rstrip(), metrics.elidedText(rest, Qt.TextElideMode.ElideRight, width)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        lines = self.lines()
        self.setToolTip(written_tip(self.text()) if lines[-1].endswith("…") else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(self.rect(), flags, "\n".join(lines))


class CompareBar(QFrame):
    """Two choosers, the mode, and in a sentence how the two differ; whoever shows it says when that may have changed.

    Parameters
    ----------
    session
        What is open.
    theme
        Its first colours.
    """

    cells_requested = Signal()
    """The cells are to be shown, also where there is no room."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._state: _State | None = None
        self._known: tuple[object, ...] = ()
        self._difference = ""
        self.setProperty("kind", "panel")
        self.setAccessibleName("Compare")
        self._base, self._other = _chooser("A, what it is compared with"), _chooser("B, what is compared")
        self._modes = Segments("How the two are shown", _MODES, padding=GRID - 2)
        self._modes.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        for mode, words in _TOOL_TIPS.items():
            self._modes.button(mode.value).setToolTip(words)
        self._words = TwoLines()
        self._cells = QToolButton()
        self._cells.setProperty("kind", "link")
        self._cells.setText("Show cells")
        self._cells.setAccessibleName("Show cells")
        self._cells.setToolTip("Show the cells above the plots, which are then scrolled (D)")
        self._cells.clicked.connect(self.cells_requested)
        self._cells.hide()
        self._stop = QToolButton()
        self._stop.setProperty("kind", "flat")
        self._stop.setAccessibleName("Stop comparing")
        self._stop.setToolTip("Stop comparing")
        row = self._row = QHBoxLayout()
        row.setSpacing(HALF_GRID + 2)
        row.addWidget(_letter("A", self._base))
        row.addWidget(self._base)
        row.addWidget(_letter("B", self._other))
        row.addWidget(self._other)
        row.addSpacing(HALF_GRID)
        row.addWidget(self._modes)
        row.addSpacing(HALF_GRID)
        row.addWidget(self._words, 1)
        row.addStretch(0)
        row.addWidget(self._cells)
        row.addWidget(self._stop)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(PANEL_INSET, HALF_GRID, GRID, 0)
        column.setSpacing(HALF_GRID)
        column.addLayout(row)
        self._base.activated.connect(self._choose)
        self._other.activated.connect(self._choose)
        self._modes.chosen.connect(self._choose_mode)
        self._stop.clicked.connect(self._on_stop)
        self.apply_theme(theme)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        self._fit_choosers()
        if self.isVisible():
            self._arrange()
        set_icon(self._stop, Icon.CROSS, theme, theme.ink3, size=_CROSS)

    def offer_cells(self, on: bool) -> None:
        """Offer to bring back the cells, which have made room, or not."""
        self._cells.setVisible(on)

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the choosers to their own font, which they have from now on."""
        super().showEvent(event)
        self._fit_choosers()
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the words below the choosers where there is hardly room beside them."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        below = self.width() < scaled(_ONE_ROW_FROM)
        if below != (self._column.count() > 1):
            (self._row if below else self._column).removeWidget(self._words)
            if below:
                self._column.addWidget(self._words)
            else:
                self._row.insertWidget(self._row.indexOf(self._cells), self._words, 1)

    @property
    def base(self) -> QComboBox:
        """The chooser of A."""
        return self._base

    @property
    def other(self) -> QComboBox:
        """The chooser of B."""
        return self._other

    @property
    def modes(self) -> Segments:
        """The modes."""
        return self._modes

    @property
    def words(self) -> str:
        """How the two differ, in a line."""
        return self._words.text()

    def refresh(self) -> None:
        """Show what is compared now; hidden where that is nothing."""
        state = self._resolve()
        if state is not None and state != self._state:
            self._apply(state, self._state)
            self._state = state
        # Last: what is hidden is not laid out again with every change.
        self.setVisible(state is not None)

    def _apply(self, state: _State, before: _State | None) -> None:
        for chooser, chosen in ((self._base, state.base), (self._other, state.other)):
            with QSignalBlocker(chooser):
                if before is None or before.sources != state.sources:
                    chooser.clear()
                    for key, title in state.sources:
                        chooser.addItem(title, key)
                chooser.setCurrentIndex(chooser.findData(chosen))
            chooser.setToolTip(written_tip(chooser.currentText()))
        self._fit_choosers()
        self._modes.show_choice(state.mode.value)
        self._words.setText(state.words)
        self.setAccessibleDescription(state.words)

    def _fit_choosers(self) -> None:
        """Make choosers as wide as what is chosen: the words beside them take what is left."""
        for chooser in (self._base, self._other):
            needed = chooser.fontMetrics().horizontalAdvance(chooser.currentText()) + _BESIDE_TEXT
            chooser.setFixedWidth(max(_NARROWEST, min(needed, _WIDEST)))

    def _resolve(self) -> _State | None:
        result, view = self._session.result, self._session.view
        pair = compared(result, view)
        if pair is None:
            return None
        sources = tuple(titles_of(result, view.labels).items())
        known = (pair.base.result.traces, pair.other.result.traces, view.labels)
        if known != self._known:
            # Not for another mode or name alone: it takes a pass over all arrays.
            self._known, self._difference = known, difference_in_words(pair, view.labels)
        return _State(sources, pair.base.key, pair.other.key, pair.mode, self._difference)

    def _choose(self) -> None:
        comparison, state = self._session.view.comparison, self._state
        if comparison is None or state is None:
            return
        base, other = self._base.currentData(), self._other.currentData()
        if base == other:
            # Choosing on one side what is on the other changes the sides.
            base, other = state.other, state.base
        self._session.look(comparison=replace(comparison, base=base, other=other))

    def _choose_mode(self, mode: str) -> None:
        comparison = self._session.view.comparison
        if comparison is not None:
            self._session.look(comparison=replace(comparison, mode=CompareMode(mode)))

    def _on_stop(self) -> None:
        self._session.look(comparison=None)


def _chooser(name: str) -> QComboBox:
    chooser = QComboBox()
    chooser.setAccessibleName(name)
    chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return chooser


def _letter(words: str, chooser: QComboBox) -> QLabel:
    made = label(words, "secondary")
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    made.setBuddy(chooser)
    return made
