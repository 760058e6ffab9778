"""Run lengths: those of COCO, also as text; those of CVAT; and those of Label Studio's brush."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from attseg.data.reading.opening import MAX_PIXELS
from attseg.data.sample import DataError

Counts = npt.NDArray[np.int64]


def decode_counts(counts: object) -> Counts:
    """Run lengths of COCO, from a list or from its text form.

    In the text form a count is written in pieces of 5 bits, the lowest first, each as the character 48 + piece; 32 is added
    where more follow, and the last piece holds the sign. From the fourth count on, the difference to the one before the last is
    written.
    It is decoded here because pycocotools 2.0.11 returns what happens to be in memory for an empty text.

    Raises:
        DataError: It is neither, or a count is negative.

    Example:
        >>> decode_counts("5220").tolist()
        [5, 2, 2, 2]
    """
    if isinstance(counts, list):
        try:
            values = np.array(counts, np.int64)
        except (ValueError, TypeError, OverflowError):
            raise DataError("a mask in runs holds something else than whole numbers") from None
        if values.ndim != 1 or any(isinstance(count, float) and not count.is_integer() for count in counts):
            raise DataError("a mask in runs holds something else than whole numbers")
    else:
        values = np.array(_from_text(counts), np.int64)
    if (values < 0).any():
        raise DataError("a mask in runs has a negative length")
    if values.size and values.max() > MAX_PIXELS:
        raise DataError(f"a mask in runs has a length of more than {MAX_PIXELS} pixels, the most that are read")
    return values


def _from_text(text: object) -> list[int]:
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    if not isinstance(text, bytes):
        raise DataError(f"the lengths of a mask in runs are {type(text).__name__}; a list or text was expected")
    found: list[int] = []
    value = place = 0
    for byte in text:
        piece = byte - 48
        if not 0 <= piece < 64 or place > 50:
            raise DataError("the text of a mask in runs is damaged")
        value |= (piece & 31) << place
        place += 5
        if not piece & 32:
            value -= (1 << place) if piece & 16 else 0
            found.append(value + (found[-2] if len(found) > 2 else 0))
            value = place = 0
    if place:
        raise DataError("the text of a mask in runs is cut off")
    return found


def columns_of(counts: Counts, height: int, width: int) -> tuple[int, npt.NDArray[np.bool_]] | None:
    """The columns of a mask in which something is; None where there are none.

    Returns:
        The first such column, and (height, w) the mask from there to the last.

    Raises:
        DataError: The lengths do not add up to the pixels.

    Example:
        >>> columns_of(np.array([2, 1, 3]), 2, 3)
        (1, array([[ True],
               [False]]))
    """
    ends = np.cumsum(counts)
    if not len(ends) or ends[-1] != height * width:
        total = int(ends[-1]) if len(ends) else 0
        raise DataError(f"a mask in runs has {total} pixels, and its picture {height * width}")
    inside = counts[1::2] > 0
    starts, stops = ends[:-1:2][: len(inside)][inside], ends[1::2][inside]
    if not len(starts):
        return None
    first, last = int(starts[0]) // height, (int(stops[-1]) - 1) // height
    flat = np.zeros((last - first + 1) * height + 1, np.int8)
    np.add.at(flat, starts - first * height, 1)
    np.add.at(flat, stops - first * height, -1)
    return first, np.cumsum(flat[:-1], dtype=np.int8).astype(bool).reshape(-1, height).T


def rows_of(counts: Counts, height: int, width: int) -> npt.NDArray[np.bool_]:
    """(height, width) A mask of runs along the rows, the first of them outside, as CVAT keeps it.

    Raises:
        DataError: As of ``columns_of``.
    """
    if height * width > MAX_PIXELS:
        raise DataError(f"a mask has {height} x {width} pixels (height x width); at most {MAX_PIXELS} are read")
    mask = np.zeros((height, width), bool)
    if (found := columns_of(counts, width, height)) is not None:
        first, columns = found
        mask[first : first + columns.shape[1]] = columns.T
    return mask


def decode_brush(packed: object, height: int, width: int) -> npt.NDArray[np.bool_]:
    """(H, W) Where Label Studio's brush was: the pixels of its layer that are not wholly transparent.

    The layer is packed as bits, the highest of each byte first: 32 bits with the number of values, 5 with the bits of a value
    less one, four times 4 with bits of lengths less one; then blocks: a bit that says whether one value is repeated, 2 that
    choose one of the four, the length less one in as many bits, and the value or values. The values are red, green, blue and
    opacity of each pixel, along the rows.

    Raises:
        DataError: It is damaged, or of another size.
    """
    if height * width > MAX_PIXELS:
        raise DataError(f"a brush layer has {height} x {width} pixels (height x width); at most {MAX_PIXELS} are read")
    try:
        content = np.array(packed, np.uint8)
        if not isinstance(packed, Sequence) or content.ndim != 1:
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise DataError("a brush layer is not a list of bytes") from None
    bits = _Bits(content.tobytes())
    count, word = bits.take(32), bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in range(4)]
    if count != 4 * height * width or word != 8:
        raise DataError(f"a brush layer has {count} values of {word} bits, and its picture {4 * height * width} of 8")
    values = np.empty(count, np.uint8)
    done = 0
    while done < count:
        repeated = bits.take(1)
        end = done + 1 + bits.take(sizes[bits.take(2)])
        if end > count:
            raise DataError("a brush layer has more values than it states")
        if repeated:
            values[done:end] = bits.take(word)
        else:
            values[done:end] = np.frombuffer(bits.take(word * (end - done)).to_bytes(end - done), np.uint8)
        done = end
    return values.reshape(height, width, 4)[..., 3] > 0


class _Bits:
    """Reads bits, the highest of each byte first."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def take(self, count: int) -> int:
        """The next bits as a number.

        Raises:
            DataError: There are not as many.
        """
        start, self._at = self._at, self._at + count
        first, last = start // 8, -(-self._at // 8)
        if last > len(self._content):
            raise DataError("a brush layer is cut off")
        return int.from_bytes(self._content[first:last]) >> (8 * last - self._at) & ((1 << count) - 1)
