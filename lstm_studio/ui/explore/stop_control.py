"""Stop when: a box in the transport that says the condition, how many steps meet it, and opens its editor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.session.conditions import StopWhen, hits, met_at, needs_selection, suggested
from lstm_studio.session.session import Session
from lstm_studio.session.state import Remarks, Result, View
from lstm_studio.ui.explore.condition_words import joined_text, joined_words, met_text
from lstm_studio.ui.explore.condition_words import met_words as words_of_met
from lstm_studio.ui.explore.stop_editor import StopEditor, count_words, met_words
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.theme import HALF_GRID, Theme, scaled, transport_height
from lstm_studio.ui.widgets.text import ElidedLabel

_ARROW = 10
_BESIDE_ARROW = 12
_SHORTEST = 92
"""Pixels at 100 % that the words get at least: "Stop when a…"."""


class _Box(QCheckBox):
    """A check box whose text is shortened, then elided, where there is no room for it."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = self._short = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    @property
    def indent(self) -> int:
        """Where the text begins."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        return self.style().subElementRect(QStyle.SubElement.SE_CheckBoxContents, option, self).left()

    def show_text(self, condition: str) -> None:
        """Show another condition."""
        text = f"Stop when {condition}"
        if text != self._whole:
            self._whole, self._short = text, f"Stop: {condition}"
            self.setAccessibleName(text)
            self.updateGeometry()
            self._elide()

    def sizeHint(self) -> QSize:
        """Return the size at which nothing is elided."""
        bare = super().sizeHint()
        shown = self.fontMetrics().horizontalAdvance(self.text().replace("&&", "&"))
        return QSize(bare.width() - shown + self.fontMetrics().horizontalAdvance(self._whole) + 2, bare.height())

    def minimumSizeHint(self) -> QSize:
        """Return the width of its first words."""
        scale = self.fontMetrics().horizontalAdvance("Stop when a…") / 80
        return QSize(min(round(_SHORTEST * max(1.0, scale)), self.sizeHint().width()), super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide again."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = self.width() - (self.sizeHint().width() - self.fontMetrics().horizontalAdvance(self._whole)) + 2
        text = self._whole if self.fontMetrics().horizontalAdvance(self._whole) <= room else self._short
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))
        self.setText(shown.replace("&", "&&"))


class StopControl(QFrame):
    """Switches stopping on and off, and knows the steps at which the conditions hold."""

    hits_changed = Signal()
    """Other steps meet the conditions, or playing heeds them from now on, or no longer."""

    def __init__(self, session: Session, theme: Theme) -> None:
        super().__init__()
        self._session, self._theme = session, theme
        self._known: tuple[Result | None, StopWhen | None, View | None] = (None, None, None)
        self._hits: NDArray[np.int64] = np.zeros(0, np.int64)
        self._editor: StopEditor | None = None
        self._words = self._counted = ""
        self.setProperty("kind", "segments")
        self.setAccessibleName("Stop when")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._box, self._count, self._edit = _Box(), ElidedLabel(kind="caption"), QToolButton()
        self._edit.setProperty("kind", "flat")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._box)
        words.addWidget(self._count)
        self._line = line = QHBoxLayout(self)
        line.setContentsMargins(HALF_GRID + 2, 2, 1, 2)
        line.setSpacing(0)
        line.addLayout(words, 1)
        line.addWidget(self._edit)
        self._box.clicked.connect(self.switch)
        self._edit.clicked.connect(self.edit)
        session.result_replaced.connect(self._on_result)
        session.remarks_changed.connect(self._on_remarks)
        session.view_changed.connect(self._on_view)
        self.apply_theme(theme)
        self._show()

    @property
    def hits(self) -> NDArray[np.int64]:
        """The steps at which the conditions hold, whether playing heeds them or not."""
        return self._hits

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What the keyboard goes through, in this order."""
        return self._box, self._edit

    @property
    def on(self) -> bool:
        """Whether playing stops there."""
        return self._session.remarks.stop.on

    @property
    def editor(self) -> StopEditor:
        """The editor, made when it is first asked for."""
        if self._editor is None:
            self._editor = StopEditor(self._session, self._theme, self)
            self._show_editor()
        return self._editor

    def stops_at(self, step: int) -> bool:
        """Return whether playing stops at a step."""
        return self.on and bool(np.isin(step, self._hits))

    def hit_after(self, step: int) -> int | None:
        """Return the first step after this one at which the conditions hold, else the first of all; None without."""
        place = int(np.searchsorted(self._hits, step, side="right"))
        return int(self._hits[place % len(self._hits)]) if len(self._hits) else None

    def hit_before(self, step: int) -> int | None:
        """Return the last step before this one at which the conditions hold, else the last of all; None without."""
        place = int(np.searchsorted(self._hits, step, side="left"))
        return int(self._hits[place - 1]) if len(self._hits) else None

    def switch(self, on: bool) -> None:
        """Let playing stop, or not; without a condition yet, at the one that is suggested."""
        stop = self._session.remarks.stop
        new = None if stop.conditions or not on else suggested(self._session.result)
        conditions = stop.conditions if new is None else (new,)
        self._session.remark(
            "Stop when" if on else "Do not stop",
            stop=replace(stop, conditions=conditions, on=on and bool(conditions)),
        )
        self._show()

    def edit(self) -> None:
        """Open the editor above the box; the first time with the suggested condition in it."""
        if not self._session.remarks.stop.conditions:
            self.switch(True)
        editor = self.editor
        editor.stand_on(self.mapToGlobal(QPoint(self.width(), -HALF_GRID)))
        for row in editor.rows()[:1]:
            row.signal.setFocus(Qt.FocusReason.PopupFocusReason)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        set_icon(self._edit, Icon.CHEVRON_UP, theme, size=_ARROW)
        self._edit.setFixedWidth(_BESIDE_ARROW + scaled(_ARROW))
        self.setMinimumHeight(transport_height())
        if self._editor is not None:
            self._editor.apply_theme(theme)

    def _on_result(self, _: Result) -> None:
        self._show()

    def _on_remarks(self, _: Remarks) -> None:
        self._show()

    def _on_view(self, after: View, before: View) -> None:
        if after.labels != before.labels or after.units != before.units:
            self._show()
        elif after.cursor != before.cursor:
            self._show_here()

    def _show(self) -> None:
        session = self._session
        result, view, stop = session.result, session.view, session.remarks.stop
        selecting = any(needs_selection(condition) for condition in stop.conditions)
        known, kept_stop, kept_view = self._known
        moved = selecting and (kept_view is None or kept_view.units != view.units)
        anew = known is not result or kept_stop != stop or moved
        if anew:
            self._known = (result, stop, view)
            self._hits = hits(result, view, stop)
        offered = suggested(result)
        shown = stop if stop.conditions or offered is None else replace(stop, conditions=(offered,))
        words = joined_words(result, shown, view.labels) if shown.conditions else "Nothing to stop at"
        count = len(self._hits)
        counted = met_words(count, result.sequence.steps) if stop.conditions else ""
        self._box.setEnabled(bool(shown.conditions))
        self._box.setChecked(stop.on)
        self._box.show_text(joined_text(result, shown) if shown.conditions else "…")
        self._words = f"{words}\n{counted}".strip()
        self._counted = count_words(count, result.sequence.steps) if counted and count else counted
        self._count.setVisible(bool(counted))
        self._show_here()
        self._count.setIndent(self._box.indent)
        self._edit.setAccessibleName("Edit where playing stops")
        self._edit.setAccessibleDescription(counted)
        self._edit.setToolTip(f"Edit where playing stops. {counted}".strip())
        self._show_editor()
        if anew:
            # Whoever listens may ask how wide the words are now, and a layout inside another keeps its last answer.
            self._line.activate()
            self.hits_changed.emit()

    def _show_here(self) -> None:
        """Say what meets the conditions at the cursor; elsewhere how many steps do."""
        session = self._session
        result, view = session.result, session.view
        met = met_at(result, view, session.remarks.stop, view.cursor)
        here = words_of_met(result, met, view.labels)
        self._count.setText(met_text(result, met) if met else self._counted)
        self._count.hint = here
        self._box.setToolTip(f"{self._words}\n{here}".strip())
        self._box.setAccessibleDescription(here)

    def _show_editor(self) -> None:
        if self._editor is not None:
            stop = self._session.remarks.stop
            self._editor.show_stop(stop, len(self._hits), self._session.result.sequence.steps)
