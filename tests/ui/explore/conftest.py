"""Shows a panel as a dock does: inside something that has a size of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication, QWidget

Show = Callable[[QWidget], None]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    """Show panels, each in a host; all are destroyed at the end of the test."""
    hosts: list[QWidget] = []

    def show_panel(panel: QWidget) -> None:
        host = QWidget()
        hosts.append(host)
        host.resize(300, 900)
        panel.setParent(host)
        panel.setGeometry(host.rect())
        host.show()
        # A new parent hides.
        panel.show()

    yield show_panel
    for host in hosts:
        host.close()
        host.deleteLater()
