import pytest

from attseg.web.guard import own_names
from exploring import TOKEN, encoded, picture, refusal

REBINDING = (
    "evil.example",
    "evil.example:8700",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8700",
    "",
    "@127.0.0.1",
)
MALFORMED = ("127.0.0.1/x", "127.0.0.1:port", "[::1", "127.0.0.1:99999", "127.0.0.1?a", "127.0.0.1 evil.example")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8700", "127.0.0.1", "localhost:9", "LOCALHOST", "[::1]:8700", "127.1.2.3:1"]
)
def test_requests_for_this_computer_are_answered(client, host):
    assert client.ask("GET", "/api/start", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", [*REBINDING, *MALFORMED, "192.168.0.7:8700", "0.0.0.0", "2130706433"])
@pytest.mark.parametrize("path", ["/", "/viewer.js", "/api/start", "/nothing"])
def test_requests_for_another_host_are_refused(client, host, path):
    assert "is for the host" in refusal(client.ask("GET", path, headers={"Host": host}), 403)


def test_beyond_the_loopback_any_address_will_do_and_only_own_names(make_client):
    client = make_client(addresses=True)
    assert client.ask("GET", "/", headers={"Host": "192.168.0.7:8700"}).status_code == 200
    assert client.ask("GET", "/", headers={"Host": "evil.example"}).status_code == 403
    assert own_names("127.0.0.1") == {"localhost"}
    assert {"localhost", "gpu.example"} <= own_names("GPU.example")


ORIGINS = (
    "http://evil.example",
    "null",
    "https://127.0.0.1:8700",
    "http://127.0.0.1:9000",
    "http://127.0.0.1",
    "http://localhost:8700",
)


@pytest.mark.parametrize("origin", [*ORIGINS, "file://", "", "http://127.0.0.1:8700.evil.example"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_requests_of_other_pages_are_refused(client, origin, method):
    answer = client.ask(method, "/api/scenes/1", headers={"Origin": origin})
    assert "comes from a page of" in refusal(answer, 403)
    assert client.ask("GET", "/api/start").json()["pictures"] == []


def test_requests_of_the_own_page_are_answered(client):
    headers = {"Origin": "http://127.0.0.1:8700", "Sec-Fetch-Site": "same-origin"}
    assert client.ask("POST", "/api/scenes/1", headers=headers).status_code == 201


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_cross_site_requests_without_origin_are_refused(client, site):
    assert "another site" in refusal(client.ask("GET", "/api/start", headers={"Sec-Fetch-Site": site}), 403)


@pytest.mark.parametrize("token", [None, "", "the-toke", TOKEN + "x", TOKEN.upper(), "ä".encode()])
def test_without_the_token_nothing_is_told(client, token):
    for method, path in (
        ("GET", "/api/start"),
        ("POST", "/api/pictures"),
        ("GET", "/api/nothing"),
        ("POST", "/api/scenes/1"),
    ):
        answer = client.ask(method, path, headers={"X-Attseg-Token": token})
        assert "token" in refusal(answer, 401)


def test_the_empty_page_needs_no_token_and_holds_none(client):
    for path in ("/", "/viewer.js", "/viewer.css", "/explorer.js", "/explorer.css"):
        answer = client.ask("GET", path, headers={"X-Attseg-Token": None})
        assert answer.status_code == 200
        assert TOKEN not in answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT"])
def test_other_methods_are_refused(client, method):
    answer = client.ask(method, "/api/start")
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


def test_every_answer_tells_browsers_to_be_strict(client):
    key = client.put(encoded(picture()))["key"]
    answers = [
        client.ask("GET", "/"),
        client.ask("GET", "/explorer.js"),
        client.ask("GET", "/api/start"),
        client.ask("GET", f"/api/pictures/{key}/models/0"),
        client.ask("DELETE", f"/api/pictures/{key}"),
        client.ask("GET", "/nothing"),
        client.ask("GET", "/api/start", headers={"Host": "evil.example"}),
        client.upload(b"no picture"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 204, 404, 403, 422]
    for answer in answers:
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_what_nobody_foresaw_is_told_in_words_and_logged(client, monkeypatch, caplog):
    def fail(_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(client.desk, "keep_scene", fail)
    answer = client.ask("POST", "/api/scenes/1")
    assert refusal(answer, 500) == "ZeroDivisionError: division by zero (the terminal shows where)"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "POST /api/scenes/1 failed" in caplog.text
