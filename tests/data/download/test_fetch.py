import errno
import random
import shutil
import socket
import ssl
import subprocess
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote

import pytest

from attseg.data.download import fetch as fetching
from attseg.data.download.fetch import DownloadError, fetch

CONTENT = random.Random(0).randbytes(300_000)
OTHER = random.Random(1).randbytes(300_000)


def quiet(what, done, total):
    pass


def get(server, file, **options):
    fetch(server.url(), file, **{"progress": quiet, "pause": 0.0, "timeout": 5.0} | options)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data.zip"


def leave(file, content, validator='"one"'):
    """What an earlier call left of a file."""
    file.with_name(f"{file.name}.{quote(validator, safe='')}.part").write_bytes(content)


def assert_alone(file):
    """Only the file itself is there, and nothing that helped to get it."""
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("tells_length", [True, False])
@pytest.mark.parametrize("content", [CONTENT, b"x"])
def test_a_file_arrives_as_it_is(serve, file, content, tells_length):
    server, told = serve(content), []
    server.tells_length = tells_length
    get(server, file, progress=lambda *values: told.append(values))
    assert file.read_bytes() == content
    assert_alone(file)
    assert told[-1] == ("fetching", len(content), len(content) if tells_length else None)
    assert len(server.requests) == 1


def test_a_cut_connection_goes_on_where_it_broke(serve, file):
    server = serve(CONTENT)
    server.cuts = [100_000, 50_000]
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert [request.get("Range") for request in server.requests] == [None, "bytes=100000-", "bytes=150000-"]
    assert [request.get("If-Range") for request in server.requests] == [None, '"one"', '"one"']
    assert_alone(file)


def test_chunks_that_break_off_go_on_too(serve, file):
    server = serve(CONTENT)
    server.tells_length = False
    server.cuts = [100_000]
    get(server, file)
    assert file.read_bytes() == CONTENT


def test_a_later_call_goes_on_where_one_gave_up(serve, file):
    server = serve(CONTENT)
    server.cuts = [20_000] * 5
    with pytest.raises(
        DownloadError,
        match=r"127.0.0.1 was asked 5 times in a row and failed: IncompleteRead.*\. 100.0 kB "
        r"have arrived and are kept; the same command resumes from there",
    ):
        get(server, file)
    assert not file.exists()
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert server.requests[-1]["Range"] == "bytes=100000-"


def test_connections_that_bring_much_do_not_count_as_failures(serve, file, monkeypatch):
    monkeypatch.setattr(fetching, "CHUNK", 1000)
    server = serve(CONTENT)
    server.cuts = [20_000] * 12
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert len(server.requests) == 13


def test_what_had_arrived_completely_is_not_fetched_again(serve, file):
    server, told = serve(CONTENT), []
    leave(file, CONTENT)
    get(server, file, progress=lambda *values: told.append(values))
    assert file.read_bytes() == CONTENT
    assert_alone(file)
    assert told == []


def test_a_part_of_another_file_is_not_built_upon(serve, file):
    server = serve(CONTENT)
    leave(file, OTHER[:1000], '"other"')
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert_alone(file)


def test_a_part_longer_than_the_file_is_not_built_upon(serve, file):
    server = serve(CONTENT)
    leave(file, OTHER + b"more")
    get(server, file)
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_without_parts_starts_over(serve, file, ranges):
    server = serve(CONTENT)
    server.ranges = ranges
    server.etag = None if ranges else '"one"'  # parts, but no word on whether they are of the same file
    server.cuts = [100_000]
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_date_will_do(serve, file):
    server = serve(CONTENT)
    server.etag, server.date = None, "Sat, 21 Nov 2026 08:00:00 GMT"
    server.cuts = [100_000]
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert server.requests[1]["If-Range"] == server.date


@pytest.mark.parametrize("heeds_if_range", [True, False])
@pytest.mark.parametrize("length", [300_000, 120_000, 90_000, 400_000])
def test_a_file_that_changes_between_two_parts_is_fetched_anew(serve, file, heeds_if_range, length):
    server = serve(CONTENT)
    changed = (OTHER * 2)[:length]

    def change():
        server.content, server.etag = changed, '"two"'

    server.cuts, server.after_cut, server.heeds_if_range = [100_000], change, heeds_if_range
    get(server, file)
    assert file.read_bytes() == changed
    assert_alone(file)


def test_a_part_from_elsewhere_in_the_file_is_not_taken(serve, file):
    server = serve(CONTENT)
    server.cuts, server.shift = [100_000], -1
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert ["Range" in request for request in server.requests] == [False, True, False]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "cannot be fetched: 404 Not Found"),
        (403, "cannot be fetched: 403 Forbidden"),
        (505, "cannot be fetched: 505"),
        (304, "cannot be fetched: 304"),
    ],
)
def test_a_refusal_is_final_and_says_what_to_do(serve, file, status, message):
    server = serve(CONTENT)
    server.answers = [status]
    with pytest.raises(DownloadError) as error:
        get(server, file)
    assert message in str(error.value)
    assert f"put it at {file} and run the same command again" in str(error.value)
    assert len(server.requests) == 1


def test_a_busy_server_is_asked_again(serve, file):
    server = serve(CONTENT)
    server.answers = [503, 429, 500]
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert len(server.requests) == 4


def test_a_server_may_ask_to_wait(serve, file, monkeypatch):
    waits = []
    monkeypatch.setattr(fetching.time, "sleep", waits.append)
    server = serve(CONTENT)
    server.answers, server.headers = [429, 503], {"Retry-After": "7"}
    get(server, file, pause=1.0)
    assert waits == [7, 7]


def test_a_server_that_stays_busy_is_told(serve, file, monkeypatch):
    monkeypatch.setattr(fetching.time, "sleep", lambda _: None)
    server = serve(CONTENT)
    server.answers = [503] * 5
    with pytest.raises(DownloadError, match="cannot be fetched: 503 Service Unavailable"):
        get(server, file)
    assert len(server.requests) == 5


def test_redirects_are_followed_but_not_in_a_circle(serve, file):
    first, second = serve(), serve(CONTENT)
    first.answers, first.headers = [302], {"Location": second.url("elsewhere")}
    get(first, file)
    assert file.read_bytes() == CONTENT
    first.answers, first.headers = [301] * 40, {"Location": "/again"}
    file.unlink()
    with pytest.raises(DownloadError, match="cannot be reached: Exceeded 30 redirects"):
        get(first, file)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.zip",
        "ftp://example.org/a.zip",
        "file:///etc/passwd",
        "http://127.0.0.1.example.org/a.zip",
        "a.zip",
    ],
)
def test_only_https_is_spoken(file, serve, url):
    with pytest.raises(DownloadError, match="is not encrypted; only https"):
        fetch(url, file, progress=quiet)
    server = serve()
    server.answers, server.headers = [302], {"Location": url}
    if ":" in url:
        with pytest.raises(DownloadError, match="is not encrypted; only https"):
            get(server, file)


def test_no_network_is_told_at_once(file, monkeypatch):
    def no_name(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    monkeypatch.setattr(fetching.time, "sleep", lambda _: pytest.fail("waited"))
    with pytest.raises(
        DownloadError,
        match=r"example.org cannot be reached: Name or service not known. Is there a network, .*"
        r"If you get the file elsewhere, put it at",
    ):
        fetch("https://example.org/data.zip", file, progress=quiet)


def test_a_certificate_that_is_not_trusted_is_final(file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    http.handle_error = lambda *_: None
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(DownloadError, match=r"localhost cannot be reached: .*self-signed certificate"):
            fetch(f"https://localhost:{http.server_port}/data.zip", file, progress=quiet, pause=100.0)
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def test_the_proxy_of_the_environment_is_asked(serve, file, monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", serve().url(""))
    with pytest.raises(DownloadError, match="example.org cannot be reached: Tunnel connection failed: 501"):
        fetch("https://example.org/data.zip", file, progress=quiet)


def test_nobody_listening_is_told_at_once(serve, file):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match="127.0.0.1 cannot be reached: Connection refused"):
        fetch(f"http://127.0.0.1:{port}/data.zip", file, progress=quiet, pause=100.0)


def test_a_silent_server_is_left(file):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/data.zip"
        with pytest.raises(DownloadError, match="127.0.0.1 cannot be reached: timed out"):
            fetch(url, file, progress=quiet, pause=0.0, timeout=0.05)


def test_too_little_room_is_told_before_anything_is_written(serve, file, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 599_999))
    with pytest.raises(DownloadError, match=r"data.zip, packed and unpacked, needs 600.0 kB, and 600.0 kB are free in"):
        get(serve(CONTENT), file)
    assert not list(file.parent.iterdir())


def test_a_disk_that_fills_up_keeps_what_has_arrived(serve, file):
    server = serve(CONTENT)

    def full(what, done, total):
        raise OSError(errno.ENOSPC, "No space left on device")

    server.cuts = [100_000]
    with pytest.raises(
        DownloadError, match=r"cannot write .*: no space is left in .*; free some, .* What has arrived is kept"
    ):
        get(server, file, progress=full)
    (part,) = file.parent.glob("*.part")
    have = part.stat().st_size
    assert have
    get(server, file)
    assert file.read_bytes() == CONTENT
    assert server.requests[-1]["Range"] == f"bytes={have}-"
