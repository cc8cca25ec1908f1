"""A computer whose answers wait until a test lets them go, so that tests decide who overtakes whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.session.compute import (
    Answer,
    Answered,
    Compute,
    Export,
    Exported,
    Judge,
    Opened,
    OpenFile,
    Request,
    Warm,
    WarmUp,
)
from lstm_studio.session.horizon import MemoryHorizon
from lstm_studio.session.kept_trainings import ListTrainings
from lstm_studio.session.saturation import SaturationOfSet
from lstm_studio.session.state import Verdicts
from lstm_studio.session.whose_loss import WhoseLoss
from tests.ui.explore.fakes import answer, symbol_set
from tests.ui.explore.horizon_fakes import invented

Rule = Callable[[Request], Answer | None]
"""What a test wants instead of the usual answer; None for the usual one, or it raises."""


@dataclass
class FakeComputer:
    """Answers like a Computer, with invented networks and without torch.

    Parameters
    ----------
    open_gate
        Whether answers come at once; else each waits for :meth:`release`, reporting progress all the while.
    rule
        Exceptions to the usual answers.
    """

    open_gate: bool = True
    rule: Rule | None = None
    begun: list[Request] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._gate = threading.Event()
        if self.open_gate:
            self._gate.set()

    def release(self) -> None:
        """Let all answers go."""
        self._gate.set()

    def answer(self, request: Request, progress: Progress) -> Answer:
        """Wait, then answer."""
        self.begun.append(request)
        while not self._gate.wait(0.002):
            progress(0.5, "Working")
        progress(0.9, "Nearly done")
        found = self.rule(request) if self.rule is not None else None
        result = found or _usual(request)
        self.finished.append(request)
        return result


def _usual(request: Request) -> Answer:
    match request:
        case WarmUp():
            return Warm(("cpu",), "0.0", 0.0)
        case OpenFile():
            if "bad" in request.path:
                raise SequenceError(f"{request.path}, line 7: 'abc' is not a number.", "Correct line 7.")
            return Opened(request, symbol_set(count=4, steps=14, seed=len(request.path)), None)
        case Compute():
            return answer(request.setup)
        case Judge():
            return Verdicts(
                request.result.sequences,
                tuple(info.fingerprint for info in request.result.infos),
                tuple((1,) * len(request.result.sequences) for _ in request.result.infos),
            )
        case Export():
            return Exported((request.path,))
        case MemoryHorizon() | WhoseLoss() | SaturationOfSet():
            return Answered(invented(request))
        case ListTrainings():
            return Answered(())
        case _:
            raise AssertionError(f"a test that asks {request} gives a rule for it")
