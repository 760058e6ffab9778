"""A server on this computer that behaves as badly as asked."""

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


class Server:
    """One file under every path.

    What it does is what its attributes say: ``cuts`` holds after how many bytes each answer breaks off (None: it does not), the
    first one first; ``shift`` moves the start of parts; ``answers`` holds statuses to give instead of the file.
    """

    def __init__(self, content):
        self.content = content
        self.etag = '"one"'
        self.date = None
        self.ranges = True
        self.heeds_if_range = True
        self.tells_length = True
        self.shift = 0
        self.cuts = []
        self.answers = []
        self.headers = {}
        self.requests = []
        self.after_cut = lambda: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def url(self, name="data.zip"):
        return f"http://127.0.0.1:{self.http.server_port}/{name}"

    def stop(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def answer(self, request):
        self.requests.append(dict(request.headers))
        request.close_connection = True
        if self.answers:
            self.refuse(request, self.answers.pop(0))
            return
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")) if self.ranges else None
        same = request.headers.get("If-Range") in (None, self.etag, self.date) or not self.heeds_if_range
        start = int(asked[1]) + self.shift if asked and same else 0
        if start >= len(self.content) > 0:
            self.refuse(request, 416, {"Content-Range": f"bytes */{len(self.content)}"})
            return
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        for name, value in (("ETag", self.etag), ("Last-Modified", self.date)):
            if value:
                request.send_header(name, value)
        self.send(request, self.content[start:], self.cuts.pop(0) if self.cuts else None)

    def refuse(self, request, status, headers=None):
        request.send_response(status)
        for name, value in (headers or self.headers).items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.send_header("Connection", "close")
        request.end_headers()

    def send(self, request, body, cut):
        if self.tells_length:
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body[:cut])
        else:
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            part = body[:cut]
            request.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            if cut is None:
                request.wfile.write(b"0\r\n\r\n")
        if cut is not None:
            self.after_cut()


@pytest.fixture
def serve():
    servers = []

    def start(content=b""):
        servers.append(Server(content))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
