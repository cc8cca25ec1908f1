"""The marks of a diagram, as vectors: crisp at any scale."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QPolygonF,
    QTextDocument,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.networks.wiring import BOX_HEIGHT, NODE_RADIUS, Align, Box, Joint, Node, Phases, Point, Wire, Zone
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.theme import CONTROL_RADIUS, Text
from lstm_studio.ui.widgets.symbols import paint_symbol, written

PILL_TOP, PILL_HEIGHT = 1.0, 18.0
_ARROW = 8.0
_ARROW_HALF = 4.2
_DASHES = [3.0, 3.0]
_SYMBOL_SIDE = 17.0


class Mark(QGraphicsItem):
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

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in other colours, or for another scale."""
        self.prepareGeometryChange()
        self.look = look
        self.update()

    def stress(self, on: bool) -> None:
        """Draw as live among resting parts."""
        if on != self.stressed:
            self.stressed = on
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return all that is painted."""
        raise NotImplementedError

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Draw it."""
        del option, widget
        self.draw(painter)

    def draw(self, painter: QPainter) -> None:
        """Draw it, in local units."""
        raise NotImplementedError


class WireMark(Mark):
    """A wire: what carries recorded values is solid, what is schematic is dashed.

    Parameters
    ----------
    wire
        What it is.
    route
        Its corners.
    measured
        Whether all that it carries was recorded.
    """

    def __init__(self, look: DiagramLook, wire: Wire, route: tuple[Point, ...], measured: bool) -> None:
        super().__init__(look, wire.phases)
        self.wire = wire
        self.route = tuple(QPointF(x, y) for x, y in route)
        self.measured = measured
        self.setZValue(0.5 if wire.over else 0.0)

    def show_measured(self, measured: bool) -> None:
        """Draw solid, or dashed."""
        if measured != self.measured:
            self.measured = measured
            self.update()

    @property
    def width(self) -> float:
        """Its width in local units: 2, the memory 3, live among resting wires 1 more."""
        return (3.0 if self.wire.rail and self.measured else 2.0) + self.stressed

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the route with room for the arrow head."""
        return QPolygonF(list(self.route)).boundingRect().adjusted(-6, -6, 6, 6)

    def draw(self, painter: QPainter) -> None:
        """Draw the line and its head."""
        colour = self.look.mark(self.wire.role)
        points = list(self.route)
        head: QPolygonF | None = None
        if self.wire.arrow:
            back = points[-2] - points[-1]
            along = back / max(abs(back.x()), abs(back.y()))
            across = QPointF(-along.y(), along.x())
            foot = points[-1] + along * _ARROW
            head = QPolygonF([points[-1], foot + across * _ARROW_HALF, foot - across * _ARROW_HALF])
            points[-1] = points[-1] + along * (_ARROW - 1)
        path = QPainterPath(points[0])
        for point in points[1:]:
            path.lineTo(point)
        pen = QPen(colour, self.width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)
        if self.wire.over:
            painter.setPen(QPen(QColor(self.look.theme.panel), self.width + 5, Qt.PenStyle.SolidLine))
            painter.drawPath(path)
        if not self.measured:
            pen.setWidthF(1.5 + self.stressed)
            pen.setDashPattern(_DASHES)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        if head is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(head)

    def distance(self, at: QPointF) -> float:
        """Return how far a point is from the line."""
        nearest = float("inf")
        for start, end in pairwise(self.route):
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
        self.setPos(joint.x, joint.y)
        self.setZValue(1)

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the dot."""
        return QRectF(-6, -6, 12, 12)

    def draw(self, painter: QPainter) -> None:
        """Draw the dot."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.mark(self._role))
        radius = self._radius + self.stressed / 2
        painter.drawEllipse(QPointF(), radius, radius)


class NodeMark(Mark):
    """An operation on each unit: a circle with its sign."""

    def __init__(self, look: DiagramLook, node: Node) -> None:
        super().__init__(look, node.phases)
        self.node = node
        self.setPos(node.x, node.y)
        self.setZValue(2)

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the circle."""
        return QRectF(-13, -13, 26, 26)

    def draw(self, painter: QPainter) -> None:
        """Draw the circle, and its sign as lines."""
        theme = self.look.theme
        painter.setPen(QPen(self.look.mark(self.node.role), 2.0 + self.stressed / 2))
        painter.setBrush(QColor(theme.panel))
        painter.drawEllipse(QPointF(), NODE_RADIUS - 1, NODE_RADIUS - 1)
        ink = QPen(QColor(theme.ink), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
        painter.setPen(ink)
        if self.node.sign == "×":
            painter.drawLine(QPointF(-3.7, -3.7), QPointF(3.7, 3.7))
            painter.drawLine(QPointF(-3.7, 3.7), QPointF(3.7, -3.7))
        elif self.node.sign == "+":
            painter.drawLine(QPointF(-5.2, 0), QPointF(5.2, 0))
            painter.drawLine(QPointF(0, -5.2), QPointF(0, 5.2))
        else:
            painter.setFont(self.look.fonts[Text.VALUE])
            painter.drawText(QRectF(-11, -11, 22, 22), Qt.AlignmentFlag.AlignCenter, self.node.sign)


class BoxMark(Mark):
    """A layer: a rounded box in the wash of its role."""

    def __init__(self, look: DiagramLook, box: Box) -> None:
        super().__init__(look, box.phases)
        self.box = box
        self._text = RichText(box.text)
        self.setPos(box.x, box.y)
        self.setZValue(2)
        self._write()

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in other colours, or for another scale."""
        super().apply_look(look)
        self._write()

    def _write(self) -> None:
        self._text.write(self.box.text, self.look.fonts[Text.ROW_LABEL], QColor(self.look.theme.ink))

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the box."""
        return QRectF(-self.box.width / 2 - 2, -BOX_HEIGHT / 2 - 2, self.box.width + 4, BOX_HEIGHT + 4)

    def draw(self, painter: QPainter) -> None:
        """Draw the box and what it computes."""
        rect = QRectF(-self.box.width / 2, -BOX_HEIGHT / 2, self.box.width, BOX_HEIGHT)
        painter.setPen(QPen(self.look.mark(self.box.role), 1.5 + self.stressed / 2))
        painter.setBrush(QColor(self.look.theme.roles[self.box.role].wash))
        painter.drawRoundedRect(rect.adjusted(0.75, 0.75, -0.75, -0.75), CONTROL_RADIUS, CONTROL_RADIUS)
        self._text.paint(painter, QPointF(0, 0), Align.CENTRE)


class RichText:
    """One line of rich text that is placed by its middle."""

    def __init__(self, html: str = "") -> None:
        self.html = html
        self._document = QTextDocument()
        self._document.setDocumentMargin(0)
        self._document.setUndoRedoEnabled(False)
        self._colour = QColor()

    def write(self, html: str, font: QFont, colour: QColor) -> None:
        """Show another text."""
        self.html, self._colour = html, colour
        self._document.setDefaultFont(font)
        self._document.setHtml(html)

    @property
    def width(self) -> float:
        """Its width in local units."""
        return float(self._document.idealWidth())

    @property
    def height(self) -> float:
        """Its height in local units."""
        return float(self._document.size().height())

    def rect(self, at: QPointF, align: Align) -> QRectF:
        """Return what it covers at a point of its middle height."""
        shift = {Align.LEFT: 0.0, Align.CENTRE: self.width / 2, Align.RIGHT: self.width}[align]
        return QRectF(at.x() - shift, at.y() - self.height / 2, self.width, self.height)

    def paint(self, painter: QPainter, at: QPointF, align: Align) -> None:
        """Draw it at a point of its middle height."""
        context = QAbstractTextDocumentLayout.PaintContext()
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Text, self._colour)
        context.palette = palette
        painter.save()
        painter.translate(self.rect(at, align).topLeft())
        self._document.documentLayout().draw(painter, context)
        painter.restore()


class TextMark(Mark):
    """Words, a symbol or an equation; with dotted lines on both sides where it says what is not there."""

    def __init__(
        self,
        look: DiagramLook,
        at: Point,
        align: Align = Align.LEFT,
        phases: Phases = frozenset(),
        dotted: Point | None = None,
    ) -> None:
        super().__init__(look, phases)
        self._at, self._align = QPointF(*at), align
        self._dotted = dotted
        self._text = RichText()
        self._role: Role | None = None
        self.setZValue(3)

    def write(self, html: str, role: Role | None = None) -> None:
        """Show a symbol in the colour of its role, or words in the secondary ink."""
        self.prepareGeometryChange()
        self._role = role
        use = Text.SECONDARY if role is None else Text.TITLE
        colour = QColor(self.look.theme.ink2) if role is None else self.look.text(role)
        self._text.write(html, self.look.fonts[use], colour)
        self.update()

    @property
    def text(self) -> str:
        """What it says, as rich text."""
        return self._text.html

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in other colours, or for another scale."""
        super().apply_look(look)
        self.write(self._text.html, self._role)

    @property
    def rect(self) -> QRectF:
        """What the text covers."""
        return self._text.rect(self._at, self._align)

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return text and dotted lines."""
        rect = self.rect.adjusted(-2, -2, 2, 2)
        if self._dotted is not None:
            rect.setLeft(min(rect.left(), self._dotted[0]))
            rect.setRight(max(rect.right(), self._dotted[1]))
        return rect

    def draw(self, painter: QPainter) -> None:
        """Draw the text and the lines."""
        self._text.paint(painter, self._at, self._align)
        if self._dotted is None:
            return
        pen = QPen(QColor(self.look.theme.frame), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([2, 2.5])
        painter.setPen(pen)
        y, gap = self._at.y(), 16.0
        painter.drawLine(QPointF(self._dotted[0], y), QPointF(self.rect.left() - gap, y))
        painter.drawLine(QPointF(self._dotted[1], y), QPointF(self.rect.right() + gap, y))


class SymbolMark(Mark):
    """The symbol of a one-hot input, in its box."""

    def __init__(self, look: DiagramLook, phases: Phases, align: Align) -> None:
        super().__init__(look, phases)
        self._symbol, self._align = "", align
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
        wide = max(_SYMBOL_SIDE, min(64.0, self.look.metrics[Text.VALUE].horizontalAdvance(self.text) + 6))
        left = -wide / 2 if self._align is Align.CENTRE else 0.0
        return QRectF(left, -_SYMBOL_SIDE / 2, wide, _SYMBOL_SIDE)

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
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


class PillMark(Mark):
    """The name of an operation above what takes part in it; filled while it is live."""

    def __init__(self, look: DiagramLook, zone: Zone) -> None:
        super().__init__(look)
        self.zone = zone
        self.filled = False
        self.hovered = False
        self.text = ""

    def show_words(self, text: str, *, filled: bool) -> None:
        """Show another name, and whether it is live."""
        if (text, filled) != (self.text, self.filled):
            self.text, self.filled = text, filled
            self.update()

    def hover(self, on: bool) -> None:
        """Show whether the mouse is over it."""
        if on != self.hovered:
            self.hovered = on
            self.update()

    @property
    def rect(self) -> QRectF:
        """The pill."""
        return QRectF(self.zone.left, PILL_TOP, self.zone.right - self.zone.left, PILL_HEIGHT)

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
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
        painter.setPen(QColor(theme.on(fill) if self.filled else theme.ink2))
        painter.setFont(self.look.fonts[Text.ROW_LABEL])
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.text)


class RingMark(Mark):
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

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the ring."""
        return self._rect.adjusted(-2, -2, 2, 2)

    def draw(self, painter: QPainter) -> None:
        """Draw the ring."""
        painter.setPen(QPen(QColor(self.look.theme.focus), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self._rect, 3, 3)
