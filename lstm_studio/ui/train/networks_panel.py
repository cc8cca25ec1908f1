"""The networks that learn side by side, and how they are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QToolButton, QWidget

from lstm_studio.networks.cells import cells
from lstm_studio.networks.signals import Role
from lstm_studio.session.learning import badges_of
from lstm_studio.session.trainings import Trainings
from lstm_studio.training.plan import Optimiser, Plan
from lstm_studio.training.sizes import NetworkSize
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.numbers import format_count, format_tick
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme, scaled
from lstm_studio.ui.train.equal import OPTIMISERS, network_sizes_of
from lstm_studio.ui.train.fields import Fields
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.card import EDGE, Card
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.text import ElidedLabel, label

MOST_UNITS, MOST_LAYERS = 4096, 8
_NONE = ""
_REROLL, _BESIDE_ICON = 12, 14
_BIAS = "forget_bias"


@dataclass(frozen=True, slots=True)
class _State:
    plan: Plan
    sizes: tuple[NetworkSize, ...]


class TrainedNetworksPanel(Panel[_State]):
    """A card for each network, and the form that says what they are and how they are trained.

    Parameters
    ----------
    trainings
        Whose plan is shown and changed.
    """

    def __init__(self, trainings: Trainings, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Networks", parent)
        self._trainings = trainings
        self._fields = Fields(self)
        kinds = {kind: cell.title for kind, cell in cells().items()}
        self._cards = (
            _NetworkCard(theme, self._fields.choice("kind", "Cell", kinds, "The cell of this network")),
            _NetworkCard(
                theme, self._fields.choice("companion", "Companion", {_NONE: "None", **kinds}, "What learns beside it")
            ),
        )
        self._reroll = QToolButton()
        self._reroll.setToolTip("Another seed")
        self._reroll.setAccessibleName("Another seed")
        self._solved = QCheckBox("Stop when solved")
        self._solved.setToolTip("End the training as soon as the first network has solved the task")
        self._fold = Fold(theme, "Optimiser, batches, evaluation", self._make_form())
        for card in self._cards:
            self.column.addWidget(card)
        self.column.addLayout(self._make_sizes())
        self.column.addWidget(self._fold)
        self.column.addStretch(1)
        self._fields.changed.connect(self._change)
        self._reroll.clicked.connect(self._roll)
        self._solved.clicked.connect(self._stop_when_solved)
        self._fold.unfolded.connect(self.reveal)
        trainings.plan_changed.connect(self._on_plan)
        trainings.changed.connect(self._on_changed)
        self.apply_theme(theme)
        self.refresh()

    def _make_sizes(self) -> QGridLayout:
        fields = self._fields
        grid = QGridLayout()
        grid.setHorizontalSpacing(HALF_GRID + 2)
        grid.setVerticalSpacing(HALF_GRID)
        seed = QHBoxLayout()
        seed.setSpacing(HALF_GRID)
        seed.addWidget(fields.whole("seed", "Seed", 0, tip="Of the first weights, the batches and what is held out"), 1)
        seed.addWidget(self._reroll)
        grid.addWidget(label("Units", "secondary"), 0, 0)
        grid.addWidget(fields.whole("hidden", "Units", 1, MOST_UNITS, "Hidden units in each layer"), 0, 1)
        grid.addWidget(label("Layers", "secondary"), 0, 2)
        grid.addWidget(fields.whole("layers", "Layers", 1, MOST_LAYERS), 0, 3)
        grid.addWidget(label("Seed", "secondary"), 1, 0)
        grid.addLayout(seed, 1, 1)
        grid.addWidget(label("Steps", "secondary"), 1, 2)
        grid.addWidget(fields.whole("updates", "Steps", 1, tip="Updates of the weights"), 1, 3)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return grid

    def _make_form(self) -> QWidget:
        fields = self._fields
        form = QWidget()
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(HALF_GRID)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Optimiser", fields.choice("optimiser", "Optimiser", dict(OPTIMISERS), "What changes the weights")),
            ("Rate", fields.number("learning_rate", "Learning rate", "Step size of the optimiser")),
            ("Clip", fields.number("clip", "Gradient clip", "Longest gradient, over all weights; 0 for any")),
            ("Batch", fields.whole("batch", "Batch", 1, tip="Sequences in each update")),
            ("Evaluate every", fields.whole("evaluate_every", "Evaluate every", 1, tip="Steps between evaluations")),
            ("Held out", fields.whole("held_out", "Held-out sequences", 1, tip="Sequences in each evaluation")),
            ("Truncate", fields.whole("truncate", "Truncate", 0, tip="Gradients flow back so many steps; 0 for all")),
            (
                "Forget bias",
                fields.number(_BIAS, "Forget bias", "Of forget gates at the beginning; empty for PyTorch's"),
            ),
        )
        for row, (words, field) in enumerate(rows):
            grid.addWidget(label(words, "secondary"), row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self._solved, len(rows), 0, 1, 2)
        return form

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for card in self._cards:
            card.apply_theme(theme)
        self._fold.apply_theme(theme)
        set_icon(self._reroll, Icon.LOOP, theme, size=_REROLL)
        self._reroll.setFixedWidth(_BESIDE_ICON + scaled(_REROLL))

    @property
    def fields(self) -> Fields:
        """Everything that can be changed."""
        return self._fields

    def _on_plan(self, _: Plan) -> None:
        self.refresh()

    def _on_changed(self) -> None:
        if self._trainings.plan.sequence:
            # How large the networks are is known only when the sequences have been read.
            self.refresh()

    def _resolve(self) -> _State:
        return _State(self._trainings.plan, network_sizes_of(self._trainings.plan, self._trainings.shape))

    def _apply(self, state: _State, before: _State | None) -> None:  # noqa: ARG002 - cheap enough to show as a whole
        plan = state.plan
        for name in _FIELDS:
            self._fields.show(name, getattr(plan, name))
        self._solved.setChecked(plan.stop_when_solved)
        badges = badges_of(plan.kinds)
        for place, card in enumerate(self._cards):
            if place >= len(plan.kinds):
                card.show_nothing()
                continue
            units = state.sizes[place].hidden_size if place < len(state.sizes) else plan.hidden
            biased = place < len(state.sizes) and state.sizes[place].forget_gate and plan.forget_bias is not None
            size = f"{_counted(units, 'unit')} · {_counted(plan.layers, 'layer')}"
            note = f"forget bias {format_tick(plan.forget_bias or 0.0)} at the start" if biased else ""
            card.show_network(badges[place], size, note or ("companion" if place else ""))

    def _change(self, name: str, value: Any) -> None:
        before = getattr(self._trainings.plan, name)
        if name == "optimiser":
            value = Optimiser(value)
        if value != before and not self._trainings.change(**{name: value}):
            self._fields.show(name, before)

    def _roll(self) -> None:
        self._trainings.change(seed=self._trainings.plan.seed + 1)

    def _stop_when_solved(self, on: bool) -> None:
        self._trainings.change(stop_when_solved=on)


_FIELDS = (
    "kind",
    "companion",
    "hidden",
    "layers",
    "seed",
    "updates",
    "optimiser",
    "learning_rate",
    "clip",
    "batch",
    "evaluate_every",
    "held_out",
    "truncate",
    _BIAS,
)


class _NetworkCard(Card):
    """One network: badge, the choice of its kind, its size."""

    def __init__(self, theme: Theme, choice: QComboBox) -> None:
        super().__init__(theme)
        self._badge = Badge(theme)
        self._choice = choice
        self._size, self._note = ElidedLabel(kind="secondary"), ElidedLabel(kind="caption")
        grid = QGridLayout(self)
        grid.setContentsMargins(EDGE + GRID, GRID - 2, GRID, GRID - 2)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._badge, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(choice, 0, 1)
        grid.addWidget(self._size, 1, 0, 1, 2)
        grid.addWidget(self._note, 2, 0, 1, 2)
        grid.setColumnStretch(1, 1)

    def show_network(self, badge: tuple[str, Role], size: str, note: str) -> None:
        """Show another network."""
        self.show_role(badge[1])
        self._badge.show_badge(*badge)
        self._badge.show()
        self._say(size, note)

    def show_nothing(self) -> None:
        """Show that there is none."""
        self.show_role(None)
        self._badge.hide()
        self._say("nothing learns beside it", "")

    def _say(self, size: str, note: str) -> None:
        self._size.setText(size)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        words = (self._choice.currentText(), size, note)
        self.setAccessibleName(". ".join(text for text in words if text))

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        super().apply_theme(theme)
        self._badge.apply_theme(theme)


def _counted(count: int, thing: str) -> str:
    return f"{format_count(count)} {thing}{'' if count == 1 else 's'}"
