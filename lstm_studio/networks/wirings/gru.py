"""The GRU: its hidden state is its memory, and one gate decides what is kept and, as 1 − z, what is let in."""

from __future__ import annotations

from lstm_studio.networks.signals import (
    ADMITTED_BY_UPDATE,
    CANDIDATE_STATE,
    RECALLED,
    RECURRENT_STATE,
    RESET_GATE,
    RETAINED_BY_UPDATE,
    UPDATE_GATE,
    Form,
    Phase,
    Role,
    preactivation,
)
from lstm_studio.networks.wiring import (
    BELOW_HEAD,
    INPUT_NAME,
    LAYERS,
    MIDDLE,
    RAIL,
    Align,
    Box,
    Joint,
    Node,
    Part,
    Reader,
    Side,
    Source,
    Spot,
    Strip,
    Tap,
    Text,
    Wire,
    Wiring,
    Zone,
    bus,
    during,
)

_FORGET = during(Phase.FORGET)
_LEARN = during(Phase.LEARN)
_REMEMBER = during(Phase.REMEMBER)

_H, _H_BEFORE, _X = Tap(RECURRENT_STATE.name), Tap(RECURRENT_STATE.name, lag=1), Tap(INPUT_NAME)
_R, _M, _N, _Z = (Tap(signal.name) for signal in (RESET_GATE, RECALLED, CANDIDATE_STATE, UPDATE_GATE))
_K, _L = Tap(RETAINED_BY_UPDATE.name), Tap(ADMITTED_BY_UPDATE.name)
_REST = Tap(UPDATE_GATE.name, form=Form.COMPLEMENT)
_BEFORE_R, _BEFORE_Z, _BEFORE_N = (
    Tap(preactivation(signal).name) for signal in (RESET_GATE, UPDATE_GATE, CANDIDATE_STATE)
)

_END = 671.0
_Z_X, _R_X, _RECALL_X, _ADD_X, _LEARN_X, _SUM_X = 134.0, 234.0, 278.0, 380.0, 504.0, 582.0
_TURN_X = 198.0
_OVER = 112.0
"""Height at which 1 − z passes over the candidate."""


def gru_wiring() -> Wiring:
    """Return the GRU's."""
    every = _FORGET | _LEARN
    readers = [
        Reader("update-layer", _Z_X, every),
        Reader("reset-layer", _R_X, _LEARN),
        Reader("recall-layer", _RECALL_X, _LEARN),
        Reader("candidate-layer", _ADD_X, _LEARN),
    ]
    joints, lines = bus([Source("x.bottom", 39, _X), Source("memory", 96, _H_BEFORE)], readers)
    parts: tuple[Part, ...] = (
        Strip("h-before", 39, RAIL, _H_BEFORE, Spot.RIGHT, phases=every),
        Strip("x", 39, MIDDLE, _X, value=None, phases=every),
        Joint("from", 8, RAIL, dot=False),
        Joint("memory", 96, RAIL, phases=every),
        Box("update-layer", _Z_X, LAYERS, "σ", Role.FORGET, "σ of a layer that reads the bus", (_BEFORE_Z,), 34, every),
        Strip("z", _Z_X, MIDDLE, _Z, Spot.ABOVE_RIGHT, phases=every),
        Node("forget", _Z_X, RAIL, "×", Role.FORGET, _K, _FORGET),
        Strip("k", 188, RAIL, _K, Spot.RIGHT, named=True, like=RECURRENT_STATE.name, phases=_FORGET | _REMEMBER),
        Node("rest", 176, MIDDLE, "1−", Role.LEARN, _REST, _LEARN),
        Box("reset-layer", _R_X, LAYERS, "σ", Role.USE, "σ of a layer that reads the bus", (_BEFORE_R,), 34, _LEARN),
        Strip("r", _R_X, MIDDLE, _R, Spot.LEFT, Side.LEFT, phases=_LEARN),
        Box(
            "recall-layer",
            _RECALL_X,
            LAYERS,
            "<i>W</i><sub>hn</sub>",
            Role.USE,
            f"the candidate's weights for {RECURRENT_STATE.symbol}",
            width=42,
            phases=_LEARN,
        ),
        Node("recall", _RECALL_X, MIDDLE, "×", Role.USE, _M, _LEARN),
        Strip("m", 320, MIDDLE, _M, Spot.RIGHT, room=BELOW_HEAD, phases=_LEARN),
        Box(
            "candidate-layer",
            _ADD_X,
            LAYERS,
            "<i>W</i><sub>in</sub>",
            Role.LEARN,
            "the candidate's weights for <i>x</i><sub>t</sub>",
            width=42,
            phases=_LEARN,
        ),
        Node("add", _ADD_X, MIDDLE, "+", Role.LEARN, _BEFORE_N, _LEARN),
        Box("squash", 422, MIDDLE, "tanh", Role.LEARN, "tanh", (_BEFORE_N,), 40, _LEARN),
        Strip("n", 461, MIDDLE, _N, Spot.RIGHT, phases=_LEARN),
        Node("learn", _LEARN_X, MIDDLE, "×", Role.LEARN, _L, _LEARN),
        Strip("l", 544, MIDDLE, _L, Spot.BELOW, named=True, phases=_LEARN | _REMEMBER),
        Node("sum", _SUM_X, RAIL, "+", Role.RECURRENT, _H, _REMEMBER),
        Strip("h", 618, RAIL, _H, Spot.LEFT, phases=_REMEMBER),
        Joint("to", _END, RAIL, dot=False),
        *joints,
    )
    recalled = f"<i>W</i><sub>hn</sub> {RECURRENT_STATE.symbol} + <i>b</i>, recorded only after the reset gate"
    entering = "<i>W</i><sub>in</sub> <i>x</i><sub>t</sub> + <i>b</i>, recorded only in the sum"
    wires = (
        *lines,
        _rail("from", "h-before.left", _H_BEFORE, every),
        _rail("h-before.right", "memory", _H_BEFORE, every),
        _rail("memory", "forget.left", _H_BEFORE, _FORGET, arrow=True),
        Wire("update-layer.top", "z.bottom", (_Z,), Role.FORGET, phases=every),
        Wire("z.top", "forget.bottom", (_Z,), Role.FORGET, arrow=True, phases=_FORGET),
        _rail("forget.right", "k.left", _K, _FORGET),
        _rail("k.right", "sum.left", _K, _REMEMBER, arrow=True),
        Wire("z.right", "rest.left", (_Z,), Role.FORGET, arrow=True, phases=_LEARN),
        Wire(
            "rest.right",
            "learn.top",
            (_REST,),
            Role.LEARN,
            ((_TURN_X, MIDDLE), (_TURN_X, _OVER), (_LEARN_X, _OVER)),
            arrow=True,
            phases=_LEARN,
        ),
        Wire("reset-layer.top", "r.bottom", (_R,), Role.USE, phases=_LEARN),
        Wire("r.right", "recall.left", (_R,), Role.USE, arrow=True, phases=_LEARN),
        Wire("recall-layer.top", "recall.bottom", (), Role.USE, arrow=True, schematic=recalled, phases=_LEARN),
        Wire("recall.right", "m.left", (_M,), Role.USE, phases=_LEARN),
        Wire("m.right", "add.left", (_M,), Role.USE, arrow=True, phases=_LEARN),
        Wire("candidate-layer.top", "add.bottom", (), Role.LEARN, arrow=True, schematic=entering, phases=_LEARN),
        Wire("add.right", "squash.left", (_BEFORE_N,), Role.LEARN, phases=_LEARN),
        Wire("squash.right", "n.left", (_N,), Role.LEARN, phases=_LEARN),
        Wire("n.right", "learn.left", (_N,), Role.LEARN, arrow=True, phases=_LEARN),
        Wire("learn.right", "l.left", (_L,), Role.LEARN, phases=_LEARN),
        Wire("l.right", "sum.bottom", (_L,), Role.LEARN, ((_SUM_X, MIDDLE),), arrow=True, phases=_REMEMBER),
        _rail("sum.right", "h.left", _H, _REMEMBER),
        _rail("h.right", "to", _H, _REMEMBER, arrow=True),
    )
    zones = (Zone(Phase.FORGET, 106, 208), Zone(Phase.LEARN, 216, 562), Zone(Phase.REMEMBER, 570, 667))
    return Wiring(_END + 5, parts, wires, (Text(_END + 5, 48, "to {next}", Align.RIGHT, phases=_REMEMBER),), zones)


def _rail(start: str, end: str, tap: Tap, phases: frozenset[Phase], *, arrow: bool = False) -> Wire:
    return Wire(start, end, (tap,), Role.RECURRENT, rail=True, arrow=arrow, phases=phases)
