"""The sizes of a stack of recurrent layers. Importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from lstm_studio.arguments import whole_number, yes_or_no
from lstm_studio.errors import NetworkError

_MOST_LAYERS = 9_999
"""Beyond, to make the layers alone would take minutes."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a stack of recurrent layers.

    Parameters
    ----------
    input_size
        F, features at each step, at least 1.
    hidden_size
        H, units per layer and direction, at least 1.
    layers
        Stacked layers, from 1 to 9999.
    bidirectional
        Whether a second pass runs backwards in time.
    bias
        Whether the layers add bias vectors (PyTorch keeps two per layer).

    Raises
    ------
    NetworkError
        If a size is not a whole number within its bounds, or a choice neither True nor False.
    """

    input_size: int
    hidden_size: int
    layers: int = 1
    bidirectional: bool = False
    bias: bool = True

    def __post_init__(self) -> None:
        for name in ("input_size", "hidden_size", "layers"):
            given = getattr(self, name)
            number = whole_number(name, given, NetworkError, least=1, most=_MOST_LAYERS if name == "layers" else None)
            if number is not given:
                object.__setattr__(self, name, number)
        for name in ("bidirectional", "bias"):
            given = getattr(self, name)
            if given is not True and given is not False:
                object.__setattr__(self, name, yes_or_no(name, given, NetworkError))

    @property
    def directions(self) -> int:
        """2 when bidirectional, else 1."""
        return 2 if self.bidirectional else 1
