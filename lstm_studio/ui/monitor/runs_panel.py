"""The panel with the runs that are followed: filter, list, what is laid upon each other, how to record one."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from lstm_studio.runs.like import Status
from lstm_studio.session.monitoring import Monitoring, MonitorView, Overlay
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.icons import Icon, make_icon
from lstm_studio.ui.monitor.run_list import RunList
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, SECTION_GAP, Theme
from lstm_studio.ui.widgets.action_button import set_field_icon
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import ElidedLabel, label

_TICK = 1000
"""Milliseconds between two looks at what grows older by itself."""
_UNMATCHED = "No run has this in its name, status or settings. Fewer letters find more."


class RunsPanel(QWidget):
    """Which trainings are followed, and which of them are drawn.

    Parameters
    ----------
    monitoring
        What is followed, and how it is looked at.
    actions
        What the buttons do.
    """

    removed = Signal(str)
    """Address of the run that is to be followed no longer."""

    def __init__(self, monitoring: Monitoring, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._monitoring, self._actions = monitoring, actions
        self.setAccessibleName("Runs")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name, status or setting")
        self.filter.setAccessibleName("Filter the runs")
        self.filter.setClearButtonEnabled(True)
        self._glass = QAction(self.filter)
        self.filter.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._count = ElidedLabel(kind="caption")
        self.list = RunList(monitoring, theme)
        self._overlay = Segments("Overlay", {Overlay.STEP.value: "by step", Overlay.TIME.value: "by time"})
        self._record = EmptyState(theme, "")
        self._unmatched = EmptyState(theme, _UNMATCHED)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK)
        self._lay_out()
        self.filter.textChanged.connect(self._on_filter)
        self.list.chosen.connect(monitoring.select)
        self.list.removed.connect(self.removed)
        self.list.asked.connect(self._show_menu)
        self._overlay.chosen.connect(self._on_overlay)
        self._timer.timeout.connect(self._show_news)
        monitoring.listed.connect(self._on_listed)
        monitoring.pictured.connect(self._on_pictured)
        monitoring.view_changed.connect(self._on_view)
        self.apply_theme(theme)
        self._list_anew()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(label("Overlay", "secondary"))
        row.addWidget(self._overlay)
        row.addStretch(1)
        inside = QVBoxLayout(self._record)
        inside.setContentsMargins(PANEL_INSET, GRID, PANEL_INSET, GRID)
        inside.setSpacing(2)
        inside.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
        for text, kind in (("Record your own training", "value"), ("with three lines in its script:", "secondary")):
            words = label(text, kind)
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
            inside.addWidget(words)
        copy = self._actions["monitor.copy-lines"]
        link = QPushButton(copy.text())
        link.setProperty("kind", "link")
        link.setToolTip(copy.toolTip())
        link.clicked.connect(copy.trigger)
        inside.addWidget(link)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, HALF_GRID, GRID, SECTION_GAP)
        column.setSpacing(HALF_GRID)
        column.addWidget(self.filter)
        column.addWidget(self._count)
        column.addWidget(self._unmatched)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        column.addSpacing(HALF_GRID)
        column.addWidget(self._record)

    def sizeHint(self) -> QSize:
        """Return a width at which a row can be read."""
        return QSize(248, 560)

    def _list_anew(self) -> None:
        self.list.list_anew()
        self._show_count()

    def _show_count(self) -> None:
        monitoring = self._monitoring
        total, shown = len(monitoring.addresses), len(self.list.run_model.rows)
        pictures = [monitoring.picture(address) for address in monitoring.addresses]
        live = sum(picture is not None and picture.status is Status.RUNNING for picture in pictures)
        runs = f"{shown} of {total} runs" if shown != total else f"{total} run{'' if total == 1 else 's'}"
        self._count.setText(f"{runs} · {live} live" if total else "no runs yet")
        self._unmatched.setVisible(total > shown == 0)
        timed = [picture is not None and len(picture.times[0]) > 0 for picture in pictures]
        by_time = self._overlay.button(Overlay.TIME.value)
        by_time.setEnabled(any(timed))
        by_time.setToolTip("" if any(timed) else "None of the runs says when its steps were")
        self._overlay.show_choice(monitoring.view.overlay.value)

    def _on_filter(self, words: str) -> None:
        self._monitoring.look(words=words)
        self._list_anew()

    def _on_overlay(self, key: str) -> None:
        self._monitoring.look(overlay=Overlay(key))

    def _on_listed(self, addresses: tuple[str, ...]) -> None:  # noqa: ARG002 - the watch list holds them
        self._list_anew()

    def _on_pictured(self, addresses: frozenset[str]) -> None:  # noqa: ARG002 - all rows are cheap
        if self.isVisible():
            self._show_news()

    def _show_news(self) -> None:
        matching = [address for address in self._monitoring.addresses if self._monitoring.matches(address)]
        if matching == [row.address for row in self.list.run_model.rows]:
            self.list.show_news()
            self._show_count()
        else:
            # What it is filtered by, its status for example, may have changed.
            self._list_anew()

    def _on_view(self, after: MonitorView, before: MonitorView) -> None:
        if after.shown != before.shown:
            self.list.show_news()
        if after.selected != before.selected:
            self.list.show_selected()
        self._overlay.show_choice(after.overlay.value)

    def _show_menu(self, address: str, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # The run under the mouse is the selected one by now, which these are about.
        for key in ("file.export-run", "monitor.copy-address", "monitor.remove"):
            menu.addAction(self._actions[key])
        self._monitoring.select(address)
        menu.popup(at)

    def showEvent(self, event: QShowEvent) -> None:
        """Keep ages up to date while they can be seen."""
        super().showEvent(event)
        self._show_news()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        set_field_icon(self._glass, make_icon(Icon.SEARCH, theme, theme.ink3))
        self.list.apply_theme(theme)
        self._record.apply_theme(theme)
        self._unmatched.apply_theme(theme)
