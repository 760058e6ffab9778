"""Hostile and broken pictures: each is refused with a sentence, and the server goes on."""

import asyncio
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from exploring import encoded, picture, refusal


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def claiming(width, height):
    """A small PNG that says it is of any size."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(3 * 1000))) + chunk(b"IEND", b"")


WRONG = {
    "text": b"this is no picture",
    "html": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "zeros": bytes(1000),
    "truncated png": encoded(picture(200, 200))[:1000],
    "truncated jpeg": encoded(picture(200, 200), "JPEG")[:2000],
    "png signature": b"\x89PNG\r\n\x1a\n",
    "damaged png": encoded(picture())[:60] + b"\x00\x01" + encoded(picture())[62:],
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_is_no_picture(client, content):
    message = refusal(client.upload(content, "street.png"), 422)
    assert message.startswith("street.png ")
    assert "/" not in message.replace("street.png", "")  # no path of the server
    assert client.ask("GET", "/api/start").json()["pictures"] == []


def test_an_empty_file(client):
    assert refusal(client.upload(b""), 422) == "the file is empty (0 bytes); give a picture"


@pytest.mark.parametrize(("width", "height"), [(8000, 5001), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (40_000_001, 1)])
def test_bombs_are_refused_before_they_are_decoded(client, width, height, recwarn):
    message = refusal(client.upload(claiming(width, height)), 422)
    assert "at most 40 million are read" in message
    recwarn.clear()


def test_a_picture_at_the_limit_is_read_and_scaled_down(make_client):
    client = make_client(pixels=3_000_000)
    told = client.put(encoded(np.zeros((1500, 2000, 3), np.uint8)))
    assert (told["height"], told["width"]) == (866, 1154)
    assert told["height"] * told["width"] <= 1_000_000
    refusal(client.upload(encoded(np.zeros((1500, 2001, 3), np.uint8))), 422)
    notes = client.ask("GET", f"/api/pictures/{told['key']}/models/0").json()["notes"]
    assert (
        notes[0]
        == "The picture has 1500 × 2000 pixels (height × width); it is shown, and models see it, at 866 × 1154."
    )


@pytest.mark.parametrize(("height", "width", "seen"), [(1, 30_000, (1, 1200)), (30_000, 1, (1200, 1)), (1, 1, (1, 1))])
def test_lines_and_points(client, height, width, seen):
    told = client.put(encoded(picture(height, width)))
    assert (told["height"], told["width"]) == seen
    bundle = client.ask("GET", f"/api/pictures/{told['key']}/models/0").json()
    assert bundle["sides"][0]["labels"]["shape"] == list(seen)


GIF = [Image.fromarray(picture(seed=seed)).convert("P") for seed in range(3)]
KINDS = {
    "animated": encoded(GIF[0], "GIF", save_all=True, append_images=GIF[1:]),
    "cmyk": encoded(Image.fromarray(picture()).convert("CMYK"), "JPEG"),
    "16 bit": encoded(Image.fromarray(np.arange(2000, dtype=np.uint16).reshape(40, 50) * 32)),
    "gray with alpha": encoded(Image.new("LA", (50, 40), (9, 0))),
    "palette": encoded(GIF[0]),
    "one bit": encoded(Image.new("1", (50, 40))),
    "16 bits": encoded(Image.fromarray(np.linspace(0, 65535, 2000).astype(np.uint16).reshape(40, 50)), "TIFF"),
    "webp": encoded(picture(), "WEBP"),
    "bmp": encoded(picture(), "BMP"),
    "lying name": encoded(picture(), "JPEG"),
}


@pytest.mark.parametrize("content", KINDS.values(), ids=KINDS)
def test_every_kind_of_picture_is_seen(client, content):
    told = client.put(content, "picture.png")
    assert (told["height"], told["width"]) == (40, 50)
    assert client.ask("GET", f"/api/pictures/{told['key']}/models/0").status_code == 200


def test_floats_are_refused_with_their_range_and_the_option(client):
    """The demo model has no range of values, and a page that guessed one would show what no model was trained on."""
    content = encoded(Image.fromarray(np.linspace(-3, 9, 2000, dtype=np.float32).reshape(40, 50)), "TIFF")
    told = refusal(client.upload(content, "height.tif"), 422)
    for fact in ("height.tif", "float32", "from -3 to 9", "--data.options.range LOW,HIGH"):
        assert fact in told


def test_a_turned_photo_is_upright(client):
    image = Image.fromarray(picture(40, 50))
    turned = Image.Exif()
    turned[0x0112] = 6
    told = client.put(encoded(image, "JPEG", exif=turned), "photo.jpg")
    assert (told["height"], told["width"]) == (50, 40)


async def pieces(count, size):
    for _ in range(count):
        yield bytes(size)


def test_too_many_bytes_are_refused_by_what_is_declared(make_client):
    client = make_client(upload_bytes=10_000)
    assert "at most" in refusal(client.upload(bytes(10_001)), 413)
    declared = {"Content-Length": str(2**40)}
    assert "1048576.0 MiB" in refusal(client.upload(pieces(1, 10), headers=declared), 413)
    for wrong in ("x", "-1", "1e3", "9" * 5000):
        assert client.upload(pieces(1, 10), headers={"Content-Length": wrong}).status_code in (400, 413)


def test_too_many_bytes_are_refused_as_they_come(make_client):
    client = make_client(upload_bytes=10_000)
    sent = 0

    async def counted():
        nonlocal sent
        async for piece in pieces(1000, 1000):
            sent += len(piece)
            yield piece

    assert "the file has more; at most" in refusal(client.upload(counted()), 413)
    assert sent <= 12_000
    assert "no picture" in refusal(client.upload(pieces(10, 1000)), 422)


def test_a_slow_file_is_given_up(make_client):
    client = make_client(body_seconds=0.2)

    async def slow():
        while True:
            await asyncio.sleep(0.05)
            yield b"x"

    assert "did not arrive within 0.2 s" in refusal(client.upload(slow()), 408)


def test_a_few_files_arrive_at_once(make_client):
    client = make_client(uploads=2, body_seconds=5)

    async def flood():
        gate = asyncio.Event()

        async def waiting():
            await gate.wait()
            yield encoded(picture())

        tasks = [asyncio.create_task(client.asking("POST", "/api/pictures", content=waiting())) for _ in range(2)]
        await asyncio.sleep(0.05)
        refused = await client.asking("POST", "/api/pictures", content=encoded(picture()))
        gate.set()
        return refused, await asyncio.gather(*tasks)

    refused, answers = client.run(flood())
    assert "2 files are arriving already" in refusal(refused, 503)
    assert refused.headers["Retry-After"] == "1"
    assert [answer.status_code for answer in answers] == [201, 201]
    client.put(encoded(picture()))


FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="../../x"\r\n\r\n'


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data; boundary=b", FORM + encoded(picture()) + b"\r\n--b--"),
        ("multipart/form-data", FORM),
        ("Multipart/Form-Data; boundary=" + "b" * 5000, b"--"),
        ("application/x-www-form-urlencoded", b"a=" + b"%" * 100),
    ],
)
def test_forms_are_not_taken_apart(client, kind, content):
    answer = client.upload(content, headers={"Content-Type": kind})
    assert "send the bytes of the picture themselves" in refusal(answer, 415)
