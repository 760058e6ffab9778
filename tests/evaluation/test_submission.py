"""Submissions as servers read them: Cityscapes by its own scripts, the others file by file."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sets.ade20k import ADE20K
from attseg.data.sets.cityscapes import LABEL_IDS
from attseg.data.sets.voc import VOC
from attseg.errors import UsageError
from attseg.evaluation.submission import RULES, Submission, check_archive
from attseg.metrics import ConfusionMatrix


def guess(labels, seed):
    """A prediction that is right in four of five blocks of pixels."""
    rng = np.random.default_rng(seed)
    height, width = labels.shape
    blocks = rng.integers(0, 19, (height // 16 + 1, width // 16 + 1)).repeat(16, 0).repeat(16, 1)[:height, :width]
    wrong = (rng.random(blocks[::16, ::16].shape) < 0.2).repeat(16, 0).repeat(16, 1)[:height, :width]
    return np.where(wrong | (labels == IGNORE), blocks, labels).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.data
def test_cityscapes_scripts_score_the_archive_as_we_do(samples_root, tmp_path, monkeypatch):
    monkeypatch.setenv("CITYSCAPES_DATASET", str(samples_root / "cityscapes"))
    official = pytest.importorskip("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")
    submission = Submission("cityscapes", tmp_path / "all", LABEL_IDS)
    confusion = ConfusionMatrix(19)
    for split in ("train", "val"):
        data = open_data("cityscapes", split, root=samples_root / "cityscapes", labels="labelIds")
        for index in range(len(data)):
            sample = data[index]
            prediction = guess(sample.labels, index)
            submission.add(sample.name, prediction, size=sample.image.shape[:2])
            confusion.update(prediction, sample.labels)
    with zipfile.ZipFile(submission.finish()) as archive:
        archive.extractall(tmp_path / "sent")
    assert len(list((tmp_path / "sent").iterdir())) == len(submission) == 3

    args = official.args
    args.predictionPath, args.predictionWalk = str(tmp_path / "sent"), None
    args.evalInstLevelScore, args.quiet, args.JSONOutput = False, True, False
    truths = sorted(map(str, (samples_root / "cityscapes" / "gtFine").glob("*/*/*_gtFine_labelIds.png")))
    predictions = [official.getPrediction(args, truth) for truth in truths]
    scores = official.evaluateImgLists(predictions, truths, args)
    assert scores["averageScoreClasses"] == pytest.approx(confusion.miou, abs=1e-9)
    for name, iou in zip(LABEL_IDS.names, confusion.iou.tolist(), strict=True):
        assert scores["classScores"][name] == pytest.approx(iou, abs=1e-9, nan_ok=True)


def test_voc_is_a_tar_of_palette_files_in_its_folders(tmp_path):
    labels = np.arange(21, dtype=np.uint8).reshape(3, 7)
    for kind, competition in (("voc", 6), ("voc-comp5", 5)):
        submission = Submission(kind, tmp_path / kind, VOC)
        submission.add("2008_000006", labels, size=(3, 7))
        with tarfile.open(submission.finish(), "r:gz") as archive:
            assert archive.getnames() == [f"results/VOC2012/Segmentation/comp{competition}_test_cls/2008_000006.png"]
            content = archive.extractfile(archive.getnames()[0]).read()
        picture = Image.open(io.BytesIO(content))
        assert (picture.mode, np.asarray(picture).tolist()) == ("P", labels.tolist())
        assert np.asarray(picture.convert("RGB"))[2, 6].tolist() == list(VOC.colors[20])


def test_ade20k_counts_from_one(tmp_path):
    labels = np.array([[0, 149]], np.uint8)
    submission = Submission("ade20k", tmp_path / "ade", ADE20K)
    submission.add("testing/ADE_test_00000001", labels, size=(1, 2))
    with zipfile.ZipFile(submission.finish()) as archive:
        assert archive.namelist() == ["ADE_test_00000001.png"]
        picture = Image.open(io.BytesIO(archive.read("ADE_test_00000001.png")))
    assert (picture.mode, np.asarray(picture).tolist()) == ("L", [[1, 150]])


def test_cityscapes_holds_the_ids_of_its_labels(tmp_path):
    submission = Submission("cityscapes", tmp_path / "x", LABEL_IDS)
    submission.add("berlin_000000_000019_leftImg8bit", np.array([[0, 18]], np.uint8), size=(1, 2))
    with zipfile.ZipFile(submission.finish()) as archive:
        assert archive.namelist() == ["berlin_000000_000019_labelIds.png"]
        assert np.asarray(Image.open(io.BytesIO(archive.read(archive.namelist()[0])))).tolist() == [[7, 33]]


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no kind of submission 'cityscape'; did you mean 'cityscapes'"):
        Submission("cityscape", tmp_path / "x", VOC)
    two = ClassTable(("sky", "road"), ((0, 0, 0), (1, 1, 1)))
    with pytest.raises(
        UsageError, match=r"PASCAL VOC 2012 is of its 21 classes .* here are 2 \(sky, road\); use a model"
    ):
        Submission("voc", tmp_path / "x", two)
    city = Submission("cityscapes", tmp_path / "x", LABEL_IDS)
    with pytest.raises(UsageError, match="photo is no name of a Cityscapes picture; CITY_123456_123456 was expected"):
        city.add("photo", np.zeros((2, 2), np.uint8), size=(2, 2))
    voc = Submission("voc", tmp_path / "x", VOC)
    with pytest.raises(UsageError, match=r"prediction of a has 2 x 2 pixels \(height x width\), the picture 2 x 3"):
        voc.add("a", np.zeros((2, 2), np.uint8), size=(2, 3))
    with pytest.raises(UsageError, match=r"holds the value 21; classes 0..20 were expected"):
        voc.add("a", np.full((2, 2), 21, np.uint8), size=(2, 2))
    voc.add("one/a", np.zeros((2, 2), np.uint8), size=(2, 2))
    with pytest.raises(UsageError, match="two/a and one/a would both be .*comp6_test_cls/a.png"):
        voc.add("two/a", np.zeros((2, 2), np.uint8), size=(2, 2))


def png(values, mode=None):
    buffer = io.BytesIO()
    picture = Image.fromarray(np.asarray(values, np.uint8))
    (picture.convert(mode) if mode else picture).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "lacks 1 of 1 files, such as a.png"),
        ({"a.png": png([[1, 2]]), "b.png": png([[1]])}, "holds b.png, which belongs to no picture"),
        ({"a.png": png([[1], [2]])}, r"has 2 x 1 pixels \(height x width\); 1 x 2 were expected"),
        ({"a.png": png([[0, 151]])}, "holds 0, 151, which ADE20K does not know"),
        ({"a.png": png([[1, 2]], "RGB")}, "has the mode RGB; L, one byte a pixel, was expected"),
        ({"a.png": b"GIF89a"}, "a.png in .* is no PNG"),
    ],
)
def test_an_archive_that_is_not_right_is_found_out(tmp_path, files, message):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(UsageError, match=message):
        check_archive(tmp_path / "x.zip", RULES["ade20k"], {"a.png": (1, 2)})
