"""How things look: labels, theme, text, layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import Qt

from lstm_studio.networks.signals import Labels
from lstm_studio.session.settings import FONT_SCALES
from lstm_studio.ui.actions import ActionInfo, choice, switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.motion import reduce_motion
from lstm_studio.ui.workspaces import EXPLORE


class ViewCommands(Group):
    """How things look: labels, theme, text, layout."""

    actions = (
        switch(
            "view.diagram", "Cell diagrams", "Draw the cells above the plots.", "show_diagrams", "D", workspace=EXPLORE
        ),
        switch(
            "view.show-all",
            "Show steps to come",
            "Show what is after the cursor, faintly.",
            "show_all",
            "A",
            icon=Icon.EYE,
            workspace=EXPLORE,
        ),
        choice("view.labels-standard", "Standard labels", "Names as in papers.", "label_standard", "labels", "Ctrl+1"),
        choice(
            "view.labels-classroom",
            "Classroom labels",
            "Names as in the lessons.",
            "label_classroom",
            "labels",
            "Ctrl+2",
        ),
        choice("view.theme-system", "Theme: as the system", "Follow the desktop.", "theme_system", "theme"),
        choice("view.theme-light", "Theme: light", "Dark on light.", "theme_light", "theme", "Ctrl+Shift+L"),
        choice("view.theme-dark", "Theme: dark", "Light on dark.", "theme_dark", "theme", "Ctrl+Shift+D"),
        ActionInfo("view.larger", "Larger text", "Enlarge all text.", "larger", ("Ctrl++", "Ctrl+="), Icon.PLUS),
        ActionInfo("view.smaller", "Smaller text", "Shrink all text.", "smaller", ("Ctrl+-",), Icon.MINUS),
        ActionInfo("view.normal-size", "Normal text size", "Text at 100 %.", "normal_size", ("Ctrl+0",)),
        switch(
            "view.less-motion",
            "Less motion",
            "Let phases change at once, also where the desktop allows more motion.",
            "less_motion",
        ),
        ActionInfo(
            "view.whole-sequence",
            "Show the whole sequence",
            "Undo zooming into time.",
            "whole_sequence",
            ("W",),
            workspace=EXPLORE,
        ),
        ActionInfo(
            "view.reset-layout", "Reset layout", "Put all panels back to where they were at first.", "reset_layout"
        ),
        switch("view.full-screen", "Full screen", "Use the whole screen.", "full_screen", "F11"),
        ActionInfo(
            "view.dismiss",
            "Close notice, back to plots",
            "Close the newest notice; without one, return the keyboard to the plots.",
            "dismiss",
            ("Escape",),
        ),
    )

    def show_diagrams(self, on: bool) -> None:
        """Draw the cells above the plots, or give the plots all the room."""
        if on:
            self._window.workspace.show_cells()
        self._session.look(diagram=on)

    def show_all(self, on: bool) -> None:
        """Show or hide the steps to come."""
        self._session.look(reveal_all=on)

    def label_standard(self) -> None:
        """Name things as papers do."""
        self._session.look(labels=Labels.STANDARD)

    def label_classroom(self) -> None:
        """Name things as the lessons do."""
        self._session.look(labels=Labels.CLASSROOM)

    def theme_system(self) -> None:
        """Follow the desktop."""
        self._session.look(theme="system")

    def theme_light(self) -> None:
        """Dark on light."""
        self._session.look(theme="light")

    def theme_dark(self) -> None:
        """Light on dark."""
        self._session.look(theme="dark")

    def larger(self) -> None:
        """Enlarge all text by one notch."""
        now = self._window.settings.font_scale
        self._window.scale_text(min((scale for scale in FONT_SCALES if scale > now), default=now))

    def smaller(self) -> None:
        """Shrink all text by one notch."""
        now = self._window.settings.font_scale
        self._window.scale_text(max((scale for scale in FONT_SCALES if scale < now), default=now))

    def normal_size(self) -> None:
        """Show text at the system's size."""
        self._window.scale_text(100)

    def less_motion(self, on: bool) -> None:
        """Let nothing move by itself, or as much as the desktop allows."""
        self._window.remember(replace(self._window.settings, less_motion=on))
        reduce_motion(on)

    def whole_sequence(self) -> None:
        """Take back zooming into time."""
        self._window.workspace.stack.show_all_steps()

    def reset_layout(self) -> None:
        """Put the panels back."""
        self._window.arrangement.reset()

    def full_screen(self, on: bool) -> None:
        """Fill the screen, or return to a window."""
        if on:
            self._window.showFullScreen()
        else:
            self._window.showNormal()

    def dismiss(self) -> None:
        """Close the newest notice, or give the keyboard back to the plots, or forget the marked stretch.

        One of them at a time, in this order, and at last leave the full screen. A stretch that was only begun is
        forgotten before the keyboard changes its place.
        """
        hints = self._window.hints
        if hints is not None and hints.isVisible():
            hints.end()
            return
        if self._window.stage.notices.dismiss():
            return
        if self._session.view.mark is not None:
            self._session.look(mark=None)
            return
        stack = self._window.workspace.stack
        if self._window.focusWidget() not in {None, stack}:
            stack.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif self._session.view.stretch is not None:
            self._session.mark("Unmark the stretch", None)
        elif self._window.isFullScreen():
            self._window.showNormal()

    def switched(self) -> Mapping[str, bool]:
        """Return which looks are on."""
        view = self._session.view
        return {
            "view.diagram": view.diagram and not self._window.workspace.cells_away,
            "view.show-all": view.reveal_all,
            "view.labels-standard": view.labels is Labels.STANDARD,
            "view.labels-classroom": view.labels is Labels.CLASSROOM,
            "view.theme-system": view.theme == "system",
            "view.theme-light": view.theme == "light",
            "view.theme-dark": view.theme == "dark",
            "view.less-motion": self._window.settings.less_motion,
            "view.full-screen": self._window.isFullScreen(),
        }
