"""A training that was recorded, to be exported."""

from __future__ import annotations

import pytest

from tests.runs.exported import Told, record


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Record it once for each file of tests."""
    return record(tmp_path_factory.mktemp("recorded") / "mine")
