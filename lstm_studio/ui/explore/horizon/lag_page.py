"""The first page: how far back each network reaches, as numbers and as curves over the lag."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Labels, Role
from lstm_studio.session.horizon import SHARES
from lstm_studio.ui.explore.horizon.lag_plot import LagPicture, LagPlot, swatch_of, values_text
from lstm_studio.ui.explore.horizon.places import Beside, block, choice_rows
from lstm_studio.ui.explore.horizon.words import (
    SHARE_TEXTS,
    NamedCurve,
    format_reach,
    horizon_summary,
    horizon_table,
    reach_words,
)
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.legend import SWATCH_WIDTH, Entry, paint_entry
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.badge import Badge, network_badge
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import ElidedLabel, label

LAST, CURSOR = "last", "cursor"
_MOST_NETWORKS = 4
_LEAST_NEAR = 20
NEAR, FAR = "near", "all"
_JACOBIAN_TIP = "How much of a small change survives, whatever the loss"
_NO_NETWORK_TIP = "Measured with the network itself, which a recorded step does not hold"


class Measure(StrEnum):
    """What is plotted over the lag."""

    JACOBIAN = "jacobian"
    GRADIENT = "gradient"


@dataclass(frozen=True, slots=True)
class LagState:
    """What the page shows.

    Parameters
    ----------
    labels
        The vocabulary.
    measure
        Which of the two.
    end
        The step at lag 0 where the user chose one; None for the last.
    last
        The last step of the sequence.
    cursor
        The step under the cursor.
    curves
        Named, in the order to list them; None until they are known.
    objective
        Rich text: what the gradients are of.
    sums
        Whether that is a sum over steps.
    near
        Whether only the lags are plotted at which the curves fall.
    networks
        Whether there are networks that can be measured; else there is only what the traces hold.
    """

    labels: Labels
    measure: Measure
    end: int | None
    last: int
    cursor: int
    curves: tuple[NamedCurve, ...] | None
    objective: str
    sums: bool
    near: bool = True
    networks: bool = True

    @property
    def from_step(self) -> int:
        """The number of the step at lag 0, as it is shown."""
        return (self.last if self.end is None else self.end) + 1

    @property
    def near_lags(self) -> int | None:
        """The lags up to which the curves fall below all shares, and as many again; None where most lags are needed."""
        reaches = [named.curve.reach(SHARES[-1]) for named in self.curves or ()]
        fallen = [found.below for found in reaches if found is not None and found.below is not None]
        if not fallen or len(fallen) < len(reaches):
            return None
        lags = max(_LEAST_NEAR, 2 * max(fallen))
        return lags if 2 * lags < max(found.longest for found in reaches if found is not None) else None


class LagPage(QWidget):
    """Numbers first, then the curves, then all reaches as a table."""

    measure_chosen = Signal(str)
    end_chosen = Signal(str)
    step_chosen = Signal(int)
    lags_chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._measure = Segments("Curves", {Measure.JACOBIAN: "Jacobian", Measure.GRADIENT: "Gradient"})
        self._measure.button(Measure.GRADIENT).setToolTip("How much the loss still feels, as a share of lag 0")
        self._end = Segments("Back from", {LAST: "last step", CURSOR: "this step"})
        self._end.button(LAST).setToolTip("Count back from the last step of the sequence")
        self._end.button(CURSOR).setToolTip("Count back from the step under the cursor; press again after moving it")
        self._lags = Segments("Lags", {NEAR: "near", FAR: "all"})
        self._lags.button(NEAR).setToolTip("Plot the lags at which the curves fall")
        self._lags.button(FAR).setToolTip("Plot all lags of the sequence")
        self._lags_word = label("Lags", "secondary")
        self._stats = _Stats(theme)
        self.plot = LagPlot(theme)
        self._here = label(kind="caption")
        self._here.setWordWrap(True)
        self._table = _ReachTable(theme)
        self._meaning = label(kind="caption")
        self._meaning.setWordWrap(True)
        self._meaning.setTextFormat(Qt.TextFormat.RichText)
        self._fold = Fold(theme, "What is measured", self._meaning)
        choices = choice_rows(("Curves", self._measure), ("Back from", self._end), (self._lags_word, self._lags))
        head = block(choices, self._stats)
        tail = block(self._table, self._fold)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(Beside(head, block(self.plot, self._here), tail))
        self._measure.chosen.connect(self.measure_chosen)
        self._end.chosen.connect(self.end_chosen)
        self._lags.chosen.connect(self.lags_chosen)
        self.plot.step_chosen.connect(self.step_chosen)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for part in (self._stats, self.plot, self._table, self._fold):
            part.apply_theme(theme)

    def show_state(self, state: LagState, before: LagState | None) -> None:
        """Show another state; the curves are touched only if they changed."""
        self._measure.show_choice(state.measure)
        jacobian = self._measure.button(Measure.JACOBIAN)
        jacobian.setEnabled(state.networks)
        jacobian.setToolTip(_JACOBIAN_TIP if state.networks else _NO_NETWORK_TIP)
        self._end.show_choice(LAST if state.end is None else CURSOR)
        here = state.cursor if state.end is None else state.end
        self._end.button(CURSOR).setText(f"step {format_count(here + 1)}")
        curves, near = state.curves or (), state.near_lags
        for widget in (self._lags, self._lags_word):
            widget.setVisible(near is not None)
        self._lags.button(NEAR).setText(f"the first {format_count(near)}" if near is not None else "near")
        self._lags.show_choice(NEAR if state.near else FAR)
        self.plot.show_cursor(state.cursor)
        if before is None or _drawn(state) != _drawn(before):
            summary = horizon_summary(curves) or "Nothing to show"
            title = f"steps back from step {format_count(state.from_step)}"
            summary = f"{_NAMES[state.measure]}, log axis. {summary}."
            self.plot.show_picture(LagPicture(curves, title, summary, near if state.near else None))
            self._stats.show_curves(curves, state)
            self._table.show_curves(curves)
            self._meaning.setText(_meaning(state))
        self._here.setText(self._values_here(state))

    def _values_here(self, state: LagState) -> str:
        lag = self.plot.cursor_lag
        if lag is None:
            return f"The cursor is after step {format_count(state.from_step)}."
        return f"At the cursor: {values_text(state.curves or (), lag)}"

    def table(self, state: LagState) -> str:
        """Return the numbers as text."""
        return horizon_table(state.curves or (), _NAMES[state.measure])


_NAMES = {
    Measure.JACOBIAN: "Norms of the Jacobians",
    Measure.GRADIENT: "Gradient norms as shares of lag 0",
}


def _drawn(state: LagState) -> tuple[object, ...]:
    """Return what the plot and the numbers depend on."""
    return state.curves, state.measure, state.near


class _Stats(QWidget):
    """One large number for each network, and below them what they count."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._badges = tuple(Badge(theme) for _ in range(_MOST_NETWORKS))
        self._names = tuple(label(kind="secondary") for _ in range(_MOST_NETWORKS))
        self._numbers = tuple(label(kind="step-number") for _ in range(_MOST_NETWORKS))
        self._units = tuple(label(kind="secondary") for _ in range(_MOST_NETWORKS))
        self._caption = label(kind="caption")
        self._caption.setWordWrap(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(HALF_GRID)
        self._parts: list[QWidget] = []
        for badge, name, number, unit in zip(self._badges, self._names, self._numbers, self._units, strict=True):
            part = QWidget()
            inside = QVBoxLayout(part)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.setSpacing(0)
            for line in ((badge, name), (number, unit)):
                across = QHBoxLayout()
                across.setSpacing(HALF_GRID + 2)
                for widget in line:
                    across.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
                across.addStretch(1)
                inside.addLayout(across)
            at = len(self._parts)
            self._parts.append(part)
            grid.addWidget(part, at // 2, at % 2)
            grid.setColumnStretch(at % 2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(grid)
        column.addWidget(self._caption)

    def apply_theme(self, theme: Theme) -> None:
        for badge in self._badges:
            badge.apply_theme(theme)

    def show_curves(self, curves: tuple[NamedCurve, ...], state: LagState) -> None:
        """Show the reach of the first curve of each network: that of its long-term state, where it has one."""
        first: dict[str, NamedCurve] = {}
        for named in curves:
            first.setdefault(named.network, named)
        shown = list(first.values())[:_MOST_NETWORKS]
        for index, part in enumerate(self._parts):
            part.setVisible(index < len(shown))
            if index < len(shown):
                named = shown[index]
                letter, role = network_badge(named.role is Role.LONG_TERM)
                self._badges[index].show_badge(letter, role)
                self._names[index].setText(f"{named.network} {named.label}")
                found = named.curve.reach(SHARES[0])
                self._numbers[index].setText(format_reach(found, named.curve.reach_between(SHARES[0])))
                self._units[index].setText("" if found is None else "step" if found.below == 1 else "steps")
                words = reach_words(named, 0)
                part.setToolTip(words)
                self._numbers[index].setAccessibleName(words)
        never = [named.network for named in shown if (found := named.curve.reach(SHARES[0])) and found.below is None]
        words = f"until less than {SHARE_TEXTS[0]} is left, back from step {format_count(state.from_step)}"
        if never:
            words += f"; {' and '.join(never)}: not within this sequence"
        self._caption.setText(words)
        self._caption.setVisible(bool(shown))


class _ReachTable(QWidget):
    """From which lag on each curve stays below each share."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[tuple[_Line, QLabel, tuple[QLabel, ...]]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._head = label("stays below", "caption")
        self._grid.addWidget(self._head, 0, 1)
        for column, text in enumerate(SHARE_TEXTS, start=2):
            self._grid.addWidget(label(text, "caption"), 0, column, Qt.AlignmentFlag.AlignRight)
        self.setAccessibleName("Steps back from which on each curve stays below a share of its start")

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for line, _, _ in self._rows:
            line.apply_theme(theme)

    def show_curves(self, curves: tuple[NamedCurve, ...]) -> None:
        while len(self._rows) < len(curves):
            made = (_Line(self._theme), ElidedLabel(), tuple(label(kind="value") for _ in SHARES))
            at = len(self._rows) + 1
            self._grid.addWidget(made[0], at, 0)
            self._grid.addWidget(made[1], at, 1)
            for column, number in enumerate(made[2], start=2):
                self._grid.addWidget(number, at, column, Qt.AlignmentFlag.AlignRight)
            self._rows.append(made)
        for index, (line, name, numbers) in enumerate(self._rows):
            for widget in (line, name, *numbers):
                widget.setVisible(index < len(curves))
            if index >= len(curves):
                continue
            named = curves[index]
            line.show_curve(named)
            name.setText(named.title)
            for share, number in enumerate(numbers):
                number.setText(format_reach(named.curve.reach(SHARES[share]), named.curve.reach_between(SHARES[share])))
                words = reach_words(named, share)
                number.setToolTip(words)
                number.setAccessibleName(words)

    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Return name and numbers of each visible row."""
        return tuple(
            (name.text(), *(number.text() for number in numbers))
            for line, name, numbers in self._rows
            if not line.isHidden()
        )


class _Line(QWidget):
    """A curve's style, as at its end in the plot; decoration, so a screen reader passes over it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._named: NamedCurve | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_curve(self, named: NamedCurve) -> None:
        self._named = named
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(SWATCH_WIDTH, 12)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._named is None:
            return
        painter = QPainter(self)
        painter.setClipRect(QRectF(0, 0, SWATCH_WIDTH, self.height()))
        painter.translate(-GRID, 0)
        entry = Entry("", swatch_of(self._named), self._theme.roles[self._named.role].mark)
        paint_entry(painter, Look(self._theme), entry, self.height() / 2)
        painter.end()


def _meaning(state: LagState) -> str:
    """Say what the numbers are, and how exact."""
    step = format_count(state.from_step)
    curves = state.curves or ()
    direct = next((named for named in curves if named.direct), None)
    if state.measure is Measure.JACOBIAN:
        parts = [
            "By how much a small change of a state, made some steps back, is stretched at most on its way to step "
            f"{step}: the spectral norm of the Jacobian between the two, whatever the loss. It is 1 for no step back.",
        ]
        if direct is not None:
            parts.append(
                f"{direct.label}: the largest product of {_alone(direct)}, what would be left without weights."
            )
        if any(named.curve.low is not None for named in curves):
            parts.append(
                "Beyond 128 units the norm is estimated from 16 random directions; the band holds its bounds, and ≈ "
                "marks numbers that they leave open."
            )
        else:
            parts.append("Exact to rounding, at any size: 1e−2000 is written as such. 0 means that nothing passes.")
    else:
        parts = [
            f"How much the loss feels of a state some steps back, as a share of what it feels at step {step}. "
            f"{state.objective}. The gradient row shows the norms as they are.",
            "Below 1e−290 a norm counts as 0.",
        ]
        if state.sums:
            parts.append("This loss is a sum over steps, so near and far losses are mixed; Itemised keeps them apart.")
    parts.append(
        "The numbers are the steps back from which on a curve stays below a share of its start. Where it falls below, "
        "rises again and falls once more, the last fall counts, and the tool tip tells the first."
    )
    return "<br>".join(parts)


def _alone(direct: NamedCurve) -> str:
    return direct.title.removeprefix(f"{direct.network} ").removesuffix(" alone")
