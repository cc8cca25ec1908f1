"""The feed-forward network: the same layers at every step, each step by itself; no memory at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.cell import Edit, Layer
from lstm_studio.networks.option import Option
from lstm_studio.networks.stacked import Shapes, options_of
from lstm_studio.networks.told import Told
from lstm_studio.networks.windowed import BEFORE, STATE, WindowedCell


class _FeedForward(WindowedCell):
    kind = "feedforward"
    title = "Feed-forward"
    can_step = True
    options = (Option("nonlinearity", "Squashing function", "tanh", ("tanh", "relu")),)

    def told_by(self, shapes: Mapping[str, tuple[int, ...]], options: Mapping[str, Any]) -> Told | None:
        del options
        alone = not shapes.keys() - {"weight_ih", "bias_ih"} and len(shapes["weight_ih"]) == 2
        return Told(shapes["weight_ih"][0], certain=False) if alone else None

    def shapes(self, entering: int, hidden_size: int, bias: bool, options: Mapping[str, Any]) -> Shapes:
        del options
        shapes: Shapes = {"weight_ih": (hidden_size, entering)}
        return shapes | ({"bias_ih": (hidden_size,)} if bias else {})

    def step(
        self, layer: Layer[NDArray[Any]], entering: NDArray[Any], states: tuple[NDArray[Any], ...], edit: Edit
    ) -> dict[str, NDArray[Any]]:
        """Compute one step by hand; the state before it changes nothing."""
        del states
        before = entering.copy()
        edit(BEFORE.name, before)
        hidden = np.maximum(before, 0) if options_of(layer.module)["nonlinearity"] == "relu" else np.tanh(before)
        edit(STATE, hidden)
        return {BEFORE.name: before, STATE: hidden}


CELL = _FeedForward()
