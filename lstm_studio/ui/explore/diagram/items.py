"""The marks of a diagram, as vectors: crisp at any scale.

What does not change from step to step is built of Qt's own items, which draw themselves without Python.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF
from PySide6.QtWidgets import (
    QGraphicsEllipseItem,
    QGraphicsItem,
    QGraphicsLineItem,
    QGraphicsPathItem,
    QGraphicsTextItem,
    QStyleOptionGraphicsItem,
    QWidget,
)

from lstm_studio.networks.signals import Role
from lstm_studio.networks.wiring import BOX_HEIGHT, NODE_RADIUS, Align, Box, Joint, Node, Phases, Point, Wire, Zone
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.theme import CONTROL_RADIUS, Text
from lstm_studio.ui.widgets.symbols import paint_symbol, written

PILL_TOP, PILL_HEIGHT = 1.0, 18.0
_ARROW = 8.0
_ARROW_HALF = 4.2
_BRIDGE = 5.0
"""How much wider than a wire the gap is that it leaves in a wire that it crosses."""
_DASHES = [3.0, 2.5]
_SYMBOL_SIDE = 17.0
_DOTTED_GAP = 16.0
_BESIDE_WORDS = 2.0
"""Local units that a box keeps free beside its words."""
_PILL_ENDS = 12.0
"""What the round ends of a pill take."""
_SIGNS = {"×": "M -3.7 -3.7 L 3.7 3.7 M -3.7 3.7 L 3.7 -3.7", "+": "M -5.2 0 L 5.2 0 M 0 -5.2 L 0 5.2"}


class Mark:
    """One part of a diagram; it may rest while another operation is live.

    Parameters
    ----------
    look
        Colours and fonts.
    phases
        When it is live; empty for always.
    """

    def __init__(self, look: DiagramLook, phases: Phases = frozenset()) -> None:
        super().__init__()
        self.look = look
        self.phases = phases
        self.stressed = False
        """Whether it is live while others rest."""

    @property
    @abstractmethod
    def item(self) -> QGraphicsItem:
        """What is in the scene."""

    @abstractmethod
    def restyle(self) -> None:
        """Take colours and widths again."""

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in other colours, or for another scale."""
        self.look = look
        self.restyle()

    def stress(self, on: bool) -> None:
        """Draw as live among resting parts."""
        if on != self.stressed:
            self.stressed = on
            self.restyle()


class WireMark(Mark):
    """A wire: what carries recorded values is solid, what is schematic is dashed.

    Parameters
    ----------
    wire
        What it is.
    route
        Its corners.
    """

    def __init__(self, look: DiagramLook, wire: Wire, route: tuple[Point, ...]) -> None:
        super().__init__(look, wire.phases)
        self.wire = wire
        self.measured = bool(wire.taps)
        self._corners = tuple(QPointF(x, y) for x, y in route)
        self._item = QGraphicsPathItem()
        self._item.setPen(QPen(Qt.PenStyle.NoPen))
        self._item.setZValue(0.5 if wire.over else 0.0)
        self._gap: QGraphicsPathItem | None = None
        if wire.over:
            self._gap = QGraphicsPathItem(self._item)
            self._gap.setFlag(QGraphicsItem.GraphicsItemFlag.ItemStacksBehindParent)
            self._gap.setPen(QPen(Qt.PenStyle.NoPen))
        self.restyle()

    @property
    def item(self) -> QGraphicsItem:
        """What is in the scene."""
        return self._item

    def show_measured(self, measured: bool) -> None:
        """Draw solid, or dashed."""
        if measured != self.measured:
            self.measured = measured
            self.restyle()

    @property
    def width(self) -> float:
        """Its width in local units: 2, the memory 3, live among resting wires 1 more; what is not recorded is thin."""
        return (1.5 if not self.measured else 3.0 if self.wire.rail else 2.0) + self.stressed

    @property
    def colour(self) -> QColor:
        """Its colour."""
        return self.look.mark(self.wire.role)

    def restyle(self) -> None:
        """Draw the line as an area, with its head: one item of one colour."""
        corners = list(self._corners)
        head = QPainterPath()
        if self.wire.arrow:
            end, back = corners[-1], corners[-2] - corners[-1]
            along = back / max(abs(back.x()), abs(back.y()))
            across = QPointF(-along.y(), along.x()) * _ARROW_HALF
            foot = end + along * _ARROW
            head.addPolygon(QPolygonF([end, foot + across, foot - across, end]))
            corners[-1] = end + along * (_ARROW - 1)
        line = QPainterPath(corners[0])
        for corner in corners[1:]:
            line.lineTo(corner)
        area = self._stroked(line, self.width, dashed=not self.measured)
        self._item.setPath(area.united(head) if self.wire.arrow else area)
        self._item.setBrush(self.colour)
        if self._gap is not None:
            self._gap.setPath(self._stroked(line, self.width + _BRIDGE))
            self._gap.setBrush(QColor(self.look.theme.panel))

    @staticmethod
    def _stroked(line: QPainterPath, width: float, *, dashed: bool = False) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(width)
        stroker.setCapStyle(Qt.PenCapStyle.FlatCap)
        stroker.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        if dashed:
            stroker.setDashPattern(_DASHES)
        area = stroker.createStroke(line)
        area.setFillRule(Qt.FillRule.WindingFill)
        return area

    def distance(self, at: QPointF) -> float:
        """Return how far a point is from the line."""
        nearest = float("inf")
        for start, end in pairwise(self._corners):
            dx = max(min(start.x(), end.x()) - at.x(), 0.0, at.x() - max(start.x(), end.x()))
            dy = max(min(start.y(), end.y()) - at.y(), 0.0, at.y() - max(start.y(), end.y()))
            nearest = min(nearest, max(dx, dy))
        return nearest


class JointMark(Mark):
    """A dot where wires meet.

    Parameters
    ----------
    joint
        Where it is.
    role
        That of the wires.
    rail
        Whether one of them is drawn as the memory is.
    """

    def __init__(self, look: DiagramLook, joint: Joint, role: Role | None, rail: bool) -> None:
        super().__init__(look, joint.phases)
        self._role, self._radius = role, 4.0 if rail else 3.2
        self._item = QGraphicsEllipseItem()
        self._item.setPen(QPen(Qt.PenStyle.NoPen))
        self._item.setPos(joint.x, joint.y)
        self._item.setZValue(1)
        self.restyle()

    @property
    def item(self) -> QGraphicsItem:
        """What is in the scene."""
        return self._item

    def restyle(self) -> None:
        """Take colour and size again."""
        radius = self._radius + self.stressed / 2
        self._item.setRect(-radius, -radius, 2 * radius, 2 * radius)
        self._item.setBrush(self.look.mark(self._role))


class NodeMark(Mark):
    """An operation on each unit: a circle with its sign."""

    def __init__(self, look: DiagramLook, node: Node) -> None:
        super().__init__(look, node.phases)
        self.node = node
        radius = NODE_RADIUS - 1
        self._item = QGraphicsEllipseItem(-radius, -radius, 2 * radius, 2 * radius)
        self._item.setPos(node.x, node.y)
        self._item.setZValue(2)
        self._sign: QGraphicsPathItem | None = None
        self._words: Words | None = None
        if node.sign in _SIGNS:
            self._sign = QGraphicsPathItem(_path(_SIGNS[node.sign]), self._item)
        else:
            self._words = Words(self._item, Align.CENTRE)
        self.restyle()

    @property
    def item(self) -> QGraphicsItem:
        """What is in the scene."""
        return self._item

    def restyle(self) -> None:
        """Take colours and widths again."""
        theme = self.look.theme
        self._item.setPen(QPen(self.look.mark(self.node.role), 2.0 + self.stressed / 2))
        self._item.setBrush(QColor(theme.panel))
        if self._sign is not None:
            ink = QPen(QColor(theme.ink), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
            self._sign.setPen(ink)
        if self._words is not None:
            self._words.write(self.node.sign, self.look, Text.VALUE, QColor(theme.ink))


class BoxMark(Mark):
    """A layer: a rounded box in the wash of its role."""

    def __init__(self, look: DiagramLook, box: Box) -> None:
        super().__init__(look, box.phases)
        self.box = box
        rect = QRectF(-box.width / 2, -BOX_HEIGHT / 2, box.width, BOX_HEIGHT).adjusted(0.75, 0.75, -0.75, -0.75)
        path = QPainterPath()
        path.addRoundedRect(rect, CONTROL_RADIUS, CONTROL_RADIUS)
        self._item = QGraphicsPathItem(path)
        self._item.setPos(box.x, box.y)
        self._item.setZValue(2)
        self._words = Words(self._item, Align.CENTRE)
        self.restyle()

    @property
    def item(self) -> QGraphicsItem:
        """What is in the scene."""
        return self._item

    def restyle(self) -> None:
        """Take colours and widths again."""
        self._item.setPen(QPen(self.look.mark(self.box.role), 1.5 + self.stressed / 2))
        self._item.setBrush(QBrush(QColor(self.look.theme.roles[self.box.role].wash)))
        self._words.write(self.box.text, self.look, Text.ROW_LABEL, QColor(self.look.theme.ink))
        self._words.fit(self.box.width - 2 * _BESIDE_WORDS, self.look.smallest)

    @property
    def rect(self) -> QRectF:
        """What the box covers, in the scene's coordinates."""
        return self._item.sceneBoundingRect()

    @property
    def words_rect(self) -> QRectF:
        """What the words in it cover, in the scene's coordinates."""
        return self._item.mapRectToScene(self._words.rect)

    @property
    def words_size(self) -> int:
        """Size of their letters, in local units."""
        return self._words.item.font().pixelSize()


class Words:
    """One line of rich text that is placed by its middle height.

    Parameters
    ----------
    parent
        The item that it belongs to, or None for one of its own.
    align
        Which end of it is at its point.
    """

    def __init__(self, parent: QGraphicsItem | None = None, align: Align = Align.LEFT) -> None:
        self.item = QGraphicsTextItem(parent) if parent is not None else QGraphicsTextItem()
        self.item.document().setDocumentMargin(0)
        self.item.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.html = ""
        self._align = align
        self._at = QPointF()

    def write(self, html: str, look: DiagramLook, use: Text, colour: QColor) -> None:
        """Show another text."""
        self.html = html
        self.item.setFont(look.fonts[use])
        self.item.setDefaultTextColor(colour)
        self.item.setHtml(html)
        self._place()

    def fit(self, width: float, smallest: float) -> None:
        """Write smaller where that makes it as narrow as this, but never smaller than can be read."""
        needed, made = self.item.boundingRect().width(), QFont(self.item.font())
        if needed > width and made.pixelSize() > smallest:
            made.setPixelSize(max(math.ceil(smallest), int(made.pixelSize() * width / needed)))
            self.item.setFont(made)
            self._place()

    def move(self, at: QPointF) -> None:
        """Put it at another point."""
        self._at = at
        self._place()

    @property
    def rect(self) -> QRectF:
        """What it covers, in its parent's coordinates."""
        size = self.item.boundingRect().size()
        return QRectF(self.item.pos(), size)

    def _place(self) -> None:
        size = self.item.boundingRect().size()
        shift = {Align.LEFT: 0.0, Align.CENTRE: size.width() / 2, Align.RIGHT: size.width()}[self._align]
        self.item.setPos(self._at - QPointF(shift, size.height() / 2))


class TextMark(Mark):
    """Words, a symbol or an equation; with dotted lines on both sides where it says what is not there."""

    def __init__(
        self,
        look: DiagramLook,
        align: Align = Align.LEFT,
        phases: Phases = frozenset(),
        dotted: Point | None = None,
    ) -> None:
        super().__init__(look, phases)
        self._words = Words(None, align)
        self._words.item.setZValue(3)
        self._role: Role | None = None
        self._dotted = dotted
        self._lines = [QGraphicsLineItem(self._words.item) for _ in dotted or ()]

    @property
    def item(self) -> QGraphicsItem:
        """What is in the scene."""
        return self._words.item

    @property
    def text(self) -> str:
        """What it says, as rich text."""
        return self._words.html

    @property
    def rect(self) -> QRectF:
        """What the text covers."""
        return self._words.rect

    def write(self, html: str, role: Role | None = None) -> None:
        """Show a symbol in the colour of its role, or words in the secondary ink."""
        self._role = role
        use = Text.SECONDARY if role is None else Text.TITLE
        colour = QColor(self.look.theme.ink2) if role is None else self.look.text(role)
        self._words.write(html, self.look, use, colour)
        self._draw_lines()

    def move(self, at: QPointF) -> None:
        """Put it at another point of its middle height."""
        self._words.move(at)
        self._draw_lines()

    def restyle(self) -> None:
        """Take colours and fonts again."""
        self.write(self.text, self._role)

    def _draw_lines(self) -> None:
        if self._dotted is None:
            return
        pen = QPen(QColor(self.look.theme.frame), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([2, 2.5])
        rect = self.rect
        near = (rect.left() - _DOTTED_GAP, rect.right() + _DOTTED_GAP)
        for line, far, end in zip(self._lines, self._dotted, near, strict=True):
            line.setPen(pen)
            y = rect.height() / 2
            line.setLine(far - rect.left(), y, end - rect.left(), y)


class PaintedMark(Mark, QGraphicsItem):
    """A part that draws itself."""

    @property
    def item(self) -> QGraphicsItem:
        """Itself."""
        return self

    def restyle(self) -> None:
        """Draw again."""
        self.prepareGeometryChange()
        self.update()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Draw it."""
        del option, widget
        self.draw(painter)

    @abstractmethod
    def draw(self, painter: QPainter) -> None:
        """Draw it, in local units."""


def _path(text: str) -> QPainterPath:
    """Return the lines of ``"M x y L x y …"``."""
    path, words = QPainterPath(), text.split()
    for place in range(0, len(words), 3):
        point = QPointF(float(words[place + 1]), float(words[place + 2]))
        if words[place] == "M":
            path.moveTo(point)
        else:
            path.lineTo(point)
    return path


class SymbolMark(PaintedMark):
    """The symbol of a one-hot input, in its box; of a long one, its beginning.

    Parameters
    ----------
    align
        Whether its point is its middle or its left end.
    widest
        Local units that it may take.
    """

    def __init__(self, look: DiagramLook, phases: Phases, align: Align, widest: float) -> None:
        super().__init__(look, phases)
        self._symbol, self._align, self._widest = "", align, widest
        self.setZValue(3)

    def show_symbol(self, symbol: str) -> None:
        """Show another symbol; an empty text before the first step."""
        if symbol != self._symbol:
            self.prepareGeometryChange()
            self._symbol = symbol
            self.update()

    @property
    def text(self) -> str:
        """The symbol as it is written."""
        return written(self._symbol) if self._symbol else ""

    @property
    def rect(self) -> QRectF:
        """The box: a square, wider for long symbols; at its point, centred or to the right of it."""
        wide = max(_SYMBOL_SIDE, min(self._widest, self.look.metrics[Text.VALUE].horizontalAdvance(self.text) + 6))
        left = -wide / 2 if self._align is Align.CENTRE else 0.0
        return QRectF(left, -_SYMBOL_SIDE / 2, wide, _SYMBOL_SIDE)

    def boundingRect(self) -> QRectF:
        """Return the box."""
        return self.rect.adjusted(-1, -1, 1, 1)

    def draw(self, painter: QPainter) -> None:
        """Draw the box."""
        if not self._symbol:
            return
        painter.setFont(self.look.fonts[Text.VALUE])
        metrics = self.look.metrics[Text.VALUE]
        text = metrics.elidedText(self.text, Qt.TextElideMode.ElideRight, self.rect.width() - 2)
        paint_symbol(painter, self.rect, text, self.look.theme, filled=False, current=True)


class PillMark(PaintedMark):
    """The name of an operation above what takes part in it; filled while it is live."""

    def __init__(self, look: DiagramLook, zone: Zone) -> None:
        super().__init__(look)
        self.zone = zone
        self.filled = self.resting = False
        self.hovered = False
        self.text = ""

    def show_words(self, text: str, *, filled: bool, resting: bool) -> None:
        """Show another name, and whether it alone is live, or another is."""
        if (text, filled, resting) != (self.text, self.filled, self.resting):
            self.text, self.filled, self.resting = text, filled, resting
            self.update()

    @property
    def font(self) -> QFont:
        """Font of the name: smaller where it would reach the ends of its pill, but never too small to be read."""
        look, room = self.look, self.rect.width() - _PILL_ENDS
        wide = look.metrics[Text.ROW_LABEL].horizontalAdvance(self.text)
        if wide <= room:
            return look.fonts[Text.ROW_LABEL]
        fitting = QFont(look.fonts[Text.ROW_LABEL])
        fitting.setPixelSize(max(look.smallest, int(fitting.pixelSize() * room / wide)))
        return fitting

    @property
    def ink(self) -> str:
        """Colour of the name."""
        theme = self.look.theme
        if self.filled:
            return theme.on(theme.roles[self.zone.phase.role].mark)
        return theme.ink2 if self.resting else theme.ink

    def hover(self, on: bool) -> None:
        """Show whether the mouse is over it."""
        if on != self.hovered:
            self.hovered = on
            self.update()

    @property
    def rect(self) -> QRectF:
        """The pill."""
        return QRectF(self.zone.left, PILL_TOP, self.zone.right - self.zone.left, PILL_HEIGHT)

    def boundingRect(self) -> QRectF:
        """Return the pill."""
        return self.rect.adjusted(-1, -1, 1, 1)

    def draw(self, painter: QPainter) -> None:
        """Draw the pill and its name."""
        theme, role = self.look.theme, self.zone.phase.role
        fill = theme.roles[role].mark if self.filled else theme.hover if self.hovered else theme.sunken
        painter.setPen(QPen(QColor(fill if self.filled else theme.line), 1))
        painter.setBrush(QColor(fill))
        rect = self.rect.adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        painter.setPen(QColor(self.ink))
        painter.setFont(self.font)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.text)


class RingMark(PaintedMark):
    """The focus ring around the part that the keyboard has reached."""

    def __init__(self, look: DiagramLook) -> None:
        super().__init__(look)
        self._rect = QRectF()
        self.setZValue(5)
        self.hide()

    def surround(self, rect: QRectF) -> None:
        """Go around a part."""
        self.prepareGeometryChange()
        self._rect = rect.adjusted(-3, -3, 3, 3)
        self.show()

    def boundingRect(self) -> QRectF:
        """Return the ring."""
        return self._rect.adjusted(-2, -2, 2, 2)

    def draw(self, painter: QPainter) -> None:
        """Draw the ring."""
        painter.setPen(QPen(QColor(self.look.theme.focus), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self._rect, 3, 3)
