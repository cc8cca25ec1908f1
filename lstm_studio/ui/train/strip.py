"""The bar above the cells in Explore while they are those of a training: which snapshot it is, and a way to others."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.explore.workspace import ThemedBar
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Theme
from lstm_studio.ui.train.explorer import Link
from lstm_studio.ui.widgets.keyed_slider import KeyedSlider
from lstm_studio.ui.widgets.text import ElidedLabel, label

_SLIDER = 360


class SnapshotStrip(ThemedBar):
    """Moves Explore through the training.

    Parameters
    ----------
    trainings
        Whose snapshots they are.
    link
        What shows them in Explore.
    actions
        Where the commands are.
    """

    def __init__(self, trainings: Trainings, link: Link, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._trainings, self._link = trainings, link
        self.setAccessibleName("Snapshots of the training")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._step, self._of = label(kind="value"), ElidedLabel(kind="caption")
        self.slider = KeyedSlider("Snapshot", 1, 1)
        self.slider.setMaximumWidth(_SLIDER)
        self._back, self._forward = QToolButton(), QToolButton()
        self._keep, self._train = QPushButton("Compare with this"), QPushButton("Back to Train")
        for link_button in (self._keep, self._train):
            link_button.setProperty("kind", "link")
        self._buttons = {
            self._back: actions["train.explore-previous"],
            self._forward: actions["train.explore-next"],
            self._keep: actions["train.compare-snapshot"],
            self._train: actions["view.workspace-train"],
        }
        for button, action in self._buttons.items():
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text())
            button.clicked.connect(action.trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(PANEL_INSET, HALF_GRID, PANEL_INSET, HALF_GRID)
        row.setSpacing(GRID)
        parts: tuple[tuple[QWidget, int], ...] = (
            (self._step, 0),
            (self._back, 0),
            (self.slider, 2),
            (self._forward, 0),
            (self._of, 1),
            (self._keep, 0),
            (self._train, 0),
        )
        for part, stretch in parts:
            row.addWidget(part, stretch, Qt.AlignmentFlag.AlignVCenter)
        self.slider.valueChanged.connect(self._on_slid)
        link.changed.connect(self.refresh)
        trainings.changed.connect(self.refresh)
        trainings.selected.connect(self.refresh)
        self.apply_theme(theme)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        set_icon(self._back, Icon.CHEVRON_LEFT, theme, size=10)
        set_icon(self._forward, Icon.CHEVRON_RIGHT, theme, size=10)
        self.setStyleSheet(
            f"SnapshotStrip {{ background: {theme.sunken}; border: 0; border-bottom: 1px solid {theme.line}; }}"
        )

    def refresh(self) -> None:
        """Show which snapshot it is."""
        learning, step = self._trainings.learning, self._link.step
        self.setVisible(learning is not None and step is not None)
        if learning is None or step is None:
            return
        snapshots = learning.snapshots
        place = snapshots.index(step) if step in snapshots else 0
        self.slider.blockSignals(True)
        # Counted from 1, as screen readers read it out.
        self.slider.setRange(1, len(snapshots))
        self.slider.setValue(place + 1)
        self.slider.blockSignals(False)
        self._step.setText(f"Training step {format_count(step)}")
        seed = learning.recipe.get("seed")
        self._of.setText(f"of {format_count(learning.done)} · {learning.title}, seed {seed}")
        self.slider.setAccessibleDescription(f"{self._step.text()} {self._of.text()}")
        self._back.setEnabled(place > 0)
        self._forward.setEnabled(place < len(snapshots) - 1)

    def _on_slid(self, number: int) -> None:
        learning = self._trainings.learning
        if learning is not None and number <= len(learning.snapshots):
            self._trainings.select(learning.snapshots[number - 1])
            self._link.refresh()
