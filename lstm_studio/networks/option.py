"""What a kind of cell offers to choose beside its sizes. Importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_studio.arguments import finite_number, wrong
from lstm_studio.errors import NetworkError

_LARGEST = 1e18
"""Largest number that an option may be: what any type of numbers holds."""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that one kind of cell offers beside its sizes.

    Parameters
    ----------
    name
        Keyword in ``ls.new_network``.
    title
        Label for the window.
    default
        The value when nothing is asked for.
    choices
        The allowed values; empty where any number goes.
    """

    name: str
    title: str
    default: Any
    choices: tuple[Any, ...] = ()

    def checked(self, value: object) -> Any:
        """Return the value as Python has it.

        Raises
        ------
        NetworkError
            If it is none of the choices, or no finite number where any goes.
        """
        plain = value.item() if isinstance(value, np.generic) else value
        if not self.choices:
            is_default = plain is None and self.default is None
            return None if is_default else self._number(plain)
        for choice in self.choices:
            if isinstance(plain, type(choice) | int) and plain == choice:
                return choice
        raise wrong(self.name, value, NetworkError, f"Choose one of {', '.join(map(repr, self.choices))}.")

    def _number(self, value: object) -> Any:
        """Return a number that the weights can hold, a whole one as it is."""
        found = finite_number(self.name, value, NetworkError)
        if abs(found) > _LARGEST:
            raise wrong(self.name, value, NetworkError, f"Give a number of at most {_LARGEST:.0e}.")
        return value if isinstance(value, int) else found
