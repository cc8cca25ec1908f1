"""Notes and pins: undoable beside the setup, and never a reason to compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.session.compute import Answered, Computer
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.session import Session
from lstm_studio.session.state import Note, Result, Setup
from tests.session.test_session import make_data, make_result


def make_session() -> Session:
    return Session(make_result(Setup(make_data(), companion=None)))


def test_a_note_is_undone_and_done_again_without_computing() -> None:
    session = make_session()
    wanted: list[Setup] = []
    session.setup_changed.connect(wanted.append)
    note = Note(0, 1, "here it forgets")
    session.remark("Add a note", notes=(note,))
    assert session.undo_text == "Add a note"
    session.undo()
    assert not session.remarks.notes
    session.redo()
    assert note in session.remarks.notes
    assert not wanted


def test_undo_goes_back_through_notes_and_setups_in_their_order() -> None:
    session = make_session()
    first = session.setup
    session.remark("Add a note", notes=(Note(0, 0, "a"),))
    session.change("Take the memory curves", memory=True)
    session.undo()
    assert session.setup == first
    assert session.remarks.notes
    session.undo()
    assert not session.remarks.notes
    assert session.undo_text is None


@dataclass(frozen=True, eq=False)
class HowMany(Question):
    result: Result
    title: ClassVar[str] = "Counting"

    def answer(self, tools: Tools, progress: Progress) -> Any:
        progress(1.0, self.title)
        return len(tools.networks_of(self.result))


def test_a_question_is_answered_by_the_computer_and_told_to_whoever_asked() -> None:
    session = make_session()
    told: list[tuple[Question, object]] = []
    asked: list[Question] = []
    session.asked.connect(asked.append)

    def note(question: Question, answer: object) -> None:
        told.append((question, answer))

    session.answered.connect(note)
    computer = Computer()
    result = computer.compute(session.setup, ignore_progress)
    assert session.accept(result)
    question = HowMany(result)
    session.ask(question)
    answered = computer.answer(asked[0], ignore_progress)
    assert isinstance(answered, Answered)
    session.answer(question, answered.content)
    assert told == [(question, len(result.infos))]


def test_the_answer_about_a_result_that_is_gone_is_dropped() -> None:
    session = make_session()
    told: list[object] = []
    session.answered.connect(told.append)
    session.answer(HowMany(make_result(session.setup)), 3)
    assert told == []
