"""The gradients of what-ifs: asked for once one is looked at, as they take longer than the what-if itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lstm_studio.errors import StudioError
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.state import RECORDED, SECOND, Result, View, branch_key

if TYPE_CHECKING:
    from lstm_studio.engine.trace import Trace


@dataclass(frozen=True, eq=False, slots=True)
class BranchGradients(Question):
    """Asks for the gradients of some what-ifs; answered with index → traces that have them.

    Parameters
    ----------
    result
        With the what-ifs.
    places
        Their indices in ``result.branches``.
    """

    title: ClassVar[str] = "Taking gradients of the what-if"

    result: Result
    places: tuple[int, ...]

    def answer(self, tools: Tools, progress: Progress) -> dict[int, tuple[Trace, ...]]:
        """Return the traces; without those of a what-if that has no gradient."""
        found: dict[int, tuple[Trace, ...]] = {}
        for done, place in enumerate(self.places):
            progress(done / len(self.places), self.title)
            try:
                found[place] = tools.with_gradients(self.result, place, progress)
            except StudioError:
                # The row of the gradients says whose they are; without those of a what-if nothing else is missing.
                continue
        return found


def missing_gradients(result: Result, view: View) -> tuple[int, ...]:
    """Return the indices of the compared what-ifs that have no gradients though what was recorded has."""
    comparison = view.comparison
    if comparison is None:
        return ()
    wanted = {comparison.base, comparison.other} - {RECORDED, SECOND}
    return tuple(
        place
        for place, (branch, traces) in enumerate(zip(result.setup.branches, result.branches, strict=False))
        if branch_key(branch.name) in wanted and _lacks_gradients(traces, result)
    )


def _lacks_gradients(traces: tuple[Trace, ...], result: Result) -> bool:
    pairs = zip(traces, result.traces, strict=False)
    return any(recorded.provenance.objective and not own.provenance.objective for own, recorded in pairs)
