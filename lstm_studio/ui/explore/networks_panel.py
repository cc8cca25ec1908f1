"""The network under the microscope and its companion: what they are, and how to get others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QWidget,
)

from lstm_studio.networks.cells import cells
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.session.session import WITHOUT_NETWORK, Session
from lstm_studio.session.state import Match, Result, Setup, Verdicts
from lstm_studio.ui.explore.network_card import NetworkCard, NetworkSummary, summarise
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme, scaled
from lstm_studio.ui.widgets.debounce import Debounce
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.number_field import inset
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

MOST_UNITS = 4_096
MOST_LAYERS = 8
_MOST_SEED = 2**31 - 1
_FIELD_WIDTH = 56
_REROLL, _BESIDE_ICON = 12, 14
_NONE = ""
_FROM_FILE = "This network comes from a file, which decides its size."


@dataclass(frozen=True, slots=True)
class _State:
    networks: tuple[NetworkSummary, ...]
    wanted: NetworkSpec
    companion: str
    companion_from_file: bool
    match: Match
    trained: tuple[NetworkSpec, NetworkSpec | None] | None
    recorded: bool


class NetworksPanel(Panel[_State]):
    """Two cards, and below them the form that changes the networks; every change can be undone."""

    checkpoint_requested = Signal(bool)
    """The user wants to open a checkpoint; true for the companion."""
    comparison_requested = Signal()
    """The user wants to compare with another network."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Networks", parent)
        self._session = session
        self._trained: WeakKeyDictionary[SequenceSet, tuple[NetworkSpec, NetworkSpec | None]] = WeakKeyDictionary()
        self._cards = (NetworkCard(theme), NetworkCard(theme))
        self._kind, self._companion = QComboBox(), QComboBox()
        self._units, self._layers, self._seed = QSpinBox(), QSpinBox(), QSpinBox()
        self._reroll = QToolButton()
        self._both = QCheckBox("both ways")
        self._match = Segments(
            "What the companion has in common", {Match.UNITS.value: "Size", Match.PARAMETERS.value: "Weights"}
        )
        self._open, self._open_companion = QPushButton("Open checkpoint…"), QPushButton("companion…")
        self._back = QPushButton("Back to the trained networks")
        self._compare = QPushButton("Compare with another network…")
        self._form = Fold(theme, "Cell, layers, companion, files", self._make_form())
        self._pending: dict[str, Any] = {}
        self._debounce = Debounce(self)
        for card in self._cards:
            self.column.addWidget(card)
        self.column.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self._compare, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addLayout(self._make_size_row())
        self.column.addWidget(self._form)
        self.column.addStretch(1)
        self._changing: tuple[QWidget, ...] = (
            *(self._units, self._layers, self._seed, self._reroll, self._kind, self._both),
            *(self._companion, self._match, self._open_companion, self._compare),
        )
        self._about: dict[QWidget, str] = {part: part.toolTip() for part in self._changing}
        self._connect()
        self.apply_theme(theme)
        self.refresh()

    def _make_size_row(self) -> QHBoxLayout:
        for field, name, low, high in (
            (self._units, "Units", 1, MOST_UNITS),
            (self._layers, "Layers", 1, MOST_LAYERS),
            (self._seed, "Seed", 0, _MOST_SEED),
        ):
            field.setRange(low, high)
            field.setAccessibleName(name)
            inset(field)
            # The range would ask for more room than a dock has.
            field.setMinimumWidth(_FIELD_WIDTH)
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._units.setToolTip("Hidden units in each layer and direction")
        self._seed.setToolTip("Seed of the first weights, the same for both networks")
        self._reroll.setToolTip("Another seed")
        self._reroll.setAccessibleName("Another seed")
        row = QHBoxLayout()
        row.setSpacing(HALF_GRID + 2)
        row.addWidget(label("Units", "secondary"))
        row.addWidget(self._units, 1)
        row.addWidget(label("Seed", "secondary"))
        row.addWidget(self._seed, 1)
        row.addWidget(self._reroll)
        return row

    def _make_form(self) -> QWidget:
        for kind, cell in cells().items():
            self._kind.addItem(cell.title, kind)
            self._companion.addItem(cell.title, kind)
        self._companion.insertItem(0, "None", _NONE)
        self._kind.setAccessibleName("Cell")
        self._companion.setAccessibleName("Companion")
        self._both.setAccessibleName("Both directions")
        self._both.setToolTip("A second pass reads the sequence from its end")
        self._back.setProperty("kind", "link")
        self._compare.setProperty("kind", "link")
        self._compare.setToolTip("Run the network of a checkpoint over the same sequence, and show both on one axis")
        self._open_companion.setProperty("kind", "link")
        self._open.setToolTip("Read a network from a checkpoint: PyTorch, Lightning, safetensors, ONNX or Keras")
        self._open_companion.setAccessibleName("Open checkpoint as companion…")
        self._open_companion.setToolTip("Read the companion from a file")
        self._match.button(Match.UNITS.value).setToolTip("The companion has as many units as the first network")
        self._match.button(Match.PARAMETERS.value).setToolTip(
            "The companion has nearly as many weights as the first network"
        )
        form = QWidget()
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(HALF_GRID + 2)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Cell", self._kind),
            ("Layers", _side_by_side(self._layers, self._both)),
            ("Companion", self._companion),
            ("Same", self._match),
        )
        for row, (words, control) in enumerate(rows):
            named = label(words, "secondary")
            named.setBuddy(control)
            grid.addWidget(named, row, 0)
            grid.addWidget(control, row, 1)
        files = QHBoxLayout()
        files.addWidget(self._open)
        files.addWidget(self._open_companion)
        files.addStretch(1)
        grid.addLayout(files, grid.rowCount(), 0, 1, 2)
        grid.setColumnStretch(1, 1)
        return form

    def _connect(self) -> None:
        self._kind.activated.connect(self._choose_kind)
        self._units.valueChanged.connect(self._type_units)
        self._layers.valueChanged.connect(self._type_layers)
        self._seed.valueChanged.connect(self._type_seed)
        self._reroll.clicked.connect(self._seed.stepUp)
        self._both.clicked.connect(self._choose_both)
        self._companion.activated.connect(self._choose_companion)
        self._match.chosen.connect(self._choose_match)
        self._open.clicked.connect(self._request_checkpoint)
        self._open_companion.clicked.connect(self._request_companion)
        self._back.clicked.connect(self._back_to_trained)
        self._compare.clicked.connect(self._request_comparison)
        self._debounce.settled.connect(self._settle)
        self._form.unfolded.connect(self.reveal)
        for field in (self._units, self._layers, self._seed):
            field.editingFinished.connect(self._debounce.flush)
        self._session.setup_changed.connect(self._on_setup)
        self._session.result_replaced.connect(self._on_result)
        self._session.verdicts_replaced.connect(self._on_verdicts)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for card in self._cards:
            card.apply_theme(theme)
        self._form.apply_theme(theme)
        set_icon(self._reroll, Icon.LOOP, theme, size=_REROLL)
        self._reroll.setFixedWidth(_BESIDE_ICON + scaled(_REROLL))

    @property
    def cards(self) -> tuple[NetworkCard, ...]:
        """The cards that are shown."""
        return tuple(card for card in self._cards if not card.isHidden())

    def _on_setup(self, setup: Setup) -> None:  # noqa: ARG002 - the session holds it
        self.refresh()

    def _on_result(self, result: Result) -> None:
        if result.setup.network.checkpoint is not None:
            self._trained[result.setup.data] = (result.setup.network, result.setup.companion)
        self.refresh()

    def _on_verdicts(self, verdicts: Verdicts) -> None:  # noqa: ARG002 - the session holds them
        self.refresh()

    # From the session to what is shown.

    def _resolve(self) -> _State:
        setup, result = self._session.setup, self._session.result
        if result.setup.network.checkpoint is not None:
            self._trained[result.setup.data] = (result.setup.network, result.setup.companion)
        verdicts = self._session.verdicts
        trained = self._trained.get(setup.data)
        companion = setup.companion
        return _State(
            networks=tuple(summarise(result, index, verdicts) for index in range(len(result.infos))),
            wanted=self._editable(setup.network, result.infos[0]),
            companion=_NONE if companion is None else self._companion_kind(companion),
            companion_from_file=companion is not None and companion.checkpoint is not None,
            match=setup.match,
            trained=None if trained == (setup.network, setup.companion) else trained,
            recorded=result.setup.recorded is not None,
        )

    def _companion_kind(self, companion: NetworkSpec) -> str:
        infos = self._session.result.infos
        return infos[1].kind if companion.checkpoint is not None and len(infos) > 1 else companion.kind

    @staticmethod
    def _editable(spec: NetworkSpec, info: NetworkInfo) -> NetworkSpec:
        """Return the spec from which an edit starts: a checkpoint gives way to a new network of its size."""
        if spec.checkpoint is None:
            return spec
        return NetworkSpec(info.kind, info.hidden_size, info.layers, info.bidirectional, spec.seed)

    def _apply(self, state: _State, before: _State | None) -> None:
        for index, card in enumerate(self._cards):
            card.setVisible(index < len(state.networks))
            if index < len(state.networks):
                card.show_network(state.networks[index])
        self._back.setVisible(state.trained is not None)
        # What opens a checkpoint of it stays: that is what helps.
        for part in self._changing:
            part.setEnabled(not state.recorded)
            part.setToolTip(" ".join(WITHOUT_NETWORK) if state.recorded else self._about[part])
        if self._debounce.waiting or (before is not None and _form_of(before) == _form_of(state)):
            return
        for field, value in (
            (self._units, state.wanted.hidden_size),
            (self._layers, state.wanted.layers),
            (self._seed, min(state.wanted.seed, _MOST_SEED)),
        ):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)
        self._kind.setCurrentIndex(self._kind.findData(state.wanted.kind))
        self._both.setChecked(state.wanted.bidirectional)
        self._companion.setCurrentIndex(self._companion.findData(state.companion))
        self._match.show_choice(state.match.value)
        own_size = state.companion != _NONE and not state.companion_from_file
        self._match.setEnabled(own_size)
        self._match.setToolTip(_FROM_FILE if state.companion_from_file else "")

    # From the user to the session.

    def _choose_kind(self, index: int) -> None:
        self._edit("Change the cell", kind=self._kind.itemData(index))
        self._debounce.flush()

    def _type_units(self, units: int) -> None:
        self._edit("Change the units", hidden_size=units)

    def _type_layers(self, layers: int) -> None:
        self._edit("Change the layers", layers=layers)

    def _type_seed(self, seed: int) -> None:
        self._edit("Change the seed", seed=seed)

    def _choose_both(self, both: bool) -> None:
        self._edit("Change the directions", bidirectional=both)
        self._debounce.flush()

    def _edit(self, what: str, **changes: Any) -> None:
        self._pending = {**self._pending, **changes, "what": what}
        self._debounce.trigger()

    def _settle(self) -> None:
        changes, self._pending = self._pending, {}
        what = changes.pop("what")
        setup = self._session.setup
        spec = replace(self._editable(setup.network, self._session.result.infos[0]), **changes)
        companion = setup.companion
        if companion is not None and companion.checkpoint is not None:
            # A trained companion beside an untrained network would be no comparison.
            companion = NetworkSpec(self._companion_kind(companion))
        self._session.change(what, network=spec, companion=companion)

    def _choose_companion(self, index: int) -> None:
        self._debounce.flush()
        kind = self._companion.itemData(index)
        companion = None if kind == _NONE else NetworkSpec(kind)
        self._session.change("Change the companion", companion=companion)

    def _choose_match(self, match: str) -> None:
        self._session.change("Change what the companion has in common", match=Match(match))

    def _request_checkpoint(self) -> None:
        self.checkpoint_requested.emit(False)

    def _request_companion(self) -> None:
        self.checkpoint_requested.emit(True)

    def _request_comparison(self) -> None:
        self.comparison_requested.emit()

    def _back_to_trained(self) -> None:
        self._debounce.cancel()
        self._pending = {}
        trained = self._trained.get(self._session.setup.data)
        if trained is not None:
            network, companion = trained
            self._session.change("Back to the trained networks", network=network, companion=companion)


def _side_by_side(first: QWidget, second: QWidget) -> QWidget:
    pair = QWidget()
    row = QHBoxLayout(pair)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(HALF_GRID + 2)
    row.addWidget(first, 1)
    row.addWidget(second)
    return pair


def _form_of(state: _State) -> tuple[object, ...]:
    return state.wanted, state.companion, state.companion_from_file, state.match
