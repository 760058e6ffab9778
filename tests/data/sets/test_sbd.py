import numpy as np
import pytest
from torchvision.datasets import SBDataset

from attseg.data.catalog import open_data
from attseg.data.sample import DataError
from attseg.data.sets.voc import VOC


def test_matlab_files_are_labels(sbd):
    for root in (sbd, sbd / "benchmark_RELEASE", sbd / "benchmark_RELEASE" / "dataset"):
        data = open_data("sbd", "train", root=root)
        assert [data.name(index) for index in range(len(data))] == ["2007_000032", "2008_000002"]
    assert data.classes is VOC
    assert data[1].labels[0, :4].tolist() == [0, 1, 15, 0]
    assert data[1].image.shape == (8, 12, 3)


def test_what_is_missing_is_named(sbd):
    home = sbd / "benchmark_RELEASE" / "dataset"
    (home / "cls" / "2008_000003.mat").unlink()
    with pytest.raises(DataError, match=r"img/2008_000003\.jpg has no labels: .*cls/2008_000003\.mat does not exist"):
        open_data("sbd", "val", root=sbd)
    (home / "val.txt").unlink()
    with pytest.raises(DataError, match=r"has no split 'val': benchmark_RELEASE/dataset/val\.txt, .* It has: train"):
        open_data("sbd", "val", root=sbd)
    with pytest.raises(DataError, match="does not look like SBD"):
        open_data("sbd", "val", root=sbd.parent)


@pytest.mark.data
@pytest.mark.parametrize("split", ["train", "val"])
def test_real_files_are_read_as_torchvision_reads_them(samples_root, split):
    data = open_data("sbd", split, root=samples_root / "sbd")
    other = SBDataset(samples_root / "sbd" / "dataset", image_set=split, mode="segmentation")
    assert len(data) == len(other) > 0
    by_name = dict(zip((path.rsplit("/")[-1][:-4] for path in other.images), other, strict=True))
    for sample in map(data.__getitem__, range(len(data))):
        image, labels = by_name[sample.name]
        np.testing.assert_array_equal(sample.image, np.asarray(image))
        np.testing.assert_array_equal(sample.labels, np.asarray(labels))
