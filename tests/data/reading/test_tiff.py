"""TIFF files of every flavour, written by three libraries, against the arrays that they were written from."""

import io
import itertools
import struct
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from attseg.data.reading.image import read_image, read_raw, read_raw_labels
from attseg.data.reading.tiff import MAX_BYTES
from attseg.data.sample import DataError

rasterio = pytest.importorskip("rasterio")

H, W = 21, 34
DTYPES = ("uint8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
RANGE = (-100, 1000)


def noise(bands, dtype, seed=0):
    """(H, W, bands) Values within RANGE, all that the type can hold of it."""
    rng = np.random.default_rng(seed)
    low, high = (
        max(RANGE[0], 0 if dtype.startswith("u") else RANGE[0]),
        min(RANGE[1], 255 if dtype == "uint8" else RANGE[1]),
    )
    values = rng.uniform(low, high, (H, W, bands))
    return (values if dtype.startswith("float") else np.rint(values)).astype(dtype)


def scaled(values, low, high):
    """Independently of ours."""
    return np.rint(np.interp(values.astype(np.float64), [low, high], [0, 255])).astype(int)


def expected(values, value_range):
    shown = values[..., :3] if values.shape[2] >= 3 else values[..., [0, 0, 0]]
    return scaled(shown, *value_range)


def by_tifffile(
    path, values, *, planar=False, tile=None, compression=None, predictor=False, big=False, order="<", **more
):
    bands = values.shape[2]
    data = values[..., 0] if bands == 1 else np.moveaxis(values, 2, 0) if planar else values
    rgb = bands in (3, 4) and not more.pop("gray", False)
    tifffile.imwrite(
        path,
        data,
        photometric="rgb" if rgb else "minisblack",
        planarconfig=None if bands == 1 else "separate" if planar else "contig",
        tile=tile,
        rowsperstrip=None if tile else 8,
        compression=compression,
        predictor=predictor,
        byteorder=order,
        bigtiff=big,
        metadata=None,
        **more,
    )
    return path


def by_rasterio(path, values, *, planar=False, tile=None, compression=None, predictor=False, big=False, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no place on earth
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=H,
            width=W,
            count=values.shape[2],
            dtype=values.dtype,
            interleave="band" if planar else "pixel",
            compress=compression,
            bigtiff="YES" if big else "NO",
            **({"tiled": True, "blockysize": tile[0], "blockxsize": tile[1]} if tile else {}),
            **({"predictor": 2} if predictor else {}),
            **more,
        ) as file:
            file.write(np.moveaxis(values, 2, 0))
    return path


FLAVOURS = list(
    itertools.product(
        (by_tifffile, by_rasterio), (False, True), (None, (16, 32)), (None, "lzw", "deflate", "zstd"), (1, 3, 4, 8)
    )
)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_flavour_is_read_value_by_value(dtype, tmp_path):
    for number, (write, planar, tile, compression, bands) in enumerate(FLAVOURS):
        if write is by_rasterio and dtype == "float16":
            continue
        values = noise(bands, dtype, number)
        path = write(tmp_path / "a.tif", values, planar=planar, tile=tile, compression=compression)
        read = read_raw(path)
        assert (read.bands, read.read) == (bands, (1,) if bands == 1 else (1, 2, 3))
        assert read.values.dtype == dtype and np.array_equal(read.values, values[..., : len(read.read)])
        if dtype != "uint8":
            assert np.array_equal(
                read_image(path, value_range=RANGE) if dtype not in ("uint16",) else read_image(path),
                expected(values, RANGE if dtype != "uint16" else (0, 65535)),
            )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
def test_byte_orders_big_files_and_predictors(dtype, predictor, big, order, tmp_path):
    values = noise(3, dtype)
    for planar in (False, True):
        path = by_tifffile(
            tmp_path / "a.tif",
            values,
            planar=planar,
            big=big,
            order=order,
            predictor=predictor,
            compression="deflate" if predictor else None,
        )
        assert np.array_equal(read_raw(path).values, values)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_gray_of_few_bits_and_its_inverse(bits, tmp_path):
    white = 2**bits - 1
    values = np.random.default_rng(bits).integers(0, white + 1, (H, 16)).astype(np.uint8)
    for photometric in ("minisblack", "miniswhite"):
        tifffile.imwrite(
            tmp_path / "a.tif",
            values.astype(bool) if bits == 1 else values,
            photometric=photometric,
            bitspersample=bits,
            compression="packbits" if bits == 1 else None,
            metadata=None,
        )
        shown = scaled(values, 0, white)
        read = read_image(tmp_path / "a.tif")
        assert np.array_equal(read[..., 1], shown if photometric == "minisblack" else 255 - shown)
    with pytest.raises(DataError, match=r"a\.tif stores its values the other way round"):
        read_raw_labels(tmp_path / "a.tif")


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_the_white_of_packed_values_is_that_of_their_bits(bits, tmp_path):
    values = np.random.default_rng(bits).integers(0, 2**bits, (H, 16)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, bitspersample=bits, photometric="minisblack", metadata=None)
    assert np.array_equal(read_image(tmp_path / "a.tif")[..., 0], scaled(values, 0, 2**bits - 1))
    assert np.array_equal(read_raw_labels(tmp_path / "a.tif").values, values)


def test_palettes_are_colours_of_images_and_indices_of_labels(tmp_path):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (3, 256)).astype(np.uint8)
    indices = rng.integers(0, 256, (H, W)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colours.astype(np.uint16) * 257)
    image = Image.fromarray(indices)
    image.putpalette(colours.T.tobytes())
    image.save(tmp_path / "b.tif")
    for name in ("a.tif", "b.tif"):
        assert np.array_equal(read_image(tmp_path / name), colours.T[indices])
        labels = read_raw_labels(tmp_path / name)
        assert np.array_equal(labels.values, indices) and labels.paletted


@pytest.mark.parametrize("extra", [["unassalpha"], ["assocalpha"], ["unspecified"]])
@pytest.mark.parametrize("planar", [False, True])
def test_a_fourth_band_is_never_transparency(extra, planar, tmp_path):
    values = noise(4, "uint8")
    by_tifffile(tmp_path / "a.tif", values, planar=planar, extrasamples=extra)
    raw = read_raw(tmp_path / "a.tif")
    assert np.array_equal(raw.to_rgb(None), values[..., :3])
    assert raw.remarks == ["has 4 bands, of which 1, 2, 3 are read as red, green and blue"]
    if planar:
        return
    with Image.open(tmp_path / "a.tif") as image:  # given by way of Pillow, before and after it is decoded
        assert np.array_equal(read_image(image), values[..., :3])
        image.load()
        if extra != ["assocalpha"]:  # Pillow has divided the colours by then
            assert np.array_equal(read_image(image), values[..., :3])


def test_what_rasterio_writes_of_four_bytes_by_default_is_not_whitened(tmp_path):
    values = noise(4, "uint8")
    assert np.array_equal(read_image(by_rasterio(tmp_path / "a.tif", values)), values[..., :3])


@pytest.mark.parametrize(("extra", "read"), [("unassalpha", (1,)), ("unspecified", None)])
def test_of_two_bands_the_first_is_read_only_if_the_other_is_opacity(extra, read, tmp_path):
    values = noise(2, "uint8")
    by_tifffile(tmp_path / "a.tif", values, extrasamples=[extra])
    if read is None:
        with pytest.raises(DataError, match=r"a\.tif has 2 bands.*3 and more"):
            read_raw(tmp_path / "a.tif")
    else:
        raw = read_raw(tmp_path / "a.tif")
        assert raw.read == read and np.array_equal(raw.values, values[..., :1])


def test_pages_are_refused_unless_they_are_overviews(tmp_path):
    values = noise(3, "uint8")
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as file:
        file.write(values, photometric="rgb", metadata=None)
        file.write(values[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
    assert np.array_equal(read_image(tmp_path / "pyramid.tif"), values)
    stacks = {
        "pages.tif": {"photometric": "minisblack", "metadata": None},
        "imagej.tif": {"imagej": True},
        "shaped.tif": {"photometric": "minisblack"},
    }
    for name, how in stacks.items():
        tifffile.imwrite(tmp_path / name, np.zeros((4, H, W), np.uint8), **how)
        with pytest.raises(DataError, match=rf"{name} has 4 pages"):
            read_image(tmp_path / name)
        with pytest.raises(DataError, match=rf"{name} has 4 pages"):
            read_raw_labels(tmp_path / name)
    frame = Image.new("L", (4, 4))
    frame.save(tmp_path / "pillow.tif", save_all=True, append_images=[frame] * 100)
    with pytest.raises(DataError, match="more than 64 pages"):
        read_image(tmp_path / "pillow.tif")


def test_jpeg_within_a_tiff_is_read_as_rasterio_reads_it(tmp_path):
    y, x = np.mgrid[:H, :W]
    values = np.stack([3 * x + y, 2 * y + 90, 200 - 3 * x], 2).astype(np.uint8)
    for photometric in ("YCBCR", "RGB"):
        path = by_rasterio(tmp_path / "a.tif", values, compression="jpeg", photometric=photometric, tile=(16, 32))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(path) as file:
                theirs = np.moveaxis(file.read(), 0, 2)
        np.testing.assert_allclose(read_image(path).astype(int), theirs, atol=10)  # chroma is upsampled in two ways


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "YCbCr", "LAB", "I;16"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "group4"])
def test_what_pillow_writes_is_read_as_pillow_reads_it(mode, compression, tmp_path):
    if (compression == "group4") != (mode == "1") or (mode in ("LAB", "YCbCr") and compression):
        pytest.skip("not written by Pillow")
    values = noise(3, "uint8")
    image = (
        Image.fromarray(values).convert("L" if mode == "I;16" else mode)
        if mode != "LAB"
        else Image.frombytes("LAB", (W, H), values.tobytes())
    )
    if mode == "I;16":
        image = Image.fromarray(noise(1, "uint16")[..., 0])
    image.save(tmp_path / "a.tif", **({"compression": compression} if compression else {}))
    read = read_image(tmp_path / "a.tif")
    if mode in ("L", "1", "RGB", "CMYK", "YCbCr"):
        assert np.array_equal(read, np.asarray(image.convert("RGB")))
    if mode == "LAB":
        assert np.array_equal(read, read_image(image))
    if mode == "I;16":
        assert np.array_equal(read[..., 0], scaled(np.asarray(image), 0, 65535))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_stated_range_keeps_every_level(dtype, bits, tmp_path):
    top = 2 ** (bits - 4) - 1
    ramp = np.tile(np.linspace(0, top, 256), (4, 1)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", ramp, photometric="minisblack")
    assert len(np.unique(read_image(tmp_path / "a.tif", value_range=(0, top)))) == min(
        256, top + 1 if dtype == "uint16" else 256
    )
    ramp[0, 0] = top + 1
    tifffile.imwrite(tmp_path / "a.tif", ramp, photometric="minisblack")
    with pytest.raises(
        DataError, match=rf"a\.tif holds the value {top + 1}, beyond the range 0,{top} .*data\.options\.range"
    ):
        read_image(tmp_path / "a.tif", value_range=(0, top))


def test_nan_is_told_with_file_and_number(tmp_path):
    values = np.zeros((4, 5), np.float32)
    values[1, :2] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    for value_range in (None, (0, 1)):
        with pytest.raises(DataError, match=r"a\.tif holds NaN in 2 of 20 values"):
            read_image(tmp_path / "a.tif", value_range=value_range)


def test_bytes_are_refused_where_the_range_is_that_of_deeper_values(tmp_path):
    Image.new("L", (4, 4), 200).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif has values of up to 255, but the range of the data is 0,4095"):
        read_image(tmp_path / "a.tif", value_range=(0, 4095))
    assert read_image(tmp_path / "a.tif", value_range=(0, 200)).max() == 255


@pytest.mark.parametrize("compression", ["jpeg2000", "webp", "lerc", "jpegxr"])
def test_compressions_without_a_bound_are_refused(compression, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64, 3), np.uint8), photometric="rgb", compression=compression)
    with pytest.raises(DataError, match=rf"(?i)a\.tif is compressed with .*{compression[:4]}.*LZW or deflate"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(("shape", "dtype"), [((H, W), "complex64"), ((8, H, W, 1), "uint8")])
def test_what_is_no_image_is_refused(shape, dtype, tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros(shape, dtype),
        volumetric=len(shape) > 2,
        tile=(16, 16, 16) if len(shape) > 2 else None,
    )
    with pytest.raises(DataError, match=r"a\.tif (holds complex64|has 8 pages)"):
        read_image(tmp_path / "a.tif")


def header(tags, *, data=b""):
    """A TIFF of one page by hand: tags by number, each (type, values)."""
    parts, late = [], b""
    start = 8 + 2 + 12 * len(tags) + 4
    for number, (kind, values) in sorted(tags.items()):
        raw = b"".join(struct.pack({3: "<H", 4: "<I"}[kind], value) for value in values)
        if len(raw) > 4:
            raw, late = struct.pack("<I", start + len(late)), late + raw
        parts.append(struct.pack("<HHI", number, kind, len(values)) + raw.ljust(4, b"\0"))
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(parts) + struct.pack("<I", 0) + late + data


def page(width, height, **more):
    tags = {256: (4, [width]), 257: (4, [height]), 258: (3, [8]), 259: (3, [8]), 262: (3, [1]), 277: (3, [1])}
    tags |= {273: (4, [8]), 279: (4, [20]), 278: (4, [height])}
    return tags | more.get("tags", {})


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        (page(8193, 8192), "8192 x 8193 pixels; at most 67108864"),
        (page(4_000_000_000, 4_000_000_000), "pixels; at most"),
        (page(8192, 8192, tags={277: (3, [65535]), 258: (3, [8])}), f"of memory; at most {MAX_BYTES / 1e9:.1f} GB"),
        (
            page(10, 10, tags={322: (4, [2**20]), 323: (4, [2**20]), 324: (4, [8]), 325: (4, [20])}),
            "of memory; at most",
        ),
        (
            page(1, 2**20, tags={278: (4, [1]), 273: (4, [8] * 2**18), 279: (4, [1] * 2**18)}),
            "is cut into 262144 strips",
        ),
        (page(64, 64, tags={278: (4, [1]), 273: (4, [8] * 3), 279: (4, [9] * 3)}), "ends too early"),
        (page(64, 64, tags={279: (4, [2**31])}), "ends too early|do not fit"),
        (page(64, 64, tags={259: (3, [7])}), "JPEG data without a header"),
        (page(64, 64, tags={256: (4, [64] * 5000)}), "cannot be read as a picture"),
        (page(64, 64, tags={257: (4, [64] * 5000)}), "cannot be read as a picture"),
    ],
)
def test_bombs_are_refused_by_their_tags(tags, why, tmp_path):
    (tmp_path / "a.tif").write_bytes(header(tags))
    with pytest.raises(DataError, match=rf"a\.tif .*({why})"):
        read_image(tmp_path / "a.tif")


def test_a_jpeg_of_another_size_within_a_tiff_is_refused(tmp_path):
    buffer = io.BytesIO()
    Image.new("L", (5000, 5000)).save(buffer, "JPEG")
    data = buffer.getvalue()
    tags = page(16, 16, tags={259: (3, [7]), 279: (4, [len(data)])})
    start = len(header(tags))
    (tmp_path / "a.tif").write_bytes(header(tags | {273: (4, [start])}, data=data))
    with pytest.raises(DataError, match="JPEG data of another size"):
        read_image(tmp_path / "a.tif")


def test_overlapping_strips_cannot_cost_hours(tmp_path):
    filler = bytes(2**16)
    tags = page(64, 1000, tags={278: (4, [1]), 273: (4, [20_000] * 1000), 279: (4, [2**15] * 1000)})
    (tmp_path / "a.tif").write_bytes(header(tags, data=filler))
    with pytest.raises(DataError, match="do not fit the file"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_unless_raw_pixels_are_wanted(orientation, tmp_path):
    values = noise(3, "uint16")
    by_tifffile(tmp_path / "a.tif", values, extratags=[(274, 3, 1, orientation, True)])
    raw = read_raw(tmp_path / "a.tif", apply_orientation=False)
    assert raw.orientation == orientation and np.array_equal(raw.values, values)
    turns, mirrored = {1: (0, 0), 2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (1, 2), 6: (3, 0), 7: (3, 2), 8: (1, 0)}[
        orientation
    ]
    shown = np.rot90(values, turns)
    shown = shown[:, ::-1] if mirrored == 1 else shown[::-1] if mirrored == 2 else shown
    assert np.array_equal(read_raw(tmp_path / "a.tif").values, shown)
