from dataclasses import replace

import pytest
import torch

from attseg.checkpoint import read_weights, save_weights
from attseg.errors import UsageError
from attseg.hub.sources import find_weights
from attseg.profiling.subject import NUM_CLASSES, find_subject
from attseg.recipes import find_recipe


def test_a_class_is_built_with_what_is_given():
    subject = find_subject("FCN", {"encoder": "test_resnet", "channels": 8}, num_classes=3)
    model = subject.build()
    assert (type(model).__name__, model.head.weight.shape[:2], model.training) == ("FCN", (3, 8), False)
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
    assert find_subject("FCN").num_classes == NUM_CLASSES


def test_a_recipe_gives_its_arguments_and_takes_others():
    subject = find_subject("pan-camvid", {"channels": 8})
    args = find_recipe("pan-camvid").model.args
    assert (subject.label, subject.model, subject.args) == ("pan-camvid", "PAN", {**args, "channels": 8})


def test_a_dotted_argument_is_one_of_the_network_within():
    args = find_recipe("a2r-camvid").model.args
    within = {**args["base_args"], "encoder": "resnet34"}
    assert find_subject("a2r-camvid", {"base_args.encoder": "resnet34"}).args == {**args, "base_args": within}
    assert find_subject("AttentionToRefine", {"base_args.channels": 8}).args == {"base_args": {"channels": 8}}
    assert find_recipe("a2r-camvid").model.args == args


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_trained_network_is_what_its_file_says(as_folder, tmp_path):
    demo = read_weights(find_weights("demo"))
    file = tmp_path / "best.safetensors"
    save_weights(
        file, demo.state, model=demo.model, classes=demo.classes, preprocessing=demo.preprocessing, info=demo.info
    )
    subject = find_subject(str(tmp_path if as_folder else file))
    assert (subject.model, subject.args, subject.num_classes) == ("PAN", demo.model.args, len(demo.classes))
    assert subject.weights == file
    assert subject.build().state_dict().keys() == demo.state.keys()


def test_weights_to_start_from_are_never_fetched():
    subject = find_subject("PAN", {"encoder": "test_resnet", "pretrained": True, "encoder_weights": "nothere.pth"})
    within = find_subject(
        "AttentionToRefine", {"base": "FCN", "base_args": {"encoder": "test_resnet", "pretrained": True}}
    )
    assert subject.build() is not None
    assert within.build() is not None
    assert subject.args["pretrained"] is True


def test_building_leaves_the_random_state_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    find_subject("FCN", {"encoder": "test_resnet"}).build("cpu")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "args", "classes", "message"),
    [
        ("PANN", {}, None, "there is no model or recipe 'PANN'; did you mean 'PAN'? There are the classes PAN, "),
        ("pan", {}, None, "there is no model or recipe 'pan'; did you mean 'PAN'?"),
        ("pan-canvid", {}, None, "did you mean 'pan-camvid'?"),
        ("./runs/nothere", {}, None, "there is no file or folder 'runs/nothere'"),
        ("nothere.safetensors", {}, None, "there is no file or folder 'nothere.safetensors'"),
        ("demo", {"channels": 3}, None, "demo is a trained network, and its arguments and classes are its own"),
        ("demo", {}, 3, "demo is a trained network"),
    ],
)
def test_what_is_not_there_is_said(name, args, classes, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        find_subject(name, args, num_classes=classes)
    assert message in str(error.value)


def test_arguments_that_do_not_fit_are_said_when_it_is_built():
    with pytest.raises(UsageError, match="no argument of PAN 'chanels'; did you mean 'channels'"):
        find_subject("PAN", {"chanels": 3}).build()
    with pytest.raises(UsageError, match="no encoder 'resnet81'; did you mean"):
        replace(find_subject("PAN"), args={"encoder": "resnet81"}).build()
