import os

import pytest

from attseg.errors import UsageError
from attseg.web.folder import PictureFolder
from attseg.web.limits import Limits
from exploring import encoded, picture, refusal

TRAVERSALS = (
    "../outside.png",
    "..%2foutside.png",
    "%2e%2e/outside.png",
    "%2e%2e%2foutside",
    "..%5coutside.png",
    "....//outside.png",
    "%252e%252e%252foutside",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "a.png",
    "a",
    "-1",
    "2",
    "0%00",
    "0/../../outside",
)


def test_a_picture_of_the_folder_is_kept_by_its_number(client):
    for number, name in enumerate(("a", "more/b")):
        told = client.ask("POST", f"/api/files/{number}").json()
        assert told["name"] == name
        small = client.ask("GET", f"/api/files/{number}/thumbnail")
        assert small.headers["Content-Type"] == "image/jpeg"
        assert len(small.content) < 10_000


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_other_file_is_read(client, path):
    for method, address in (
        ("POST", f"/api/files/{path}"),
        ("GET", f"/api/files/{path}/thumbnail"),
        ("GET", f"/{path}"),
    ):
        answer = client.ask(method, address)
        assert answer.status_code in (404, 405, 422), (address, answer.text)
        assert "root:" not in answer.text
        assert answer.json()["error"]
    assert client.ask("GET", "/api/start").json()["pictures"] == []


def test_links_out_of_the_folder_are_not_followed(pictures, tmp_path):
    (pictures / "link.png").symlink_to(tmp_path / "outside.png")
    (pictures / "inside.png").symlink_to(pictures / "a.png")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "c.png").write_bytes(encoded(picture()))
    (pictures / "folder").symlink_to(tmp_path / "far")
    folder = PictureFolder(pictures, Limits())
    assert folder.names() == ["a", "inside", "more/b"]


def test_a_file_that_becomes_a_link_or_a_pipe_is_not_read(client, pictures, tmp_path):
    (pictures / "a.png").unlink()
    assert "has gone" in refusal(client.ask("POST", "/api/files/0"), 404)
    (pictures / "a.png").symlink_to(tmp_path / "outside.png")
    assert "has gone" in refusal(client.ask("POST", "/api/files/0"), 404)
    (pictures / "a.png").unlink()
    os.mkfifo(pictures / "a.png")
    assert "cannot be read" in refusal(client.ask("POST", "/api/files/0"), 404)


def test_a_file_that_is_no_picture_any_more_is_told(client, pictures):
    (pictures / "a.png").write_text("words")
    message = refusal(client.ask("POST", "/api/files/0"), 422)
    assert message.startswith("a is no picture")
    assert str(pictures) not in message


def test_sizes_of_files_and_their_number_are_bounded(make_client, pictures):
    client = make_client(file_bytes=100, files=1)
    assert client.ask("GET", "/api/start").json()["folder"] == {"name": "photos", "files": ["a"], "left_out": 1}
    assert "are read" in refusal(client.ask("POST", "/api/files/0"), 413)


def test_without_a_folder(make_client):
    client = make_client(folder=False)
    assert client.ask("GET", "/api/start").json()["folder"] is None
    assert "--pictures FOLDER" in refusal(client.ask("POST", "/api/files/0"), 404)


def test_folders_that_cannot_be_offered(tmp_path):
    with pytest.raises(UsageError, match="there is no folder .*nowhere"):
        PictureFolder(tmp_path / "nowhere", Limits())
    with pytest.raises(UsageError, match="no picture was found"):
        PictureFolder(tmp_path, Limits())
    (tmp_path / "photos").mkdir()
    (tmp_path / "a.png").write_bytes(encoded(picture()))
    (tmp_path / "photos" / "a.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(UsageError, match="all links to outside"):
        PictureFolder(tmp_path / "photos", Limits())
