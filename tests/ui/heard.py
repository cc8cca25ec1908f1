"""What a screen reader would be told to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent


@contextmanager
def listening() -> Iterator[list[tuple[str, bool]]]:
    """Let a screen reader listen; the list fills with what it hears, and whether that is urgent."""
    heard: list[tuple[str, bool]] = []
    tell = QAccessible.updateAccessibility

    def hear(event: QAccessibleEvent) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            urgent = event.politeness() is QAccessible.AnnouncementPoliteness.Assertive
            heard.append((event.message(), urgent))
        tell(event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QAccessible, "updateAccessibility", hear)
        QAccessible.setActive(True)
        try:
            yield heard
        finally:
            QAccessible.setActive(False)
