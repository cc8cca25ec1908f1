"""Promises about the repository itself that no other tool keeps."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lstm_studio

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for folder in ("lstm_studio", "tests", "benchmarks", "docs", "packaging")
    for path in (ROOT / folder).rglob("*.py")
]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
MAKE = shutil.which("make")
HEAVY = ("torch", "duckdb", "soundfile", "PySide6", "pyqtgraph", "superqt")


def in_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def project() -> dict[str, object]:
    settings: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return settings


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_file_is_short_and_keeps_the_types_strict(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= 600
    bare = [line for line in lines if re.search(r"# type: ignore(\[[\w, -]+\])?\s*$", line)]
    assert not bare, "a type: ignore names its code and gives its reason beside it"
    bare = [line for line in lines if re.search(r"#\s*noqa\b(?!: [A-Z]+\d+(, [A-Z]+\d+)* - \S)", line)]
    assert not bare, "so does an exemption from a rule of style"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    missing = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize(
    "module", ["lstm_studio", "lstm_studio.cli", "lstm_studio.session.compute", "lstm_studio.session.start"]
)
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    loaded = in_new_process(f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])")
    assert loaded == "[]"


def test_everything_outside_the_window_imports() -> None:
    names = [
        found.name
        for found in pkgutil.walk_packages(lstm_studio.__path__, "lstm_studio.", onerror=lambda name: None)
        if not found.name.startswith("lstm_studio.ui")
    ]
    assert len(names) > 20
    for name in names:
        if name != "lstm_studio.__main__":
            importlib.import_module(name)


def test_every_public_name_leads_to_an_object() -> None:
    for name in lstm_studio.__all__:
        assert getattr(lstm_studio, name) is not None


def test_version_is_the_same_everywhere() -> None:
    assert project()["version"] == lstm_studio.__version__
    assert f"## [{lstm_studio.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(len(requirement.specifier) == 1 and "==" in str(requirement.specifier) for requirement in requirements)
    return {canonicalize_name(found.name): str(found.specifier).removeprefix("==") for found in requirements}


def everything_installed_by(requirements: list[str]) -> set[str]:
    """Return the canonical names of all packages that these requirements bring on this machine."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        key = f"{name}[{','.join(sorted(requirement.extras))}]"
        if key in found:
            continue
        found.add(key)
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            pytest.fail(f"{name} is required but not installed")
        waiting += [(Requirement(need), extra) for need in needs for extra in (requirement.extras or {""})]
    return {key.partition("[")[0] for key in found}


def test_every_package_that_gets_installed_is_pinned_to_the_tested_build() -> None:
    settings = project()
    extras = settings["optional-dependencies"]
    assert isinstance(settings["dependencies"], list)
    assert isinstance(extras, dict)
    pinned = pins()
    installed = everything_installed_by([*settings["dependencies"], *extras["gui"], *extras["dev"]])
    assert not installed - pinned.keys()
    # PyTorch adds a local part, +cpu or +cu130, that is no other release.
    versions = {name: distribution(name).version.partition("+")[0] for name in installed}
    assert versions == {name: pinned[name] for name in installed}


def test_wheel_brings_the_resources_and_finds_them(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); "
    code += "from lstm_studio.session.samples import FIRST_SAMPLE, load_sample; import lstm_studio.resources as r; "
    code += "load_sample(FIRST_SAMPLE); print(r.resources_folder())"
    assert Path(in_new_process(code)) == tmp_path / "site" / "lstm_studio" / "_resources"


def bundle_filter() -> ModuleType:
    # By its path: "packaging" is also the name of a package that pytest needs.
    spec = importlib.util.spec_from_file_location("bundle_filter", ROOT / "packaging" / "bundle_filter.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("destination", "kept"),
    [
        ("torch/lib/libtorch_cpu.so", True),
        ("torch/bin/torch_shm_manager", True),
        ("torch/bin/protoc", False),
        ("torch/test/test_jit", False),
        ("torch/testing/_utils.py", True),
        (r"torch\include\ATen\ATen.h", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", True),
        (r"PySide6\plugins\platforms\qwindows.dll", True),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", False),
        ("PySide6/Qt/plugins/iconengines/libqsvgicon.so", True),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlite.so", False),
        ("PySide6/Qt/translations/qtbase_de.qm", False),
        ("PySide6/Qt/lib/libQt6Widgets.so.6", True),
        ("PySide6/Qt/lib/libQt6Quick.so.6", False),
        (r"PySide6\Qt6Qml.dll", False),
        ("resources/samples/temporal-order/card.json", True),
    ],
)
def test_bundle_holds_what_runs_and_nothing_else(destination: str, kept: bool) -> None:
    assert bundle_filter().is_of_use(destination) is kept


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """Return a folder of commands: a Linux without Qt's libraries, without apt-get and without a superuser."""
    commands = tmp_path / "bin"
    commands.mkdir()
    qt = tmp_path / "PySide6"
    missing = "echo '  libEGL.so.1 => not found'; echo '  libxcb-icccm.so.4 => not found'"
    bodies = {
        "python": f"echo {qt}",
        "uname": "echo Linux",
        "id": "echo 1000",
        "find": "echo one.ttf",
        "ldd": f"case $* in *libQt6Gui*) {missing.partition(';')[0]} ;; *) {missing} ;; esac",
    }
    for name, body in bodies.items():
        write_command(commands / name, body)
    for name in ("awk", "sort", "tr", "sed", "grep"):
        (commands / name).symlink_to(f"/usr/bin/{name}")
    return commands


def write_command(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def install_system_libraries(commands: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "packaging" / "system-libraries.sh"
    line = ["/bin/sh", str(script), str(commands / "python")]
    return subprocess.run(line, env={"PATH": str(commands)}, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="Qt brings all its libraries along elsewhere")
class TestSystemLibraries:
    def test_without_rights_the_one_line_to_run_is_printed(self, bare_machine: Path) -> None:
        write_command(bare_machine / "apt-get", "exit 1")
        done = install_system_libraries(bare_machine)
        assert done.returncode == 1
        assert "sudo apt-get install -y libegl1 libxcb-icccm4 \n" in done.stderr

    def test_another_system_is_told_the_libraries(self, bare_machine: Path) -> None:
        done = install_system_libraries(bare_machine)
        assert done.returncode == 1
        assert "libEGL.so.1 libxcb-icccm.so.4" in done.stderr

    def test_what_only_a_display_needs_does_not_stop_the_set_up(self, bare_machine: Path) -> None:
        write_command(bare_machine / "ldd", "case $* in *libqxcb*) echo '  libxcb-icccm.so.4 => not found' ;; esac")
        done = install_system_libraries(bare_machine)
        assert done.returncode == 0
        assert "libxcb-icccm.so.4" in done.stderr

    def test_a_superuser_gets_them_installed(self, bare_machine: Path, tmp_path: Path) -> None:
        called = tmp_path / "called"
        write_command(bare_machine / "apt-get", f'echo "$*" >> {called}')
        write_command(bare_machine / "id", "echo 0")
        (bare_machine / "env").symlink_to("/usr/bin/env")
        assert install_system_libraries(bare_machine).returncode == 0
        assert called.read_text("utf-8").split("\n")[0].endswith("libegl1 libxcb-icccm4")

    def test_nothing_missing_nothing_done(self, bare_machine: Path) -> None:
        write_command(bare_machine / "ldd", "exit 0")
        done = install_system_libraries(bare_machine)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(MAKE is None, reason="there is no make")
def test_make_refuses_an_old_python_and_says_which_it_needs(tmp_path: Path) -> None:
    assert MAKE is not None
    old = tmp_path / "python3"
    write_command(old, "case $1 in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "packaging").mkdir()
    (tmp_path / "packaging" / "system-libraries.sh").write_text("", "utf-8")
    environment = {**os.environ, "PYTHON": str(old), "MAKEFLAGS": ""}
    done = subprocess.run([MAKE, "run"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Python 3.9.2" in done.stderr
    assert not (tmp_path / ".venv").exists()
