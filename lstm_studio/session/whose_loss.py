"""Whose loss is felt: the gradient at each step, item by item after the steps whose losses it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.objectives import ObjectiveKind, parse
from lstm_studio.errors import TraceError
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.state import Result

Array = NDArray[np.float64]

MOST_STEPS = 500
"""Steps up to which a gradient is itemised: time and memory grow with their square."""
EVERY_HIDDEN = "hidden"
"""The sum of the top layer's hidden states at every step, which every network has."""


@dataclass(frozen=True, eq=False, slots=True)
class LossShares:
    """Where the gradient of one state of one network comes from.

    Parameters
    ----------
    network
        Index of the network.
    signal
        ``"lstm.0.cell_state"``.
    norms, shares, total
        (T, T), (T, T) and (T,), as in :class:`~lstm_studio.engine.itemised.ItemisedGradient`: rows are the steps of the
        losses, columns those of the state.
    causal
        Whether the network reads forwards only, so that no loss is felt at a step after its own.
    """

    network: int
    signal: str
    norms: Array
    shares: Array
    total: Array
    causal: bool

    def largest(self, step: int, count: int = 3) -> tuple[tuple[int, float], ...]:
        """Return the steps whose losses bring most to the gradient at ``step``, each with its share, largest first.

        Shares that are zero or not finite are left out; large ones against the whole count as well.
        """
        column = self.shares[:, step]
        known = np.flatnonzero(np.isfinite(column) & (column != 0))
        ordered = known[np.argsort(-np.abs(column[known]), kind="stable")]
        return tuple((int(row), float(column[row])) for row in ordered[:count])


@dataclass(frozen=True, eq=False, slots=True)
class Itemised:
    """Answer to :class:`WhoseLoss`: one entry for each network, or why there is none."""

    parts: tuple[LossShares, ...] = ()
    problem: str = ""


def possible_losses(result: Result) -> tuple[str, ...]:
    """Return the objectives that are sums over steps and that these networks and this sequence seem to have.

    What a read-out makes of a target is only known when it is asked.
    """
    steps, features = result.sequence.steps, result.sequence.features
    found = [EVERY_HIDDEN]
    if steps > 1 and all(info.outputs == features for info in result.infos):
        found.append(str(ObjectiveKind.NEXT_STEP))
    if _has_target_each_step(result) and all(info.outputs for info in result.infos):
        found.append(str(ObjectiveKind.TARGET))
    return tuple(found)


def own_loss(result: Result) -> str | None:
    """Return what the gradients of the traces are of, where that is a sum over steps; None for a single loss."""
    objective = result.traces[0].provenance.objective if result.traces else ""
    try:
        kind = parse(objective).kind
    except TraceError:
        return None
    is_sum = kind is ObjectiveKind.NEXT_STEP or (kind is ObjectiveKind.TARGET and _has_target_each_step(result))
    return str(kind) if is_sum else None


def _has_target_each_step(result: Result) -> bool:
    target = result.sequence.target
    return target is not None and target.ndim > 0 and len(target) == result.sequence.steps


@dataclass(frozen=True, eq=False, slots=True)
class WhoseLoss(Question):
    """Asks for the itemised gradient of one state of each network; answered with :class:`Itemised`.

    Parameters
    ----------
    result
        What it is about; of at most :data:`MOST_STEPS` steps.
    loss
        One of :func:`possible_losses`.
    signals
        Network and state: ``((0, "lstm.0.cell_state"), (1, "rnn.0.hidden_state"))``.
    """

    title: ClassVar[str] = "Taking the loss of each step back"

    result: Result
    loss: str
    signals: tuple[tuple[int, str], ...]

    def answer(self, tools: Tools, progress: Progress) -> Itemised:
        """Return the matrices; a loss that a network cannot have is told in words, as it hinders nothing else."""
        from lstm_studio.engine.itemised import itemised_gradient

        networks, found = tools.networks_of(self.result), []
        for done, (network, signal) in enumerate(self.signals):

            def tell(fraction: float, words: str, done: int = done) -> None:
                progress((done + fraction) / len(self.signals), words)

            trace = self.result.traces[network]
            target = self.result.sequence.target
            try:
                item = itemised_gradient(
                    trace, signal, self.loss, network=networks[network], target=target, progress=tell
                )
            except TraceError as error:
                return Itemised(problem=str(error))
            causal = not any(layer.prefix.endswith(".reverse") for layer in trace.layers)
            found.append(LossShares(network, signal, item.norms, item.shares, item.total, causal))
        return Itemised(tuple(found))
