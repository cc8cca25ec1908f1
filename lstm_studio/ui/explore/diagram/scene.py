"""All marks of one diagram: built when the wiring changes, and touched only where a step differs from the last."""

from __future__ import annotations

from functools import cached_property
from time import monotonic

import numpy as np
from PySide6.QtCore import QAbstractAnimation, QObject, QPointF, QRectF, QVariantAnimation
from PySide6.QtWidgets import QGraphicsScene

from lstm_studio.networks.signals import Role
from lstm_studio.networks.wiring import HEIGHT, INPUT_NAME, Align, Box, Joint, Node, Spot, Strip, Tap, Wiring
from lstm_studio.networks.wiring import Part as WiringPart
from lstm_studio.ui.explore.diagram.bands import Bands, bands_of
from lstm_studio.ui.explore.diagram.items import (
    BoxMark,
    JointMark,
    Mark,
    NodeMark,
    PillMark,
    RingMark,
    SymbolMark,
    TextMark,
    WireMark,
)
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.explore.diagram.state import DiagramState
from lstm_studio.ui.explore.diagram.strip import StripMark
from lstm_studio.ui.explore.diagram.words import Part, filled
from lstm_studio.ui.motion import motion_reduced

EDGE = 4.0
"""Local units left and right of a diagram, into which a long number may reach."""
REST = 0.26
"""Opacity of what rests while another operation is live."""
FADE = 120
"""Milliseconds."""
_FASTEST_FADE = 1 / 8
"""Seconds between two steps below which nothing fades."""
_NEAR = 5.0
_BESIDE = 11.0
_FROM_TOP = 5.0
_CLEAR = 2.0
"""Local units between a box and the symbol at its right."""
_BESIDE_WIDTH = 44.0
"""Local units that a symbol's box may take beside its strip, before the layer that reads it."""


class DiagramScene(QGraphicsScene):
    """Shows a :class:`DiagramState`.

    Parameters
    ----------
    look
        Colours and fonts.
    """

    def __init__(self, look: DiagramLook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.look = look
        self.state: DiagramState | None = None
        self.marks: list[Mark] = []
        self.strips: dict[str, StripMark] = {}
        self._wiring: Wiring | None = None
        self._symbols: dict[str, TextMark] = {}
        self.names: dict[str, TextMark] = {}
        self.symbol_boxes: dict[str, SymbolMark] = {}
        self._wires: list[WireMark] = []
        self._texts: list[TextMark] = []
        self._pills: list[PillMark] = []
        self._nodes: list[NodeMark | BoxMark] = []
        self._ring = RingMark(look)
        self._bands: dict[tuple[int, bool], Bands] = {}
        self._bands_of: tuple[object, ...] = ()
        self._fading: list[tuple[Mark, float, float]] = []
        self._changed_at = 0.0

    @cached_property
    def _fade(self) -> QVariantAnimation:
        fade = QVariantAnimation(self)
        fade.setDuration(FADE)
        fade.setStartValue(0.0)
        fade.setEndValue(1.0)
        fade.valueChanged.connect(self._on_faded)
        return fade

    # What is shown.

    def apply(self, state: DiagramState) -> None:
        """Show a state; where only the step differs, only strips and values are touched."""
        before, self.state = self.state, state
        wiring = state.plan.wiring
        if wiring is not self._wiring:
            self._build(state)
            before = None
        if wiring is None:
            return
        if before is None or before.plan is not state.plan:
            self._show_plan(state)
        if (
            before is None
            or before.plan is not state.plan
            or (before.step, before.unit) != (state.step, state.unit)
            or before.order is not state.order
        ):
            self._show_columns(state)
        if before is None or before.phase is not state.phase or before.plan is not state.plan:
            self._show_phase(state, fading=before is not None and before.plan is state.plan)

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in another theme, or for another scale."""
        self.look = look
        for mark in (*self.marks, self._ring):
            mark.apply_look(look)
        self._place_symbols()

    def _build(self, state: DiagramState) -> None:
        """Make the marks of another wiring."""
        self._clear()
        self._wiring = wiring = state.plan.wiring
        if wiring is None:
            return
        self.setSceneRect(QRectF(-EDGE, 0, wiring.width + 2 * EDGE, HEIGHT))
        self._wires.extend(WireMark(self.look, wire, wiring.route(wire)) for wire in wiring.wires)
        for part in wiring.parts:
            self._add_part(part, wiring)
        for text in wiring.texts:
            mark_of_text = TextMark(self.look, text.align, text.phases, text.dotted)
            mark_of_text.move(QPointF(text.x, text.y))
            self._texts.append(mark_of_text)
        self._pills.extend(PillMark(self.look, zone) for zone in wiring.zones)
        self.marks.extend((*self._wires, *self._nodes, *self._texts, *self._pills))
        for mark in self.marks:
            self.addItem(mark.item)

    def _clear(self) -> None:
        self._fade.stop()
        self._fading.clear()
        # The ring outlives the marks.
        if self._ring.scene() is not None:
            self.removeItem(self._ring)
        self.clear()
        self._ring.hide()
        self.addItem(self._ring)
        for known in (self.strips, self._symbols, self.names, self.symbol_boxes):
            known.clear()
        for listed in (self.marks, self._wires, self._texts, self._pills, self._nodes):
            listed.clear()

    def _add_part(self, part: WiringPart, wiring: Wiring) -> None:
        match part:
            case Joint():
                if part.dot:
                    role, rail = _wires_at(part, wiring)
                    self.marks.append(JointMark(self.look, part, role, rail))
            case Strip():
                self._add_strip(part, wiring)
            case Node():
                self._nodes.append(NodeMark(self.look, part))
            case Box():
                self._nodes.append(BoxMark(self.look, part))

    def _add_strip(self, strip: Strip, wiring: Wiring) -> None:
        mark = StripMark(self.look, strip, wiring.width + EDGE - strip.x)
        self.strips[strip.key] = mark
        align = {Spot.LEFT: Align.RIGHT, Spot.ABOVE: Align.CENTRE, Spot.BELOW: Align.CENTRE}.get(
            strip.symbol, Align.LEFT
        )
        symbol = TextMark(self.look, align, strip.phases)
        self._symbols[strip.key] = symbol
        self.marks.extend((mark, symbol))
        if strip.named:
            name = TextMark(self.look, align, strip.phases)
            self.names[strip.key] = name
            self.marks.append(name)
        if strip.tap.signal == INPUT_NAME:
            beside = strip.symbol is Spot.RIGHT
            widest = _BESIDE_WIDTH if beside else _room_above(strip, wiring)
            box = SymbolMark(self.look, strip.phases, Align.LEFT if beside else Align.CENTRE, widest)
            self.symbol_boxes[strip.key] = box
            self.marks.append(box)

    def _show_plan(self, state: DiagramState) -> None:
        """Show what does not depend on the step."""
        plan = state.plan
        self._bands.clear()
        for wire in self._wires:
            wire.show_measured(plan.has(*wire.wire.taps))
        for key, mark in self.strips.items():
            tap = mark.strip.tap
            found = plan.recorded.get(tap.signal)
            mark.show_size(found.values.shape[1] if found is not None and tap.signal == INPUT_NAME else None)
            signal = plan.signal(Tap(mark.strip.like) if mark.strip.like else tap)
            self._symbols[key].write(plan.symbol(tap), signal.role)
            if key in self.names:
                self.names[key].write(plan.label(tap))
        for text, mark_of_text in zip(plan.wiring.texts if plan.wiring else (), self._texts, strict=True):
            mark_of_text.write(filled(text.text, plan))
        self._place_symbols()

    def _place_symbols(self) -> None:
        for key, mark in self.strips.items():
            strip, symbol = mark.strip, self._symbols[key]
            top = strip.y + mark.body.top()
            metrics = symbol.rect.height()
            match strip.symbol:
                case Spot.ABOVE:
                    at, name_at = QPointF(strip.x, top - metrics / 2 - 3), None
                case Spot.ABOVE_RIGHT:
                    at, name_at = QPointF(strip.x + 8, top - metrics / 2 - 3), None
                case Spot.LEFT:
                    at, name_at = QPointF(strip.x - 7 - _BESIDE, top + _FROM_TOP), None
                case Spot.RIGHT:
                    # What leaves a short strip does so at its middle: the symbol stands above that wire.
                    middle = strip.y - metrics / 2 - 2 if strip.centred else top + _FROM_TOP
                    at = QPointF(strip.x + 7 + _BESIDE, middle)
                    name_at = at + QPointF(0, 14)
                case Spot.BELOW:
                    name_at = QPointF(strip.x, strip.y + strip.height / 2 + 11)
                    at = name_at + QPointF(0, 15)
            symbol.move(at)
            symbol.move(at + QPointF(self._beside_boxes(symbol.rect), 0))
            if key in self.names and name_at is not None:
                self.names[key].move(name_at)
            box = self.symbol_boxes.get(key)
            if box is None:
                continue
            if strip.symbol is Spot.RIGHT:
                box.setPos(at + QPointF(symbol.rect.width() + 6, 0))
            else:
                box.setPos(at - QPointF(0, metrics / 2 + box.rect.height() / 2 + 1))

    def symbol_of(self, key: str) -> QRectF:
        """Return where the symbol of a strip stands."""
        return self._symbols[key].rect

    def _beside_boxes(self, symbol: QRectF) -> float:
        """Return how far a symbol goes to the right to keep clear of the box at its left, where it comes near one."""
        near = symbol.adjusted(-_CLEAR, 0, 0, 0)
        boxes = (node.rect for node in self._nodes if isinstance(node, BoxMark))
        reached = [box.right() for box in boxes if box.intersects(near) and box.center().x() < symbol.center().x()]
        return max(reached) + _CLEAR - symbol.left() if reached else 0.0

    def _show_columns(self, state: DiagramState) -> None:
        plan, step = state.plan, state.step
        for key, mark in self.strips.items():
            strip = mark.strip
            found = plan.recorded.get(strip.tap.signal)
            if found is None:
                mark.show_nothing()
                continue
            units = found.values.shape[1]
            marked = strip.value is not None and units == plan.units
            bands = self._bands_for(state, units, marked, own=strip.tap.signal != INPUT_NAME)
            column = plan.column(strip.tap, step)
            value = float(column[state.unit]) if marked else None
            mark.show_column(bands, bands.index(column, found.levels), signed=found.signed, value=value)
            if key in self.symbol_boxes:
                at = plan.step_of(strip.tap, step)
                self.symbol_boxes[key].show_symbol("" if plan.symbols is None or at is None else plan.symbols[at])

    def _bands_for(self, state: DiagramState, units: int, marked: bool, *, own: bool) -> Bands:
        """Return the lines for a number of units, the same object while unit and order are."""
        about = (state.unit, state.order)
        if not self._bands_of or about[0] != self._bands_of[0] or about[1] is not self._bands_of[1]:
            self._bands_of = about
            self._bands.clear()
        follows = own and units == state.plan.units
        key = (units if follows else -units, marked)
        if key not in self._bands:
            order = state.order if follows else None
            self._bands[key] = bands_of(units, order, state.unit if marked else None)
        return self._bands[key]

    # Phases.

    def _show_phase(self, state: DiagramState, *, fading: bool) -> None:
        phase = state.phase
        for pill in self._pills:
            zone = pill.zone
            words = f"{zone.phase.value} {zone.phase.label(state.plan.labels)}"
            pill.show_words(words, filled=zone.phase is phase, resting=phase not in {None, zone.phase})
        targets = []
        for mark in self.marks:
            live = phase is None or not mark.phases or phase in mark.phases
            mark.stress(phase is not None and live and bool(mark.phases))
            targets.append((mark, mark.item.opacity(), 1.0 if live else REST))
        now = monotonic()
        quick = now - self._changed_at < _FASTEST_FADE
        self._changed_at = now
        self._fade.stop()
        self._fading = [(mark, begin, end) for mark, begin, end in targets if begin != end]
        if not fading or quick or motion_reduced():
            self._on_faded(1.0)
        else:
            self._fade.start()

    def finish_fading(self) -> None:
        """Show the end of a fade at once."""
        if self._fade.state() is not QAbstractAnimation.State.Stopped:
            self._fade.stop()
        self._on_faded(1.0)

    def _on_faded(self, share: float) -> None:
        for mark, begin, end in self._fading:
            mark.item.setOpacity(end if share >= 1.0 else begin + (end - begin) * share)

    # Finding parts.

    def part_at(self, at: QPointF) -> Part | None:
        """Return the part at a point in local units: what stands on a wire before the wire."""
        for pill in self._pills:
            if pill.rect.contains(at):
                return pill.zone
        for strip in self.strips.values():
            local = at - strip.pos()
            if strip.body.adjusted(-4, -1, 4, 1).contains(local) or strip.value_rect.contains(local):
                return strip.strip
        for node in self._nodes:
            if node.item.boundingRect().contains(at - node.item.pos()):
                return node.node if isinstance(node, NodeMark) else node.box
        for words, mark in zip(self._wiring.texts if self._wiring else (), self._texts, strict=True):
            if mark.rect.contains(at):
                return words
        near = [(wire.distance(at), wire.wire) for wire in self._wires]
        distance, wire = min(near, key=lambda pair: pair[0], default=(np.inf, None))
        return wire if distance <= _NEAR else None

    def rect_of(self, part: Part) -> QRectF:
        """Return what a part covers, in local units."""
        for pill in self._pills:
            if pill.zone is part:
                return pill.rect
        for strip in self.strips.values():
            if strip.strip is part:
                return strip.body.translated(strip.pos())
        for node in self._nodes:
            if part in {node.node if isinstance(node, NodeMark) else node.box}:
                return node.item.boundingRect().translated(node.item.pos())
        for words, mark in zip(self._wiring.texts if self._wiring else (), self._texts, strict=True):
            if words is part:
                return mark.rect
        return next((wire.item.boundingRect() for wire in self._wires if wire.wire is part), QRectF())

    def parts(self) -> tuple[Part, ...]:
        """Return all parts in the order in which the keyboard goes through them."""
        if self._wiring is None:
            return ()
        solid = tuple(part for part in self._wiring.parts if not isinstance(part, Joint))
        return (*self._wiring.zones, *solid, *self._wiring.wires, *self._wiring.texts)

    def ring(self, part: Part | None) -> None:
        """Put the focus ring around a part, or away."""
        if part is None:
            self._ring.hide()
        else:
            self._ring.surround(self.rect_of(part))

    def hover_pill(self, part: Part | None) -> None:
        """Show which pill the mouse is over."""
        for pill in self._pills:
            pill.hover(pill.zone is part)


def _room_above(strip: Strip, wiring: Wiring) -> float:
    """Return how wide a symbol's box can be that stands between those of its neighbours."""
    return min(abs(other.x - strip.x) for other in wiring.strips if other.x != strip.x) - 3


def _wires_at(joint: Joint, wiring: Wiring) -> tuple[Role | None, bool]:
    """Return the colour of the wires that meet in a joint, and whether the memory is among them."""
    meeting = [wire for wire in wiring.wires if joint.key in {wire.start, wire.end}]
    rail = any(wire.rail for wire in meeting)
    return next((wire.role for wire in meeting if wire.rail or not rail), None), rail
