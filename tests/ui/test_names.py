"""Names that are not written as elsewhere are those of Qt."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tomllib
from pathlib import Path

from lstm_studio import ui

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_whatever_may_be_called_as_qt_calls_it_overrides_something_of_qt() -> None:
    naming = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["ruff"]["lint"]["pep8-naming"]
    names = set(naming["extend-ignore-names"])
    overridden = set()
    for found in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        module = importlib.import_module(found.name)
        for one in vars(module).values():
            if not inspect.isclass(one) or one.__module__ != module.__name__:
                continue
            of_qt = [base for base in one.__mro__ if base.__module__.startswith("PySide6.")]
            for name in names & vars(one).keys():
                assert any(name in vars(base) for base in of_qt), (one, name)
                overridden.add(name)
    assert overridden == names
