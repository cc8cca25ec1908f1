"""The panel over a session whose searches are answered at once."""

from __future__ import annotations

import pytest

from lstm_studio.ui.explore.similar.panel import SimilarPanel
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.similar.fakes import SearchingSession


@pytest.fixture
def session() -> SearchingSession:
    """Return a session that knows a small sequence."""
    return SearchingSession()


@pytest.fixture
def panel(session: SearchingSession, show: Show) -> SimilarPanel:
    """Show the panel."""
    made = SimilarPanel(session, LIGHT)
    show(made)
    return made
