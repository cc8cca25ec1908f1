"""The sizes of a stack of recurrent layers. Importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_studio.errors import NetworkError


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
        Stacked layers, at least 1.
    bidirectional
        Whether a second pass runs backwards in time.
    bias
        Whether the layers add bias vectors (PyTorch keeps two per layer).

    Raises
    ------
    NetworkError
        If a size is not a whole number of at least 1.
    """

    input_size: int
    hidden_size: int
    layers: int = 1
    bidirectional: bool = False
    bias: bool = True

    def __post_init__(self) -> None:
        for name in ("input_size", "hidden_size", "layers"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise NetworkError(f"{name} is {value!r}.", "Give a whole number of at least 1.")
            if not isinstance(value, int):
                object.__setattr__(self, name, int(value))

    @property
    def directions(self) -> int:
        """2 when bidirectional, else 1."""
        return 2 if self.bidirectional else 1
