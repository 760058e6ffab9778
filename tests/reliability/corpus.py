"""Files that a stranger may have made: good ones of every kind that is read, and what becomes of them when they are damaged.

Everything is made when it is asked for, from a kind and a number, so that a case that failed comes again by its number.
"""

import io
import json
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from scipy.io import savemat

from attseg.checkpoint import save_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.models import FCN
from attseg.recipes import RECIPES
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import Machine, ModelSpec

SHAPES = ((1, 1), (1, 9), (7, 1), (8, 8), (13, 21), (1, 3000), (3000, 1))
NASTY = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\r",
    b"\x1b[2J",
    b"\xed\xa0\x80",
    "\u202e\u0000é".encode(),
    b"9" * 5000,
)
"""Bytes that texts do not expect: NUL, byte order marks, line ends, a command to a terminal, half a character, a long number."""
SUFFIXES = (".png", ".jpg", ".tif", ".gif", ".webp", ".mat", ".csv", ".yaml", ".zip", ".tgz", ".safetensors", "")


@dataclass(frozen=True)
class Case:
    """A file.

    Args:
        kind: What it is meant to be.
        name: Of the file.
        content: Of the file.
        values: What was written into it, where the kind has such.
        whole: Whether nothing was done to it.
    """

    kind: str
    name: str
    content: bytes
    values: object = None
    whole: bool = True


def make(kind, number):
    """The case of a kind with a number: three in twenty are whole."""
    rng = np.random.default_rng([number, *kind.encode()])
    name, content, values = MAKERS[kind](rng)
    if rng.random() < 0.15:
        return Case(kind, name, content, values)
    damaged = content
    for _ in range(rng.integers(1, 4)):
        damaged = DAMAGES[rng.integers(len(DAMAGES))](rng, damaged)
    if rng.random() < 0.05:
        name = Path(name).stem + SUFFIXES[rng.integers(len(SUFFIXES))]
    return Case(kind, name, damaged, values, damaged == content)


def _cut(rng, content):
    return content[: rng.integers(len(content) + 1)]


def _empty(rng, content):
    return b""


def _flip(rng, content):
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        if changed:
            changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
    return bytes(changed)


def _extreme(rng, content):
    """A number in a header that is as large, or as small, as it can be."""
    width = int(rng.choice([1, 2, 4, 8]))
    at = int(rng.integers(max(1, min(len(content), 4000) - width + 1)))
    value = (b"\xff" * width, b"\x00" * width, b"\x7f" + b"\xff" * (width - 1), b"\xff" * (width - 1) + b"\x7f")
    return content[:at] + value[rng.integers(len(value))] + content[at + width :]


def _drop(rng, content):
    start, end = sorted(rng.integers(len(content) + 1, size=2).tolist())
    return content[:start] + content[end:]


def _repeat(rng, content):
    start, end = sorted(rng.integers(len(content) + 1, size=2).tolist())
    return content[:end] + content[start:end] * int(rng.integers(1, 4)) + content[end:]


def _insert(rng, content):
    at = int(rng.integers(len(content) + 1))
    return content[:at] + NASTY[rng.integers(len(NASTY))] + content[at:]


def _splice(rng, content):
    """The head of one file and the tail of another, of any kind."""
    other = MAKERS[list(MAKERS)[rng.integers(len(MAKERS))]](rng)[1]
    return content[: rng.integers(len(content) + 1)] + other[rng.integers(len(other) + 1) :]


def _noise(rng, content):
    return content[: rng.integers(min(len(content), 16) + 1)] + rng.bytes(int(rng.integers(200)))


DAMAGES = (_cut, _cut, _flip, _flip, _flip, _extreme, _extreme, _drop, _repeat, _insert, _splice, _noise, _empty)


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


def _encoded(image, kind, **options):
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


def _picture(rng):
    kind, mode = PICTURES[rng.integers(len(PICTURES))]
    shape = SHAPES[rng.integers(len(SHAPES))]
    image = _in_mode(rng, mode, shape)
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
    return f"picture.{suffix}", _encoded(image, kind, **options), None


def _in_mode(rng, mode, shape):
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


def _labels(rng):
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
    return f"labels.{kind.lower()[:3]}", _encoded(image, kind), values


def _matlab(rng):
    shape = SHAPES[rng.integers(len(SHAPES))]
    dtype = (np.uint8, np.uint8, np.int32, np.float64)[rng.integers(4)]
    values = rng.integers(0, 21, shape).astype(dtype)
    buffer = io.BytesIO()
    content = {"Boundaries": np.zeros((2, 2)), "Segmentation": values, "CategoriesPresent": np.ones((1, 1))}
    savemat(buffer, {"GTcls": content}, do_compression=bool(rng.random() < 0.5))
    return "labels.mat", buffer.getvalue(), values


def _classes(rng):
    count = int(rng.integers(1, 12))
    numbers = rng.permutation(256)[:count].tolist()
    if rng.random() < 0.1:
        numbers[-1] = numbers[0]  # an index twice
    words = (
        "sky",
        "a road",
        '"a ""quoted"" one, with comma"',
        "void",
        "été",
        "<script>alert(1)</script>",
        "=1+1",
        "[red]",
    )
    lines = ["index,name,r,g,b,ignore"]
    for place, number in enumerate(numbers):
        word = words[rng.integers(len(words))]
        name = f'"{word[1:-1]} {place}"' if word.startswith('"') else f"{word} {place}" if rng.random() < 0.9 else word
        lines.append(f"{number},{name},{rng.integers(256)},{rng.integers(256)},{rng.integers(256)},{rng.integers(2)}")
    end = ("\n", "\r\n", "\r")[rng.integers(3)]
    text = end.join(lines).encode()
    return "classes.csv", (b"\xef\xbb\xbf" if rng.random() < 0.2 else b"") + text, None


def _list(rng):
    names = [f"2007_{number:06}" for number in rng.integers(10**6, size=rng.integers(1, 9))]
    style = ("{}", "/JPEGImages/{}.jpg /SegmentationClassAug/{}.png", "../../etc/{}.jpg", "{}.png")[rng.integers(4)]
    return "train.txt", "\n".join(style.format(name, name) for name in names).encode(), names


def _recipe(rng):
    name = list(RECIPES)[rng.integers(len(RECIPES))]
    lines = to_yaml(RECIPES[name](), Machine()).splitlines()
    if rng.random() < 0.5:
        at = int(rng.integers(len(lines) + 1))
        lines.insert(at, HOSTILE[rng.integers(len(HOSTILE))])
    return "recipe.yaml", "\n".join(lines).encode(), None


HOSTILE = (
    "a: &a [1]",
    "source: *a",
    "<<: {steps: 1}",
    "name: !!python/object/apply:os.system ['touch CANARY']",
    "init: !!python/name:os.system",
    "class_path: os.system",
    "  class_path: subprocess.Popen",
    "steps: 99999999999999999999999999999",
    "steps: .inf",
    "loss: 1e999",
    "steps: 1_000",
    "? {a: b}",
    "%TAG ! tag:yaml.org,2002:python/",
    "--- ",
    "stepz: 1",
    "name: " + "x" * 3000,
    "a: " + "[" * 200,
    "crop_size: [1e400, -1]",
)
"""Lines that a recipe does not have: aliases, tags, importable names, unknown keys, numbers without end."""


@cache
def _network():
    model = FCN(2, encoder="test_resnet", channels=4)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def weights(path, state, *, model=None, names=("sky", "road")):
    """A file of weights of the smallest network."""
    save_weights(
        path,
        state,
        model=model or ModelSpec(name="FCN", args={"encoder": "test_resnet", "channels": 4}),
        classes=ClassTable(names, tuple((number, 0, 0) for number in range(len(names)))),
        preprocessing=Preprocessing(),
        info={"step": 1, "recipe": {"data": {"name": "scenes"}}},
    )


def _weights(rng):
    state = {"a.weight": torch.from_numpy(rng.random((3, 4), np.float32)), "a.count": torch.tensor(7)}
    with TemporaryDirectory() as folder:
        weights(Path(folder, "w"), state)
        return "weights.safetensors", Path(folder, "w").read_bytes(), state


def with_header(content, change):
    """A safetensors file whose header of ours went through a function."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["attseg"] = change(header["__metadata__"]["attseg"])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


JUNK = (
    None,
    [],
    {},
    "",
    "x",
    -1,
    10**12,
    1e308,
    float("nan"),
    float("inf"),
    True,
    [[]],
    {"a": None},
    "\ud800",
    "a" * 5000,
)


def _model(rng):
    """Weights of a network whose header says something else in one place."""
    with TemporaryDirectory() as folder:
        weights(Path(folder, "w"), _network())
        content = Path(folder, "w").read_bytes()

    def change(text):
        values = json.loads(text)
        place = values
        path = (
            ("format",),
            ("model", "name"),
            ("model", "args"),
            ("model", "args", "encoder"),
            ("model", "args", "channels"),
            ("model", "args", "output_stride"),
            ("model", "args", "context"),
            ("model", "args", "class_path"),
            ("classes",),
            ("classes", "names"),
            ("classes", "colors"),
            ("preprocessing", "mean"),
            ("preprocessing", "std"),
            ("info",),
            ("info", "recipe"),
            ("info", "recipe", "data"),
        )[rng.integers(16)]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = JUNK[rng.integers(len(JUNK))]
        return json.dumps(values)

    return "model.safetensors", with_header(content, change), _network()


def _archive(rng):
    files = {
        f"set/{'sub/' * int(rng.integers(3))}{number}.txt": rng.bytes(int(rng.integers(400))) for number in range(5)
    }
    if rng.random() < 0.3:
        name = (
            "../out.txt",
            "/tmp/attseg-out.txt",
            "set/../../out.txt",
            "set/\u00e9",
            "set/" + "n" * 300,
            "set/0.txt/x",
        )
        files[name[rng.integers(len(name))]] = b"x"
    suffix = (".zip", ".tar", ".tgz")[rng.integers(3)]
    buffer = io.BytesIO()
    if suffix == ".zip":
        with zipfile.ZipFile(buffer, "w", int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz" if suffix == ".tgz" else "w") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                if rng.random() < 0.05:
                    info.type, info.linkname = (
                        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE)[rng.integers(3)],
                        "/etc",
                    )
                archive.addfile(info, io.BytesIO(content))
    return f"archive{suffix}", buffer.getvalue(), files


def _counts(rng):
    lines = [json.dumps({"format": 1, "protocol": "single"})]
    for index in range(int(rng.integers(5))):
        counts = {
            "pixels": {"kind": "int64", "shape": [2, 2], "at": [0, 3], "values": rng.integers(9, size=2).tolist()}
        }
        lines.append(json.dumps({"index": index, "name": f"street {index}", "counts": counts}))
    return "pictures.jsonl", "".join(line + "\n" for line in lines).encode(), None


MAKERS = {
    "picture": _picture,
    "labels": _labels,
    "matlab": _matlab,
    "classes": _classes,
    "list": _list,
    "recipe": _recipe,
    "weights": _weights,
    "model": _model,
    "archive": _archive,
    "counts": _counts,
}
