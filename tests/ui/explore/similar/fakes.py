"""What tests of find similar need: a session that answers searches at once, and helpers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.network import Network
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.session.question import Question
from lstm_studio.session.similar import FindSimilar, Found, Picture, Similar
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.similar.panel import SimilarPanel
from tests.ui.explore.fakes import AnsweringSession, small_setup, symbol_set

HIDDEN = "lstm.0.hidden_state"
Array = np.ndarray[Any, Any]


@dataclass
class Shelves:
    """The tools that a search of the shown sequence needs."""

    kept: dict[type[Question], dict[str, Any]] = field(default_factory=dict)

    def shelf(self, kind: type[Question]) -> dict[str, Any]:
        return self.kept.setdefault(kind, {})

    def networks_of(self, result: Result) -> tuple[Network, ...]:
        raise AssertionError("the shown sequence is traced already")

    def with_gradients(self, result: Result, place: int, progress: Progress) -> tuple[Trace, ...]:
        raise AssertionError("a search looks at no what-if")


class SearchingSession(AnsweringSession):
    """A session whose searches of the shown sequence are answered at once, and noted."""

    def __init__(self) -> None:
        super().__init__(small_setup(symbol_set(count=4, steps=40)))
        self.questions: list[FindSimilar] = []
        self.invented: Callable[[FindSimilar], Similar] | None = None
        self.asked.connect(self._on_asked)

    def _on_asked(self, question: Question) -> None:
        assert isinstance(question, FindSimilar)
        self.questions.append(question)
        found = self.invented(question) if self.invented else question.answer(Shelves(), ignore_progress)
        self.answer(question, found)


def on_throughout(values: Array, start: int, stop: int, threshold: float, margin: int) -> list[int]:
    found = []
    for unit in range(values.shape[1]):
        beside = [*range(max(0, start - margin), start), *range(stop, min(len(values), stop + margin))]
        inside = all(values[step, unit] >= threshold for step in range(start, stop))
        if inside and not any(values[step, unit] >= threshold for step in beside):
            found.append(unit)
    return found


def listed_rows(panel: SimilarPanel) -> list[str]:
    model = panel.found_list.found_model
    return [str(model.data(model.index(row))) for row in range(model.rowCount())]


def ends(panel: SimilarPanel) -> tuple[int, int]:
    """The steps in the two fields."""
    return panel.stretch_field.first.value(), panel.stretch_field.last.value()


def marked(session: SearchingSession) -> tuple[int, int] | None:
    """The stretch; a call, so that a type checker does not take it for unchanged."""
    return session.view.marked


def found_in(item: int, start: int, stop: int, units: tuple[int, ...] = (0, 1)) -> Found:
    values = np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2)
    return Found(item, start, stop, units, Picture(values, start - 2, 2))
