import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat
from scipy.sparse import csc_matrix

from attseg.data.reading.image import read_labels
from attseg.data.reading.matlab import read_matlab_labels
from attseg.data.sample import DataError
from attseg.data.sets.voc import VOC

LABELS = np.arange(15, dtype=np.uint8).reshape(3, 5)


def fields(labels=LABELS):
    boundaries = np.empty((20, 1), object)
    for place in range(20):
        boundaries[place, 0] = csc_matrix(labels == place)
    return {"Boundaries": boundaries, "Segmentation": labels, "CategoriesPresent": np.array([[1.0], [5.0]])}


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (1, 7), (2, 1)])
def test_every_kind_of_matrix_is_read_as_scipy_reads_it(tmp_path, compressed, dtype, shape):
    file = tmp_path / "a.mat"
    savemat(file, {"more": 1, "GTcls": fields(np.resize(LABELS, shape).astype(dtype))}, do_compression=compressed)
    found = read_matlab_labels(file)
    expected = loadmat(file)["GTcls"][0]["Segmentation"][0]
    assert found.dtype.kind in "iu" and found.shape == shape
    np.testing.assert_array_equal(found, expected)


def test_bytes_of_the_other_order_are_read(tmp_path):
    """What a big-endian computer writes, put together by hand from the description of the format."""

    def element(kind, content):
        body = kind.to_bytes(4) + len(content).to_bytes(4) + content
        return body + bytes(-len(content) % 8)

    def matrix(cls, size, name, *parts):
        flags = element(6, cls.to_bytes(4) + bytes(4))
        dimensions = element(5, b"".join(side.to_bytes(4) for side in size))
        return element(14, flags + dimensions + element(1, name) + b"".join(parts))

    numbers = matrix(11, (2, 2), b"", element(4, np.array([1, 2, 3, 4], ">u2").tobytes()))
    width = (4 << 16 | 5).to_bytes(4) + (32).to_bytes(4)  # short element: four bytes, of kind 5
    structure = matrix(2, (1, 1), b"GTcls", width, element(1, b"Segmentation".ljust(32, b"\0")), numbers)
    file = tmp_path / "a.mat"
    file.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + structure)
    assert read_matlab_labels(file).tolist() == [[1, 3], [2, 4]]
    assert loadmat(file)["GTcls"][0]["Segmentation"][0].tolist() == [[1, 3], [2, 4]]


def test_values_go_through_the_class_table(tmp_path):
    file = tmp_path / "a.mat"
    savemat(file, {"GTcls": fields()})
    assert read_labels(file, VOC).tolist() == LABELS.tolist()
    savemat(file, {"GTcls": fields(np.full((2, 2), 33))})
    with pytest.raises(
        DataError, match=r"a\.mat: 100 % of the pixels hold the value 33, .*0\.\.20, and 255 as ignored\. The file is"
    ):
        read_labels(file, VOC, official=True)


def write(content):
    return lambda file: file.write_bytes(content)


def save(values):
    return lambda file: savemat(file, values)


def cut(share):
    def write_part(file):
        savemat(file, {"GTcls": fields()}, do_compression=share > 0)
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * abs(share))])

    return write_part


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: None, r"cannot be read: there is no such file"),
        (lambda file: file.mkdir(), r"cannot be read: it is a folder, and a regular file was expected"),
        (write(b""), r"is empty \(0 bytes\); replace or remove it"),
        (write(b"no such thing" * 30), r"is no MATLAB file of version 5"),
        (write(b"MATLAB 5.0"), r"is no MATLAB file of version 5"),
        (
            write(b"MATLAB 7.3 MAT-file".ljust(512)),
            r"is a MATLAB file of version 7\.3, and version 5 is read; save it with",
        ),
        (write(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"), r"holds no structure GTcls, but nothing"),
        (write(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\xff" * 64), r"is a damaged MATLAB file"),
        (cut(0.9), r"is a damaged MATLAB file \(it ends too early\); replace or remove it"),
        (cut(-0.9), r"is a damaged MATLAB file \(it ends too early\); replace or remove it"),
        (save({"GTinst": fields()}), r"holds no structure GTcls, but GTinst; the folder cls of SBD has such files"),
        (save({"GTcls": LABELS}), r"holds no structure GTcls, but GTcls"),
        (save({"GTcls": {"Boundaries": 1}}), r"has no GTcls\.Segmentation, but the fields Boundaries"),
        (save({"GTcls": {"Segmentation": "text"}}), r"holds no matrix of numbers in GTcls\.Segmentation"),
        (save({"GTcls": {"Segmentation": np.zeros((0, 3))}}), r"holds no matrix of numbers in GTcls\.Segmentation"),
        (save({"GTcls": {"Segmentation": np.zeros((2, 3, 4))}}), r"holds no matrix of numbers in GTcls\.Segmentation"),
        (
            save({"GTcls": {"Segmentation": np.array([[0.5]])}}),
            r"holds fractions in GTcls\.Segmentation; labels are whole",
        ),
    ],
)
def test_damage_is_a_sentence_that_names_the_file(damage, message, tmp_path):
    file = tmp_path / "2008_000008.mat"
    damage(file)
    with pytest.raises(DataError, match=rf"2008_000008\.mat {message}"):
        read_matlab_labels(file)


def test_no_damage_at_all_is_anything_but_a_sentence(tmp_path):
    file = tmp_path / "a.mat"
    rng = np.random.default_rng(0)
    for compressed in (True, False):
        savemat(file, {"GTcls": {"Segmentation": LABELS}}, do_compression=compressed)
        whole = file.read_bytes()
        for _ in range(300):
            content = bytearray(whole)
            content[rng.integers(124, len(content))] = rng.integers(256)
            file.write_bytes(content)
            try:
                read_matlab_labels(file)
            except DataError as error:
                assert "a.mat" in str(error)


@pytest.mark.data
def test_real_masks_equal_what_scipy_reads(samples_root):
    files = sorted((samples_root / "sbd" / "dataset" / "cls").glob("*.mat"))
    assert files
    for file in files:
        labels = read_matlab_labels(file)
        np.testing.assert_array_equal(labels, loadmat(file)["GTcls"][0]["Segmentation"][0])
        with Image.open(samples_root / "sbd" / "dataset" / "img" / f"{file.stem}.jpg") as picture:
            assert labels.shape == picture.size[::-1]
