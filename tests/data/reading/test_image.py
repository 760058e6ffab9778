import io
import warnings
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.reading.image import read_image, read_labels
from attseg.data.reading.opening import MAX_PIXELS
from attseg.data.sample import DataError

HEIGHT, WIDTH = 6, 9
TABLE = ClassTable(("water", "land"), ((0, 0, 255), (0, 255, 0)), {0: 0, 1: 1, 7: IGNORE})

UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: stored[::-1].transpose(1, 0, 2),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: stored[:, ::-1].transpose(1, 0, 2),
}


@pytest.fixture
def ramp():
    """A colour picture without noise, so that every mode can hold it roughly."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([20 * x + 30, 25 * y + 40, np.full_like(x, 90)], axis=2).astype(np.uint8)


def encode(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def write(path, values):
    Image.fromarray(np.asarray(values)).save(path)
    return path


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV"])
def test_modes_with_colour_keep_it(ramp, mode):
    image = Image.fromarray(ramp)
    image = image.convert("RGBA").convert(mode) if mode == "RGBa" else image.convert(mode)
    np.testing.assert_allclose(read_image(image).astype(int), ramp, atol=4)


@pytest.mark.parametrize("mode", ["L", "LA", "La"])
def test_gray_modes_keep_their_brightness(ramp, mode):
    gray = Image.fromarray(ramp).convert("L")
    image = gray.convert("LA").convert(mode) if mode == "La" else gray.convert(mode)
    expected = np.repeat(np.asarray(gray)[..., None], 3, axis=2)
    assert np.array_equal(read_image(image), expected)


def test_lab_is_converted_to_srgb():
    # under the light D50 pure red is L 54.29, a 80.81, b 69.89; Pillow stores L * 255 / 100, and a and b as signed bytes
    red = Image.frombytes("LAB", (1, 1), bytes([138, 81, 70]))
    np.testing.assert_allclose(read_image(red)[0, 0].astype(int), [255, 0, 0], atol=6)


def test_palettes_and_single_bits_show_their_colours():
    palette = Image.fromarray(np.array([[0, 1]], np.uint8))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    assert read_image(palette).tolist() == [[[10, 20, 30], [200, 100, 50]]]
    assert read_image(palette.convert("PA")).tolist() == [[[10, 20, 30], [200, 100, 50]]]
    assert read_image(Image.fromarray(np.array([[False, True]]))).tolist() == [[[0] * 3, [255] * 3]]


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L"])
def test_16_bits_are_scaled_and_not_clipped(mode):
    values = np.array([[0, 257, 32896, 65535]], np.uint16)
    order = ">u2" if mode == "I;16B" else "<u2"
    image = Image.frombytes(mode, (4, 1), values.astype(order).tobytes())
    assert read_image(image)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_a_16_bit_png_file_is_scaled():
    values = np.linspace(0, 65535, 54).reshape(6, 9).astype(np.uint16)
    read = read_image(encode(Image.fromarray(values)))
    assert np.array_equal(read[..., 0], np.rint(values / 257))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("top", [1, 255, 256, 65535])
def test_floats_and_32_bits_need_a_range_whatever_they_hold(dtype, top):
    values = np.array([[0, top // 2, top]]).astype(dtype)
    with pytest.raises(
        DataError, match=rf"the given picture holds {dtype.__name__} values from 0 to {top}.*--data\.options\.range"
    ):
        read_image(Image.fromarray(values))
    read = read_image(Image.fromarray(values), value_range=(0, top))
    assert read[0, :, 2].tolist() == [0, round(top // 2 * 255 / top), 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode):
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    if mode == "RGBA":
        image.putpixel((2, 0), (0, 0, 0, 127))
    values = read_image(encode(image.convert(mode), "PNG"))[0, :, 1].tolist()
    assert values == [0, 255, 128 if mode == "RGBA" else 0]


def test_a_transparent_colour_of_a_palette_or_gray_png_lies_on_white():
    palette = Image.fromarray(np.array([[0, 1]], np.uint8))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    assert read_image(encode(palette, transparency=1)).tolist() == [[[10, 20, 30], [255, 255, 255]]]
    assert read_image(encode(palette, transparency=b"\x00\xff")).tolist() == [[[255, 255, 255], [200, 100, 50]]]
    gray = Image.fromarray(np.array([[5, 9]], np.uint8))
    assert read_image(encode(gray, transparency=9)).tolist() == [[[5] * 3, [255] * 3]]


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_exif_orientation_is_applied(ramp, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(read_image(encode(Image.fromarray(ramp), kind, exif=exif)), UPRIGHT[orientation](ramp))


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_image(content)[0, 0].tolist() == [255, 0, 0]


def test_every_kind_of_source_gives_the_same(ramp, tmp_path):
    path = write(tmp_path / "a.png", ramp)
    with path.open("rb") as file, Image.open(path) as image:
        for source in (path, str(path), path.read_bytes(), file, image):
            assert np.array_equal(read_image(source), ramp)


def test_what_is_read_may_be_written_to(ramp):
    assert read_image(encode(Image.fromarray(ramp))).flags.writeable


def test_a_given_picture_is_left_alone(ramp):
    image = Image.fromarray(ramp)
    image.info["exif"] = (exif := Image.Exif()).tobytes()
    exif[0x0112] = 6
    read_image(image)
    assert image.size == (WIDTH, HEIGHT) and np.array_equal(np.asarray(image), ramp)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
def test_a_truncated_file_is_named(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = encode(Image.fromarray(noise), kind)
    path = tmp_path / "broken.img"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"broken\.img cannot be read as a picture: .+; replace or remove it"):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", r"it is empty \(0 bytes\)"), (b"hello", "of no picture format that is known here")]
)
def test_a_file_that_is_no_picture_is_named(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.jpg cannot be read as a picture: .*{reason}"):
        read_image(path)
    with pytest.raises(DataError, match=rf"given as {len(content)} bytes cannot be read as a picture: .*{reason}"):
        read_image(content)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.png cannot be read as a picture: there is no such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(DataError, match=f"{tmp_path.name} cannot be read as a picture: it is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("size", [(8200, 8200), (12_000, 12_000), (40_000, 40_000)])
@pytest.mark.parametrize("warning", ["error", "ignore"])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(size, warning):
    bomb = encode(Image.new("1", (8, 8))).replace((8).to_bytes(4), b"SIZE", 2)
    header = b"".join(side.to_bytes(4) for side in size)
    content = fix_checksum(bomb.replace(b"SIZESIZE", header))
    with warnings.catch_warnings():
        warnings.simplefilter(warning)
        with pytest.raises(DataError, match=rf"at most {MAX_PIXELS} .* are read: scale it down"):
            read_image(content)


def fix_checksum(png):
    return png[:29] + crc32(png[12:29]).to_bytes(4) + png[33:]


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "I"])
def test_labels_of_any_depth_are_read_as_classes(tmp_path, mode):
    raw = np.array([[0, 1, 7], [1, 1, 0]])
    path = tmp_path / "a.tif"
    image = Image.fromarray(raw.astype({"I;16": np.uint16, "I": np.int32}.get(mode, np.uint8)))
    if mode == "P":
        image.putpalette([200, 0, 0, 0, 200, 0])
    image.save(path)
    labels = read_labels(path, TABLE)
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[0, 1, 255], [1, 1, 0]]


def test_labels_of_one_bit_are_zero_and_one(tmp_path):
    path = write(tmp_path / "a.png", np.array([[False, True]]))
    assert read_labels(path, TABLE).tolist() == [[0, 1]]


def test_colour_masks_are_refused_with_advice(tmp_path, ramp):
    with pytest.raises(DataError, match=r"a\.png holds colours \(mode RGB\).*Replace each colour by the number"):
        read_labels(write(tmp_path / "a.png", ramp), TABLE)
    with pytest.raises(DataError, match=r"Its three colour channels are equal: save one of them"):
        read_labels(write(tmp_path / "b.png", np.repeat(ramp[..., :1], 3, axis=2)), TABLE)
    with pytest.raises(DataError, match=r"holds gray with transparency \(mode LA\)"):
        Image.new("LA", (2, 2)).save(tmp_path / "c.png")
        read_labels(tmp_path / "c.png", TABLE)


def test_an_unknown_label_value_is_named_with_file_and_share(tmp_path):
    raw = np.zeros((10, 10), np.uint8)
    raw[0, :3] = 9
    with pytest.raises(
        DataError, match=r"a\.png: 3 % of the pixels hold the value 9, but the classes know only 0\.\.1, and 7"
    ):
        read_labels(write(tmp_path / "a.png", raw), TABLE)
    with pytest.raises(DataError, match=r"hold the value 300, .*stretched to 16 bits"):
        read_labels(write(tmp_path / "b.png", np.array([[0, 300]], np.uint16)), TABLE)
