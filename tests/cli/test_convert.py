"""``attseg convert``: files from elsewhere become run folders that all verbs take."""

import numpy as np
import pytest
import torch
from PIL import Image

from attseg import load
from attseg.cli import main
from attseg.converters import load_smp

smp = pytest.importorskip("segmentation_models_pytorch")


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    model = smp.PAN("resnet18", encoder_weights=None, classes=11, decoder_channels=8)
    torch.save(model.state_dict(), tmp_path / "pan.pth")
    return tmp_path / "pan.pth"


@pytest.mark.slow
def test_a_converted_network_is_used_like_one_of_ours(weights, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["convert", str(weights), "--from", "smp", "--data", "camvid", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: PAN on resnet18, 11 classes, ")
    segmenter = load(out, device="cpu")
    assert segmenter.classes.names[0] == "sky"
    picture = np.random.default_rng(0).integers(0, 255, (128, 144, 3), np.uint8)
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]
    with torch.no_grad():
        logits = load_smp(weights)(segmenter.preprocessing(pixels)).logits
    result = segmenter(picture)
    assert (logits.argmax(1)[0].numpy() == result.labels).mean() > 0.999  # channels last rounds elsewhere
    Image.fromarray(picture).save(tmp_path / "one.png")
    assert (
        main(["predict", str(out), str(tmp_path / "one.png"), "--out", str(tmp_path / "done"), "--device", "cpu"]) == 0
    )


@pytest.mark.slow
def test_a_table_of_your_own(weights, tmp_path):
    (tmp_path / "classes.csv").write_text("index,name\n" + "\n".join(f"{i},class {i}" for i in range(11)))
    call = ["convert", str(weights), "--from", "smp", "--classes", str(tmp_path / "classes.csv")]
    assert main([*call, "--out", str(tmp_path / "run")]) == 0
    assert load(tmp_path / "run", device="cpu").classes.names[3] == "class 3"


@pytest.mark.slow
def test_wrong_use_gets_a_sentence_and_leaves_nothing(weights, tmp_path, capsys):
    out = tmp_path / "run"
    cases = [
        (["--from", "smp"], "say what the classes are: --data NAME"),
        (["--from", "smp", "--data", "imagenet"], "there is no table of classes 'imagenet'"),
        (["--from", "smb", "--data", "camvid"], "there is no source 'smb'; did you mean 'smp'?"),
        (["--from", "smp", "--data", "ade20k"], "the weights know 11 classes, and ade20k has 150"),
        (["--from", "smp", "--data", "camvid", "--compact"], "there is no option of smp 'compact'"),
        (["--from", "semseg", "--data", "camvid"], "not the weights of a PSANet or PSPNet of hszhao/semseg"),
        (["--from", "mmseg", "--data", "camvid", "--mask-size", "97"], "--mask-size: '97' was given; HEIGHTxWIDTH"),
        ([str(weights), "--from", "smp", "--data", "camvid"], "2 files were given; one was expected"),
    ]
    for arguments, message in cases:
        assert main(["convert", str(weights), *arguments, "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
    assert not out.exists()
    call = ["convert", str(weights), "--from", "smp", "--data", "camvid", "--out", str(out)]
    assert main(call) == 0
    assert main(call) == 2
    assert "already holds a run; choose another folder" in capsys.readouterr().err
