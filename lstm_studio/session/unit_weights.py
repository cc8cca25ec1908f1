"""Which weights one unit reads with: asked once, and the terms of its gates follow at any step without the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.state import Result

if TYPE_CHECKING:
    from lstm_studio.engine.terms import UnitSum


@dataclass(frozen=True, eq=False, slots=True)
class UnitWeights(Question):
    """Answered with what :func:`~lstm_studio.engine.terms.unit_sums` returns.

    Parameters
    ----------
    result
        Whose networks.
    network
        Index of the network, 0 for the one under the microscope.
    prefix
        Of the layer and direction, ``"lstm.0"``.
    unit
        0-based.
    """

    result: Result
    network: int
    prefix: str
    unit: int
    title: ClassVar[str] = "Reading the weights"

    def answer(self, tools: Tools, progress: Progress) -> tuple[UnitSum, ...]:
        """Return the sums of the unit; nothing of the size of the network travels with them."""
        del progress
        from lstm_studio.engine.terms import unit_sums

        network = tools.networks_of(self.result)[self.network]
        return unit_sums(self.result.traces[self.network], self.prefix, self.unit, network)
