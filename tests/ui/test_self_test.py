"""The self-test: everything works here, and what does not work is found."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from lstm_studio.ui import self_test
from lstm_studio.ui.explore.transport import Transport
from lstm_studio.ui.self_test import run_self_test

# Of the offscreen platform, for every window whose size is limited.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


def test_everything_works(qtbot: QtBot) -> None:
    report = run_self_test()
    assert [check.name for check in report.checks if not check.ok] == []
    assert report.ok
    names = {"samples", "PyTorch", "traces", "table", "window", "session", "training", "settings"}
    assert names == {check.name for check in report.checks}


def test_an_exception_in_a_slot_fails_it(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def tick(self: Transport) -> None:
        self.forward()
        raise ZeroDivisionError("in a slot")

    monkeypatch.setattr(Transport, "_tick", tick)
    monkeypatch.setattr(self_test, "_CHECKS", [check for check in self_test._CHECKS if check[0] == "window"])
    report = run_self_test()
    assert not report.ok
    assert "exceptions in slots" in report.checks[0].detail


def test_a_check_that_raises_fails_and_the_others_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise FileNotFoundError("no such sample")

    monkeypatch.setattr(self_test, "_CHECKS", (("first", fail), ("second", lambda: "fine")))
    report = run_self_test()
    assert [(check.name, check.ok, check.detail) for check in report.checks] == [
        ("first", False, "FileNotFoundError: no such sample"),
        ("second", True, "fine"),
    ]
    assert not report.ok
