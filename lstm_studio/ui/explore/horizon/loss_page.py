"""The second page: whose loss is felt at each step."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Labels
from lstm_studio.session.whose_loss import MOST_STEPS, Itemised
from lstm_studio.ui.explore.horizon.loss_map import LossMaps, LossPicture
from lstm_studio.ui.explore.horizon.places import choice_rows
from lstm_studio.ui.explore.horizon.words import format_size, losses_table
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import SECTION_GAP, Theme
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

_TITLES = {
    "hidden": ("Sum of hidden states", "Sum of short-term memories"),
    "next-step": ("Error of the next input", "Error of the next event"),
    "target": ("Loss against the target", "Loss against the target"),
}


def loss_title(loss: str, labels: Labels) -> str:
    """Return what the loss at each step is."""
    return _TITLES[loss][labels is Labels.CLASSROOM]


@dataclass(frozen=True, slots=True)
class LossState:
    """What the page shows.

    Parameters
    ----------
    labels
        The vocabulary.
    losses
        What can be chosen.
    loss
        What is.
    single
        Rich text: what the gradient row is of, where that is a single loss; else empty.
    memories
        Names of the states of which the gradient can be taken.
    memory
        Index among them.
    steps
        T.
    cursor
        The step under the cursor.
    answer
        None until it is known.
    names
        For each part of the answer, ``"LSTM ∂c"``.
    """

    labels: Labels
    losses: tuple[str, ...]
    loss: str
    single: str
    memories: tuple[str, ...]
    memory: int
    steps: int
    cursor: int
    answer: Itemised | None
    names: tuple[str, ...]


class LossPage(QWidget):
    """What is chosen, the squares, and the cursor's step in words."""

    loss_chosen = Signal(str)
    memory_chosen = Signal(int)
    step_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._loss = QComboBox()
        self._loss.setAccessibleName("Loss at each step")
        self._loss.setToolTip("What the loss at each step is; the whole is their sum")
        self._memory = Segments("Gradient of", {"0": "first", "1": "second"})
        self._memory_word = label("Gradient of", "secondary")
        self._note = label(kind="caption")
        self._note.setWordWrap(True)
        self._note.setTextFormat(Qt.TextFormat.RichText)
        self.maps = LossMaps(theme)
        self._here = label(kind="caption")
        self._here.setWordWrap(True)
        self._here.setTextFormat(Qt.TextFormat.RichText)
        self._meaning = label(_MEANING, "caption")
        self._meaning.setWordWrap(True)
        self._fold = Fold(theme, "What is shown", self._meaning)
        choices = choice_rows(("Loss", self._loss), (self._memory_word, self._memory))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SECTION_GAP)
        column.addLayout(choices)
        column.addWidget(self._note)
        column.addWidget(self.maps)
        column.addWidget(self._here)
        column.addWidget(self._fold)
        column.addStretch(1)
        self._loss.activated.connect(self._choose_loss)
        self._memory.chosen.connect(self._choose_memory)
        self.maps.step_chosen.connect(self.step_chosen)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self.maps.apply_theme(theme)
        self._fold.apply_theme(theme)

    def _choose_loss(self, index: int) -> None:
        self.loss_chosen.emit(self._loss.itemData(index))

    def _choose_memory(self, key: str) -> None:
        self.memory_chosen.emit(int(key))

    def show_state(self, state: LossState, before: LossState | None) -> None:
        """Show another state; the squares are touched only if they changed."""
        if before is None or (state.losses, state.labels) != (before.losses, before.labels):
            self._loss.clear()
            for loss in state.losses:
                self._loss.addItem(loss_title(loss, state.labels), loss)
        self._loss.setCurrentIndex(state.losses.index(state.loss))
        for widget in (self._memory, self._memory_word):
            widget.setVisible(len(state.memories) > 1)
        for key, name in zip(("0", "1"), state.memories, strict=False):
            button = self._memory.button(key)
            # The classroom's names are long: with the word that both have, they would widen the panel.
            button.setText(name.removesuffix(" memory"))
            button.setAccessibleName(f"Gradient of: {name}")
            button.setToolTip(f"The gradient with respect to the {name.lower()}")
        self._memory.show_choice(str(state.memory))
        problem = _problem(state)
        self._note.setText(problem or _single(state))
        self._note.setVisible(bool(self._note.text()))
        parts = state.answer.parts if state.answer is not None else ()
        self.maps.setVisible(bool(parts))
        self._here.setVisible(bool(parts))
        self.maps.show_cursor(state.cursor)
        if before is None or (state.answer, state.names) != (before.answer, before.names):
            self.maps.show_picture(LossPicture(parts, state.names, _summary(state)))
        self._here.setText("<br>".join(here_texts(state)))

    def table(self, state: LossState) -> str:
        """Return the numbers as text."""
        return losses_table(state.answer.parts if state.answer is not None else (), state.names)


_MEANING = (
    "A loss that is a sum over steps has a gradient that is one, too. A row is the loss at one step, a column the "
    "gradient at one step; the colour is the norm of what the one brings to the other, on the same log scale for all "
    "networks. Terms may cancel: the numbers in words are signed and add up to the whole gradient of the step. Hatched "
    "is 0, or below 1e−290."
)


def too_long(steps: int) -> str:
    """Return what to do where there are too many steps; empty where there are not."""
    if steps <= MOST_STEPS:
        return ""
    return (
        f"{format_count(steps)} steps: the work grows with their square, so it is done for up to {MOST_STEPS}. Cut the "
        f"sequence into pieces of {MOST_STEPS} steps or fewer in the sequence panel."
    )


def _problem(state: LossState) -> str:
    if not state.names and not state.memories:
        return "Open a network with recurrent layers to see whose loss they feel."
    return too_long(state.steps) or (state.answer.problem if state.answer is not None else "")


def _single(state: LossState) -> str:
    if not state.single:
        return ""
    return (
        f"The gradient row is of a single loss ({state.single}): all of it comes from there. Here every step has a "
        "loss of its own instead."
    )


def here_texts(state: LossState) -> list[str]:
    """Say for each network where the gradient at the cursor's step comes from."""
    lines = []
    for part, name in zip(state.answer.parts if state.answer is not None else (), state.names, strict=True):
        if state.cursor >= len(part.total):
            continue
        shares = (
            f"{format_size(share)} from step {format_count(step + 1)}" for step, share in part.largest(state.cursor)
        )
        total = format_size(float(part.total[state.cursor]))
        head = f"<b>{name}</b> at step {format_count(state.cursor + 1)}: {total}"
        lines.append(f"{head}; largest parts {', '.join(shares)}" if part.total[state.cursor] > 0 else head)
    return lines


def _summary(state: LossState) -> str:
    """Return for each network how far from its loss most of the gradient is felt."""
    parts = state.answer.parts if state.answer is not None else ()
    words = []
    for part, name in zip(parts, state.names, strict=True):
        last = part.norms[-1] if len(part.norms) else part.total
        own, first = (format_size(float(norm)) for norm in (last[-1], last[0]))
        words.append(
            f"{name}: the loss at the last step brings a norm of {own} to its own step and {first} to the first"
        )
    return f"{loss_title(state.loss, state.labels)}, step by step. {'; '.join(words)}."
