import numpy as np
import pytest
import torch

from attseg.checkpoint import read_weights
from attseg.data.catalog import open_data
from attseg.data.feeding.augment import augmented, name_of
from attseg.data.feeding.loader import train_loader
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.sample import DataError, Sample
from attseg.errors import UsageError
from attseg.training.run import train
from fitting import HERE, darker

SAMPLE = Sample(np.arange(72, dtype=np.uint8).reshape(4, 6, 3), np.zeros((4, 6), np.uint8), "a")


def augment_with(result):
    return augmented(SAMPLE, lambda image, labels, rng: result, 2, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, r"the augmentation gave a NoneType; a tuple \(image, labels\) was expected"),
        ((SAMPLE.image / 255, SAMPLE.labels), "after the augmentation: sample 'a': the image is float64"),
        ((SAMPLE.image, SAMPLE.labels[:3]), "after the augmentation: sample 'a': .*3 x 6"),
        ((SAMPLE.image, SAMPLE.labels + 7), "after the augmentation: sample 'a': .*7"),
    ],
)
def test_what_is_no_sample_is_refused(result, message):
    with pytest.raises(DataError, match=message):
        augment_with(result)


def test_views_that_numpy_turns_and_mirrors_are_taken():
    flipped, turned = augment_with((SAMPLE.image[::-1], SAMPLE.labels[::-1])), np.rot90(SAMPLE.image)
    assert np.array_equal(torch.from_numpy(flipped.image).flip(0), SAMPLE.image)
    assert np.array_equal(torch.from_numpy(augment_with((turned, np.rot90(SAMPLE.labels))).image), turned)


def test_the_sample_that_is_given_stays_as_it_was():
    def writes(image, labels, rng):
        image[:], labels[:] = 9, 1
        return image, labels

    found = augmented(SAMPLE, writes, 2, np.random.default_rng(0))
    assert (found.image == 9).all() and not (SAMPLE.image == 9).all()
    assert not SAMPLE.labels.any()


def test_an_error_of_it_names_the_sample():
    def breaks(image, labels, rng):
        raise KeyError("mine")

    with pytest.raises(KeyError) as error:
        augmented(SAMPLE, breaks, 2, np.random.default_rng(0))
    assert error.value.__notes__ == ["in the augmentation of 'a'"]


def batches(augment, workers=0, start=0):
    data = open_data("scenes", "train", size=(64, 64), count=6)
    transform = TrainTransform((64, 64), scale=(1.0, 1.0))
    loader = train_loader(data, transform, batch_size=2, seed=0, start=start, workers=workers, augment=augment)
    return [batch for _, batch in zip(range(3 - start), loader, strict=False)]


@pytest.mark.slow
def test_any_number_of_workers_and_a_later_start_see_the_same():
    plain, one, two, later = batches(None), batches(darker), batches(darker, workers=2), batches(darker, start=1)
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a["images"], b["images"])
    assert torch.equal(later[0]["images"], one[1]["images"])
    assert all(a["images"].float().mean() < 0.9 * b["images"].float().mean() for a, b in zip(one, plain, strict=True))
    assert all(torch.equal(a["labels"], b["labels"]) for a, b in zip(one, plain, strict=True))


@pytest.mark.slow
def test_a_pipeline_of_torchvision_as_the_docs_show_it(tiny, tmp_path):
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    pipeline = v2.Compose([v2.RandomPhotometricDistort(p=1.0), v2.RandomHorizontalFlip()])

    def augment(image, labels, rng):
        torch.manual_seed(int(rng.integers(2**63)))
        image = tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1))
        image, labels = pipeline(image, tv_tensors.Mask(torch.from_numpy(labels)))
        return image.permute(1, 2, 0).numpy(), labels.numpy()

    recipe = tiny(steps=4)
    train(recipe, HERE, out=tmp_path / "run", augment=augment)
    before = read_weights(tmp_path / "run" / "last.safetensors").state
    (tmp_path / "run" / "state" / "00000004.pt").unlink()
    train(recipe, HERE, out=tmp_path / "run", resume=True, augment=augment)
    after = read_weights(tmp_path / "run" / "last.safetensors").state
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


@pytest.mark.slow
def test_a_resumed_run_wants_the_same_one_again(tiny, tmp_path):
    train(tiny(steps=4), HERE, out=tmp_path / "run", augment=darker)
    with pytest.raises(
        UsageError, match="begun with the augmentation darker and goes on with None; give the same one again"
    ):
        train(tiny(steps=6), HERE, out=tmp_path / "run", resume=True)
    assert name_of(darker) == "darker"


def test_what_it_gives_is_checked_in_a_run(tiny, tmp_path):
    with pytest.raises(DataError, match="the augmentation gave a int"):
        train(tiny(), HERE, out=tmp_path / "run", augment=lambda image, labels, rng: 3)
