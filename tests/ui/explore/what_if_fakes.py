"""Real networks computed at once, and a what-if of theirs."""

from __future__ import annotations

from typing import Any

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.session.compute import Computer
from lstm_studio.session.session import Session
from lstm_studio.session.state import (
    Branch,
    Setup,
    View,
)
from tests.ui.explore.fakes import symbol_set

GATE = Branch("gate", 4, clamp=(("lstm.0.forget_gate", ((1, 1.0),)),))


def computed_session(data: SequenceSet | None = None, **setup: Any) -> Session:
    """A session on small real networks, computed at once."""
    computer = Computer()
    wanted = Setup(data or symbol_set(), network=NetworkSpec("lstm", hidden_size=6), **setup)
    session = Session(computer.compute(wanted, ignore_progress))

    def compute(setup: Setup) -> None:
        if setup is not session.result.setup:
            session.accept(computer.compute(setup, ignore_progress))

    session.setup_changed.connect(compute)
    return session


def branches_of(session: Session) -> tuple[Branch, ...]:
    return session.setup.branches


def view_of(session: Session) -> View:
    return session.view


def add(session: Session, *branches: Branch) -> None:
    session.change("Add", branches=branches)
