"""The LSTM and its relatives: a memory on a rail, gates that multiply, layers that read the bus."""

from __future__ import annotations

from lstm_studio.networks.signals import (
    ADMITTED,
    CANDIDATE,
    CELL_STATE,
    FORGET_GATE,
    HIDDEN_STATE,
    INPUT_GATE,
    OUTPUT_GATE,
    RETAINED,
    USE_CANDIDATE,
    Form,
    Phase,
    Role,
    Signal,
    preactivation,
)
from lstm_studio.networks.wiring import (
    ANYWHERE,
    BELOW_HEAD,
    BELOW_SYMBOL,
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
_USE = during(Phase.USE)

_C, _K, _L = Tap(CELL_STATE.name), Tap(RETAINED.name), Tap(ADMITTED.name)
_F, _I, _G, _O = (Tap(signal.name) for signal in (FORGET_GATE, INPUT_GATE, CANDIDATE, OUTPUT_GATE))
_H, _V = Tap(HIDDEN_STATE.name), Tap(USE_CANDIDATE.name)
_C_BEFORE, _H_BEFORE = Tap(CELL_STATE.name, lag=1), Tap(HIDDEN_STATE.name, lag=1)
_X = Tap(INPUT_NAME)
_TANH_C = Tap(CELL_STATE.name, form=Form.TANH)

_H_X = 39.0
_X_X = 82.0
_FORGET_X = 126.0
_INPUT_X = 234.0
_CANDIDATE_X = 280.0
_SUM_X = 462.0
_OUTPUT_X = 532.0
_PRODUCT_X = 577.0
_OUT_X = 604.0
_END = 659.0


def lstm_wiring(*, projected: bool = False) -> Wiring:
    """Return the LSTM's.

    Parameters
    ----------
    projected
        Whether a projection stands between what the output gate lets out and the hidden state.
    """
    every = _FORGET | _LEARN | _USE
    end, h_x = (712.0, 666.0) if projected else (_END, _OUT_X)
    readers = [Reader("forget-layer", _FORGET_X, _FORGET), *_LEARN_READERS, Reader("output-layer", _OUTPUT_X, _USE)]
    joints, lines = bus([Source("h-before.bottom", _H_X, _H_BEFORE), Source("x.bottom", _X_X, _X)], readers)
    parts: tuple[Part, ...] = (
        _memory_before(_FORGET),
        *_entering(every),
        Joint("from", 8, RAIL, dot=False),
        _layer("forget-layer", _FORGET_X, FORGET_GATE, "σ", Phase.FORGET),
        Strip("f", _FORGET_X, MIDDLE, _F, Spot.ABOVE_RIGHT, room=ANYWHERE, phases=_FORGET),
        Node("forget", _FORGET_X, RAIL, "×", Role.FORGET, _K, _FORGET),
        Strip("k", 181, RAIL, _K, Spot.RIGHT, named=True, like=CELL_STATE.name, phases=_FORGET | _REMEMBER),
        *_LEARN_PARTS,
        *_REMEMBER_PARTS,
        *_using(end, h_x),
        *joints,
    )
    wires = [
        *lines,
        *_forgetting(),
        _rail("k.right", "sum.left", (_K,), _REMEMBER, arrow=True),
        *_LEARN_WIRES,
        *_USE_WIRES,
    ]
    if projected:
        words = f"the projection of {OUTPUT_GATE.symbol} × tanh {CELL_STATE.symbol}"
        parts += (Box("project", 622, MIDDLE, "<i>W</i><sub>hr</sub>", Role.SHORT_TERM, words, phases=_USE),)
        product = f"{OUTPUT_GATE.symbol} × tanh {CELL_STATE.symbol}, of which only the projection is recorded"
        wires += [
            Wire("use.right", "project.left", (), Role.SHORT_TERM, schematic=product, phases=_USE),
            Wire("project.right", "h.left", (_H,), Role.SHORT_TERM, phases=_USE),
        ]
    else:
        wires.append(Wire("use.right", "h.left", (_H,), Role.SHORT_TERM, phases=_USE))
    return Wiring(
        end + 5,
        parts,
        tuple(wires),
        (_goes_on(end),),
        (Zone(Phase.FORGET, 92, 206), *_zones(end)),
    )


def article_wiring() -> Wiring:
    """Return that of the LSTM whose output reads what the forget gate retained."""
    every = _FORGET | _LEARN | _USE
    end, tee_x, use_x, product_x = 701.0, 424.0, 556.0, 605.0
    readers = [Reader("forget-layer", _FORGET_X, _FORGET), *_LEARN_READERS, Reader("output-layer", 508, _USE)]
    joints, lines = bus([Source("h-before.bottom", _H_X, _H_BEFORE), Source("x.bottom", _X_X, _X)], readers)
    before_use = Tap(preactivation(USE_CANDIDATE).name)
    words = f"tanh of a layer that reads {RETAINED.symbol}"
    parts: tuple[Part, ...] = (
        _memory_before(_FORGET),
        *_entering(every),
        Joint("from", 8, RAIL, dot=False),
        _layer("forget-layer", _FORGET_X, FORGET_GATE, "σ", Phase.FORGET),
        Strip("f", _FORGET_X, MIDDLE, _F, Spot.ABOVE_RIGHT, room=ANYWHERE, phases=_FORGET),
        Node("forget", _FORGET_X, RAIL, "×", Role.FORGET, _K, _FORGET),
        Strip("k", 181, RAIL, _K, Spot.RIGHT, named=True, like=CELL_STATE.name, phases=_FORGET | _REMEMBER | _USE),
        *_LEARN_PARTS,
        Joint("kept", tee_x, RAIL, phases=_REMEMBER | _USE),
        *_REMEMBER_PARTS,
        Joint("to", end, RAIL, dot=False),
        _layer("output-layer", 508, OUTPUT_GATE, "σ", Phase.USE),
        Strip("o", 508, MIDDLE, _O, Spot.LEFT, Side.LEFT, BELOW_SYMBOL, phases=_USE),
        Box("use-layer", use_x, 112, "tanh", Role.USE, words, (before_use,), 40, _USE),
        Strip("v", use_x, MIDDLE, _V, Spot.RIGHT, room=BELOW_HEAD, phases=_USE),
        Node("use", product_x, MIDDLE, "×", Role.USE, _H, _USE),
        Strip("h", 643, MIDDLE, _H, Spot.ABOVE, phases=_USE),
        Joint("out", end, MIDDLE, dot=False),
        *joints,
    )
    wires = (
        *lines,
        *_forgetting(),
        _rail("k.right", "kept", (_K,), _REMEMBER | _USE),
        _rail("kept", "sum.left", (_K,), _REMEMBER, arrow=True),
        *_LEARN_WIRES,
        _rail("sum.right", "c.left", (_C,), _REMEMBER),
        _rail("c.right", "to", (_C,), _REMEMBER, arrow=True),
        Wire(
            "kept",
            "use-layer.left",
            (_K,),
            Role.LONG_TERM,
            via=((tee_x, 112.0),),
            arrow=True,
            over=True,
            phases=_USE,
        ),
        Wire("use-layer.bottom", "v.top", (_V,), Role.USE, phases=_USE),
        Wire("v.right", "use.left", (_V,), Role.USE, arrow=True, phases=_USE),
        Wire("output-layer.top", "o.bottom", (_O,), Role.USE, phases=_USE),
        Wire(
            "o.right",
            "use.bottom",
            (_O,),
            Role.USE,
            via=((528.0, MIDDLE), (528.0, 206.0), (product_x, 206.0)),
            arrow=True,
            phases=_USE,
        ),
        Wire("use.right", "h.left", (_H,), Role.SHORT_TERM, phases=_USE),
        Wire("h.right", "out", (_H,), Role.SHORT_TERM, arrow=True, phases=_USE),
    )
    return Wiring(
        end + 5,
        parts,
        wires,
        (_goes_on(end),),
        (Zone(Phase.FORGET, 92, 206), *_zones(end)),
    )


def wiring_of_1997(*, gates_read_gates: bool = False) -> Wiring:
    """Return that of the LSTM of 1997: nothing is forgotten.

    Parameters
    ----------
    gates_read_gates
        Whether every layer also reads the gates of the step before.
    """
    every = _LEARN | _USE
    sources = [Source("h-before.bottom", _H_X, _H_BEFORE), Source("x.bottom", _X_X, _X)]
    gates: tuple[Strip, ...] = ()
    if gates_read_gates:
        i_before, o_before = Tap(INPUT_GATE.name, lag=1), Tap(OUTPUT_GATE.name, lag=1)
        gates = (
            Strip("i-before", 126, MIDDLE, i_before, value=None, phases=every),
            Strip("o-before", 170, MIDDLE, o_before, value=None, phases=every),
        )
        sources += [Source(f"{gate.key}.bottom", gate.x, gate.tap) for gate in gates]
    joints, lines = bus(sources, [*_LEARN_READERS, Reader("output-layer", _OUTPUT_X, _USE)])
    parts: tuple[Part, ...] = (
        _memory_before(_REMEMBER),
        *_entering(every),
        *gates,
        Joint("from", 8, RAIL, dot=False),
        *_LEARN_PARTS,
        *_REMEMBER_PARTS,
        *_using(_END, _OUT_X),
        *joints,
    )
    wires = (
        *lines,
        _rail("from", "c-before.left", (_C_BEFORE,), _REMEMBER),
        _rail("c-before.right", "sum.left", (_C_BEFORE,), _REMEMBER, arrow=True),
        *_LEARN_WIRES,
        *_USE_WIRES,
        Wire("use.right", "h.left", (_H,), Role.SHORT_TERM, phases=_USE),
    )
    return Wiring(
        _END + 5,
        parts,
        wires,
        (
            Text(206, 48, "nothing is forgotten", Align.CENTRE, phases=_REMEMBER),
            _goes_on(_END),
        ),
        _zones(_END),
    )


def _rail(start: str, end: str, taps: tuple[Tap, ...], phases: frozenset[Phase], *, arrow: bool = False) -> Wire:
    return Wire(start, end, taps, Role.LONG_TERM, rail=True, arrow=arrow, phases=phases)


def _memory_before(phases: frozenset[Phase]) -> Strip:
    return Strip("c-before", _H_X, RAIL, _C_BEFORE, Spot.RIGHT, phases=phases)


def _entering(phases: frozenset[Phase]) -> tuple[Strip, ...]:
    """Return what every layer reads: all of it, so that no unit is marked."""
    return (
        Strip("h-before", _H_X, MIDDLE, _H_BEFORE, value=None, phases=phases),
        Strip("x", _X_X, MIDDLE, _X, value=None, phases=phases),
    )


def _layer(key: str, x: float, gate: Signal, squash: str, phase: Phase) -> Box:
    """Return the layer below a gate."""
    role = phase.role
    before = Tap(preactivation(gate).name)
    words = f"{squash} of a layer that reads the bus"
    return Box(key, x, LAYERS, squash, role, words, (before,), 34 if squash == "σ" else 40, during(phase))


def _forgetting() -> tuple[Wire, ...]:
    return (
        _rail("from", "c-before.left", (_C_BEFORE,), _FORGET),
        _rail("c-before.right", "forget.left", (_C_BEFORE,), _FORGET, arrow=True),
        Wire("forget-layer.top", "f.bottom", (_F,), Role.FORGET, phases=_FORGET),
        Wire("f.top", "forget.bottom", (_F,), Role.FORGET, arrow=True, phases=_FORGET),
        _rail("forget.right", "k.left", (_K,), _FORGET),
    )


def _using(end: float, h_x: float) -> tuple[Part, ...]:
    """Return how the output gate lets out what the memory is, with the hidden state at ``h_x``."""
    return (
        Joint("memory", _PRODUCT_X, RAIL, phases=_REMEMBER | _USE),
        Joint("to", end, RAIL, dot=False),
        _layer("output-layer", _OUTPUT_X, OUTPUT_GATE, "σ", Phase.USE),
        Strip("o", _OUTPUT_X, MIDDLE, _O, Spot.ABOVE, Side.LEFT, ANYWHERE, phases=_USE),
        Box("tanh", _PRODUCT_X, 108, "tanh", Role.USE, f"tanh of {CELL_STATE.symbol}", (_TANH_C,), 40, _USE),
        Node("use", _PRODUCT_X, MIDDLE, "×", Role.USE, _H, _USE),
        Strip("h", h_x, MIDDLE, _H, Spot.ABOVE, phases=_USE),
        Joint("out", end, MIDDLE, dot=False),
    )


def _zones(end: float) -> tuple[Zone, ...]:
    return Zone(Phase.LEARN, 212, 402), Zone(Phase.REMEMBER, 408, 508), Zone(Phase.USE, 514, end - 4)


def _goes_on(end: float) -> Text:
    """Return where the memory goes, above the end of its rail."""
    return Text(end, 49, "to {next}", Align.RIGHT, phases=_REMEMBER)


_LEARN_READERS = (Reader("input-layer", _INPUT_X, _LEARN), Reader("candidate-layer", _CANDIDATE_X, _LEARN))
_LEARN_PARTS = (
    _layer("input-layer", _INPUT_X, INPUT_GATE, "σ", Phase.LEARN),
    Strip("i", _INPUT_X, MIDDLE, _I, Spot.LEFT, Side.LEFT, BELOW_SYMBOL, phases=_LEARN),
    _layer("candidate-layer", _CANDIDATE_X, CANDIDATE, "tanh", Phase.LEARN),
    Strip("g", _CANDIDATE_X, MIDDLE, _G, Spot.RIGHT, phases=_LEARN),
    Node("learn", 336, MIDDLE, "×", Role.LEARN, _L, _LEARN),
    Strip("l", 384, MIDDLE, _L, Spot.BELOW, named=True, phases=_LEARN | _REMEMBER),
)
_REMEMBER_PARTS = (
    Node("sum", _SUM_X, RAIL, "+", Role.LONG_TERM, _C, _REMEMBER),
    Strip("c", 514, RAIL, _C, Spot.RIGHT, phases=_REMEMBER | _USE),
)
_UP: tuple[Point, ...] = ((_SUM_X, MIDDLE),)
_LEARN_WIRES = (
    Wire("input-layer.top", "i.bottom", (_I,), Role.LEARN, phases=_LEARN),
    Wire("candidate-layer.top", "g.bottom", (_G,), Role.LEARN, phases=_LEARN),
    Wire("i.top", "learn.top", (_I,), Role.LEARN, ((_INPUT_X, 116.0), (336.0, 116.0)), arrow=True, phases=_LEARN),
    Wire("g.right", "learn.left", (_G,), Role.LEARN, arrow=True, phases=_LEARN),
    Wire("learn.right", "l.left", (_L,), Role.LEARN, arrow=True, phases=_LEARN),
    Wire("l.right", "sum.bottom", (_L,), Role.LEARN, _UP, arrow=True, phases=_REMEMBER),
)
_USE_WIRES = (
    _rail("sum.right", "c.left", (_C,), _REMEMBER),
    _rail("c.right", "memory", (_C,), _REMEMBER | _USE),
    _rail("memory", "to", (_C,), _REMEMBER, arrow=True),
    Wire("output-layer.top", "o.bottom", (_O,), Role.USE, phases=_USE),
    Wire("o.right", "use.left", (_O,), Role.USE, arrow=True, phases=_USE),
    Wire("memory", "tanh.top", (_C,), Role.LONG_TERM, phases=_USE),
    Wire("tanh.bottom", "use.top", (_TANH_C,), Role.LONG_TERM, arrow=True, phases=_USE),
    Wire("h.right", "out", (_H,), Role.SHORT_TERM, arrow=True, phases=_USE),
)
