"""Decoding takes time linear in bytes and pixels, whatever a file is made of."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from attseg.data.reading.image import read_image
from attseg.data.reading.opening import FORMATS
from attseg.data.sample import DataError
from attseg.web.limits import Limits
from attseg.web.picture import read_picture


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(before=b"", after=b""):
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 72))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + pixels + after + chunk(b"IEND")


def encode(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(mode="RGB"):
    shape = (16, 16, 3) if mode == "RGB" else (16, 16)
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def repeated(piece, size):
    return piece * (size // len(piece))


def jpeg(piece, size, *, at=2, side=16, **options):
    content = encode(Image.new("RGB", (side, side), (9, 99, 200)), "JPEG", **options)
    return content[:at] + repeated(piece, size) + content[at:]


def gif(piece, size):
    content = encode(Image.new("L", (4, 4)), "GIF")
    head = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    return content[:head] + repeated(piece, size) + content[head:]


def bmp(data, *, side, compression):
    palette, start = bytes(1024), 14 + 40 + 1024
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, compression, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + palette + data


def jp2(size):
    content = encode(noise(), "JPEG2000")
    at = content.index(b"jp2h") - 4
    length = int.from_bytes(content[at : at + 4])
    extra = repeated(struct.pack(">I4s", 8, b"free"), size)
    inner = content[at + 8 : at + length] + extra
    return content[:at] + struct.pack(">I4s", 8 + len(inner), b"jp2h") + inner + content[at + length :]


EMPTY_SCAN = b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\0\x10\0"
PROFILE = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(900_000)))

ATTACKS = {
    "plain gray, comments before the values": lambda size: b"P2\n2 2 255\n" + repeated(b"#c\n", size) + b"0 0 0 0\n",
    "plain bits, comments before the values": lambda size: b"P1\n2 2\n" + repeated(b"#c\n", size) + b"0 0 0 0\n",
    "plain colours, comments between the values": lambda size: b"P3\n1 1 255\n0 " + repeated(b"#c\n", size) + b"0 0\n",
    "raw gray, comments in the header": lambda size: b"P5\n" + repeated(b"#c\n", size) + b"2 2 255\n0000",
    "raw gray, one long comment": lambda size: b"P5\n#" + b"c" * size + b"\n2 2 255\n0000",
    "raw gray, spaces": lambda size: b"P5\n" + b" " * size + b"2 2 255\n0000",
    "PNG, texts": lambda size: png(repeated(chunk(b"tEXt", b"a\0b"), size)),
    "PNG, texts at the end": lambda size: png(after=repeated(chunk(b"tEXt", b"a\0b"), size)),
    "PNG, private chunks": lambda size: png(repeated(chunk(b"prVt"), size)),
    "PNG, empty pixels": lambda size: png(repeated(chunk(b"IDAT"), size)),
    "PNG, colour profiles": lambda size: png(repeated(PROFILE, size)),
    "JPEG, comments": lambda size: jpeg(b"\xff\xfe\0\2", size),
    "JPEG, padding": lambda size: jpeg(b"\xff", size),
    "JPEG, scans": lambda size: jpeg(EMPTY_SCAN, size // 10, at=-2, side=2000, progressive=True),
    "BMP, run lengths": lambda size: bmp(b"\1\1\0\0" * (size // 200), side=size // 200, compression=1),
    "GIF, comments": lambda size: gif(b"\x21\xfe\1a\0", size),
    "GIF, unknown bytes": lambda size: gif(b"\x99", size),
    "JPEG 2000, boxes": lambda size: jp2(5 * size),
}


@pytest.mark.parametrize("make", ATTACKS.values(), ids=ATTACKS)
def test_files_of_tiny_pieces_are_refused_at_once(make):
    """For twice the bytes no more than twice the time, with 0.3 s to spare; without bounds it was 1 to 30 s."""
    seconds = []
    for size in (1_000_000, 2_000_000):
        content = make(size)
        start = time.process_time()
        with pytest.raises(DataError, match="given as .* (take too long|run-length)"):
            read_image(content)
        with pytest.raises(DataError, match=r"^odd\.x .*(take too long|run-length)"):
            read_picture(content, "odd.x", Limits())
        seconds.append(time.process_time() - start)
    assert seconds[1] < 2 * seconds[0] + 0.3


def test_what_cameras_and_programs_write_is_read():
    image = noise()
    info = PngImagePlugin.PngInfo()
    for number in range(300):
        info.add_text(f"key {number}", "text")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(read_image(encode(image, "PNG", pnginfo=info, icc_profile=profile)), np.array(image))
    assert np.array_equal(read_image(encode(image, "BMP")), np.array(image))
    progressive = encode(image, "JPEG", progressive=True, icc_profile=profile, comment=b"x" * 60_000)
    assert progressive.count(b"\xff\xda") > 5
    assert np.array_equal(read_image(progressive), np.array(Image.open(io.BytesIO(progressive))))
    values = np.arange(256).reshape(16, 16)
    plain = "P2 # made by hand\n16 16\n# a comment\n255\n" + "\n".join(" ".join(map(str, row)) for row in values)
    assert np.array_equal(read_image(plain.encode())[..., 0], values)


def test_large_files_of_many_chunks_are_read():
    """A PNG of 8 KiB a chunk, as libpng writes them, up to the largest size."""
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    content = encode(Image.fromarray(pixels), "PNG", compress_level=0)
    at, small = 33, []
    while at < len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        data = content[at + 8 : at + 8 + length]
        small += [chunk(kind, data[start : start + 8192]) for start in range(0, max(length, 1), 8192)]
        at += 12 + length
    assert len(small) > 1000
    assert np.array_equal(read_image(content[:33] + b"".join(small)), pixels)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "TGA"])
def test_open_files_are_read_from_the_beginning_and_stay_open(kind):
    file = io.BytesIO(encode(noise(), kind))
    file.seek(7)
    assert read_image(file).shape == (16, 16, 3)
    assert not file.closed


def test_a_large_gif_of_noise_is_read():
    """Its blocks have 255 bytes, each of which is read in two pieces."""
    values = np.random.default_rng(0).integers(0, 256, (2800, 2800), np.uint8)
    assert np.array_equal(read_image(encode(Image.fromarray(values), "GIF"))[..., 0], values)
