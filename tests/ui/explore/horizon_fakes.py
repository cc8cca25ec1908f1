"""The horizon panel at a page, with invented answers to what it asks."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from PySide6.QtWidgets import QLabel

from lstm_studio.session.horizon import DIRECT_PATH, LagCurve, MemoryHorizon
from lstm_studio.session.question import Question
from lstm_studio.session.saturation import SaturationOfSet, saturation_of
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup
from lstm_studio.session.whose_loss import Itemised, LossShares, WhoseLoss
from lstm_studio.ui.explore.horizon.panel import HorizonPanel, Page
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, small_setup

KindT = TypeVar("KindT", bound=Question)


def invented(question: Question) -> Any:
    """Return an answer of the right kind."""
    if isinstance(question, MemoryHorizon):
        return curves_of(question.result, question.end)
    if isinstance(question, WhoseLoss):
        return Itemised(
            tuple(shares_of(network, signal, question.result.sequence.steps) for network, signal in question.signals)
        )
    assert isinstance(question, SaturationOfSet)
    return tuple(
        gate for network, trace in enumerate(question.result.traces) for gate in saturation_of(network, (trace, trace))
    )


def curves_of(result: Result, end: int | None) -> tuple[LagCurve, ...]:
    """The LSTM's states stay above 1 %, its direct path falls slowly; the RNN loses a decade in two steps."""
    found = []
    for network, trace in enumerate(result.traces):
        for layer in trace.layers:
            backward = layer.prefix.endswith(".reverse")
            last = (0 if backward else trace.steps - 1) if end is None else end
            lags = np.arange(trace.steps - last if backward else last + 1, dtype=np.float64)
            falls = (
                {"cell_state": 0.05, "hidden_state": 0.1, DIRECT_PATH: 0.2} if network == 0 else {"hidden_state": 0.5}
            )
            found += [LagCurve(network, layer.prefix, state, last, -fall * lags, 0.0) for state, fall in falls.items()]
    return tuple(found)


def shares_of(network: int, signal: str, steps: int) -> LossShares:
    """A loss is felt a tenth as much with every step back, and half of it against the others."""
    back = np.subtract.outer(np.arange(steps), np.arange(steps))
    norms = np.where(back >= 0, 10.0 ** -np.abs(back), 0.0)
    shares = norms * np.where(back % 2 == 0, 1.0, -0.5)
    return LossShares(network, signal, norms, shares, shares.sum(axis=0), True)


class Worker:
    """Notes what is asked, and answers with invented numbers when told to."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.asked: list[Question] = []
        session.asked.connect(self.asked.append)

    def newest(self, kind: type[KindT]) -> KindT:
        """Return the newest question, which must be of a kind."""
        question = self.asked[-1]
        assert isinstance(question, kind)
        return question

    def answer(self) -> None:
        """Answer the newest question."""
        question = self.asked[-1]
        self.session.answer(question, invented(question))


def opened(show: Show, setup: Setup | None = None, page: Page = Page.LAG) -> tuple[HorizonPanel, Session, Worker]:
    """Show the panel at a page."""
    session = AnsweringSession(setup or small_setup())
    worker = Worker(session)
    panel = HorizonPanel(session, LIGHT)
    panel.show_page(page)
    show(panel)
    return panel, session, worker


def shown_texts(panel: HorizonPanel) -> list[str]:
    """Return what can be read on visible labels."""
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible() and label.text()]
