"""Pictures and label files of every kind that is read: of all modes, sizes, orientations, packings and depths."""

import io
import struct
import zlib

import numpy as np
from PIL import Image
from scipy.io import savemat

SHAPES = ((1, 1), (1, 9), (7, 1), (8, 8), (13, 21), (1, 3000), (3000, 1))


def png(depth, color, rows, *, size=None):
    """A PNG put together by hand, for what Pillow does not write: rows are packed already."""
    width, height = size or (len(rows[0]) * 8 // depth, len(rows))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))),
            (b"IEND", b""),
        )
    )


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


PICTURES = (
    *(("PNG", mode) for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")),
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("TIFF", mode) for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F")),
    *(("GIF", mode) for mode in ("L", "P")),
    *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    *(("BMP", mode) for mode in ("1", "L", "P", "RGB")),
    *(("PPM", mode) for mode in ("1", "L", "RGB", "I;16")),
    *(("TGA", mode) for mode in ("L", "P", "RGB", "RGBA")),
    ("JPEG2000", "RGB"),
    ("AVIF", "RGB"),
)


def picture(rng):
    kind, mode = PICTURES[rng.integers(len(PICTURES))]
    shape = SHAPES[rng.integers(len(SHAPES))]
    image = in_mode(rng, mode, shape)
    options = {}
    if kind in ("JPEG", "TIFF", "PNG", "WEBP") and rng.random() < 0.4:
        exif = Image.Exif()
        exif[0x0112] = int(rng.integers(1, 9) if kind == "TIFF" else rng.integers(0, 10))
        options["exif"] = exif
    if kind == "JPEG" and rng.random() < 0.3:
        options["progressive"] = True
    if kind == "TIFF" and mode not in ("LAB", "F", "YCbCr") and rng.random() < 0.5:
        options["compression"] = ("tiff_lzw", "tiff_adobe_deflate", "packbits")[rng.integers(3)]
    if kind in ("PNG", "GIF") and mode == "P" and rng.random() < 0.6:
        options["transparency"] = int(rng.integers(4)) if kind == "GIF" or rng.random() < 0.5 else rng.bytes(5)
    if kind in ("GIF", "WEBP", "PNG", "TIFF") and rng.random() < 0.2:
        options |= {"save_all": True, "append_images": [image.copy()]}
    suffix = {"JPEG": "jpg", "JPEG2000": "jp2"}.get(kind, kind.lower())
    return f"picture.{suffix}", encoded(image, kind, **options), None


def in_mode(rng, mode, shape):
    """Noise as a picture of a mode."""
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, shape, np.uint16))
    if mode == "I":
        return Image.fromarray(rng.integers(0, (256, 65536, 2**31)[rng.integers(3)], shape, np.int32))
    if mode == "F":
        values = rng.random(shape, np.float32) * (1, 255, 65535, -1)[rng.integers(4)]
        if rng.random() < 0.3:
            values[0, 0] = (np.nan, np.inf, -np.inf)[rng.integers(3)]
        return Image.fromarray(values.astype(np.float32))
    if mode == "P":
        image = Image.fromarray(rng.integers(0, 16, shape, np.uint8))
        image.putpalette(rng.bytes(3 * 16))
        return image
    if mode in ("1", "L"):
        return Image.fromarray(rng.integers(0, 256, shape, np.uint8)).convert(mode)
    bands = {"LA": 2, "RGBA": 4, "CMYK": 4}.get(mode, 3)
    values = rng.integers(0, 256, (*shape, bands), np.uint8)
    return Image.frombytes(mode, shape[::-1], values.tobytes())


def labels(rng):
    """A label file, and the values in it."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    way = rng.integers(6)
    if way == 0:  # PNGs of few bits a pixel, which Pillow stretches
        depth = int(rng.choice([2, 4]))
        values = rng.integers(0, 2**depth, (shape[0], -(-shape[1] * depth // 8) * 8 // depth), np.uint8)
        bits = np.unpackbits(values[..., None], axis=2)[..., 8 - depth :].reshape(len(values), -1)
        return "labels.png", png(depth, 0, [row.tobytes() for row in np.packbits(bits, axis=1)]), values
    if way == 1:  # and PGMs whose white is another number
        most = int(rng.integers(1, 65536 if rng.random() < 0.3 else 256))
        values = rng.integers(0, most + 1, shape)
        packed = values.astype(">u2" if most > 255 else np.uint8).tobytes()
        return "labels.pgm", f"P5\n{shape[1]} {shape[0]}\n{most}\n".encode() + packed, values
    values = rng.integers(0, 22, shape, np.uint8)
    image = Image.fromarray(values)
    if way == 2:
        image.putpalette(rng.bytes(3 * 256))
    if way == 3:
        image = Image.fromarray(values.astype(np.uint16))
    kind = "TIFF" if way == 4 else "PNG"
    return f"labels.{kind.lower()[:3]}", encoded(image, kind), values


def matlab(rng):
    shape = SHAPES[rng.integers(len(SHAPES))]
    dtype = (np.uint8, np.uint8, np.int32, np.float64)[rng.integers(4)]
    values = rng.integers(0, 21, shape).astype(dtype)
    buffer = io.BytesIO()
    content = {"Boundaries": np.zeros((2, 2)), "Segmentation": values, "CategoriesPresent": np.ones((1, 1))}
    savemat(buffer, {"GTcls": content}, do_compression=bool(rng.random() < 0.5))
    return "labels.mat", buffer.getvalue(), values
