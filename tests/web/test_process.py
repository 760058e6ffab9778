"""A real server in a process of its own, on the loopback: slow clients, signals, the command line."""

import json
import os
import signal
import sys
import time
from contextlib import suppress

import pytest

from exploring import encoded, picture, started

pytestmark = pytest.mark.slow

SERVER = """
import torch
torch.set_num_threads(1)
from attseg.web.desk import Desk
from attseg.web.limits import Limits
from attseg.web.models import offer
from attseg.web.serve import address, listen, serve
from exploring import Strongest, segmenter

class Slow(Strongest):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(*(Pause() for _ in range(300)))
    def forward(self, images):
        return super().forward(self.layers(images))

class Pause(torch.nn.Module):
    def forward(self, images):
        import time
        time.sleep(0.1)
        return images

limits = Limits(idle_seconds=1, body_seconds=1.0, connections=20)
desk = Desk(offer(["quick", "slow"], [segmenter(Strongest()), segmenter(Slow())]), None, limits)
listening = listen("127.0.0.1", 0)
serve(desk, listening, host="127.0.0.1", token="t", on_ready=lambda: print(address(listening, "127.0.0.1", "t"), flush=True))
"""


@pytest.fixture(scope="module")
def server():
    with started("-c", SERVER) as running:
        yield running


def closed_after(connection, seconds):
    """How long the server leaves a connection open, and what it says on it."""
    began = time.monotonic()
    connection.settimeout(seconds)
    said = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            said += part
    return time.monotonic() - began, said


HEAD = b"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Attseg-Token: t\r\nContent-Length: 1000\r\n\r\n"


def test_a_connection_is_closed_behind_an_answer_when_nothing_more_is_asked(server):
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        taken, said = closed_after(connection, 8)
    assert said.startswith(b"HTTP/1.1 200")
    assert taken < 4


def test_a_body_that_comes_byte_by_byte_is_given_up(server):
    with server.connect() as connection:
        connection.sendall(HEAD)
        for _ in range(5):
            connection.send(b"x")
            time.sleep(0.1)
        _, said = closed_after(connection, 8)
        assert b" 408 " in said.partition(b"\r\n")[0]
        assert b"did not arrive within 1 s" in said


def test_many_slow_clients_do_not_keep_others_out(server):
    slow = [server.connect() for _ in range(15)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert server.ask("GET", "/api/start")[0] == 200
    for connection in slow:
        connection.close()


def test_more_connections_than_there_may_be_are_told_so_and_later_ones_get_in(server):
    slow = [server.connect() for _ in range(25)]
    time.sleep(0.2)
    assert server.ask("GET", "/api/start")[0] == 503
    for connection in slow:
        connection.close()
    time.sleep(0.3)
    assert server.ask("GET", "/api/start")[0] == 200


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 200_000,
        b"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET /..%2f..%2fetc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET /../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_nonsense_gets_no_page_and_no_file(server, text):
    with server.connect() as connection:
        with suppress(ConnectionError):
            connection.sendall(text)
        _, said = closed_after(connection, 8)
    assert b"root:" not in said
    if said and b"websocket" not in text:
        assert int(said.split()[1]) in (400, 401, 403, 404)
    assert server.ask("GET", "/")[0] == 200


def test_a_file_that_was_refused_cannot_go_on_coming(server):
    with server.connect() as connection:
        connection.sendall(HEAD.replace(b"1000", str(2**40).encode()))
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 8:
                connection.sendall(bytes(1000))
                time.sleep(0.05)
        assert time.monotonic() - began < 5
        said = closed_after(connection, 5)[1] if connection.fileno() >= 0 else b""
    assert not said or b" 413 " in said


def test_ctrl_c_ends_a_look_that_is_under_way():
    with started("-c", SERVER) as running:
        running.ask("POST", "/api/pictures", encoded(picture()))
        key = json.loads(running.ask("GET", "/api/start")[1])["pictures"][0]["key"]
        with running.connect() as waiting, running.connect():
            ask = f"GET /api/pictures/{key}/models/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Attseg-Token: t\r\n\r\n"
            waiting.sendall(ask.encode())
            time.sleep(0.5)
            seconds, status, said = running.stop()
        assert seconds < 3
        assert "KeyboardInterrupt" in said  # of this script, which has no command line around it
        assert status != 0


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_serves_until_it_is_told_to_end(tmp_path, how, status):
    (tmp_path / "a.png").write_bytes(encoded(picture()))
    command = (
        "-m",
        "attseg",
        "explore",
        "demo",
        "--port",
        "0",
        "--no-open",
        "--device",
        "cpu",
        "--pictures",
        str(tmp_path),
    )
    with started(*command) as running:
        assert running.ask("GET", "/")[0] == 200
        code, content = running.ask("GET", "/api/start")
        assert code == 200
        assert b'"files":["a"]' in content
        assert running.ask("POST", "/api/files/0")[0] == 201
        with running.connect():
            seconds, ended, said = running.stop(how)
        assert ended == status
        assert said == ("attseg: stopped\n" if how == signal.SIGINT else "")
        assert how == signal.SIGTERM or seconds < 3


@pytest.mark.skipif(sys.platform != "linux", reason="file names here are always Unicode")
@pytest.mark.parametrize("name", [b"caf\xe9", "caf\xe9".encode(), b"a\x1b[31m\r\xe2\x80\xaeb"])
def test_names_of_any_bytes_are_shown_without_utf8_mode(tmp_path, name):
    (tmp_path / f"{os.fsdecode(name)}.png").write_bytes(encoded(picture()))
    command = ("-m", "attseg", "explore", "demo", "--port", "0", "--no-open", "--device", "cpu", "--pictures", tmp_path)
    with started(*command, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0") as running:
        status, content = running.ask("GET", "/api/start")
        assert status == 200
        files = json.loads(content)["folder"]["files"]
        assert len(files) == 1
        assert files[0].isprintable()
        assert running.ask("POST", "/api/files/0")[0] == 201
        assert running.ask("GET", "/api/start")[0] == 200
        _, _, said = running.stop(signal.SIGINT)
        assert said == "attseg: stopped\n"
