"""What the names and shapes of weights say about the network that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """What weights say about the network that they are of.

    Parameters
    ----------
    hidden_size
        H.
    options
        Options of the kind, as far as shapes tell them.
    certain
        Whether no other kind has weights of these names and shapes.
    """

    hidden_size: int
    options: Mapping[str, Any] = field(default_factory=dict)
    certain: bool = True
