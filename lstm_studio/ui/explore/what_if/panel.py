"""What if: change one thing in the trace on the screen, and see what would have happened instead."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QWidget

from lstm_studio.networks.signals import INPUT, Labels
from lstm_studio.session.branch_words import (
    default_name,
    outcome_of,
    second_title,
    sentence_of,
    title_of,
)
from lstm_studio.session.branches import can_hold, renamed, unique_name
from lstm_studio.session.session import WITHOUT_NETWORK, Session
from lstm_studio.session.state import (
    RECORDED,
    SECOND,
    Branch,
    CompareMode,
    Comparison,
    Result,
    View,
    branch_key,
)
from lstm_studio.ui.explore.comparing import RECORDED_TITLE, is_compared, keys_of, outcome_text
from lstm_studio.ui.explore.layers import network_names
from lstm_studio.ui.explore.what_if.branch_list import BranchList, BranchRow
from lstm_studio.ui.explore.what_if.event_form import EventForm
from lstm_studio.ui.explore.what_if.form import Change, Form, Place
from lstm_studio.ui.explore.what_if.hold_forms import AblateForm, ClampForm, StateForm
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.text import label

_LEAST_LIST = 116
"""Pixels of height that are enough for the buttons and the first line of the list, at 100 %."""
_HIGHEST_FORM = 400
"""Pixels that a form may ask the panels beside it for."""
_NOTHING_HELD = "These networks are not computed step by step, or also read from the end: nothing in them can be held."


@dataclass(frozen=True, slots=True)
class _State:
    labels: Labels
    rows: tuple[BranchRow, ...]
    holds: bool
    recorded: bool


class WhatIfPanel(Panel[_State]):
    """Buttons that open a form each, and the list of the recorded trace and its what-ifs."""

    made = Signal(str)
    """Name of a what-if that the user has made."""
    form_opened = Signal()
    form_closed = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("What if", parent)
        self._session = session
        self._buttons = {change: QPushButton() for change in Change}
        self._forms: dict[Change, Form] = {
            Change.CLAMP: ClampForm(theme),
            Change.ABLATE: AblateForm(theme),
            Change.EVENT: EventForm(theme),
            Change.STATE: StateForm(theme),
        }
        self._open: Change | None = None
        self._awaited: tuple[str, CompareMode] | None = None
        self._branches = session.result.setup.branches
        self._list = BranchList(theme)
        self._hint = label(kind="caption")
        self._hint.setWordWrap(True)
        grid = QGridLayout()
        grid.setSpacing(HALF_GRID + 2)
        for place, (change, button) in enumerate(self._buttons.items()):
            button.setCheckable(True)
            button.setObjectName(change.value)
            button.clicked.connect(self._on_button)
            grid.addWidget(button, place // 2, place % 2)
        self.column.addLayout(grid)
        for form in self._forms.values():
            form.hide()
            form.made.connect(self._on_made)
            form.closed.connect(self.close_form)
            self.column.addWidget(form)
        self.column.addWidget(self._list)
        self.column.addWidget(self._hint)
        self.column.addStretch(1)
        self._list.branch_model.check_wanted.connect(self.toggle)
        self._list.branch_model.rename_wanted.connect(self.rename)
        self._list.remove_wanted.connect(self.remove)
        self._list.line_reached.connect(self._show_line)
        session.result_replaced.connect(self._on_result)
        session.view_changed.connect(self._on_view)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for form in self._forms.values():
            form.apply_theme(theme)
        self._list.apply_theme(theme)

    @property
    def list(self) -> BranchList:
        """The list."""
        return self._list

    def button(self, change: Change) -> QPushButton:
        """Return the button that opens a form."""
        return self._buttons[change]

    def form(self, change: Change) -> Form:
        """Return a form."""
        return self._forms[change]

    @property
    def opened(self) -> Change | None:
        """Which form is open."""
        return self._open

    # Forms.

    def open_form(self, change: Change, place: Place | None = None) -> None:
        """Open a form, filled from the cursor and the selected unit, or from a place."""
        self.form_opened.emit()
        self._show_form(change)
        form = self._forms[change]
        form.start(self._session.result, self._session.view)
        if place is not None:
            form.place(place)
        self.reveal(form)
        first = next((child for child in form.findChildren(QWidget) if _takes_keyboard(child)), None)
        if place is not None and form.field is not None:
            first = form.field
            form.field.selectAll()
        if first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)

    def close_form(self) -> None:
        """Close the form that is open, and return the keyboard to its button."""
        opened = self._open
        self._show_form(None)
        if opened is not None:
            self._buttons[opened].setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_form(self, opened: Change | None) -> None:
        before, self._open = self._open, opened
        for change, form in self._forms.items():
            form.setVisible(change is opened)
            self._buttons[change].setChecked(change is opened)
        self.updateGeometry()
        if before is not None and opened is None:
            self.form_closed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the line with the keyboard in sight when the room that a form needed is given back."""
        super().resizeEvent(event)
        if self._list.hasFocus():
            self._show_line(self._list.line)

    def minimumSizeHint(self) -> QSize:
        """Return the height at which the form that is open is seen, with the buttons above it; else the first line."""
        least = super().minimumSizeHint()
        if self._open is None:
            shown = self._list.y() + self._list.sizeHintForRow(0)
            return QSize(least.width(), max(least.height(), min(_LEAST_LIST, shown)))
        form = self._forms[self._open]
        top = form.mapTo(self, QPoint()).y() if form.y() else self._buttons[Change.STATE].geometry().bottom()
        return QSize(least.width(), min(_HIGHEST_FORM, top + form.sizeHint().height() + GRID))

    def _on_button(self) -> None:
        change = Change(self.sender().objectName())
        if change is self._open:
            self._show_form(None)
        else:
            self.open_form(change)

    def _on_made(self, branch: Branch) -> None:
        self._show_form(None)
        self.add(branch)
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    # What the user does with what-ifs.

    def add(self, branch: Branch) -> None:
        """Name a what-if, have it computed, and compare it with the recorded trace."""
        session = self._session
        name = unique_name(default_name(branch, session.result, session.view.labels), session.setup.branches)
        self.await_source(branch_key(name), CompareMode.DIFFERENCE)
        session.change(f"What if: {name}", branches=(*session.setup.branches, replace(branch, name=name)))
        self.made.emit(name)

    def hold(self, network: int, signal: str, unit: int, step: int, value: float) -> None:
        """Set a signal of one unit once at a step, as dragging a value in a diagram asks for."""
        held = ((signal, ((unit, value),)),)
        self.add(Branch("", step, step + 1, clamp=held, network=network))

    def await_source(self, key: str, mode: CompareMode) -> None:
        """Compare something with the recorded trace as soon as it is there: until then, what is shown stays.

        ``mode`` is how, unless two traces were compared before.
        """
        self._awaited = key, mode

    def compare(self, key: str, mode: CompareMode = CompareMode.DIFFERENCE) -> None:
        """Compare something with the recorded trace, as two traces were compared last."""
        self._session.look(comparison=self._comparison(key, mode))

    def _comparison(self, key: str, mode: CompareMode) -> Comparison:
        before = self._session.view.comparison
        return Comparison(key, mode=mode if before is None else before.mode)

    def toggle(self, key: str) -> None:
        """Compare a line with the base, or no more; the recorded trace becomes the base."""
        comparison = self._session.view.comparison
        if comparison is None or not is_compared(self._session.result, self._session.view):
            if key != RECORDED:
                self.compare(key)
        elif key == comparison.other or (key == comparison.base == RECORDED):
            self._session.look(comparison=None)
        elif key in {comparison.base, RECORDED}:
            self._session.look(comparison=replace(comparison, base=RECORDED))
        else:
            self._session.look(comparison=replace(comparison, other=key))

    def rename(self, key: str, name: str) -> None:
        """Call a what-if by another name."""
        branches = self._session.setup.branches
        old = next((branch for branch in branches if branch_key(branch.name) == key), None)
        if old is None:
            return
        name = unique_name(name, tuple(branch for branch in branches if branch is not old))
        changed = tuple(replace(branch, name=name) if branch is old else branch for branch in branches)
        self._session.change("Rename a what-if", branches=changed)

    def remove(self, key: str) -> None:
        """Remove a what-if, or what else is compared."""
        if key == SECOND:
            self._session.change("Stop comparing", second=None)
            return
        branches = tuple(branch for branch in self._session.setup.branches if branch_key(branch.name) != key)
        self._session.change("Remove a what-if", branches=branches)

    def _show_line(self, line: QRect) -> None:
        """Scroll to a line that is new or that the keyboard has come to; but not away from a form that is filled in."""
        if self._open is None or self._list.hasFocus():
            self.reveal(self._list, line)

    # From the session to what is shown.

    def _follow_names(self, before: tuple[Branch, ...], now: tuple[Branch, ...]) -> None:
        """Go on comparing a what-if that has another name, also after undo."""
        comparison = self._session.view.comparison
        keys = {branch_key(old): branch_key(new) for old, new in renamed(before, now).items()}
        if comparison is not None and keys:
            base, other = (keys.get(end, end) for end in (comparison.base, comparison.other))
            self._session.look(comparison=replace(comparison, base=base, other=other))

    def _on_result(self, result: Result) -> None:
        before, self._branches = self._branches, result.setup.branches
        self._follow_names(before, self._branches)
        awaited, self._awaited = self._awaited, None
        if awaited is not None and awaited[0] in keys_of(result):
            # What a what-if changes lies after its step, which is mostly the last one that is revealed.
            reveal_all = self._session.view.reveal_all or awaited[0] != SECOND
            self._session.look(comparison=self._comparison(*awaited), reveal_all=reveal_all)
        self.refresh()
        if self._open is not None:
            self._forms[self._open].follow(result, self._session.view)

    def _on_view(self, after: View, before: View) -> None:
        if after.labels != before.labels or after.comparison != before.comparison:
            self.refresh()

    def _resolve(self) -> _State:
        result, view = self._session.result, self._session.view
        comparison = view.comparison
        shown = {RECORDED}
        if comparison is not None and is_compared(result, view):
            shown = {comparison.base, comparison.other}
        ends, answers = _ends(result, None)
        rows = [_row(RECORDED, (RECORDED_TITLE, "nothing changed"), ends, answers[:1], shown)]
        for branch, traces in zip(result.setup.branches, result.branches, strict=False):
            if traces:
                title, key = title_of(branch, result, view.labels), branch_key(branch.name)
                ends, answers = _ends(replace(result, traces=traces), result)
                rows.append(_row(key, (title, sentence_of(branch, result)), ends, answers[branch.network :], shown))
        second = result.setup.second
        if second is not None and result.second is not None:
            trace, info = result.second
            words = "another network" if second.network is not None else "another sequence"
            ends, answers = _ends(replace(result, traces=(trace,), infos=(info,)), None)
            rows.append(_row(SECOND, (second_title(second, result), words), ends, answers, shown))
        holds = any(can_hold(result, network) for network in range(len(result.traces)))
        return _State(view.labels, tuple(rows), holds, result.setup.recorded is not None)

    def _apply(self, state: _State, before: _State | None) -> None:
        if before is None or before.labels != state.labels:
            self._show_words(state.labels)
        for change in (Change.CLAMP, Change.ABLATE, Change.STATE):
            self._buttons[change].setEnabled(state.holds)
            reason = WITHOUT_NETWORK[0] if state.recorded else _NOTHING_HELD
            self._buttons[change].setToolTip(_TOOL_TIPS[change] if state.holds else reason)
        self._buttons[Change.EVENT].setEnabled(not state.recorded)
        if state.recorded and self._open is not None:
            self._show_form(None)
        if not state.holds and self._open not in {None, Change.EVENT}:
            self._show_form(None)
        self._list.show_rows(state.rows)
        self._hint.setText(_hint(state))
        self._hint.setVisible(len(state.rows) == 1)

    def _show_words(self, labels: Labels) -> None:
        word = INPUT.label(labels).lower()
        memory = "memory" if labels is Labels.CLASSROOM else "state"
        titles = {
            Change.CLAMP: "Clamp",
            Change.ABLATE: "Ablate",
            Change.EVENT: f"Edit {word}",
            Change.STATE: f"Set {memory}",
        }
        for change, title in titles.items():
            self._buttons[change].setText(f"{title}…")
            self._buttons[change].setAccessibleName(f"{title}…")
            self._forms[change].show_title(title)
        self._buttons[Change.EVENT].setToolTip(f"Give the networks another {word} at one step")
        for form in self._forms.values():
            if form.started:
                form.start(self._session.result, self._session.view)


_TOOL_TIPS = {
    Change.CLAMP: "Hold a signal of some units at a value, from a step on",
    Change.ABLATE: "Switch some units off: their states are held at zero",
    Change.STATE: "Set what a unit keeps to a value once; from there on it is computed again",
}


def _hint(state: _State) -> str:
    """Return what to do where nothing has been changed yet, or why that cannot be and what can."""
    word = INPUT.label(state.labels).lower()
    if state.recorded:
        return " ".join(WITHOUT_NETWORK)
    if not state.holds:
        return f"{_NOTHING_HELD} Change one {word} to see what comes of that."
    return (
        f"Hold a signal, switch a unit off or change one {word}: the trace goes on from there, and is compared with"
        " the recorded one."
    )


def _ends(result: Result, recorded: Result | None) -> tuple[str, tuple[str, ...]]:
    """Return what all networks come to, in a line and one by one.

    ``recorded`` is what a change of state is measured against.
    """
    texts = tuple(
        outcome_text(outcome_of(trace, result, None if recorded is None else recorded.traces[index]))
        for index, trace in enumerate(result.traces)
    )
    names = network_names(result.infos)
    return ", ".join(f"{name} {text}" for name, text in zip(names, texts, strict=True) if text), texts


def _row(key: str, words: tuple[str, str], ends: str, answers: tuple[str, ...], shown: set[str]) -> BranchRow:
    """Return a line; ``words`` are its title and its sentence."""
    title, sentence = words
    details = f"{title}: {sentence}." + (f" At the end: {ends}." if ends else "")
    outcome = answers[0] if answers else ""
    return BranchRow(
        key, title, sentence, outcome, details, key in shown, key != RECORDED, key not in {RECORDED, SECOND}
    )


def _takes_keyboard(widget: QWidget) -> bool:
    return (
        bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and widget.isVisible()
        and widget.isEnabled()
        and not isinstance(widget, QFrame)
        and widget.accessibleName() != "Close the form"
    )
