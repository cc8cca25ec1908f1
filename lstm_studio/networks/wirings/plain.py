"""Layers without gates: the vanilla RNN, and those that read inputs alone."""

from __future__ import annotations

from lstm_studio.networks.signals import RECURRENT_STATE, Role, preactivation
from lstm_studio.networks.wiring import (
    INPUT_NAME,
    LAYERS,
    MIDDLE,
    RAIL,
    Align,
    Box,
    Joint,
    Node,
    Part,
    Point,
    Reader,
    Source,
    Spot,
    Strip,
    Tap,
    Text,
    Wire,
    Wiring,
    bus,
)

WIDTH = 376.0
MOST_INPUTS = 5
"""Inputs of a window that are drawn one by one."""
_END = 371.0
_PITCH = 34.0
_H, _H_BEFORE = Tap(RECURRENT_STATE.name), Tap(RECURRENT_STATE.name, lag=1)
_BEFORE = Tap(preactivation(RECURRENT_STATE).name)
_X = Tap(INPUT_NAME)


def rnn_wiring(squash: str = "tanh") -> Wiring:
    """Return that of the vanilla RNN with its squashing function, ``"tanh"`` or ``"relu"``."""
    role = Role.RECURRENT
    h, x = RECURRENT_STATE.symbol, "<i>x</i><sub>t</sub>"
    by_memory, by_input = "<i>W</i><sub>hh</sub>", "<i>W</i><sub>ih</sub>"
    parts: tuple[Part, ...] = (
        Joint("from", 8, MIDDLE, dot=False),
        Strip("h-before", 40, MIDDLE, _H_BEFORE),
        Strip("x", 40, 223, _X, Spot.RIGHT, value=None, height=36, centred=True),
        Box("memory-layer", 145, MIDDLE, by_memory, role, "the weights of the memory", width=46),
        Box("input-layer", 145, 223, by_input, Role.INPUT, "the weights of the input", width=46),
        Node("sum", 216, MIDDLE, "+", role, _BEFORE),
        Box("squash", 270, MIDDLE, squash, role, squash, (_BEFORE,), 42),
        Strip("h", 318, MIDDLE, _H),
        Joint("to", _END, MIDDLE, dot=False),
    )
    wires = (
        _rail("from", "h-before.left", _H_BEFORE),
        _rail("h-before.right", "memory-layer.left", _H_BEFORE),
        _part("memory-layer.right", "sum.left", f"{by_memory} {h} of the step before", role),
        Wire("x.right", "input-layer.left", (_X,)),
        _part("input-layer.right", "sum.bottom", f"{by_input} {x}", None, ((216.0, 223.0),)),
        _rail("sum.right", "squash.left", _BEFORE),
        _rail("squash.right", "h.left", _H),
        _rail("h.right", "to", _H, arrow=True),
    )
    equation = f"{h} = {squash}( {by_input} {x} + {by_memory} <i>h</i><sub>{{before}}</sub> + <i>b</i> )"
    texts = (
        _absent("no long-term path (schematic)"),
        Text(232, 182, "+ <i>b</i>"),
        Text(346, 242, equation, Align.RIGHT),
    )
    return Wiring(WIDTH, parts, wires, texts)


def windowed_wiring(window: int = 1, squash: str = "tanh") -> Wiring:
    """Return that of a layer that reads the last ``window`` inputs and nothing of what it computed before."""
    role = Role.RECURRENT
    drawn = min(window, MOST_INPUTS)
    # The newest input stands farther left where there are few.
    now_x = 40 + _PITCH * max(2, drawn - 1)
    layer_x = now_x + 50
    lags = range(drawn)[::-1]
    inputs = [
        Strip("x" if not lag else f"x-{lag}", now_x - lag * _PITCH, MIDDLE, Tap(_X.signal, lag), value=None)
        for lag in lags
    ]
    sources = [Source(f"{strip.key}.bottom", strip.x, strip.tap) for strip in inputs]
    joints, lines = bus(sources, [Reader("layer", layer_x)])
    words = f"{squash} of a layer that reads " + ("this input" if window == 1 else f"the last {window} inputs")
    parts: tuple[Part, ...] = (
        *inputs,
        Box("layer", layer_x, LAYERS, "<i>W</i>", role, "the weights", (_BEFORE,)),
        Box("squash", (layer_x + 318) / 2, MIDDLE, squash, role, words, (_BEFORE,), 42),
        Strip("h", 318, MIDDLE, _H),
        Joint("to", _END, MIDDLE, dot=False),
        *joints,
    )
    wires = (
        *lines,
        Wire("layer.top", "squash.left", (_BEFORE,), role, ((layer_x, MIDDLE),), arrow=True),
        Wire("squash.right", "h.left", (_H,), role),
        Wire("h.right", "to", (_H,), role, arrow=True),
    )
    absent = "no memory (schematic)" if window == 1 else "no memory beyond the window (schematic)"
    texts = [_absent(absent)]
    if window > drawn:
        texts.append(Text(_END, 222, f"{drawn} of {window} inputs", Align.RIGHT))
    return Wiring(WIDTH, parts, wires, tuple(texts))


def _absent(words: str) -> Text:
    return Text(WIDTH / 2, RAIL, words, Align.CENTRE, dotted=(10.0, WIDTH - 10.0))


def _rail(start: str, end: str, tap: Tap, *, arrow: bool = False) -> Wire:
    return Wire(start, end, (tap,), Role.RECURRENT, rail=True, arrow=arrow)


def _part(start: str, end: str, what: str, role: Role | None, via: tuple[Point, ...] = ()) -> Wire:
    """Return a summand: the trace has only the sum."""
    return Wire(start, end, (), role, via, rail=not via, arrow=True, schematic=f"{what}, recorded only in the sum")
