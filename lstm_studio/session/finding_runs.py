"""Which trainings lie at an address: one, or all in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lstm_studio.errors import RunError, StudioError, is_there
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """Answer to :class:`FindRuns`.

    Parameters
    ----------
    addresses
        Of the trainings that were found; and those at which something may still begin.
    errors
        Why nothing was found elsewhere.
    """

    addresses: tuple[str, ...]
    errors: tuple[StudioError, ...]


@dataclass(frozen=True, slots=True)
class FindRuns(Question):
    """Look for trainings at these addresses, each a run, or a folder with some in it."""

    addresses: tuple[str, ...]

    title = "Looking for runs"
    about_result = False

    def answer(self, tools: Tools, progress: Progress) -> FoundRuns:  # noqa: ARG002 - needs no network
        """Look into every folder."""
        from lstm_studio.runs.opening import trainings_in

        found: dict[str, None] = {}
        errors: list[StudioError] = []
        for index, address in enumerate(self.addresses):
            progress(index / len(self.addresses), f"Looking for runs in {address}")
            try:
                found |= dict.fromkeys(trainings_in(address))
            except (StudioError, OSError) as error:
                if _may_begin(address):
                    found[address] = None
                else:
                    told = (
                        error if isinstance(error, StudioError) else RunError(f"{address}: {error.strerror or error}.")
                    )
                    errors.append(told)
        return FoundRuns(tuple(found), tuple(errors))


def is_remote(address: str) -> bool:
    """Return whether an address is one of another computer."""
    return "://" in address


def _may_begin(address: str) -> bool:
    """Return whether a training may be there later: what cannot be read is tried again."""
    try:
        return is_remote(address) or not is_there(Path(address), RunError)
    except RunError:
        return False
