"""What all dialogs that ask for something do with the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.session.alarms import Thresholds
from lstm_studio.ui.export.dialogs import WORKSPACE, PictureDialog, PlaybackDialog
from lstm_studio.ui.export.run_dialog import RunExportDialog
from lstm_studio.ui.monitor.address_dialog import AddressDialog
from lstm_studio.ui.monitor.thresholds_dialog import ThresholdsDialog
from lstm_studio.ui.widgets.dialog import AskingDialog
from tests.session.made_pictures import made

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

Make = Callable[[QWidget], AskingDialog]

DIALOGS: dict[str, Make] = {
    "picture": lambda parent: PictureDialog({WORKSPACE: ("Plots", (800, 600))}, parent),
    "playback": lambda parent: PlaybackDialog(40, 4.0, (800, 600), parent),
    "run": lambda parent: RunExportDialog(made(), parent),
    "address": AddressDialog,
    "thresholds": lambda parent: ThresholdsDialog(Thresholds(), parent),
}


@pytest.fixture(params=DIALOGS)
def dialog(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[AskingDialog]:
    host = QWidget()
    qtbot.addWidget(host)
    host.show()
    made = DIALOGS[request.param](host)
    # It is looked at after it was closed.
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    made.open()
    QApplication.processEvents()
    yield made
    made.deleteLater()


def chain(dialog: AskingDialog) -> list[QWidget]:
    """Return what Tab comes to, in this order, from the first part of the dialog."""
    found: list[QWidget] = []
    one = dialog.nextInFocusChain()
    while one is not None and one is not dialog:
        focusable = one.focusPolicy() & Qt.FocusPolicy.TabFocus == Qt.FocusPolicy.TabFocus
        if dialog.isAncestorOf(one) and one.isVisible() and focusable and one.focusProxy() is None:
            found.append(one)
        one = one.nextInFocusChain()
    return found


def test_the_keyboard_comes_to_the_buttons_last(dialog: AskingDialog) -> None:
    buttons = [one for one in chain(dialog) if dialog.buttons.isAncestorOf(one)]
    assert dialog.take in buttons
    assert chain(dialog)[-len(buttons) :] == buttons
    assert len(chain(dialog)) > len(buttons)


def test_return_in_a_field_takes_what_was_chosen(dialog: AskingDialog, qtbot: QtBot) -> None:
    fields = [one for one in chain(dialog) if isinstance(one, QLineEdit | QComboBox | QAbstractSpinBox)]
    if isinstance(dialog, AddressDialog):
        dialog.field.setText("ssh://somewhere/run")
    assert [one for one in dialog.findChildren(QPushButton) if one.isDefault()] == [dialog.take]
    with qtbot.waitSignal(dialog.accepted):
        QTest.keyClick(fields[-1] if fields else dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()


def test_the_dialog_of_a_picture_says_at_once_how_large_it_will_be(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    dialog = PictureDialog({WORKSPACE: ("Plots", (800, 600)), "step": ("This step", (800, 600))}, host)
    assert "1,600 × 1,200" in dialog.words.text()
