"""Invented answers to what the horizon panel asks."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstm_studio.session.horizon import DIRECT_PATH, LagCurve, MemoryHorizon
from lstm_studio.session.question import Question
from lstm_studio.session.saturation import SaturationOfSet, saturation_of
from lstm_studio.session.state import Result
from lstm_studio.session.whose_loss import Itemised, LossShares, WhoseLoss


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
