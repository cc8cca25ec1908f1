"""What the window wants to know beside the traces: each kind of question is a class that knows how to answer itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from lstm_studio.progress import Progress

if TYPE_CHECKING:
    from lstm_studio.engine.trace import Trace
    from lstm_studio.networks.network import Network
    from lstm_studio.session.state import Result


class Tools(Protocol):
    """What a question may use to answer itself: :class:`~lstm_studio.session.compute.Computer`.

    Networks are built once and kept.
    """

    def networks_of(self, result: Result) -> tuple[Network, ...]:
        """Return the networks that traced a result, in its order."""
        ...

    def with_gradients(self, result: Result, place: int, progress: Progress) -> tuple[Trace, ...]:
        """Return the traces of a what-if of a result, by its index, with gradients.

        Raises
        ------
        StudioError
            If it has none, or what was recorded cannot be traced again.
        """
        ...

    def shelf(self, kind: type[Question]) -> dict[str, Any]:
        """Return what questions of a kind keep for the next one; emptied when other sequences are opened."""
        ...


class Question(ABC):
    """A frozen dataclass that is asked through ``session.ask`` and answered on the worker's thread.

    The newest question of a class is the only one that is answered. Whatever an answer needs of torch is imported
    inside :meth:`answer`.
    """

    title: ClassVar[str]
    """What is said while it is being answered, ``"Searching for similar stretches"``."""
    about_result: ClassVar[bool] = True
    """Whether a new setup makes it pointless; a file that is being written, for example, is not."""

    @abstractmethod
    def answer(self, tools: Tools, progress: Progress) -> Any:
        """Return the answer: frozen, of NumPy arrays and plain values.

        Raises
        ------
        StudioError
            If the user has to put something right.
        Cancelled
            If ``progress`` raised it.
        """
