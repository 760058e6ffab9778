"""Tags and segments of TIFF files that would cost out of proportion to the size of the file."""

import io
import json
import struct
import time
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from attseg.data.reading.image import read_image
from attseg.data.sample import DataError

SIZE = 2_000_000


class At:
    """Values that lie at some place in the file, however many tags say so."""

    def __init__(self, place, count):
        self.place, self.count = place, count


def tiff(*tags, body=bytes(64), side=8, samples=1, compression=1, segments=None):
    """A gray TIFF by hand: tags are (code, type, values), and ``segments`` (offsets, lengths, rows)."""
    offsets, lengths, rows = segments or ([8], [len(body)], side)
    height = rows * len(offsets)
    own = [
        *((256, 4, [side]), (257, 4, [height]), (258, 3, [8] * samples), (259, 3, [compression]), (262, 3, [1])),
        *((273, 4, offsets), (277, 3, [samples]), (278, 4, [rows]), (279, 4, lengths)),
    ]
    replaced = {code for code, *_ in tags}
    entries = b""
    for code, kind, values in sorted([*(tag for tag in own if tag[0] not in replaced), *tags], key=lambda tag: tag[0]):
        if isinstance(values, At):
            entries += struct.pack("<HHII", code, kind, values.count, values.place)
            continue
        raw = values if isinstance(values, bytes) else np.array(values, {3: "<u2", 4: "<u4"}[kind]).tobytes()
        if len(raw) > 4:
            place = 8 + len(body)
            body += raw
            raw = struct.pack("<I", place)
        entries += struct.pack("<HHI4s", code, kind, len(values), raw)
    return (
        b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(entries) // 12) + entries + bytes(4)
    )


def jpeg(before=b""):
    file = io.BytesIO()
    Image.new("L", (16, 16)).save(file, "JPEG")
    return file.getvalue()[:2] + before + file.getvalue()[2:]


def tiles(content, count):
    side = 16 * count
    everywhere = [8] * count**2, [len(content)] * count**2
    return tiff(
        *(
            (256, 4, [side]),
            (257, 4, [side]),
            (322, 4, [16]),
            (323, 4, [16]),
            (324, 4, everywhere[0]),
            (325, 4, everywhere[1]),
        ),
        body=content + bytes(SIZE),
        compression=7,
    )


REFUSED = {
    "tags with the same values": lambda: tiff(
        *((40000 + i, 3, At(8, SIZE // 2)) for i in range(4000)), body=bytes(SIZE)
    ),
    "descriptions in the same place": lambda: tiff(*((270, 2, At(8, SIZE)) for _ in range(4000)), body=bytes(SIZE)),
    "endless tags": lambda: tiff(*((500 + i, 3, [1]) for i in range(60_000))),
    "endless bands": lambda: tiff((338, 3, At(8, SIZE // 2)), body=bytes(SIZE)),
    "tags with the same values, in a chain of pages": lambda: chain(tags=60, pages=60),
    "comments in shared JPEG tiles": lambda: tiles(jpeg(b"\xff\xfe\0\2" * 9000), 12),
    "strips without end": lambda: tiff(
        segments=([8] * 70_000, [8] * 70_000, 1), body=zlib.compress(bytes(8)), compression=8
    ),
    "JPEG tables of a megabyte": lambda: tiff(
        (347, 7, At(8, SIZE // 2)), body=jpeg() + bytes(SIZE), compression=7, side=16
    ),
}


def chain(tags, pages):
    """Pages that are overviews, each with values in the same place."""
    at, parts = 8 + SIZE, [b"II*\0" + struct.pack("<I", 8 + SIZE) + bytes(SIZE)]
    own = ((254, 1), (256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8), (279, 64))
    for page in range(pages):
        entries = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in own)
        entries += b"".join(struct.pack("<HHII", 40000 + tag, 2, SIZE, 8) for tag in range(tags))
        at += 6 + len(entries)
        parts.append(struct.pack("<H", len(own) + tags) + entries + struct.pack("<I", 0 if page == pages - 1 else at))
    return b"".join(parts)


@pytest.mark.slow
@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_tags_and_segments_out_of_proportion_are_refused_at_once(make):
    content = make()
    start = time.process_time()
    with pytest.raises(DataError, match=r"tags|bands|markers|strips or tiles|JPEG tables"):
        read_image(content)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("side", ["2", "9" * 4000])
def test_the_shape_that_a_description_states_costs_nothing(side):
    """Multiplied out, half a million sides were minutes."""
    stated = json.dumps({"shape": ["?"]}).replace('"?"', ",".join([side] * (SIZE // (len(side) + 1))))
    start = time.process_time()
    assert read_image(tiff((270, 2, stated.encode()))).shape == (8, 8, 3)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", "<>")
def test_many_tags_of_an_honest_file_are_read(bigtiff, byteorder, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    extra = [(60000 + number, 2, 0, "text " * 1000, True) for number in range(500)]
    tifffile.imwrite(tmp_path / "a.tif", image, bigtiff=bigtiff, byteorder=byteorder, extratags=extra, rowsperstrip=1)
    assert np.array_equal(read_image(tmp_path / "a.tif"), image)
