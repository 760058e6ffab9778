"""Labels in MATLAB files, as the Semantic Boundaries Dataset has them: the matrix ``GTcls.Segmentation``.

Only this much of the format is read (version 5, which MATLAB writes since 1996 unless told otherwise), so that no further library
is needed; the boundaries beside the labels are passed over.

Source:
    MathWorks: MAT-File Format, "Level 5 MAT-File Format".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from attseg.data.reading.content import read_content
from attseg.data.sample import DataError

VARIABLE, FIELD = "GTcls", "Segmentation"

HEADER = 128
MOST_BYTES = 2**28
"""Of a file, and of its variables when unpacked, all together: a small file may claim any size."""
MOST_FIELDS = 1000
"""Fields of a structure; that of SBD has three."""
LARGEST = 2**53
"""Up to here floats hold every whole number."""

_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
_STRUCT = 2
_NUMERIC = range(6, 16)
"""Classes of matrices that hold numbers: float64, float32, and whole numbers of 8 to 64 bits."""

_Order = Literal["<", ">"]


def read_matlab_labels(path: str | Path) -> npt.NDArray[Any]:
    """The matrix ``GTcls.Segmentation`` of a file.

    Returns:
        (H, W) integers of the type that the file has.

    Raises:
        DataError: The file cannot be read, is no MATLAB file of version 5, or holds no such matrix.
    """
    path = Path(path)
    data = read_content(path, most=MOST_BYTES, what="a label file")
    try:
        values = _find_labels(data)
    except DataError as error:
        raise DataError(f"{path} {error}") from None
    except (ValueError, LookupError, StopIteration, zlib.error) as error:
        raise DataError(
            f"{path} is a damaged MATLAB file ({error or 'it ends too early'}); replace or remove it"
        ) from None
    if values.dtype.kind == "f":
        if not np.array_equal(values, np.trunc(values)):
            raise DataError(f"{path} holds fractions in {VARIABLE}.{FIELD}; labels are whole numbers")
        if np.abs(values).max() > LARGEST:
            raise DataError(f"{path} contains infinite or too large values in {VARIABLE}.{FIELD}; labels are 0..255")
        values = values.astype(np.int64)
    return values


class _Element(NamedTuple):
    kind: int
    content: memoryview


class _Matrix(NamedTuple):
    """A variable or a field: its class, its size, its name, and the elements that follow."""

    kind: int
    size: tuple[int, ...]
    name: str
    rest: Iterator[_Element]


def _find_labels(data: bytes) -> npt.NDArray[Any]:
    order = _read_header(data)
    names: list[str] = []
    room = MOST_BYTES
    for element in _elements(memoryview(data)[HEADER:], order):
        variable = _unpacked(element, order, room)
        room -= len(variable.content)
        matrix = _open_matrix(variable, order)
        names.append(matrix.name)
        if matrix.name == VARIABLE and matrix.kind == _STRUCT:
            return _read_field(matrix, order)
    raise DataError(
        f"holds no structure {VARIABLE}, but {', '.join(names) or 'nothing'}; the folder cls of SBD has such files"
    )


def _read_header(data: bytes) -> _Order:
    if not data:
        raise DataError("is empty (0 bytes); replace or remove it")
    orders: dict[bytes, _Order] = {b"IM": "<", b"MI": ">"}
    if data.startswith(b"MATLAB 7.3") or data.startswith(b"\x89HDF"):
        raise DataError("is a MATLAB file of version 7.3, and version 5 is read; save it with the option -v7")
    if len(data) < HEADER or data[126:128] not in orders:
        raise DataError("is no MATLAB file of version 5; replace or remove it")
    return orders[data[126:128]]


def _elements(view: memoryview, order: _Order) -> Iterator[_Element]:
    """The parts of a file or matrix: each says what it holds and how long it is, and is padded to 8 bytes."""
    at = 0
    while at < len(view):
        if len(view) - at < 8:
            raise ValueError("it ends too early")
        first, length = (int(number) for number in np.frombuffer(view[at : at + 8], order + "u4"))
        if first >> 16:  # a short one, whose content lies in its own 8 bytes
            kind, length, start, end = first & 0xFFFF, first >> 16, at + 4, at + 8
            if length > 4:
                raise ValueError("an element of impossible length")
        else:
            kind, start = first, at + 8
            end = start + length + (-length % 8 if kind != _COMPRESSED else 0)
        if start + length > len(view):
            raise ValueError("it ends too early")
        yield _Element(kind, view[start : start + length])
        at = end


def _unpacked(element: _Element, order: _Order, room: int) -> _Element:
    if element.kind != _COMPRESSED:
        return element
    unpacking = zlib.decompressobj()
    content = unpacking.decompress(element.content, max(room, 1))
    if unpacking.unconsumed_tail:
        raise ValueError(f"variables of more than {MOST_BYTES} bytes")
    if not unpacking.eof:
        raise ValueError("it ends too early")
    return next(_elements(memoryview(content), order))


def _open_matrix(element: _Element, order: _Order) -> _Matrix:
    if element.kind != _MATRIX:
        raise ValueError(f"an element of kind {element.kind} where a variable was expected")
    parts = _elements(element.content, order)
    flags = np.frombuffer(next(parts).content, order + "u4")
    size = np.frombuffer(next(parts).content, order + "i4")
    name = bytes(next(parts).content).decode("latin-1")
    return _Matrix(int(flags[0]) & 0xFF, tuple(int(side) for side in size), name, parts)


def _read_field(matrix: _Matrix, order: _Order) -> npt.NDArray[Any]:
    """The labels in a structure; its fields follow the list of their names, which all take the same room."""
    width = int(np.frombuffer(next(matrix.rest).content, order + "i4")[0])
    packed = bytes(next(matrix.rest).content).decode("latin-1")
    if not 1 <= width <= len(packed) <= MOST_FIELDS * width:
        raise ValueError(f"{len(packed)} bytes of names, {width} each")
    names = [packed[at : at + width].partition("\0")[0] for at in range(0, len(packed), width)]
    if FIELD not in names or matrix.size != (1, 1):
        raise DataError(f"has no {VARIABLE}.{FIELD}, but the fields {', '.join(names)}")
    for name, element in zip(names, matrix.rest, strict=False):
        if name == FIELD:
            return _read_numbers(_open_matrix(element, order), order)
    raise ValueError("it ends too early")


def _read_numbers(matrix: _Matrix, order: _Order) -> npt.NDArray[Any]:
    if matrix.kind not in _NUMERIC or len(matrix.size) != 2 or min(matrix.size) < 1:
        raise DataError(f"holds no matrix of numbers in {VARIABLE}.{FIELD}")
    content = next(matrix.rest)
    values = np.frombuffer(content.content, np.dtype(order + _NUMBERS[content.kind]))
    return values.reshape(matrix.size, order="F")  # columns first, as MATLAB counts
