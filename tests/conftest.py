"""What every test gets: settings of its own, and a check that it leaves no thread behind.

``--without-qt`` runs the tests as on a machine without the extra "gui": see :class:`QtIsNotInstalled`.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

# Before anything imports Qt: a test never opens a window on somebody's screen.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"


class QtIsNotInstalled(MetaPathFinder):
    """Makes the packages of the extra "gui" unimportable, as they are where only the library was installed."""

    packages = frozenset({"PySide6", "shiboken6", "cmap", "pyqtgraph", "superqt"})

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse the packages; leave all others to the usual finders."""
        package = fullname.partition(".")[0]
        if package in self.packages:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return None


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add ``--without-qt``, and the settings in pyproject.toml that nobody knows while pytest-qt is switched off."""
    parser.addoption("--without-qt", action="store_true", help="run as if Qt were not installed (not for tests/ui)")
    if not pluginmanager.hasplugin("pytest-qt"):
        for setting in ("qt_api", "qt_log_level_fail"):
            parser.addini(setting, "read by pytest-qt, which is switched off")


def pytest_configure(config: pytest.Config) -> None:
    """Take Qt away where asked to."""
    if config.getoption("--without-qt"):
        already = QtIsNotInstalled.packages & sys.modules.keys()
        if already:
            raise pytest.UsageError(f"{', '.join(sorted(already))} is imported already: add -p no:pytest-qt")
        sys.meta_path.insert(0, QtIsNotInstalled())


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test empty settings, data and state folders, and return the folder that holds them."""
    home = tmp_path_factory.mktemp("home")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(home / variable.lower()))
    return home


@pytest.fixture(autouse=True)
def no_thread_left_behind() -> Iterator[None]:
    """Fail a test that leaves a Python thread running."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2.0
    while left := _running_threads(before):
        if time.monotonic() > deadline:
            pytest.fail(f"left running: {', '.join(thread.name for thread in left)}")
        left[0].join(timeout=0.05)


@pytest.fixture
def bound_by_permissions() -> Iterator[None]:
    """Let the permissions of files stop the test as they stop every user: root gives up for it what overrides them.

    What the test starts is bound as well, threads for ever; programs of root's have the right again.
    """
    if sys.platform == "win32":
        pytest.skip("a folder that is read-only stops nobody on Windows")
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    # As <linux/capability.h> has them: version 3, this thread; effective, permitted and inheritable, of 64 bits each.
    header = (ctypes.c_uint32 * 2)(0x2008_0522, 0)
    before, bound = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    for kept in (before, bound):
        assert libc.capget(header, kept) == 0
    override, read_search = 1, 2
    bound[0] &= ~(1 << override | 1 << read_search)
    assert libc.capset(header, bound) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


def _running_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    # A dummy stands for a thread that Python did not start and can neither join nor see ending.
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before and not isinstance(thread, threading._DummyThread)
    ]
