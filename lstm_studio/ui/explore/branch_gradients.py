"""The gradients of the what-ifs that are compared: asked of the worker once these are on the screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from lstm_studio.session.branch_gradients import BranchGradients, missing_gradients
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup, View

_AFTER = 60
"""Milliseconds in which the what-if itself is drawn, before the worker takes its share of the processor again."""


class GradientsOfBranches(QObject):
    """Asks for gradients that a comparison lacks, and hands them to the session.

    Parameters
    ----------
    session
        What is open.
    """

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._asked: tuple[Result, tuple[int, ...]] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AFTER)
        self._timer.timeout.connect(self._ask)
        session.result_replaced.connect(self._on_result)
        session.view_changed.connect(self._on_view)
        session.setup_changed.connect(self._on_setup)
        session.answered.connect(self._on_answered)

    def _on_result(self, result: Result) -> None:
        if missing_gradients(result, self._session.view):
            self._timer.start()

    def _on_view(self, after: View, before: View) -> None:
        if after.comparison != before.comparison and missing_gradients(self._session.result, after):
            self._timer.start()

    def _on_setup(self, _: Setup) -> None:
        # A question that waits is dropped with the result that it was about.
        self._asked = None

    def _ask(self) -> None:
        session = self._session
        missing = missing_gradients(session.result, session.view)
        # What has none is not asked for again.
        if missing and not session.waiting and self._asked != (session.result, missing):
            self._asked = session.result, missing
            session.ask(BranchGradients(session.result, missing))

    def _on_answered(self, question: Question, answer: object) -> None:
        if isinstance(question, BranchGradients) and isinstance(answer, dict):
            self._session.complete(question.result, answer)
