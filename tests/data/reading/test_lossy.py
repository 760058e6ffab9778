import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.checking.check import check
from attseg.data.classes import ClassTable
from attseg.data.reading.image import read_labels, read_raw_labels
from attseg.data.reading.lossy import LossyError

EVERY = ClassTable(tuple(f"c{index}" for index in range(255)), ((0, 0, 0),) * 255)
"""Every value but 255 is a class, so that no wrong value is unknown."""


def mask(high=32):
    values = np.full((48, 40), 2, np.uint8)
    values[10:30, 5:25] = high
    return values


def encoded(format, values, **options):
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format, **options)
    return buffer.getvalue()


def in_tiff(values, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def mpo():
    buffer = io.BytesIO()
    Image.fromarray(mask()).save(buffer, "MPO", save_all=True, append_images=[Image.fromarray(mask())])
    return buffer.getvalue()


def animated_webp(**options):
    frames = [Image.fromarray(mask(high)).convert("RGB") for high in (32, 99)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], **options)
    return buffer.getvalue()


def pillow_tiff(values, compression):
    return encoded("TIFF", values, compression=compression)


RGB = np.repeat(mask()[..., None], 3, 2)

LOSSY = {
    "gray JPEG": lambda: encoded("JPEG", mask(), quality=75),
    "gray JPEG of the best quality": lambda: encoded("JPEG", mask(), quality=100),
    "colour JPEG": lambda: encoded("JPEG", RGB),
    "progressive JPEG": lambda: encoded("JPEG", mask(), progressive=True),
    "JPEG of one value": lambda: encoded("JPEG", np.full((8, 8), 128, np.uint8)),
    "MPO": mpo,
    "JPEG in TIFF": lambda: pillow_tiff(mask(), "jpeg"),
    "colour JPEG in TIFF": lambda: pillow_tiff(RGB, "jpeg"),
    "lossy WebP": lambda: encoded("WEBP", RGB),
    "lossy WebP of the best quality": lambda: encoded("WEBP", RGB, quality=100),
    "lossy WebP with opacity": lambda: encoded("WEBP", np.dstack((RGB, mask(99)))),
    "lossy animated WebP": lambda: animated_webp(lossless=False),
    "irreversible JPEG 2000": lambda: encoded("JPEG2000", mask(), irreversible=True),
    "irreversible JPEG 2000 of three bands": lambda: encoded("JPEG2000", RGB, irreversible=True),
    "JPEG 2000 without boxes": lambda: encoded("JPEG2000", mask(), irreversible=True, no_jp2=True),
    "AVIF": lambda: encoded("AVIF", RGB),
    "AVIF of the best quality": lambda: encoded("AVIF", RGB, quality=100),
}

LOSSLESS = {
    "PNG": lambda: encoded("PNG", mask()),
    "BMP": lambda: encoded("BMP", mask()),
    "PGM": lambda: encoded("PPM", mask()),
    "TGA": lambda: encoded("TGA", mask()),
    "TIFF": lambda: in_tiff(mask()),
    "TIFF with LZW": lambda: pillow_tiff(mask(), "tiff_lzw"),
    "TIFF with deflate": lambda: in_tiff(mask(), compression="zlib"),
    "lossless WebP": lambda: encoded("WEBP", RGB, lossless=True),
    "lossless WebP with metadata": lambda: encoded("WEBP", RGB, lossless=True, exif=Image.Exif().tobytes()),
    "JPEG 2000": lambda: encoded("JPEG2000", mask()),
    "JPEG 2000 codestream": lambda: encoded("JPEG2000", mask(), no_jp2=True),
}


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("what", LOSSY)
def test_lossy_label_files_are_refused_whatever_they_are_called(tmp_path, what, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(LOSSY[what]())
    with pytest.raises(LossyError, match=r"compressed with loss .*(JPEG|WebP|AVIF).* as PNG") as error:
        read_labels(path, EVERY)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("what", LOSSLESS)
def test_lossless_ones_are_read_as_they_are(tmp_path, what, ending):
    path = tmp_path / f"a{'.tga' if what == 'TGA' else ending}"
    path.write_bytes(LOSSLESS[what]())
    assert np.array_equal(read_labels(path, EVERY), mask())


def test_lossless_webp_of_colours_is_no_label_file(tmp_path):
    colours = RGB.copy()
    colours[0, 0, 1] = 7
    (tmp_path / "a.webp").write_bytes(encoded("WEBP", colours, lossless=True))
    with pytest.raises(ValueError, match="holds colours"):
        read_raw_labels(tmp_path / "a.webp")


@pytest.mark.parametrize("what", ["gray JPEG", "JPEG in TIFF", "lossy WebP"])
def test_the_check_and_training_refuse_them(folder, what):
    (folder / "classes.csv").write_text("index,name\n" + "".join(f"{index},c{index}\n" for index in range(255)))
    file = folder / "labels/train/a.png"
    file.write_bytes(LOSSY[what]())
    Image.new("RGB", (40, 48)).save(folder / "images/train/a.png")
    result = check("folder", folder)
    (finding,) = [finding for finding in result.findings if finding.severity == "error"]
    assert (finding.kind, finding.file) == ("lossy labels", str(file))
    data = open_data("folder", "train", root=folder)
    with pytest.raises(LossyError):
        data[0]


def test_what_is_assumed_of_jpeg_2000_is_said(folder):
    for path in (folder / "labels").rglob("*.png"):
        values = np.array(Image.open(path))
        path.unlink()
        path.with_suffix(".jp2").write_bytes(encoded("JPEG2000", values))
    text = dict(check("folder", folder).assumed)["label files"]
    assert text.startswith("gray JPEG2000 (5)") and "taken as lossless" in text
