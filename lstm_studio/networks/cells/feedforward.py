"""The feed-forward network: the same layers at every step, each step by itself; no memory at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstm_studio.networks.cell import Option, Told
from lstm_studio.networks.stacked import Shapes
from lstm_studio.networks.windowed import WindowedCell


class _FeedForward(WindowedCell):
    kind = "feedforward"
    title = "Feed-forward"
    options = (Option("nonlinearity", "Squashing function", "tanh", ("tanh", "relu")),)

    def told_by(self, shapes: Mapping[str, tuple[int, ...]], options: Mapping[str, Any]) -> Told | None:
        del options
        alone = not shapes.keys() - {"weight_ih", "bias_ih"} and len(shapes["weight_ih"]) == 2
        return Told(shapes["weight_ih"][0], certain=False) if alone else None

    def shapes(self, entering: int, hidden_size: int, bias: bool, options: Mapping[str, Any]) -> Shapes:
        del options
        shapes: Shapes = {"weight_ih": (hidden_size, entering)}
        return shapes | ({"bias_ih": (hidden_size,)} if bias else {})


CELL = _FeedForward()
