"""The panel with everything that may be going wrong, of all runs or of the selected one."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QPushButton

from lstm_studio.session.alarms import Alarm
from lstm_studio.session.monitoring import Monitoring, MonitorView
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.monitor.alarm_card import AlarmCard
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

_ALL, _SELECTED = "all", "selected"
_MOST_CARDS = 30


@dataclass(frozen=True, slots=True)
class AlarmsState:
    """What the panel shows: alarms with the letters of their runs, and how many there are of all and of one."""

    alarms: tuple[tuple[Alarm, str], ...]
    total: int
    of_selected: int
    selected: str
    only_selected: bool
    muted: int
    any_runs: bool


class AlarmsPanel(Panel[AlarmsState]):
    """Alarms as cards.

    Parameters
    ----------
    monitoring
        Where they come from.
    actions
        What the links do.
    """

    def __init__(self, monitoring: Monitoring, actions: Actions, theme: Theme) -> None:
        super().__init__("Alarms")
        self._monitoring, self._theme = monitoring, theme
        self._only_selected = False
        self._choice = Segments("Alarms", {_ALL: "All 0", _SELECTED: "Selected run 0"})
        self._empty = EmptyState(theme, "")
        self._more = label(kind="caption")
        self._unmute = QPushButton()
        self._unmute.setProperty("kind", "link")
        self._unmute.setToolTip(actions["monitor.unmute"].toolTip())
        self._unmute.clicked.connect(actions["monitor.unmute"].trigger)
        self._choice.chosen.connect(self._on_choice)
        self.column.addWidget(self._choice)
        self.column.addWidget(self._empty)
        self._first_card = self.column.count()
        self.column.addWidget(self._more)
        self.column.addWidget(self._unmute)
        self.column.addStretch(1)
        self._cards: dict[tuple[str, str, str], AlarmCard] = {}
        monitoring.alarms_changed.connect(self._on_alarms)
        monitoring.view_changed.connect(self._on_view)
        monitoring.listed.connect(self._on_listed)
        self.refresh()

    def _resolve(self) -> AlarmsState:
        monitoring = self._monitoring
        selected = monitoring.view.selected
        every = monitoring.alarms
        own = tuple(alarm for alarm in every if alarm.address == selected)
        shown = own if self._only_selected else every
        return AlarmsState(
            tuple((alarm, monitoring.letter(alarm.address)) for alarm in shown),
            len(every),
            len(own),
            selected,
            self._only_selected,
            monitoring.muted,
            bool(monitoring.addresses),
        )

    def _apply(self, state: AlarmsState, before: AlarmsState | None) -> None:  # noqa: ARG002 - cards tell what changed
        self._choice.set_text(_ALL, f"All {state.total}")
        self._choice.set_text(_SELECTED, f"Selected run {state.of_selected}")
        self._choice.show_choice(_SELECTED if state.only_selected else _ALL)
        self._choice.setVisible(state.any_runs)
        self._empty.setVisible(not state.alarms)
        nothing = "Nothing to worry about." if state.any_runs else "Add the folder of a run: its alarms appear here."
        self._empty.setText(nothing)
        wanted = {alarm.key: (alarm, letter) for alarm, letter in state.alarms[:_MOST_CARDS]}
        for key in [key for key in self._cards if key not in wanted]:
            card = self._cards.pop(key)
            self.column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for place, (key, (alarm, letter)) in enumerate(wanted.items()):
            found = self._cards.get(key)
            if found is None:
                found = self._cards[key] = AlarmCard(self._theme, alarm, letter)
                found.opened.connect(self._on_opened)
                found.muted.connect(self._monitoring.mute)
            found.show_alarm(alarm)
            found.show_selected(alarm.address == state.selected, letter)
            if self.column.indexOf(found) != self._first_card + place:
                self.column.insertWidget(self._first_card + place, found)
        rest = len(state.alarms) - len(wanted)
        self._more.setVisible(rest > 0)
        self._more.setText(f"and {rest} more: choose a run to see its own")
        self._unmute.setVisible(state.muted > 0)
        self._unmute.setText(f"Show {state.muted} muted")

    @property
    def cards(self) -> tuple[AlarmCard, ...]:
        """The cards, from the top."""
        return tuple(sorted(self._cards.values(), key=self.column.indexOf))

    def _on_opened(self, alarm: Alarm) -> None:
        self._monitoring.select(alarm.address)
        if alarm.step is not None:
            self._monitoring.go_to(alarm.step)

    def _on_choice(self, key: str) -> None:
        self._only_selected = key == _SELECTED
        self.refresh()

    def _on_alarms(self, alarms: tuple[Alarm, ...]) -> None:  # noqa: ARG002 - resolved anew
        self.refresh()

    def _on_view(self, after: MonitorView, before: MonitorView) -> None:
        if after.selected != before.selected:
            self.refresh()

    def _on_listed(self, addresses: tuple[str, ...]) -> None:  # noqa: ARG002 - resolved anew
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self._empty.apply_theme(theme)
        for card in self._cards.values():
            card.apply_theme(theme)
