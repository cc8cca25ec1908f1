"""Explore: the cells at the cursor's step above rows of plots on one time cursor, and what the user does in them."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from lstm_studio.networks.signals import Phase
from lstm_studio.session.notes import notes_of
from lstm_studio.session.session import Session
from lstm_studio.session.state import Remarks, Result, View
from lstm_studio.ui.explore.branch_gradients import GradientsOfBranches
from lstm_studio.ui.explore.compare_bar import CompareBar
from lstm_studio.ui.explore.diagram.deck import DiagramDeck
from lstm_studio.ui.explore.diagram.state import DiagramResolver
from lstm_studio.ui.explore.rows import StackResolver
from lstm_studio.ui.explore.what_if.form import Change, Place
from lstm_studio.ui.explore.what_if.plot_menu import PlotMenu
from lstm_studio.ui.plots import rows
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import Theme


class ThemedBar(QWidget):
    """A bar that takes the colours of a theme."""

    @abstractmethod
    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""


class ExploreWorkspace(QWidget):
    """Draws the session's result; everything that it changes goes through the session.

    Parameters
    ----------
    session
        What is open.
    theme
        Its first colours.
    """

    edges_changed = Signal(int, int)
    """Left and right edge of what the cursor can reach in the plots, in this widget's coordinates."""
    value_dragged = Signal(int, str, int, int, float)
    """In a diagram: index of the network, name of the signal, unit, step, and the value to which it was dragged."""

    what_if_requested = Signal(object, object)
    """What is to be changed, and where, from the menu of a unit in the plots or a value in a diagram."""
    cells_put_away = Signal(bool)
    """Whether the cells make room for what is compared."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._resolver = StackResolver()
        self._diagrams = DiagramResolver()
        self._bars: list[ThemedBar] = []
        self._gradients = GradientsOfBranches(session, self)
        self._away = self._insisted = False
        self.setAccessibleName("Explore")
        self.stack = PlotStack(theme)
        self.compare_bar = CompareBar(session, theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.deck = DiagramDeck(theme)
        layout.addWidget(self.deck)
        layout.addWidget(self.compare_bar)
        layout.addWidget(self.stack, 1)
        self.deck.unit_requested.connect(self._on_unit_requested)
        self.deck.phase_requested.connect(self._on_phase_requested)
        self.deck.direction_requested.connect(self._on_direction_requested)
        self.deck.value_dragged.connect(self.value_dragged)
        self.deck.value_requested.connect(self._on_value_requested)
        self.stack.step_requested.connect(self._on_step_requested)
        self.stack.unit_requested.connect(self._on_unit_requested)
        self.stack.view_requested.connect(self._on_view_requested)
        self.stack.menu_requested.connect(self._on_menu_requested)
        self.stack.stretch_requested.connect(self._on_stretch_requested)
        self.stack.stretch_moved.connect(self._on_stretch_moved)
        self.stack.track_changed.connect(self.edges_changed)
        self.compare_bar.cells_requested.connect(self.show_cells)
        session.result_replaced.connect(self._on_result_replaced)
        session.view_changed.connect(self._on_view_changed)
        session.remarks_changed.connect(self._on_remarks_changed)
        self._show()

    def show_above(self, bar: ThemedBar) -> None:
        """Put a bar above the cells; it shows and hides itself."""
        self._bars.append(bar)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)  # noqa: S101 - made above
        layout.insertWidget(0, bar)

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        for bar in self._bars:
            bar.apply_theme(theme)
        self.stack.apply_theme(theme)
        self.compare_bar.apply_theme(theme)
        self.deck.apply_theme(theme)

    def _show(self, *, compared: bool = False) -> None:
        """Show what the session shows; with the bar where what is compared may have changed."""
        with self.stack.placed_once():
            if compared:
                self.compare_bar.refresh()
            self._show_state()
            layout = self.layout()
            if layout is not None and self.isVisible():
                # What came or went above the plots changes their height: before they are placed, not after.
                layout.activate()

    def _show_state(self) -> None:
        session = self._session
        state = self._resolver.resolve(session.result, session.view, session.remarks)
        self.stack.apply(state)
        notes = notes_of(session.remarks.notes, session.result.setup.item)
        self.stack.axis_item.show_notes(tuple((note.step, note.text) for note in notes))
        diagrams = self._diagrams.resolve(session.result, session.view, state) if session.view.diagram else ()
        if diagrams:
            self.deck.apply(diagrams)
        self._share_height()

    @property
    def cells_away(self) -> bool:
        """Whether the cells make room for what is compared."""
        return self._away

    def show_cells(self) -> None:
        """Show the cells also where what is compared then has to be scrolled."""
        self._insisted = True
        self._share_height()

    def _share_height(self) -> None:
        """Let the cells make room where what is compared would not fit below them: the gradient must be seen."""
        comparing = not self.compare_bar.isHidden()
        self._insisted = self._insisted and comparing
        wanted = self._session.view.diagram
        bars = [bar for bar in (*self._bars, self.compare_bar) if not bar.isHidden()]
        room = self.height() - self.deck.sizeHint().height() - sum(bar.sizeHint().height() for bar in bars)
        away = wanted and comparing and not self._insisted and room < self.stack.least_height
        self.deck.setVisible(wanted and not away)
        self.compare_bar.offer_cells(away)
        if away != self._away:
            self._away = away
            self.cells_put_away.emit(away)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the diagrams take their share of the height."""
        super().resizeEvent(event)
        self.deck.fit_into(self.height())
        self._share_height()

    def _on_result_replaced(self, _: Result) -> None:
        self._show(compared=True)

    def _on_view_changed(self, after: View, before: View) -> None:
        self._show(compared=after.labels != before.labels or after.comparison != before.comparison)

    def _on_remarks_changed(self, _: Remarks) -> None:
        self._show()

    def _on_step_requested(self, step: int) -> None:
        self._session.move_cursor(step)

    def _on_menu_requested(self, key: str, unit: int, step: int, at: QPoint) -> None:
        step = min(step, self._session.steps - 1)
        menu = PlotMenu(self._session, key.partition("|")[0], unit, step, self)
        menu.chosen.connect(self.what_if_requested)
        menu.popup(at)

    def _on_unit_requested(self, group: str, unit: int) -> None:
        self._session.select_unit(group, unit)

    def _on_value_requested(self, network: int, signal: str, unit: int, step: int) -> None:
        self.what_if_requested.emit(Change.CLAMP, Place(network, signal, unit, step))

    def _on_stretch_requested(self, start: int, stop: int, goes_on: bool) -> None:
        # The longer one of two sequences that are compared has steps of its own.
        steps = self._session.steps
        if start < steps:
            self._session.mark("Mark a stretch", (start, min(stop, steps)), merge=goes_on)

    def _on_stretch_moved(self, start: int, stop: int, goes_on: bool) -> None:
        steps = self._session.steps
        self._session.mark("Move an end of the stretch", (start, min(stop, steps)), merge=goes_on)

    def _on_phase_requested(self, phase: Phase) -> None:
        view = self._session.view
        # The pill that is live already brings the whole step back.
        self._session.look(phase=phase, four_phases=not (view.four_phases and view.phase is phase))

    def _on_direction_requested(self, backward: bool) -> None:
        self._session.look(backward=backward)

    def _on_view_requested(self, key: str, view: rows.View) -> None:
        self._session.choose_plot_view(key, str(view))
