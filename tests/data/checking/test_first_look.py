import numpy as np
import pytest
import tifffile

from attseg.cli import main
from attseg.data.catalog import open_data
from attseg.data.checking.first_look import first_look
from data.checking.test_images import as_tiff, replace_images

CROP = (4, 4)


def test_images_smaller_than_the_crop_are_told_with_their_size(folder):
    data = open_data("folder", "train", root=folder)
    height, width = data[0].image.shape[:2]
    (warning,) = first_look(data, (height, width + 1))
    assert f"--crop_size {height},{width}" in warning
    assert first_look(data, (height, width)) == []


@pytest.mark.parametrize(("top", "option"), [(1000, "0,1023"), (4000, "0,4095"), (16000, "0,16383")])
def test_unused_bits_are_told_with_the_option(top, option, folder):
    replace_images(folder, as_tiff(np.array(top, "uint16")))
    (warning,) = first_look(open_data("folder", "train", root=folder), CROP)
    assert f"--data.options.range {option}" in warning
    low, high = map(int, option.split(","))
    assert first_look(open_data("folder", "train", root=folder, range=[low, high]), CROP) == []


def test_bands_that_are_not_read_are_told(folder):
    replace_images(folder, as_tiff(np.array([10, 200, 90, 255], "uint8")))
    assert any("band" in warning for warning in first_look(open_data("folder", "train", root=folder), CROP))


def test_usual_images_and_generated_ones_say_nothing(folder):
    assert first_look(open_data("folder", "train", root=folder), CROP) == []
    assert first_look(open_data("scenes", "train", size=(64, 64), count=2), CROP) == []


@pytest.mark.slow
def test_training_says_it_before_the_first_step(tmp_path, capsys):
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for index in range(2):
            labels = random.integers(0, 2, (64, 64), np.uint8)
            for part, values in (("images", labels.astype(np.uint16) * 4000), ("labels", labels)):
                path = tmp_path / "data" / part / split / f"{index}.tif"
                path.parent.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(path, values)
    (tmp_path / "data" / "classes.csv").write_text("index,name\n0,ground\n1,square\n")
    options = "--model.args.encoder test_resnet --model.args.channels 8 --crop_size 64,64 --batch_size 2 --steps 1"
    call = [
        "train",
        "pan-folder",
        "--data.root",
        str(tmp_path / "data"),
        "--out",
        str(tmp_path / "run"),
        *options.split(),
    ]
    assert main([*call, "--machine.workers", "0", "--optim.warmup", "0"]) == 0
    assert "--data.options.range 0,4095" in "".join(capsys.readouterr())
