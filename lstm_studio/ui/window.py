"""The window: rows, docks and centre around one session, and what they remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QByteArray, QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QMainWindow, QSizePolicy, QTabWidget, QWidget

from lstm_studio.errors import StudioError
from lstm_studio.session.autosave import Desk
from lstm_studio.session.compute import Warm
from lstm_studio.session.session import Session
from lstm_studio.session.settings import MOST_FOLLOWED, Settings, save_settings
from lstm_studio.session.state import Result, Setup, View
from lstm_studio.session.watchlist import Watchlist
from lstm_studio.ui.actions import Actions, KeyboardRules
from lstm_studio.ui.appearance import Appearance
from lstm_studio.ui.arrangement import Arrangement
from lstm_studio.ui.commands import Commands
from lstm_studio.ui.docks import Bar, Dock
from lstm_studio.ui.dropping import local_files
from lstm_studio.ui.explore.announcer import Announcer
from lstm_studio.ui.explore.transport import Transport
from lstm_studio.ui.explore.workspace import ExploreWorkspace
from lstm_studio.ui.follower import Follower
from lstm_studio.ui.header import Header
from lstm_studio.ui.hints import Hints, first_hints
from lstm_studio.ui.keeper import Keeper
from lstm_studio.ui.motion import reduce_motion
from lstm_studio.ui.notices import Level, Notice, Offer
from lstm_studio.ui.panels import PanelInfo, ThemedWidget
from lstm_studio.ui.runner import Runner
from lstm_studio.ui.session_layout import fit_screen, panels_of, place_panels
from lstm_studio.ui.stage import Stage
from lstm_studio.ui.submenus import Submenus
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.widgets.tab_order import put_after
from lstm_studio.ui.widgets.themed import Themed
from lstm_studio.ui.worker import Answers
from lstm_studio.ui.workspaces import EXPLORE, WORKSPACES, Workspace

if TYPE_CHECKING:
    from lstm_studio.session.monitoring import Monitoring
    from lstm_studio.session.trainings import Trainings
    from lstm_studio.ui.train.driver import TrainDriver

ONE_ROW_BELOW_HEIGHT = 700
SMALLEST = (960, 512)
"""With the desktop's frame around it, the window fits on 960 × 560."""
DEFAULT_SIZE = (1600, 1000)
_FRAMED_AFTER = 300
"""Milliseconds after which the desktop has put a frame around a window."""
_ABOUT = {info.key: info.tooltip for info in WORKSPACES}
_FRAME = 48
"""Pixels that the desktop's own frame and bars may take."""


class StudioWindow(QMainWindow):
    """One window on one session.

    Parameters
    ----------
    session
        What is open.
    computer
        What computes; used on the worker's thread only.
    settings
        What the last window left; its looks are applied to the session.
    settings_path
        Where they are saved when the window closes, or None to forget them.
    desk
        Where what of the session is unsaved waits for the next start, or None to forget that.
    """

    closed = Signal()

    def __init__(
        self,
        session: Session,
        computer: Answers,
        settings: Settings | None = None,
        settings_path: Path | None = None,
        desk: Desk | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.settings = settings or Settings()
        self._settings_path, self._settings_failed = settings_path, False
        self._workspaces: dict[str, Workspace] = {}
        self.panel_places: dict[str, Mapping[str, Any]] = {}
        """Workspace → where its panels were when it was left, or are to be when it is entered."""
        self.panels_to_place: set[str] = set()
        """Workspaces whose panels go to their places when they are entered."""
        self._closed = False
        self._was_shown = False
        self._framed = QTimer(self)
        self._framed.setSingleShot(True)
        self._framed.setInterval(_FRAMED_AFTER)
        self._framed.timeout.connect(self._fit_screen)
        self._hints: Hints | None = None
        self._train_driver: TrainDriver | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)  # noqa: S101 - Qt aborts without one
        self.appearance = Appearance(application, self)
        self.setWindowTitle("LSTM Studio")
        self.setAcceptDrops(True)
        self.setMinimumSize(*SMALLEST)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setDockOptions(QMainWindow.DockOption.AllowNestedDocks | QMainWindow.DockOption.AllowTabbedDocks)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        session.look(
            theme=self.settings.theme,
            labels=self.settings.labels,
            speed=self.settings.speed,
            loop=self.settings.loop,
            reveal_all=self.settings.reveal_all,
        )
        # Before any widget is made: fonts are read when text is first measured.
        reduce_motion(self.settings.less_motion)
        self.appearance.use_maps(self.settings.gate_map, self.settings.signed_map)
        self.appearance.prepare(session.view.theme, self.settings.font_scale)
        theme = self.appearance.theme
        self.runner = Runner(session, computer, self)
        self.keeper = Keeper(self, desk)
        self.watchlist = Watchlist()
        self._follower = Follower(self.watchlist, self)
        self._monitoring: Monitoring | None = None
        self.commands = Commands(self)
        self.command_actions = Actions(((group.actions, group) for group in self.commands.groups), self)
        self._keyboard = KeyboardRules(application, self)
        self._build(theme)
        unthemed: tuple[Themed, ...] = (self.command_actions, self.arrangement, self._bottom)
        for themed in unthemed:
            themed.apply_theme(theme)
        self._show_state()
        self.appearance.apply(session.view.theme, self.settings.font_scale)
        self._connect()
        self.resize(*DEFAULT_SIZE)
        self.show_workspace(EXPLORE)
        if self.settings.geometry:
            self.restoreGeometry(QByteArray.fromHex(self.settings.geometry.encode()))
        # Else the first button would have it, and look pressed.
        self.workspace.stack.setFocus()

    def _build(self, theme: Theme) -> None:
        session = self.session
        self.header = Header(session, self.command_actions, theme)
        self.setMenuWidget(self.header)
        self.workspace = ExploreWorkspace(session, theme)
        self.stage = Stage(self.workspace, theme)
        self.stage.notices.prefer(self.workspace.deck, self.workspace.deck.free_corner)
        self.setCentralWidget(self.stage)
        self.transport = Transport(session, theme)
        self.transport.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._bottom = Bar("transport", "Transport", self)
        self._bars: dict[str, QAction] = {}
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, self._bottom)
        self.arrangement = Arrangement(self, self.settings.layouts)
        self._submenus = Submenus(self)

    def _connect(self) -> None:
        session = self.session
        session.setup_changed.connect(self._on_setup_changed)
        session.result_replaced.connect(self._on_result_replaced)
        session.view_changed.connect(self._on_view_changed)
        session.history_changed.connect(self._show_state)
        self.keeper.changed.connect(self._show_name)
        self.appearance.changed.connect(self._apply_theme)
        self.runner.noticed.connect(self.show_notice)
        self.runner.busy_changed.connect(self._on_busy_changed)
        self.runner.progressed.connect(self._on_progressed)
        self.runner.warmed.connect(self._on_warmed)
        self.runner.opened.connect(self._on_opened)
        self.header.cancelled.connect(self.runner.cancel)
        self.header.keyboard_left.connect(self._take_keyboard)
        self.stage.notices.offer_taken.connect(self._on_offer_taken)
        self.stage.notices.keyboard_left.connect(self._take_keyboard)
        self.stage.resized.connect(self._align)
        self.workspace.edges_changed.connect(self._align_to)
        self.workspace.cells_put_away.connect(self._show_state)
        self.announcer = Announcer(session, self.transport, self.workspace.stack, self.workspace.compare_bar)
        self.runner.busy_changed.connect(self.announcer.show_busy)
        self.runner.progressed.connect(self.announcer.show_work)

    # What others call.

    def start(self) -> None:
        """Load torch in the background; call it after the first paint."""
        self.runner.warm_up()

    def greet(self) -> None:
        """Show the hints to whoever has not read them."""
        if not self.settings.hints_read:
            self.show_hints()

    def show_hints(self) -> None:
        """Show the hints, from the first one."""
        if self._hints is not None:
            self._hints.end()
        hints = first_hints(self.transport, self.workspace.stack, self.header.open_button)
        self._hints = Hints(hints, self.appearance.theme, self, self.workspace, self.stage.notices)
        self._hints.finished.connect(self._on_hints_read)
        self._hints.keyboard_left.connect(self._take_keyboard)
        self._lead_to_cards()

    def _on_hints_read(self) -> None:
        self._hints = None
        self.remember(replace(self.settings, hints_read=True))

    @property
    def hints(self) -> Hints | None:
        """The hints while they are shown."""
        return self._hints

    def show_first(self) -> None:
        """Show the window where the last one was, or filling a screen that is hardly larger than its first size."""
        room = self.screen().availableGeometry()
        if not self.settings.geometry and (
            room.width() < DEFAULT_SIZE[0] + _FRAME or room.height() < DEFAULT_SIZE[1] + _FRAME
        ):
            self.showMaximized()
        else:
            # The last window may have been on a larger screen.
            fit_screen(self)
            self.show()
            self.fit_screen_soon()

    def show_notice(self, notice: Notice) -> None:
        """Show a card over the plots."""
        self.stage.notices.show_notice(notice)
        self._lead_to_cards()

    def _lead_to_cards(self) -> None:
        """Let Tab go from where the keyboard is to the hint and the notices: else they would be the last of all."""
        cards = (*(() if self._hints is None else self._hints.buttons), *self.stage.notices.buttons)
        focused = self.focusWidget()
        put_after(self._place_of_keyboard if focused is None or focused in cards else focused, *cards)

    @property
    def _place_of_keyboard(self) -> QWidget:
        """What has the keyboard while nothing else does."""
        explores = self.current_workspace == EXPLORE
        return self.workspace.stack if explores or self.stage.shown is None else self.stage.shown

    def note(self, level: Level, found: str, cure: str = "") -> None:
        """Tell the user something in a card over the plots."""
        self.show_notice(Notice(level, found, cure))

    @property
    def trainings(self) -> Trainings:
        """The trainings of this window; made when first needed."""
        return self.train_driver.trainings

    @property
    def train_driver(self) -> TrainDriver:
        """What looks after them."""
        if self._train_driver is None:
            from lstm_studio.ui.train.driver import TrainDriver

            self._train_driver = TrainDriver(self)
        return self._train_driver

    @property
    def has_trainings(self) -> bool:
        """Whether they have been needed."""
        return self._train_driver is not None

    @property
    def monitoring(self) -> Monitoring:
        """What Monitor shows of the watch list; made, and what was followed is followed again, when first needed."""
        if self._monitoring is None:
            from lstm_studio.session.alarms import Thresholds
            from lstm_studio.session.monitoring import Monitoring

            self._monitoring = Monitoring(self.watchlist, Thresholds.from_mapping(self.settings.thresholds))
            self.watchlist.add(self.settings.followed)
        return self._monitoring

    @property
    def current_workspace(self) -> str:
        """Key of the workspace that is shown."""
        return self.arrangement.workspace

    def show_workspace(self, key: str) -> None:
        """Show a workspace with its panels; it is made if it has never been shown."""
        if key == self.current_workspace:
            return
        if self.current_workspace:
            self.panel_places[self.current_workspace] = panels_of(self)
        if key not in self._workspaces:
            info = next(info for info in WORKSPACES if info.key == key)
            made = self._workspaces[key] = info.make(self, self.appearance.theme)
            self._bars[key] = self._bottom.addWidget(made.bar)
        workspace = self._workspaces[key]
        self.stage.show_workspace(workspace.centre, _ABOUT[key])
        self.arrangement.enter(key)
        if key in self.panels_to_place:
            # After the panels have been made and have shared the room among themselves.
            QTimer.singleShot(0, self, self._place_panels)
        for name, bar in self._bars.items():
            bar.setVisible(name == key)
        # A saved layout may come from a time when it was hidden, and nothing brings it back.
        self._bottom.show()
        self.header.show_workspace(key)
        self._show_state()
        self._show_name()
        self._take_keyboard()

    def fit_screen_soon(self) -> None:
        """Become no larger than the screen when the desktop has said how thick the frame is."""
        self._framed.start()

    def _fit_screen(self) -> None:
        fit_screen(self)
        self._place_panels()

    def _place_panels(self) -> None:
        key = self.current_workspace
        if key in self.panels_to_place:
            # The desktop may not have put its frame around the window yet, of which the places of panels are told.
            if not self._framed.isActive():
                self.panels_to_place.discard(key)
            place_panels(self, self.panel_places[key])

    def make_dock(self, info: PanelInfo) -> Dock:
        """Return the dock of a panel, with nothing in it until it is shown."""
        dock = Dock(info.key, info.title, info.about, _Maker(self, info), self)
        if info.link:
            dock.offer(self.command_actions[info.link])
        dock.apply_theme(self.appearance.theme)
        dock.visibilityChanged.connect(self._show_state)
        dock.keyboard_left.connect(self._take_keyboard)
        dock.files_dropped.connect(self.commands.files.open_files)
        return dock

    def panel(self, key: str) -> QWidget:
        """Return a panel by its key in :data:`~lstm_studio.ui.panels.PANELS`; it is made if nobody has needed it."""
        return self.arrangement.dock(key).panel

    def remember(self, settings: Settings) -> None:
        """Take over changed settings and save them, so that a crash loses none."""
        self.settings = settings
        self._write(self._with_looks())

    def use_maps(self, gates: str, signed: str) -> None:
        """Show numbers in other colours; keys as in :mod:`lstm_studio.ui.colour_maps`."""
        self.remember(replace(self.settings, gate_map=gates, signed_map=signed))
        self.appearance.use_maps(gates, signed)
        self._show_state()

    def scale_text(self, percent: int) -> None:
        """Show all text at so many percent of the system's size."""
        self.remember(replace(self.settings, font_scale=percent))
        self.appearance.apply(self.session.view.theme, percent)
        # Larger text makes the docks wider, smaller text would leave them so; and either changes what they need of
        # the height.
        self.arrangement.share_room_everywhere()

    def shown_panel(self, key: str) -> QWidget | None:
        """Return a panel if it can be seen."""
        dock = self.arrangement.docks.get(key)
        return dock.panel if dock is not None and dock.isVisible() else None

    def show_panel(self, key: str, on: bool) -> None:
        """Show or hide a panel by its key; one that is shown comes before the tabs beside it."""
        self.arrangement.show(key, on)

    # Layout.

    def _align(self) -> None:
        if self._hints is not None:
            self._hints.settle()
        self._align_to(*self.workspace.stack.track)

    def _align_to(self, left: int, right: int) -> None:
        offset = self.transport.mapFromGlobal(self.workspace.mapToGlobal(QPoint())).x()
        self.transport.align(left + offset, right + offset)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Pass over what lies behind other panels: Qt keeps it outside the window, where the focus cannot be seen."""
        begin = self.focusWidget()
        while super().focusNextPrevChild(forward):
            now = self.focusWidget()
            if now is None or now is begin or self._is_inside(now):
                return True
        return False

    def _is_inside(self, widget: QWidget) -> bool:
        """Return whether the part of the window that a widget belongs to lies in the window."""
        parent = widget.parentWidget()
        while parent is not None and parent is not self:
            widget, parent = parent, parent.parentWidget()
        return self.rect().intersects(widget.geometry())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follow the density rules."""
        super().resizeEvent(event)
        self.arrangement.fit()
        self.header.show_on_one_row(self.height() < ONE_ROW_BELOW_HEIGHT)

    def showEvent(self, event: QShowEvent) -> None:
        """Share the room among the docks, unless the last window has left a layout."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            if not self.settings.layouts.get(EXPLORE):
                self.arrangement.share_room()

    def changeEvent(self, event: QEvent) -> None:
        """Let the menu show whether the window fills the screen."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self._show_state()

    # Following the session and the runner.

    def _show_state(self) -> None:
        self.commands.show_state(self.command_actions, self.current_workspace or EXPLORE)
        for key, dock in self.arrangement.docks.items():
            self.command_actions[f"view.panel-{key}"].setChecked(not dock.isHidden())

    def _apply_theme(self, theme: Theme) -> None:
        everything: tuple[Themed, ...] = (
            self.command_actions,
            self.header,
            self.stage,
            self._bottom,
            self.arrangement,
            *(_themed(part) for made in self._workspaces.values() for part in (made.centre, made.bar)),
            *(_themed(panel) for panel in self.arrangement.panels()),
        )
        for themed in everything:
            themed.apply_theme(theme)
        if self._hints is not None:
            self._hints.apply_theme(theme)

    def _on_setup_changed(self, _: Setup) -> None:
        self._show_state()

    def _on_result_replaced(self, _: Result) -> None:
        self._show_name()
        self._show_state()

    def _show_name(self) -> None:
        name = self.keeper.name or self.session.result.sequences.title
        # Qt puts its own mark in the place of [*] while there is something to save.
        self.setWindowTitle(f"{name.replace('[*]', '[*][*]')}[*] – LSTM Studio" if name else "LSTM Studio[*]")
        self.setWindowModified(self.keeper.edited)
        self.header.show_document(self.keeper.name, self.keeper.words)

    def _on_view_changed(self, after: View, before: View) -> None:
        if after.theme != before.theme:
            self.appearance.apply(after.theme, self.settings.font_scale)
        if replace(after, cursor=0, units=before.units, phase=before.phase) != replace(before, cursor=0):
            self._show_state()

    def _on_busy_changed(self, busy: bool) -> None:
        self.header.show_busy(busy)
        self.stage.show_busy(busy, stale=self.session.waiting)

    def _take_keyboard(self) -> None:
        self._place_of_keyboard.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_progressed(self, fraction: float, words: str) -> None:
        self.header.show_progress(words)
        self.stage.show_progress(fraction)

    def _on_warmed(self, warm: Warm) -> None:
        self.header.show_devices(warm.devices)

    def _on_opened(self, path: str) -> None:
        self.show_workspace(EXPLORE)
        self.settings = self.settings.with_recent_sequence(path)

    def _on_offer_taken(self, offer: Offer) -> None:
        self.runner.submit(offer.request)

    def show_bug(self, line: str, details: str) -> None:
        """Show an exception that nobody expected."""
        self.show_notice(
            Notice(
                Level.ERROR,
                f"Something in LSTM Studio went wrong: {line}",
                "What is on the screen is as it was before. Please report it with the details.",
                details,
            )
        )

    # Files dropped on the window.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files, nothing else."""
        if paths := local_files(event):
            event.acceptProposedAction()
            self.stage.drop_hint.show_files(paths)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """Go on as if nothing had been."""
        self.stage.drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the files."""
        self.stage.drop_hint.hide()
        paths = local_files(event)
        if paths:
            event.acceptProposedAction()
            self.commands.files.open_files(paths)

    # The end.

    def leave(self) -> None:
        """Close without a question: whoever ends the program from outside cannot answer it. Trainings go on."""
        if self._train_driver is not None:
            self._train_driver.ask_nothing()
        self.keeper.ask_nothing()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the settings, end the worker, and leave the application as it was found."""
        driver = self._train_driver
        if not self._closed and not ((driver is None or driver.may_close()) and self.keeper.may_close()):
            event.ignore()
            return
        super().closeEvent(event)
        if not event.isAccepted() or self._closed:
            return
        self._closed = True
        self._framed.stop()
        self._save()
        self.hide()
        self.transport.pause()
        self.runner.stop()
        if self._train_driver is not None:
            self._train_driver.stop()
        self._follower.stop()
        self.appearance.restore()
        self.closed.emit()

    def _save(self) -> None:
        geometry = self.saveGeometry()
        before = () if self._monitoring is not None else self.settings.followed
        followed = tuple(dict.fromkeys((*before, *self.watchlist.addresses)))
        self.settings = replace(
            self._with_looks(),
            geometry=bytes(geometry.toHex().data()).decode(),
            layouts=self.arrangement.saved(),
            followed=followed[-MOST_FOLLOWED:],
        )
        self._write(self.settings)

    def _with_looks(self) -> Settings:
        view = self.session.view
        looks = {name: getattr(view, name) for name in ("theme", "labels", "speed", "loop", "reveal_all")}
        return replace(self.settings, **looks)

    def _write(self, settings: Settings) -> None:
        if self._settings_path is not None:
            try:
                save_settings(settings, self._settings_path)
            except StudioError as error:
                # Once, and to nobody who is leaving: the next start works without.
                if not (self._settings_failed or self._closed):
                    self.note(Level.WARNING, error.found, error.cure)
                self._settings_failed = True


class _Maker:
    """Makes the panel of a dock in the colours of the time at which it is needed."""

    def __init__(self, window: StudioWindow, info: PanelInfo) -> None:
        self._window, self._info = window, info

    def __call__(self) -> QWidget:
        return self._info.make(self._window, self._window.appearance.theme)


def _themed(panel: QWidget) -> ThemedWidget:
    if not hasattr(panel, "apply_theme"):
        raise TypeError(f"{type(panel).__name__} does not take a theme")
    return cast(ThemedWidget, panel)
