"""Colours of more than 8 bits in PNG, JPEG 2000 and PPM keep their bits."""

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from attseg.data.reading.image import read_image, read_raw, read_raw_labels
from attseg.data.sample import DataError

H, W = 13, 18


def noise(bands, top=65535, seed=0):
    return np.random.default_rng(seed).integers(0, top + 1, (H, W, bands)).astype(np.uint16)


def scaled(values, top):
    return np.rint(255 * values.astype(np.float64) / top).astype(np.uint8)


def test_colours_of_16_bits_in_png():
    values = noise(3)
    content = imagecodecs.png_encode(values)
    assert np.array_equal(read_image(content), scaled(values, 65535))
    shallow = noise(3, 4095)
    content = imagecodecs.png_encode(shallow)
    assert np.array_equal(read_image(content, value_range=(0, 4095)), scaled(shallow, 4095))
    assert read_raw(content).bits == 16 and np.array_equal(read_raw(content).values, shallow)


@pytest.mark.parametrize("bands", [2, 4])
def test_transparency_of_16_bits_lies_on_white(bands):
    values = noise(bands)
    colour, opacity = values[..., :-1] / 65535, values[..., -1:] / 65535
    shown = np.broadcast_to(255 * (colour * opacity + 1 - opacity), (H, W, 3))
    np.testing.assert_allclose(read_image(imagecodecs.png_encode(values)).astype(float), shown, atol=1)


def test_orientation_turns_deep_values_too(tmp_path):
    values = noise(3)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(values))
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    content = (tmp_path / "a.png").read_bytes()
    from zlib import crc32

    chunk = len(block).to_bytes(4) + b"eXIf" + block + crc32(b"eXIf" + block).to_bytes(4)
    content = content[:33] + chunk + content[33:]
    assert np.array_equal(read_raw(content).values, np.rot90(values, 3))
    assert np.array_equal(read_raw(content, apply_orientation=False).values, values)


@pytest.mark.parametrize(("bits", "bands"), [(8, 3), (10, 1), (12, 3), (16, 1), (12, 4), (8, 4)])
def test_jpeg_2000_keeps_its_bits_and_has_no_transparency(bits, bands):
    values = noise(bands, 2**bits - 1).astype(np.uint8 if bits == 8 else np.uint16)
    content = imagecodecs.jpeg2k_encode(
        values[..., 0] if bands == 1 else values, bitspersample=bits, level=0, reversible=True
    )
    raw = read_raw(content)
    assert np.array_equal(raw.values, values[..., :3]) and raw.white == 2**bits - 1
    assert (raw.bands, len(raw.read)) == (bands, min(bands, 3))
    shown = scaled(values[..., [0, 0, 0] if bands == 1 else [0, 1, 2]], 2**bits - 1)
    assert np.array_equal(read_image(content), shown)


@pytest.mark.parametrize("top", [255, 300, 4095, 65535])
def test_colours_in_ppm(top):
    values = noise(3, top)
    data = values.astype(">u2" if top > 255 else np.uint8).tobytes()
    content = f"P6\n{W} {H}\n{top}\n".encode() + data
    assert np.array_equal(read_image(content), scaled(values, top))
    assert np.array_equal(read_image(content, value_range=(0, top)), scaled(values, top))


@pytest.mark.parametrize("top", [3, 100, 1023, 4095, 65535])
def test_gray_in_pgm_is_scaled_by_its_own_white(top):
    values = noise(1, top)
    content = f"P5\n{W} {H}\n{top}\n".encode() + values.astype(">u2" if top > 255 else np.uint8).tobytes()
    assert np.array_equal(read_image(content)[..., :1], scaled(values, top))


def test_floats_of_pfm_need_a_range():
    values = np.random.default_rng(0).random((H, W), np.float32) * 7
    content = f"Pf\n{W} {H}\n-1.0\n".encode() + values[::-1].tobytes()
    with pytest.raises(DataError, match="holds float32 values"):
        read_image(content)
    assert np.array_equal(read_image(content, value_range=(0, 7))[..., 0], scaled(values, 7))


def test_labels_of_16_bits_keep_their_values(tmp_path):
    values = np.array([[0, 1, 300], [65535, 7, 2]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert np.array_equal(read_raw_labels(tmp_path / "a.png").values, values)
