"""The time-delay neural network (Waibel et al. 1989): each layer sees the last k steps of the one below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstm_studio.errors import NetworkError
from lstm_studio.networks.option import Option
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.stacked import Shapes
from lstm_studio.networks.told import Told
from lstm_studio.networks.windowed import WindowedCell


class _TDNN(WindowedCell):
    kind = "tdnn"
    title = "TDNN"
    options = (
        Option("window", "Inputs seen at once", 5),
        Option("nonlinearity", "Squashing function", "tanh", ("tanh", "relu")),
    )

    def checked(self, sizes: Sizes, options: Mapping[str, Any]) -> dict[str, Any]:
        del sizes
        chosen = self.checked_options(options)
        window = chosen["window"]
        if isinstance(window, bool) or not isinstance(window, int) or window < 1:
            raise NetworkError(f"window is {window!r}.", "Give a whole number of at least 1.")
        return chosen

    def told_by(self, shapes: Mapping[str, tuple[int, ...]], options: Mapping[str, Any]) -> Told | None:
        del options
        weight = shapes["weight_ih"]
        return Told(weight[0], {"window": weight[2]}) if len(weight) == 3 else None

    def shapes(self, entering: int, hidden_size: int, bias: bool, options: Mapping[str, Any]) -> Shapes:
        shapes: Shapes = {"weight_ih": (hidden_size, entering, options["window"])}
        return shapes | ({"bias_ih": (hidden_size,)} if bias else {})


CELL = _TDNN()
