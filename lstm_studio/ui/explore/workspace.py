"""Explore: the session's result as rows of plots on one time cursor, and what the user does in them back."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from lstm_studio.session.session import Session
from lstm_studio.session.state import Remarks, Result, View
from lstm_studio.ui.explore.rows import StackResolver
from lstm_studio.ui.plots import rows
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import Theme


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
    """Left and right edge of the plots, in this widget's coordinates."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._resolver = StackResolver()
        self.setAccessibleName("Explore")
        self.stack = PlotStack(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self.stack.step_requested.connect(self._on_step_requested)
        self.stack.unit_requested.connect(self._on_unit_requested)
        self.stack.view_requested.connect(self._on_view_requested)
        self.stack.stretch_requested.connect(self._on_stretch_requested)
        self.stack.edges_changed.connect(self.edges_changed)
        session.result_replaced.connect(self._on_result_replaced)
        session.view_changed.connect(self._on_view_changed)
        session.remarks_changed.connect(self._on_remarks_changed)
        self._show()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.stack.apply_theme(theme)

    def _show(self) -> None:
        session = self._session
        self.stack.apply(self._resolver.resolve(session.result, session.view, session.remarks))

    def _on_result_replaced(self, _: Result) -> None:
        self._show()

    def _on_view_changed(self, _after: View, _before: View) -> None:
        self._show()

    def _on_remarks_changed(self, _: Remarks) -> None:
        self._show()

    def _on_step_requested(self, step: int) -> None:
        self._session.move_cursor(step)

    def _on_unit_requested(self, group: str, unit: int) -> None:
        self._session.select_unit(group, unit)

    def _on_stretch_requested(self, start: int, stop: int) -> None:
        # The longer one of two sequences that are compared has steps of its own.
        steps = self._session.steps
        if start < steps:
            self._session.look(stretch=(start, min(stop, steps)), mark=None)

    def _on_view_requested(self, key: str, view: rows.View) -> None:
        self._session.choose_plot_view(key, str(view))
