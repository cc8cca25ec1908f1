"""The horizon: one panel of three pages, each of which asks for what it shows as soon as it is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from lstm_studio.session.horizon import LagCurve, MemoryHorizon, gradient_curves
from lstm_studio.session.question import Question
from lstm_studio.session.saturation import GateSaturation, SaturationOfSet, gates_of, saturation
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup, View
from lstm_studio.session.whose_loss import EVERY_HIDDEN, Itemised, WhoseLoss, own_loss, possible_losses
from lstm_studio.ui.explore.gradients import objective_words
from lstm_studio.ui.explore.horizon.gate_page import ALL, GatePage, GateState
from lstm_studio.ui.explore.horizon.lag_page import CURSOR, NEAR, LagPage, LagState, Measure
from lstm_studio.ui.explore.horizon.loss_page import LossPage, LossState, too_long
from lstm_studio.ui.explore.horizon.places import choice_rows
from lstm_studio.ui.explore.horizon.words import layer_name, letter, memories_of, named_curves
from lstm_studio.ui.explore.layers import ShownLayer, network_names, selected_unit, shown_layers
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.segments import Segments

PATIENCE = 200
"""Milliseconds for which what was there stays while an answer is on its way."""
_WAITING = "Being measured. This line stays if it was cancelled: then measure again."
_NOTHING = "Open a network with recurrent layers to see how far back it reaches."
_LEAST_STEPS = 2
_ONE_STEP = (
    "This sequence has one step, and a memory is felt over several: open a longer one, or add to it in the panel "
    "Sequence."
)
_NO_NETWORK = (
    "This is a step of a training as it was recorded: its signals, but not the network itself. {} "
    "Open the weights of the training as a network, and it can be measured."
)
_MISSING = {
    "reach": "How far back it reaches is measured with the network, and gradients were not recorded at this step.",
    "itemised": "Whose loss is felt is found by sending each loss back through the network.",
    "saturation": "Its gates were not recorded.",
}


class Page(StrEnum):
    """The pages."""

    LAG = "reach"
    LOSS = "itemised"
    GATES = "saturation"


@dataclass(frozen=True, slots=True)
class _State:
    page: Page
    waiting: bool
    has_row: bool
    lag: LagState | None = None
    loss: LossState | None = None
    gates: GateState | None = None
    missing: str = ""


@dataclass(slots=True)
class _Asked:
    """What a page has asked, and the answer once it is there; ``key`` tells whether it is still what is wanted."""

    key: tuple[object, ...]
    question: Question
    answer: Any = None


class HorizonPanel(Panel[_State]):
    """How far back each network reaches, whose loss is felt, and how saturated the gates are."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Horizon", parent)
        self._session = session
        self._page = Page.LAG
        self._measure = Measure.JACOBIAN
        self._end: int | None = None
        self._near = True
        self._loss: str | None = None
        self._memory = 0
        self._over_all = False
        self._interrupted = False
        self._asked: dict[Page, _Asked] = {}
        self._kept: dict[Page, tuple[tuple[object, ...], Any]] = {}
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        titles = {page: page.value.capitalize() for page in Page}
        self.pages = Segments("Page", {page.value: title for page, title in titles.items()})
        for page, tip in _TIPS.items():
            self.pages.button(page).setToolTip(tip)
        self._empty = EmptyState(theme, _NOTHING)
        self._again = _link("Measure again", "Ask once more for what is not there yet")
        self.lag_page, self.loss_page, self.gate_page = LagPage(theme), LossPage(theme), GatePage(theme)
        self._row = _link(
            "Show as a row", "Add the norms of the Jacobians to the plots, over the time axis that all rows share"
        )
        self._copy = _link(
            "Copy numbers", "Put the numbers of this page on the clipboard, as a spreadsheet pastes them"
        )
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        self.column.addLayout(choice_rows(("", self.pages)))
        self.column.addWidget(self._empty)
        self.column.addWidget(self._again, 0, Qt.AlignmentFlag.AlignHCenter)
        for page in (self.lag_page, self.loss_page, self.gate_page):
            self.column.addWidget(page, 1)
        row = QHBoxLayout()
        row.addWidget(self._row)
        row.addWidget(self._copy)
        row.addStretch(1)
        self.column.addLayout(row)
        self.column.addStretch(0)

    def _connect(self) -> None:
        session = self._session
        session.result_replaced.connect(self._on_result)
        session.view_changed.connect(self._on_view)
        session.setup_changed.connect(self._on_setup)
        session.answered.connect(self._on_answered)
        self._patience.timeout.connect(self.refresh)
        self.pages.chosen.connect(self.show_page)
        self._again.clicked.connect(self._ask_again)
        self._row.clicked.connect(self.add_row)
        self._copy.clicked.connect(self._copy_numbers)
        self.lag_page.measure_chosen.connect(self._choose_measure)
        self.lag_page.end_chosen.connect(self._choose_end)
        self.lag_page.lags_chosen.connect(self._choose_lags)
        self.lag_page.step_chosen.connect(session.move_cursor)
        self.loss_page.loss_chosen.connect(self._choose_loss)
        self.loss_page.memory_chosen.connect(self._choose_memory)
        self.loss_page.step_chosen.connect(session.move_cursor)
        self.gate_page.over_chosen.connect(self._choose_over)
        self.gate_page.unit_chosen.connect(session.select_unit)

    # What others call.

    def show_page(self, page: str) -> None:
        """Show another page."""
        self._page = Page(page)
        self.refresh()

    def add_row(self) -> None:
        """Show the norms of the Jacobians among the plots, too."""
        self._session.change("Show the Jacobians", memory=True)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for part in (self._empty, self.lag_page, self.loss_page, self.gate_page):
            part.apply_theme(theme)

    def refresh(self) -> None:
        """Draw what the session holds now, if anybody looks.

        While the answer to something new is on its way, what was there stays for a moment: most answers come sooner.
        """
        if not self.isVisible():
            return
        state = self._resolve()
        if state.waiting and self._state is not None and self._patience.isActive():
            return
        super().refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what is to be seen."""
        super().showEvent(event)
        self.refresh()

    # Following the session.

    def _on_result(self, result: Result) -> None:
        self._interrupted = False
        # Traces may be large, and nothing about the old ones will be shown again.
        self._asked = {page: asked for page, asked in self._asked.items() if asked.key[0] is result}
        self._kept = {page: kept for page, kept in self._kept.items() if kept[0][0] is result}
        if self._end is not None and self._end >= result.sequence.steps:
            self._end = None
        self.refresh()

    def _on_setup(self, setup: Setup) -> None:  # noqa: ARG002 - the session holds it
        if self._session.waiting:
            self._interrupted = True
        elif self._interrupted:
            # The change was given up; what had been asked before it was dropped for its sake.
            self._interrupted = False
            self._forget_unanswered()
            self.refresh()

    def _on_view(self, after: View, before: View) -> None:
        if any(getattr(after, name) != getattr(before, name) for name in _FOLLOWED):
            self.refresh()

    def _on_answered(self, question: Question, answer: object) -> None:
        for asked in self._asked.values():
            if asked.question is question:
                asked.answer = answer
                self._patience.stop()
                self.refresh()

    # Intents.

    def _choose_measure(self, measure: str) -> None:
        self._measure = Measure(measure)
        self.refresh()

    def _choose_end(self, end: str) -> None:
        self._end = self._session.view.cursor if end == CURSOR else None
        self.refresh()

    def _choose_lags(self, lags: str) -> None:
        self._near = lags == NEAR
        self.refresh()

    def _choose_loss(self, loss: str) -> None:
        self._loss = loss
        self.refresh()

    def _choose_memory(self, memory: int) -> None:
        self._memory = memory
        self.refresh()

    def _choose_over(self, over: str) -> None:
        self._over_all = over == ALL
        self.refresh()

    def _ask_again(self) -> None:
        self._forget_unanswered()
        self.refresh()

    def _forget_unanswered(self) -> None:
        self._asked = {page: asked for page, asked in self._asked.items() if asked.answer is not None}

    def _copy_numbers(self) -> None:
        QGuiApplication.clipboard().setText(self.numbers())

    def numbers(self) -> str:
        """Return the numbers of the page that is shown, as text."""
        state = self._state
        if state is None:
            return ""
        if state.lag is not None:
            return self.lag_page.table(state.lag)
        if state.loss is not None:
            return self.loss_page.table(state.loss)
        return self.gate_page.table(state.gates) if state.gates is not None else ""

    # Asking.

    def _answer(self, page: Page, key: tuple[object, ...], make: Callable[[], Question]) -> Any:
        """Return the answer to what a page needs, or None after asking for it."""
        asked = self._asked.get(page)
        if asked is None or asked.key != key:
            if self._session.waiting or self._recorded:
                # What is shown is about to be replaced, and the new result will be asked about; of a recorded step
                # there is no network to ask.
                return None
            asked = _Asked(key, make())
            self._asked[page] = asked
            self._patience.start()
            self._session.ask(asked.question)
        return asked.answer

    def _keep(self, page: Page, key: tuple[object, ...], make: Callable[[], Any]) -> Any:
        """Return what was made from the same before, so that it is recognised."""
        if page not in self._kept or self._kept[page][0] != key:
            self._kept[page] = (key, make())
        return self._kept[page][1]

    # The state.

    def _resolve(self) -> _State:
        result, view = self._session.result, self._session.view
        shown = shown_layers(result, view)
        has_row = result.setup.memory
        if not shown:
            return _State(self._page, False, has_row)
        if result.sequence.steps < _LEAST_STEPS and self._page is not Page.GATES:
            return _State(self._page, False, has_row, missing=_ONE_STEP)
        state = self._state_of_page(result, view, shown)
        if not self._recorded:
            return state
        lag, gates = state.lag, state.gates
        if (lag is not None and lag.curves) or (gates is not None and (gates.gates or gates.without)):
            return state
        return _State(self._page, False, has_row, missing=_NO_NETWORK.format(_MISSING[self._page]))

    @property
    def _recorded(self) -> bool:
        """Whether what is shown was recorded at a step of a training: there is no network then."""
        return self._session.result.setup.recorded is not None

    def _state_of_page(self, result: Result, view: View, shown: tuple[ShownLayer, ...]) -> _State:
        has_row = result.setup.memory
        match self._page:
            case Page.LAG:
                lag = self._lag(result, view, shown)
                return _State(self._page, lag.curves is None, has_row, lag=lag)
            case Page.LOSS:
                loss = self._whose_loss(result, view, shown)
                waiting = loss.answer is None and not too_long(loss.steps)
                return _State(self._page, waiting, has_row, loss=loss)
            case Page.GATES:
                gates = self._gates(result, view, shown)
                return _State(self._page, gates.gates is None, has_row, gates=gates)

    def _lag(self, result: Result, view: View, shown: tuple[ShownLayer, ...]) -> LagState:
        end, measure = self._end, Measure.GRADIENT if self._recorded else self._measure
        curves: tuple[LagCurve, ...] | None
        if measure is Measure.JACOBIAN:
            curves = self._answer(Page.LAG, (result, end), lambda: MemoryHorizon(result, end))
        else:
            curves = self._keep(Page.LAG, (result, end), lambda: gradient_curves(result, end))
        named = None if curves is None else named_curves(result, shown, curves, view.labels)
        last = result.sequence.steps - 1
        sums = own_loss(result) is not None
        return LagState(
            view.labels,
            measure,
            end,
            last,
            view.cursor,
            named,
            objective_words(result),
            sums,
            self._near,
            networks=not self._recorded,
        )

    def _whose_loss(self, result: Result, view: View, shown: tuple[ShownLayer, ...]) -> LossState:
        losses, own = possible_losses(result), own_loss(result)
        loss = self._loss if self._loss in losses else own if own in losses else EVERY_HIDDEN
        first = [_direction(shown, network, view.backward) for network in sorted({one.network for one in shown})]
        memories = memories_of(first[0])[:2]
        memory = min(self._memory, len(memories) - 1)
        signals, names = [], []
        for one in first:
            known = memories_of(one)
            signal = next((s for s in known if s.role is memories[memory].role), known[0])
            signals.append((one.network, f"{one.layer.prefix}.{signal.name}"))
            names.append(f"{layer_name(result, one, shown)} ∂{letter(signal)}")
        answer: Itemised | None = None
        if not too_long(result.sequence.steps):
            wanted = tuple(signals)
            answer = self._answer(Page.LOSS, (result, loss, wanted), lambda: WhoseLoss(result, loss, wanted))
        return LossState(
            view.labels,
            losses,
            loss,
            "" if own is not None else objective_words(result),
            tuple(signal.label(view.labels) for signal in memories),
            memory,
            result.sequence.steps,
            view.cursor,
            answer,
            tuple(names) if answer is not None and answer.parts else (),
        )

    def _gates(self, result: Result, view: View, shown: tuple[ShownLayer, ...]) -> GateState:
        sequences = len(result.sequences)
        over_all = self._over_all and sequences > 1
        gates: tuple[GateSaturation, ...] | None
        if over_all:
            gates = self._answer(Page.GATES, (result,), lambda: SaturationOfSet(result))
        else:
            gates = self._keep(Page.GATES, (result,), lambda: saturation(result))
        places = {(one.network, one.layer.prefix): one for one in shown}
        chosen = [gate for gate in gates or () if (gate.network, gate.layer.prefix) in places]
        layers = [places[gate.network, gate.layer.prefix] for gate in chosen]
        several = len({one.group for one in layers}) > 1
        titles = tuple(
            f"{layer_name(result, one, shown)} {_lower(gate.gate.label(view.labels))}"
            if several
            else gate.gate.label(view.labels)
            for gate, one in zip(chosen, layers, strict=True)
        )
        names = network_names(result.infos)
        gated = {one.network for one in shown if gates_of(one.layer)}
        without = tuple(names[network] for network in sorted({one.network for one in shown} - gated))
        units = tuple(selected_unit(one, view) for one in layers)
        found = None if gates is None else tuple(chosen)
        return GateState(view.labels, over_all, sequences, found, titles, units, without)

    def _apply(self, state: _State, before: _State | None) -> None:
        self.pages.show_choice(state.page)
        nothing = state.lag is None and state.loss is None and state.gates is None
        self._empty.setText(state.missing or (_NOTHING if nothing else _WAITING))
        self._empty.setVisible(nothing or state.waiting)
        self._again.setVisible(state.waiting)
        self._copy.setVisible(not nothing and not state.waiting)
        measurable = state.lag is not None and state.lag.networks
        self._row.setVisible(measurable and not state.waiting and not state.has_row)
        # What is hidden is not kept up to date: it is drawn anew when it is shown again.
        same = before if before is not None and before.page is state.page and not before.waiting else None
        ready = not state.waiting
        self.lag_page.setVisible(ready and state.lag is not None)
        self.loss_page.setVisible(ready and state.loss is not None)
        self.gate_page.setVisible(ready and state.gates is not None)
        if not ready:
            return
        if state.lag is not None:
            self.lag_page.show_state(state.lag, same.lag if same else None)
        if state.loss is not None:
            self.loss_page.show_state(state.loss, same.loss if same else None)
        if state.gates is not None:
            self.gate_page.show_state(state.gates, same.gates if same else None)


_FOLLOWED = ("cursor", "units", "layer", "backward", "labels")
_TIPS = {
    Page.LAG: "How far back each network reaches",
    Page.LOSS: "From which step's loss the gradient at each step comes",
    Page.GATES: "How often each gate is shut or open",
}


def _direction(shown: tuple[ShownLayer, ...], network: int, backward: bool) -> ShownLayer:
    """Return the direction of a network that the view follows, or the one it has."""
    own = [one for one in shown if one.network == network]
    return next((one for one in own if one.backward is backward), own[0])


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


def _link(text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setProperty("kind", "link")
    made.setToolTip(tip)
    made.setAccessibleName(text)
    return made
