"""What a network is and how well it does, as a card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import Role
from lstm_studio.session.state import Match, Result, Verdicts
from lstm_studio.ui.explore.readout import class_of
from lstm_studio.ui.numbers import format_count, format_scientific, format_tick
from lstm_studio.ui.theme import GRID, Theme
from lstm_studio.ui.widgets.badge import Badge, network_badge
from lstm_studio.ui.widgets.card import EDGE, Card
from lstm_studio.ui.widgets.text import ElidedLabel, label

RECOVERY_LIMITS = {"float32": 1e-4, "float64": 1e-10}
"""Precision → the recovery error from which the engine refuses a trace; its own table needs torch."""


@dataclass(frozen=True, slots=True)
class NetworkSummary:
    """What a card says.

    Parameters
    ----------
    letter, role
        The badge.
    title
        Proper name of the kind.
    accuracy
        ``"acc. 1.00"``, or empty where nothing was classified.
    accuracy_words
        The same in a sentence.
    size, weights, check, relation
        A line each; ``relation`` is empty for the network under the microscope.
    """

    letter: str
    role: Role
    title: str
    accuracy: str
    accuracy_words: str
    size: str
    weights: str
    check: str
    relation: str


def summarise(result: Result, network: int, verdicts: Verdicts | None) -> NetworkSummary:
    """Put one network of a result into words."""
    info, trace, setup = result.infos[network], result.traces[network], result.setup
    spec = setup.network if network == 0 else setup.companion
    signals = (signal for layer in trace.layers for signal in layer.signals)
    letter, role = network_badge(any(signal.role is Role.LONG_TERM for signal in signals))
    size = [f"{format_count(info.hidden_size)} unit{_plural(info.hidden_size)}"]
    size.append(f"{info.layers} layer{_plural(info.layers)}")
    if info.bidirectional:
        size.append("both directions")
    weights = [f"{format_count(info.parameters)} weights"]
    if setup.recorded is not None:
        size.append(info.source)
        weights = ["its weights are not recorded"]
    elif spec is None or spec.checkpoint is None:
        size.append(info.source)
        weights.append("untrained")
    else:
        weights.append(f"from {Path(spec.checkpoint).name}")
    accuracy, words = _accuracy(result, network, verdicts)
    return NetworkSummary(
        letter,
        role,
        info.title,
        accuracy,
        words,
        " · ".join(size),
        " · ".join(weights),
        _check(trace),
        "" if network == 0 else _relation(result),
    )


def _accuracy(result: Result, network: int, verdicts: Verdicts | None) -> tuple[str, str]:
    predictions = None if verdicts is None else verdicts.predictions[network]
    if verdicts is None or not predictions:
        return "", ""
    judged = zip(verdicts.sequences, predictions, strict=False)
    answers = [(class_of(sequence), said) for sequence, said in judged]
    right = [wanted == said for wanted, said in answers if wanted is not None]
    if not right:
        return "", ""
    classes = len(result.sequences.classes)
    words = f"{format_count(sum(right))} of {format_count(len(right))} sequences classified right"
    if classes:
        words += f"; guessing among {classes} classes gets {1 / classes:.2f}"
    return f"acc. {sum(right) / len(right):.2f}", words


def _check(trace: Trace) -> str:
    """Say how far the recovered hidden state is from the module's own, and how far it may be."""
    words = f"trace check {format_scientific(trace.recovery_error)}"
    limit = RECOVERY_LIMITS.get(trace.provenance.dtype)
    if limit is None:
        return words
    return f"{words}, limit {format_tick(limit)} {'✓' if trace.recovery_error <= limit else '✗'}"


def _relation(result: Result) -> str:
    setup = result.setup
    if setup.companion is None or setup.companion.checkpoint is not None:
        return "companion"
    if setup.match is Match.PARAMETERS:
        return "companion, as many weights, same seed"
    return "companion, same size and seed"


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


class NetworkCard(Card):
    """One network: badge, title, accuracy, sizes, trace check."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._badge = Badge(theme)
        self._title, self._accuracy = label(kind="title"), label(kind="secondary")
        self._lines = tuple(ElidedLabel(kind="secondary") for _ in range(2))
        self._notes = tuple(ElidedLabel(kind="caption") for _ in range(2))
        grid = QGridLayout(self)
        grid.setContentsMargins(EDGE + GRID, GRID, GRID, GRID)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(3)
        grid.addWidget(self._badge, 0, 0)
        grid.addWidget(self._title, 0, 1)
        grid.addWidget(self._accuracy, 0, 2, Qt.AlignmentFlag.AlignRight)
        for row, line in enumerate((*self._lines, *self._notes), start=1):
            grid.addWidget(line, row, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def show_network(self, summary: NetworkSummary) -> None:
        """Show another network."""
        self.show_role(summary.role)
        self._badge.show_badge(summary.letter, summary.role)
        self._title.setText(summary.title)
        self._accuracy.setText(summary.accuracy)
        self._accuracy.setToolTip(summary.accuracy_words)
        texts = (summary.size, summary.weights, summary.check, summary.relation)
        for line, text in zip((*self._lines, *self._notes), texts, strict=True):
            line.setText(text)
            line.setVisible(bool(text))
        self.setAccessibleName(". ".join(text for text in (summary.title, summary.accuracy_words, *texts) if text))

    def texts(self) -> tuple[str, ...]:
        """Return what the card says, line by line."""
        shown = (self._title, self._accuracy, *self._lines, *self._notes)
        return tuple(line.text() for line in shown if line.text())

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        super().apply_theme(theme)
        self._badge.apply_theme(theme)
