"""Runs of other computers, over loopback: a web server, an SSH server, a store of objects, while they grow."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

import numpy as np
import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.runs.export.exporting import export_run
from lstm_studio.runs.like import RunLike, Status
from lstm_studio.runs.opening import open_any, trainings_in
from lstm_studio.runs.places import UnlistedError
from lstm_studio.runs.remote import remote_folder
from tests.runs.made_runs import event, lags, made, scalars, segment, segment_bytes

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(120)]
ABOUT = {"format": 1, "layers": [{"path": "lstm"}]}


class WebServer(ThreadingHTTPServer):
    """Serves a folder, with or without parts of files and pages of what is in folders; and as S3 does."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.root = root
        self.pages = self.parts = True
        self.asked: list[tuple[str, str, str]] = []
        self.sent = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: WebServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the library
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        url = urlsplit(self.path)
        path = self.server.root / unquote(url.path).lstrip("/")
        self.server.asked.append((self.command, url.path, self.headers.get("Range", "")))
        if "list-type=2" in url.query:
            self.send(200, self.objects(url.query), body=body, kind="application/xml")
        elif path.is_file():
            self.send_file(path, body=body)
        elif path.is_dir() and self.server.pages:
            names = sorted(f"{part.name}{'/' if part.is_dir() else ''}" for part in path.iterdir())
            links = "".join(f'<a href="{name}">{name}</a>' for name in ["../", "?C=M;O=A", "/elsewhere/", *names])
            self.send(200, f"<html>{links}</html>".encode(), body=body, kind="text/html")
        else:
            self.send(404, b"", body=body)

    def send_file(self, path: Path, *, body: bool) -> None:
        content = path.read_bytes()
        asked = self.headers.get("Range", "")
        if not asked or not self.server.parts:
            self.send(200, content, body=body, modified=path.stat().st_mtime)
            return
        begin, _, end = asked.removeprefix("bytes=").partition("-")
        part = content[int(begin) : int(end) + 1 if end else None]
        if not part:
            self.send(416, b"", body=body)
            return
        where = f"bytes {begin}-{int(begin) + len(part) - 1}/{len(content)}"
        self.send(206, part, body=body, modified=path.stat().st_mtime, where=where)

    def send(
        self, status: int, content: bytes, *, body: bool, kind: str = "", modified: float = 0, where: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (("Content-Type", kind), ("Content-Range", where)):
            if value:
                self.send_header(name, value)
        if modified:
            self.send_header("Last-Modified", self.date_time_string(int(modified)))
        self.end_headers()
        if body:
            self.server.sent += len(content)
            self.wfile.write(content)

    def objects(self, query: str) -> bytes:
        """List objects as S3 does, one level of their names."""
        asked = dict(part.partition("=")[::2] for part in query.split("&"))
        prefix = unquote(asked.get("prefix", ""))
        root = self.server.root / "bucket"
        names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        inside = [name for name in names if name.startswith(prefix)]
        below = sorted(
            {prefix + name[len(prefix) :].partition("/")[0] + "/" for name in inside if "/" in name[len(prefix) :]}
        )
        here = [name for name in inside if "/" not in name[len(prefix) :]]
        if not asked.get("delimiter"):
            below, here = [], inside
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        objects = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>{now}</LastModified><ETag>x</ETag>"
            f"<Size>{(root / name).stat().st_size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for name in here
        )
        folders = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in below)
        about = f"<Name>bucket</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(here) + len(below)}</KeyCount>"
        about += "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
        return f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{about}{objects}{folders}</ListBucketResult>'.encode()


@pytest.fixture(scope="module", autouse=True)
def thread_of_fsspec() -> None:
    """Start the one thread in which fsspec does all its work; it is there until the program ends."""
    fsspec = import_module("fsspec.asyn")
    # With the helper thread that asking for names of computers takes: one, where a busy machine would start another.
    loop = fsspec.get_loop()
    loop.call_soon_threadsafe(loop.set_default_executor, ThreadPoolExecutor(1, "asyncio"))
    fsspec.sync(loop, asyncio.to_thread, time.time)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def refreshed(run: RunLike) -> RunLike:
    """Let the time pass in which a network is not asked again, and look."""
    time.sleep(0.25 if "s3://" not in run.address else 1.05)
    run.refresh()
    return run


def grow(run: RunLike, folder: Path) -> None:
    """Let a run grow in odd pieces, and check that it is read to its end each time."""
    said = [event("start", host="elsewhere", process=1)]
    said += [scalars(step, loss=1 / (step + 1)) for step in range(20)]
    said += [lags(0, {"lstm.0": {"hidden_state": [1.0, 0.5]}}), event("end")]
    raw = segment_bytes(said, closed=True)
    ends = [len(segment_bytes(said[: count + 1])) for count in range(len(said))]
    for end in (len(raw) // 3, len(raw) // 2 + 7, len(raw)):
        segment(folder).write_bytes(raw[:end])
        whole = sum(place <= end for place in ends)
        refreshed(run)
        assert len(run.scalars["loss"][0]) == min(whole - 1, 20)
    np.testing.assert_array_equal(run.scalars["loss"][1], 1 / np.arange(1, 21))
    np.testing.assert_array_equal(run.lags["lstm.0.hidden_state"][1], [[1.0, 0.5]])
    assert run.status is Status.FINISHED
    assert not run.problems
    assert run.layers == ["lstm"]
    assert run.folder is None


def begin(folder: Path) -> Path:
    """Make a run of which nothing but the first event is there."""
    made(folder, event("start", host="elsewhere", process=1), about=ABOUT)
    (folder / "snapshots" / "00000010").mkdir(parents=True)
    (folder / "snapshots" / "00000010" / "lstm.safetensors").write_bytes(b"weights")
    return folder


def test_a_growing_run_over_the_web(web: WebServer, tmp_path: Path) -> None:
    folder = begin(tmp_path / "my runs" / "mine")
    run = open_any(f"{web.address}/my%20runs/mine")
    assert run.title == "mine"
    assert run.status is Status.RUNNING
    grow(run, folder)
    # Nothing is fetched twice but the few bytes at which one stopped.
    assert web.sent < 2.5 * segment(folder).stat().st_size
    assert run.snapshots == [10]
    copy = run.snapshot(10, "lstm")
    assert copy.read_bytes() == b"weights"
    assert copy.suffix == ".safetensors"
    assert run.snapshot(10, "lstm") == copy
    assert trainings_in(f"{web.address}/my%20runs") == [run.address]
    assert open_any(f"{web.address}/my%20runs").address == run.address
    assert open_any(f"{web.address}/my%20runs/mine/run.json").title == "mine"


def test_a_web_server_that_does_not_say_what_there_is(web: WebServer, tmp_path: Path) -> None:
    web.pages = False
    folder = begin(tmp_path / "mine")
    run = open_any(f"{web.address}/mine/")
    grow(run, folder)
    assert run.snapshots == []
    segment(folder, number=2).write_bytes(segment_bytes([scalars(20, loss=7.0)]))
    segment(folder, number=3).write_bytes(segment_bytes([scalars(21, loss=8.0)]))
    refreshed(run)
    assert run.scalars["loss"][1][-2:].tolist() == [7.0, 8.0]
    with pytest.raises(UnlistedError, match="no page that says what is in it"):
        remote_folder(f"{web.address}/mine").files()


def test_a_web_server_that_sends_whole_files_only(web: WebServer, tmp_path: Path) -> None:
    web.parts = False
    folder = begin(tmp_path / "mine")
    segment(folder).write_bytes(segment_bytes([scalars(step, loss=1.0) for step in range(50)]))
    run = open_any(f"{web.address}/mine")
    assert len(run.scalars["loss"][0]) == 50
    with segment(folder).open("ab") as file:
        file.write(b"\6 of what follows")
    refreshed(run)
    assert [problem.what for problem in run.problems if "whole files only" in problem.what]
    web.parts = True
    segment(folder).write_bytes(segment_bytes([scalars(step, loss=1.0) for step in range(60)]))
    assert len(refreshed(run).scalars["loss"][0]) == 60


def test_a_server_that_is_away_for_a_while(tmp_path: Path) -> None:
    folder = begin(tmp_path / "mine")
    server = WebServer(tmp_path)
    port = server.server_address[1]

    def serve(server: WebServer) -> threading.Thread:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        return thread

    thread = serve(server)
    run = open_any(f"{server.address}/mine")
    server.shutdown()
    thread.join()
    server.server_close()
    refreshed(run)
    assert 0 < len(run.problems) <= 2
    again = WebServer.__new__(WebServer)
    ThreadingHTTPServer.__init__(again, ("127.0.0.1", port), Answers)
    again.root, again.pages, again.parts, again.asked, again.sent = tmp_path, True, True, [], 0
    thread = serve(again)
    try:
        segment(folder).write_bytes(segment_bytes([event("start", host="elsewhere", process=1), scalars(1, loss=0.5)]))
        refreshed(run)
        assert run.scalars["loss"][1].tolist() == [0.5]
    finally:
        again.shutdown()
        thread.join()
        again.server_close()
    with pytest.raises(ls.RunError, match=r"(?i)connect"):
        open_any(f"http://127.0.0.1:{port}/mine")


def test_tensorboard_and_tables_over_the_web(web: WebServer, tmp_path: Path) -> None:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(tmp_path / "logs" / "first")
    for step in range(100):
        writer.add_scalar("loss", step, step)
    writer.close()
    (tmp_path / "logs" / "second").mkdir()
    (tmp_path / "logs" / "second" / "metrics.csv").write_text("step,loss\n1,2.5\n")
    first, second = trainings_in(f"{web.address}/logs")
    np.testing.assert_array_equal(open_any(first).scalars["loss"], [np.arange(100), np.arange(100)])
    assert open_any(second).scalars["loss"][1].tolist() == [2.5]
    assert open_any(f"{second}/metrics.csv").scalars["loss"][1].tolist() == [2.5]


def test_what_is_not_there(web: WebServer) -> None:
    with pytest.raises(ls.RunError, match="not a run"):
        open_any(f"{web.address}/nowhere")
    with pytest.raises(ls.RunError, match="no kind of address"):
        open_any("nonsense://host/run")


def test_what_has_to_be_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(import_module("sys").modules, "sshfs", None)
    with pytest.raises(ls.RunError, match=r"need sshfs.*pip install .lstm-studio\[remote\]"):
        open_any("ssh://host/run")


class SshServer:
    """An SSH server of this folder, in a loop of its own."""

    def __init__(self, home: Path) -> None:
        self.asyncssh = import_module("asyncssh")
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        keys = home / ".ssh"
        keys.mkdir(mode=0o700)
        self.host_key, user_key = (self.asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        user_key.write_private_key(keys / "id_ed25519")
        user_key.write_public_key(keys / "authorized")
        self.server = self.do(self.listen(str(keys / "authorized")))
        self.port = self.server.sockets[0].getsockname()[1]
        self.known = keys / "known_hosts"

    async def listen(self, authorized: str) -> Any:
        return await self.asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[self.host_key], authorized_client_keys=authorized, sftp_factory=True
        )

    def trust(self) -> None:
        public = self.host_key.export_public_key().decode().strip()
        self.known.write_text(f"[127.0.0.1]:{self.port} {public}\n")

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def end(self) -> None:
        self.server.close()
        await self.server.wait_closed()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.loop.shutdown_default_executor()

    def close(self) -> None:
        self.do(self.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def ssh(own_settings: Path) -> Iterator[SshServer]:
    server = SshServer(own_settings)
    yield server
    import_module("sshfs").SSHFileSystem.clear_instance_cache()
    gc.collect()
    server.close()


@pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")
def test_a_growing_run_over_ssh(ssh: SshServer, tmp_path: Path) -> None:
    folder = begin(tmp_path / "mine")
    user = import_module("getpass").getuser()
    address = f"ssh://{user}@127.0.0.1:{ssh.port}{folder}"
    ssh.known.write_text("")
    with pytest.raises(ls.RunError, match=r"(?i)host key"):
        open_any(address)
    ssh.trust()
    run = open_any(address)
    assert run.title == "mine"
    assert run.heard < 30
    grow(run, folder)
    assert run.snapshot(10, "lstm").read_bytes() == b"weights"
    assert trainings_in(f"ssh://{user}@127.0.0.1:{ssh.port}{tmp_path}") == [address]
    with pytest.raises(ls.RunError, match=r"No such file|not a run|cannot be read"):
        open_any(f"{address}/nowhere")


def test_a_growing_run_in_a_store_of_objects(web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    folder = begin(tmp_path / "bucket" / "runs" / "mine")
    run = open_any("s3://bucket/runs/mine")
    assert run.title == "mine"
    grow(run, folder)
    assert run.snapshot(10, "lstm").read_bytes() == b"weights"
    assert trainings_in("s3://bucket/runs") == ["s3://bucket/runs/mine"]


def test_any_file_system_that_fsspec_knows() -> None:
    memory = import_module("fsspec").filesystem("memory")
    memory.pipe("/runs/mine/run.json", b'{"format": 1, "layers": []}')
    memory.pipe("/runs/mine/rank00000/000001.mcap", segment_bytes([scalars(3, loss=0.5), event("end")]))
    try:
        run = open_any("memory://runs/mine")
        assert run.scalars["loss"][0].tolist() == [3]
        assert run.status is Status.FINISHED
    finally:
        memory.rm("/runs", recursive=True)


def test_names_of_a_web_page_lead_nowhere_else(web: WebServer, tmp_path: Path) -> None:
    folder = begin(tmp_path / "mine")
    for name in ("..%2F..%2Fsecret.mcap", "%2e%2e", "a%00b.mcap"):
        (folder / name).write_text("x")
    names = remote_folder(f"{web.address}/mine").files()
    assert names == ["run.json"]


def test_a_run_of_another_computer_is_exported(web: WebServer, tmp_path: Path) -> None:
    model = nn.LSTM(2, 3)
    with ls.watch(model, tmp_path / "run", every=100) as recorder:
        torch.autograd.backward(model(torch.randn(4, 1, 2))[0].sum())
        recorder.step(loss=0.5)
    export_run(open_any(f"{web.address}/run"), tmp_path / "there.npz")
    export_run(ls.open_run(tmp_path / "run"), tmp_path / "here.npz")
    with np.load(tmp_path / "there.npz") as there, np.load(tmp_path / "here.npz") as here:
        assert there.files == here.files
        assert "traces/0/0/lstm.0.forget_gate" in there.files
        for name in set(there.files) - {"lstm_studio"}:
            np.testing.assert_array_equal(there[name], here[name])
