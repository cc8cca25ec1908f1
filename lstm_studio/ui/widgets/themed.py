"""What can be drawn in another theme."""

from __future__ import annotations

from typing import Protocol

from lstm_studio.ui.theme import Theme


class Themed(Protocol):
    """A widget that follows the theme beyond what palette and style sheet do."""

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
