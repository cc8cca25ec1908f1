"""What the networks are to learn: a teaching task with its sizes, or the sequences that are open in Explore."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget

from lstm_studio.session.compute import OpenFile
from lstm_studio.session.session import Session
from lstm_studio.session.state import Setup
from lstm_studio.session.trainings import Trainings
from lstm_studio.tasks.registry import tasks
from lstm_studio.tasks.task import Task
from lstm_studio.training.plan import Goal, Plan, class_room
from lstm_studio.ui.runner import Runner
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.train.fields import Fields
from lstm_studio.ui.widgets.layouts import take_widgets
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.text import label

_SEQUENCE = ""
_SHOWN = "Learn the sequences that are open in Explore. One in five is held out, or the end of each."
_GOALS = {
    Goal.AUTO: "what the file has",
    Goal.NEXT_STEP: "the next step",
    Goal.CLASSES: "the class",
    Goal.TARGET: "the target column",
}
_WORDS = {"lag": "Lag", "spread": "Longer by up to"}


@dataclass(frozen=True, slots=True)
class _State:
    plan: Plan
    differs: bool
    sequence: str


class TaskPanel(Panel[_State]):
    """A choice of tasks, what the chosen one asks, and its sizes.

    Parameters
    ----------
    trainings
        Whose plan is shown and changed.
    session, runner
        What is open in Explore, and where it was read.
    """

    def __init__(
        self, trainings: Trainings, session: Session, runner: Runner, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Task", parent)
        self._trainings, self._session, self._runner = trainings, session, runner
        self._choice = QComboBox()
        self._choice.setAccessibleName("Task")
        self._choice.setToolTip("The task that the networks learn")
        self._choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for name, task in sorted(tasks().items(), key=_title):
            self._choice.addItem(task.title, name)
        self._shows = label(kind="secondary")
        self._shows.setWordWrap(True)
        self._fields = Fields(self)
        self._form = QWidget()
        self._grid = QGridLayout(self._form)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(HALF_GRID)
        self._grid.setColumnStretch(1, 1)
        self._caution = label(kind="caption")
        self._caution.setWordWrap(True)
        self._differs = label("Changed since the training that is shown: it counts for the next one.", "caption")
        self._differs.setWordWrap(True)
        self._back = QPushButton("Back to what is shown")
        self._back.setProperty("kind", "link")
        for part in (self._choice, self._shows, self._form, self._caution, self._differs):
            self.column.addWidget(part)
        self.column.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addStretch(1)
        self._choice.activated.connect(self._choose)
        self._fields.changed.connect(self._change)
        self._back.clicked.connect(self._go_back)
        trainings.plan_changed.connect(self._on_plan)
        session.setup_changed.connect(self._on_setup)
        trainings.changed.connect(self.refresh)
        self.apply_theme(theme)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Nothing is drawn here that the style sheet does not draw."""

    @property
    def choice(self) -> QComboBox:
        """Where the task is chosen."""
        return self._choice

    @property
    def fields(self) -> Fields:
        """The sizes of the task."""
        return self._fields

    def _offer_sequence(self, path: str) -> None:
        """Offer the sequences that are open in Explore, or those of the plan; nothing where there are neither."""
        place = self._choice.findData(_SEQUENCE)
        text = f"Sequences: {Path(path).name}"
        if place >= 0 and not path:
            self._choice.removeItem(place)
        elif place >= 0:
            self._choice.setItemText(place, text)
        elif path:
            self._choice.insertItem(0, text, _SEQUENCE)
            self._choice.insertSeparator(1)

    @property
    def _opened(self) -> OpenFile | None:
        return self._runner.source_of(self._session.setup.data)

    def _on_plan(self, _: Plan) -> None:
        self.refresh()

    def _on_setup(self, _: Setup) -> None:
        self.refresh()

    def _resolve(self) -> _State:
        plan, opened = self._trainings.plan, self._opened
        sequence = opened.path if opened is not None else plan.sequence
        return _State(plan, self._trainings.differs, sequence)

    def _apply(self, state: _State, before: _State | None) -> None:
        self._differs.setVisible(state.differs)
        self._back.setVisible(state.differs)
        if before is None or before.sequence != state.sequence:
            self._offer_sequence(state.sequence)
        if before is not None and before.plan == state.plan and before.sequence == state.sequence:
            return
        plan = state.plan
        self._show_choice(plan)
        task = plan.new_task() if plan.task else None
        if before is None or plan.task != before.plan.task or plan.sequence != before.plan.sequence:
            self._make_form(task)
        self._shows.setText(_SHOWN if task is None else task.shows)
        self._caution.setText("" if task is None else task.caution)
        self._caution.setVisible(bool(self._caution.text()))
        if task is None:
            self._fields.show("goal", plan.goal)
            self._fields.show("piece_length", plan.piece_length)
        else:
            for name, value in task.parameters().items():
                self._fields.show(name, value)

    def _show_choice(self, plan: Plan) -> None:
        self._choice.setCurrentIndex(self._choice.findData(plan.task or _SEQUENCE))

    def _make_form(self, task: Task | None) -> None:
        for widget in take_widgets(self._grid):
            widget.hide()
            widget.deleteLater()
        self._fields.forget()
        if task is None:
            goal = self._fields.choice("goal", "Asked for", _GOALS, "What is asked of the sequences")
            pieces = self._fields.whole(
                "piece_length", "Steps a piece", 0, tip="Pieces of so many steps; 0 for whole ones"
            )
            for row, (title, field) in enumerate((("Asked for", goal), ("Steps a piece", pieces))):
                self._grid.addWidget(label(title, "secondary"), row, 0)
                self._grid.addWidget(field, row, 1)
            return
        for row, (name, value) in enumerate(task.parameters().items()):
            title = _WORDS.get(name, name.replace("_", " ").capitalize())
            self._grid.addWidget(label(title, "secondary"), row, 0)
            self._grid.addWidget(self._field(name, title, value), row, 1)
        facts = [("Chance", task.chance_words), ("Solved when", task.solved_words)]
        if task.readout == "classes":
            facts.insert(0, ("Classes", str(len(task.answers))))
        for row, (name, text) in enumerate(facts, start=self._grid.rowCount()):
            self._grid.addWidget(label(name, "caption"), row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(_wrapped(text), row, 1)

    def _field(self, name: str, title: str, value: Any) -> QWidget:
        if isinstance(value, int):
            return self._fields.whole(name, title, 0)
        if isinstance(value, float):
            return self._fields.number(name, title)
        return self._fields.text(name, title)

    def _choose(self, index: int) -> None:
        name = self._choice.itemData(index)
        if name:
            self._trainings.propose(class_room(name))
        elif not self._learn_sequence():
            self._show_choice(self._trainings.plan)

    def _learn_sequence(self) -> bool:
        """Plan to learn what is open in Explore, read as it is there; return whether it can be planned."""
        opened = self._opened
        if opened is None:
            return False
        options = opened.options
        return self._trainings.change(
            task="", parameters={}, sequence=opened.path, columns=options.columns, missing=options.missing
        )

    def _change(self, name: str, value: object) -> None:
        plan = self._trainings.plan
        if plan.sequence:
            self._trainings.change(**{name: Goal(str(value)) if name == "goal" else value})
        elif not self._trainings.change(parameters={**plan.parameters, name: value}):
            self._fields.show(name, plan.parameters[name])

    def _go_back(self) -> None:
        self._trainings.propose_shown()


def _title(item: tuple[str, type[Task]]) -> str:
    return item[1].title


def _wrapped(text: str) -> QLabel:
    made = label(text, "secondary")
    made.setWordWrap(True)
    return made
