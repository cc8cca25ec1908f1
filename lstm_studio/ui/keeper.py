"""Keeps the session: under which name it is saved, whether it has changed since, and what the next start finds."""

from __future__ import annotations

import contextlib
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from lstm_studio.errors import StudioError
from lstm_studio.session.autosave import Desk, DiscardSession, Left, OpenSession, SaveSession, desks_folder, find_left
from lstm_studio.session.question import Question
from lstm_studio.session.session_file import Contents, Headline, contents_of, write_session
from lstm_studio.session.state import Remarks, Result, Setup
from lstm_studio.ui import dialogs
from lstm_studio.ui.notices import Level, Notice, Offer
from lstm_studio.ui.session_layout import lay_out, layout_of

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

SAVE, LOSE, STAY = "Save as…", "Close without saving", "Do not close"
KEEP_EVERY = 30_000
"""Milliseconds between two copies of what is unsaved, at least."""
_SHARE = 20
"""A copy takes at most one part in so many of the time."""
_MOST_CLEAN = 20
_MOST_OFFERED = 1
"""Sessions that are offered at a start; an older one when that has been opened or discarded."""


@dataclass(frozen=True, eq=False, slots=True)
class _Clean:
    """What a session was when it was saved, or when it was opened."""

    document: Path | None
    setup: Setup
    remarks: Remarks


class Keeper(QObject):
    """Saves and opens sessions for one window, and copies what is unsaved to where the next start finds it.

    Parameters
    ----------
    window
        Whose session it is; it asks the worker and shows the notices.
    desk
        Where what is unsaved goes; None to keep nothing.
    """

    changed = Signal()
    """The name of the session, or whether it has unsaved changes."""
    _kept = Signal(object)
    """From the thread that copies: what went wrong, or None."""

    def __init__(self, window: StudioWindow, desk: Desk | None = None) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._desk = desk
        self._spare: tempfile.TemporaryDirectory[str] | None = None
        self._clean: list[_Clean] = []
        self._saving: SaveSession | None = None
        self._copying: ThreadPoolExecutor | None = None
        self._copy_began = 0.0
        self._copy_failed = False
        self._cannot_keep: StudioError | None = None
        self._lost_because: StudioError | None = None
        self._is_kept = False
        self._asks, self._asking = True, False
        self._shown: tuple[str, bool] = ("", False)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(KEEP_EVERY)
        self._timer.timeout.connect(self._copy)
        self._kept.connect(self._on_kept)
        self._remember_clean()
        session = self._session
        session.history_changed.connect(self._on_changed)
        session.remarks_changed.connect(self._on_remarks_changed)
        session.result_replaced.connect(self._on_result_replaced)
        session.answered.connect(self._on_answered)
        window.closed.connect(self.close)

    # What is shown of it.

    @property
    def name(self) -> str:
        """The name of the file; empty where there is none."""
        document = self._session.document
        return "" if document is None else document.name

    @property
    def edited(self) -> bool:
        """Whether something has changed since the session was saved, opened or begun."""
        session = self._session
        return not any(
            clean.document == session.document and clean.setup == session.setup and clean.remarks == session.remarks
            for clean in self._clean
        )

    @property
    def words(self) -> str:
        """Whether it is saved, in a word."""
        if self.edited:
            return "edited"
        return "saved" if self.name else ""

    def _remember_clean(self) -> None:
        session = self._session
        # What nothing can bring back need not be known again, and would keep its sequences.
        known = [clean for clean in self._clean if session.can_return_to(clean.setup.data)]
        self._clean = [*known[1 - _MOST_CLEAN :], _Clean(session.document, session.setup, session.remarks)]

    def cannot_keep(self, error: StudioError) -> None:
        """Say that the next start will not find what is unsaved, and why: closing the window then asks."""
        self._cannot_keep = error

    def set_aside(self) -> None:
        """Leave what is unsaved to the next start: something else is going to take its place."""
        if not self.edited:
            return
        try:
            if self._cannot_keep is not None:
                # The next start would not look for it there either.
                raise self._cannot_keep
            if self._desk is None:
                return
            aside = Desk(self._desk.folder.parent)
            aside.keep(contents_of(self._session, layout_of(self._window)), self._session.document)
            aside.close()
        except StudioError as error:
            self._window.note(Level.WARNING, error.found, "Undo brings back what was open; save it then.")

    def begin_anew(self) -> None:
        """Take what is open now for something that need not be saved, as a sample."""
        self._remember_clean()
        self._on_changed()

    # Saving and opening.

    def save(self, path: Path) -> None:
        """Save the session to a file, on the worker's thread."""
        self._saving = SaveSession(contents_of(self._session, layout_of(self._window)), path)
        self._session.ask(self._saving)

    def open(self, path: Path) -> None:
        """Open a session from a file, in place of the one on the screen; undo brings that back."""
        self._session.ask(OpenSession(path, self.networks))

    @property
    def networks(self) -> Path:
        """The folder for the weights of opened sessions; it goes with the window."""
        if self._desk is not None:
            return self._desk.networks
        if self._spare is None:
            try:
                self._spare = tempfile.TemporaryDirectory(prefix="lstm-studio-", ignore_cleanup_errors=True)
            except OSError:
                # Whoever writes there says what is wrong.
                return desks_folder() / "networks"
        return Path(self._spare.name)

    def adopt(self, contents: Contents, document: Path) -> None:
        """Take over a session from a file, which the window was made with if its result is on the screen."""
        self._remember_recent(document)
        if contents.result is not self._session.result:
            self._show(contents, document, f"Open {document.name}")
            return
        # What was lost must not be written over what may still be recovered.
        self._session.name(None if contents.problems else document)
        self._look(contents)
        self._after_opening(contents)

    def _show(self, contents: Contents, document: Path | None, what: str) -> None:
        document = None if contents.problems else document
        self.set_aside()
        view = replace(contents.view, theme=self._session.view.theme)
        self._session.show_stored(
            what, contents.setup, contents.result, view=view, remarks=contents.remarks, document=document
        )
        if contents.verdicts is not None:
            self._session.accept_verdicts(contents.verdicts)
        self._look(contents)
        self._after_opening(contents)

    def _look(self, contents: Contents) -> None:
        # The theme is a matter of eyes and rooms, not of the session.
        if contents.result is not None:
            self._session.look(
                **{name: getattr(contents.view, name) for name in ("labels", "speed", "loop", "reveal_all")}
            )
        lay_out(self._window, contents.layout)

    def _after_opening(self, contents: Contents) -> None:
        if not contents.problems:
            self._remember_clean()
        else:
            self._window.note(Level.WARNING, " ".join(contents.problems), "Save what is left under another name.")
        self._on_changed()

    def _on_answered(self, question: Question, answer: object) -> None:
        match question:
            case SaveSession(contents=contents, path=path):
                self._on_saved(contents, path)
                if question is self._saving:
                    self._saving = None
            case OpenSession(path=path, left=left) if isinstance(answer, Contents):
                if left is None:
                    self._remember_recent(path)
                    self._show(answer, path, f"Open {path.name}")
                else:
                    self._show_left(answer, left)

    def _on_saved(self, contents: Contents, path: Path) -> None:
        self._remember_recent(path)
        self._clean = [clean for clean in self._clean if clean.document != path]
        self._clean.append(_Clean(path, contents.setup, contents.remarks))
        self._session.name(path)
        self._on_changed()
        self._window.note(Level.NOTE, f"Saved {path}.")

    def _remember_recent(self, path: Path) -> None:
        self._window.remember(self._window.settings.with_recent_session(path))

    # What is unsaved.

    def look_back(self) -> None:
        """Offer what earlier programs have left; nothing of it stops the start, or takes the keyboard."""
        for left in find_left()[:_MOST_OFFERED]:
            self._offer(left)

    def _offer(self, left: Left) -> None:
        if left.headline is None:
            self._window.note(
                Level.WARNING,
                "A session that was not saved is damaged, and could not be recovered.",
                f"Its file is {left.path}.",
            )
            return
        offers = (
            Offer("Open it", OpenSession(left.path, self.networks, left)),
            Offer("Discard", DiscardSession(left)),
        )
        self._window.show_notice(Notice(Level.WARNING, _told(left, left.headline), offers=offers))

    def _show_left(self, contents: Contents, left: Left) -> None:
        self._show(contents, left.document, "Open the unsaved session")
        if self._desk is not None:
            self._desk.take_over(left)
        self._clean = [clean for clean in self._clean if clean.setup is not contents.setup]
        self._on_changed()

    def _on_changed(self) -> None:
        edited = self.edited
        if self._desk is not None:
            if not edited:
                self._timer.stop()
                self._desk.forget()
            elif not self._timer.isActive() and self._copying is None:
                self._timer.start()
        if (self.name, edited) != self._shown:
            self._shown = (self.name, edited)
            self.changed.emit()

    def _on_remarks_changed(self, _: Remarks) -> None:
        self._on_changed()

    def _on_result_replaced(self, _: Result) -> None:
        self._on_changed()

    def _copy(self) -> None:
        """Copy what is unsaved on a thread of its own: the worker may be busy for long, and the window never is."""
        if self._desk is None or not self.edited:
            return
        contents = contents_of(self._session, layout_of(self._window))
        self._copying = ThreadPoolExecutor(1, "autosave")
        self._copy_began = time.monotonic()
        self._copying.submit(self._desk.keep, contents, self._session.document).add_done_callback(self._on_copied)

    def _on_copied(self, copied: Future[None]) -> None:
        # On the thread that copies: the signal takes it to the window's.
        self._kept.emit(copied.exception())

    def _on_kept(self, error: BaseException | None) -> None:
        if self._copying is not None:
            self._copying.shutdown()
            self._copying = None
        took = 1_000 * (time.monotonic() - self._copy_began)
        self._timer.setInterval(max(KEEP_EVERY, round(_SHARE * took)))
        self._on_changed()
        if error is None:
            self._copy_failed = False
        elif not isinstance(error, StudioError):
            raise error
        elif not self._copy_failed:
            # Once: it would come again every half minute.
            self._copy_failed = True
            self._window.note(
                Level.WARNING, f"What is unsaved cannot be kept for the next start. {error.found}", error.cure
            )

    def may_close(self) -> bool:
        """Return whether the window may close now; else it is asked what is to become of what nobody can keep."""
        self._lost_because = self._unkept or self._keep_at_end()
        if self._lost_because is None or not self._asks:
            return True
        if not self._asking:
            self._asking = True
            # Not here: Qt takes a window whose closing waits for a question as closed when it is closed once more.
            QTimer.singleShot(0, self, self._ask)
        return False

    def ask_nothing(self) -> None:
        """Let the window close without a question, and end one that is being asked."""
        self._asks = False
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            dialog.close()

    @property
    def _unkept(self) -> StudioError | None:
        return self._cannot_keep if self.edited else None

    def _keep_at_end(self) -> StudioError | None:
        """Keep what is unsaved while somebody is left to tell."""
        if self._desk is None or not self.edited:
            return None
        self._timer.stop()
        if self._copying is not None:
            self._copying.shutdown()
        try:
            self._desk.keep(contents_of(self._session, layout_of(self._window)), self._session.document)
        except StudioError as error:
            self._on_changed()
            return error
        self._is_kept = True
        return None

    def _ask(self) -> None:
        chosen = 1
        if self.edited and self._asks and self._lost_because is not None:
            chosen = dialogs.ask_choice(
                self._window,
                "The session is not saved",
                f"The session is not saved, and cannot be kept for the next start. {self._lost_because.found}",
                (SAVE, LOSE, STAY),
            )
        self._asking = False
        if chosen == 1 or not self._asks:
            self._asks = False
            self._window.close()
        elif chosen == 0:
            self._window.command_actions["session.save-as"].trigger()

    def close(self) -> None:
        """Finish what is being saved, keep what is unsaved for the next start, and leave nothing else behind."""
        self._timer.stop()
        if self._copying is not None:
            self._copying.shutdown()
            self._copying = None
        with contextlib.suppress(StudioError):
            # Nobody is left to tell; what cannot be saved is kept below.
            if self._saving is not None:
                write_session(self._saving.contents, self._saving.path)
                self._clean.append(
                    _Clean(self._saving.path, self._saving.contents.setup, self._saving.contents.remarks)
                )
                self._session.name(self._saving.path)
        if self._desk is not None:
            with contextlib.suppress(StudioError):
                if not self.edited:
                    self._desk.forget()
                elif not self._is_kept:
                    self._desk.keep(contents_of(self._session, layout_of(self._window)), self._session.document)
            self._desk.close()
            self._desk = None
        if self._spare is not None:
            self._spare.cleanup()
            self._spare = None


def _told(left: Left, headline: Headline) -> str:
    """Say what was left, and when."""
    local, today = headline.saved.astimezone(), datetime.now().astimezone()
    when = f"{local:%H:%M} today" if local.date() == today.date() else f"{local.day} {local:%B, %H:%M}"
    notes = {0: "", 1: ", with a note"}.get(headline.notes, f", with {headline.notes} notes")
    if left.document is not None:
        return f"The last changes to {left.document.name}, of {when}{notes}, were not saved."
    return f"The session of {when} was not saved: {headline.title or 'sequences'}{notes}."
