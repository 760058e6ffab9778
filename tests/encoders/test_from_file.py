"""Weights of an encoder from files: found under any prefix, in any nesting, for every family; or refused with what is missing."""

import json

import pytest
import safetensors.torch
import timm
import torch

from attseg.checkpoint import save_weights
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES
from attseg.encoders.timm import TimmEncoder
from attseg.encoders.vgg import VGGLargeFOV
from attseg.encoders.vit import VitEncoder
from attseg.errors import UsageError
from attseg.models import FCN, MODELS, build_model
from attseg.recipes.recipe import ModelSpec

FAMILIES = {
    "test_resnet": TimmEncoder,
    "resnet18s": TimmEncoder,
    "test_convnext": TimmEncoder,
    "test_efficientnet": TimmEncoder,
    "test_byobnet": TimmEncoder,
    "mobilenetv3_small_050": TimmEncoder,
    "tf_efficientnet_lite0": TimmEncoder,
    "mvitv2_tiny": TimmEncoder,
    "swin_tiny_patch4_window7_224": TimmEncoder,
    "test_vit": VitEncoder,
    "deit_tiny_patch16_224": VitEncoder,
    "vit_small_patch14_dinov2": VitEncoder,
}
PREFIXES = [
    "",
    "backbone.",
    "encoder.",
    "module.",
    "network.",
    "encoder.network.",
    "model.",
    "_orig_mod.",
    "module.backbone.",
]
NESTINGS = [
    (),
    ("state_dict",),
    ("model_state_dict",),
    ("model",),
    ("teacher",),
    ("state_dict_ema",),
    ("checkpoint", "net"),
]


@pytest.fixture(scope="module")
def wholes():
    """timm's whole networks by name, each with weights of its own."""
    found = {}

    def whole(name):
        if name not in found:
            torch.manual_seed(7)
            wide = {"stem_width": 64, "stem_type": "deep"} if name == "resnet18s" else {}
            found[name] = timm.create_model("resnet18" if wide else name, **wide).state_dict()
        return found[name]

    return whole


def saved(tmp_path, content, name="w.pth"):
    torch.save(content, tmp_path / name)
    return tmp_path / name


def assert_holds(encoder, whole):
    """Every tensor of the encoder is that of timm's whole network."""
    theirs = {name.replace(".", "_"): tensor for name, tensor in whole.items()}
    own = getattr(encoder.network, "model", encoder.network).state_dict()
    learned = {name: tensor for name, tensor in own.items() if "num_batches" not in name}
    assert [name for name, tensor in learned.items() if not torch.equal(tensor, theirs[name.replace(".", "_")])] == []
    assert encoder.weights.startswith(f"{len(learned)} of {len(learned)} tensors from ")


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_takes_timms_names_and_its_own(name, wholes, tmp_path):
    whole = wholes(name)
    encoder = FAMILIES[name](
        name, weights=saved(tmp_path, {"state_dict": {f"module.{k}": v for k, v in whole.items()}})
    )
    assert_holds(encoder, whole)
    own = saved(tmp_path, {f"encoder.{key}": tensor for key, tensor in encoder.state_dict().items()})
    assert_holds(FAMILIES[name](name, weights=own), whole)


@pytest.mark.slow
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", ["test_resnet", "test_convnext", "test_vit"])
def test_prefixes_and_nestings(name, prefix, wholes, tmp_path):
    whole, at = wholes(name), PREFIXES.index(prefix)
    for nesting in (NESTINGS[at % 7], NESTINGS[(at + 3) % 7]):
        content = {f"{prefix}{key}": tensor for key, tensor in whole.items()}
        for key in reversed(nesting):
            content = {key: content, "epoch": 3, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}}
        assert_holds(FAMILIES[name](name, weights=saved(tmp_path, content)), whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_half_of_the_tensors_is_refused(name, wholes, tmp_path):
    half = dict(list(wholes(name).items())[::2])
    with pytest.raises(UsageError, match=rf"w.pth .*'{name}': \d+ of \d+ tensors fit; missing: .* and \d+ more"):
        FAMILIES[name](name, weights=saved(tmp_path, {f"backbone.{key}": tensor for key, tensor in half.items()}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("test_resnet", "test_convnext"),
        ("resnet18", "test_resnet"),
        ("test_convnext", "test_vit"),
        ("test_vit", "test_resnet"),
        ("swin_tiny_patch4_window7_224", "test_convnext"),
        ("tf_efficientnet_lite0", "mobilenetv3_small_050"),
        ("vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224"),
        ("resnet18", "resnet34"),
        ("resnet50", "seresnet50"),
    ],
)
def test_weights_of_another_network_are_refused(name, other, wholes, tmp_path):
    """A deeper ResNet, or one with gates, has every tensor that the plain one needs."""
    kind = VitEncoder if name.startswith(("vit", "test_vit")) else TimmEncoder
    with pytest.raises(UsageError, match=r"\d+ of \d+ tensors fit; (missing|of another shape|not in this network): "):
        kind(name, weights=saved(tmp_path, wholes(other)))


@pytest.mark.parametrize(
    "content", [{}, {"a": torch.zeros(3)}, [torch.zeros(3)], {"state_dict": {}}, torch.zeros(3), 5]
)
@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_nothing_that_fits_is_refused(name, content, tmp_path):
    with pytest.raises(UsageError, match=r"0 of \d+ tensors fit; missing: .*name the encoder that they belong to"):
        FAMILIES[name](name, weights=saved(tmp_path, content))


def test_one_tensor_of_another_shape_is_named(wholes, tmp_path):
    wrong = wholes("test_resnet") | {"conv1.0.weight": torch.zeros(2, 3, 3, 3)}
    assert wrong["conv1.0.weight"].shape != wholes("test_resnet").get("conv1.0.weight", torch.zeros(1)).shape
    first = next(iter(wholes("test_resnet")))
    wrong = wholes("test_resnet") | {first: torch.zeros(2, 4, 3, 3)}
    with pytest.raises(UsageError, match=rf"of another shape: {first} \(2 x 4 x 3 x 3, needs "):
        TimmEncoder("test_resnet", weights=saved(tmp_path, wrong))


@pytest.mark.slow
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(value, wholes, tmp_path):
    state = {key: tensor.clone() for key, tensor in wholes("test_resnet").items()}
    first = next(iter(state))
    state[first].view(-1)[3] = value
    with pytest.raises(UsageError, match=rf"w.pth (.|\n)*{first}: 1 of \d+ values are NaN or infinite"):
        TimmEncoder("test_resnet", weights=saved(tmp_path, state))


def test_integers_are_refused_and_half_precision_is_taken(wholes, tmp_path):
    whole = wholes("test_resnet")
    with pytest.raises(UsageError, match=r"w.pth (.|\n)*int8, where float32 was expected"):
        TimmEncoder(
            "test_resnet", weights=saved(tmp_path, {key: tensor.to(torch.int8) for key, tensor in whole.items()})
        )
    half = {key: tensor.bfloat16() for key, tensor in whole.items()}
    encoder = TimmEncoder("test_resnet", weights=saved(tmp_path, half))
    first = next(iter(whole))
    assert torch.equal(encoder.network.state_dict()[first], half[first].float())


def test_twice_the_same_network_is_taken_once_and_two_different_ones_are_refused(wholes, tmp_path):
    whole = wholes("test_resnet")
    other = {key: tensor + 1 for key, tensor in whole.items()}
    assert_holds(TimmEncoder("test_resnet", weights=saved(tmp_path, {"student": other, "teacher": whole})), whole)
    assert_holds(
        TimmEncoder("test_resnet", weights=saved(tmp_path, {"state_dict": other, "state_dict_ema": whole})), whole
    )
    assert_holds(TimmEncoder("test_resnet", weights=saved(tmp_path, {"a": whole, "b": whole})), whole)
    with pytest.raises(UsageError, match=r"more than once, with different weights, .*'a\.' and 'b\.'"):
        TimmEncoder("test_resnet", weights=saved(tmp_path, {"a": whole, "b": other}))


def test_what_is_not_used_is_said(wholes, tmp_path):
    extra = {f"backbone.{key}": tensor for key, tensor in wholes("resnet18").items()} | {
        "backbone.projector.0.weight": torch.zeros(2, 2),
        "decode_head.weight": torch.zeros(2),
    }
    encoder = TimmEncoder("resnet18", weights=saved(tmp_path, extra))
    assert encoder.weights == f"100 of 100 tensors from {tmp_path / 'w.pth'}, below 'backbone.', without fc, projector"


def test_old_files_without_counters_of_batches(wholes, tmp_path):
    old = {key: tensor for key, tensor in wholes("resnet18").items() if "num_batches" not in key}
    assert_holds(TimmEncoder("resnet18", weights=saved(tmp_path, old)), wholes("resnet18"))


def test_a_position_embedding_of_another_grid_is_resized(tmp_path):
    torch.manual_seed(0)
    larger = timm.create_model("test_vit", img_size=224)
    encoder = VitEncoder("test_vit", weights=saved(tmp_path, larger.state_dict()))
    whole = timm.create_model("test_vit", pretrained_cfg_overlay={"state_dict": larger.state_dict()}, pretrained=True)
    assert torch.equal(encoder.network.pos_embed, whole.pos_embed)


def test_a_pickled_module_gets_a_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"more than tensors.*pickled module.*torch.save\("):
        TimmEncoder("test_resnet", weights=saved(tmp_path, timm.create_model("test_resnet")))


def test_damaged_files_get_a_sentence(tmp_path):
    for name in ("w.pth", "w.safetensors"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(UsageError, match=name):
            TimmEncoder("test_resnet", weights=tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_model_takes_the_encoder_of_a_run_folder(model, tmp_path):
    """Of a run of FCN and of a run of the model itself; with the normalisation that it was trained with."""
    args = {"encoder": "test_resnet", "output_stride": 16}
    torch.manual_seed(3)
    fcn = FCN(2, **args)
    wanted = fcn.encoder.state_dict()
    nested = model == "AttentionToRefine"

    def built(source):
        own = {**args, "encoder_weights": str(source)}
        return build_model(model, {"base": "FCN", "base_args": own} if nested else own, 5)

    about = {"classes": SCENES, "info": {}, "preprocessing": Preprocessing((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))}
    for place, spec, state in (
        (tmp_path / "fcn", ModelSpec(name="FCN", args=args), fcn.state_dict()),
        (tmp_path / "own", ModelSpec(name=model, args=args), None),
    ):
        place.mkdir()
        state = state or built(tmp_path / "fcn").state_dict()
        save_weights(place / "best.safetensors", state, model=spec, **about)
        found = built(place)
        learned = [name for name in wanted if "num_batches" not in name]
        assert [name for name in learned if not torch.equal(wanted[name], found.encoder.state_dict()[name])] == []
        assert Preprocessing.of(found) == about["preprocessing"]
    with pytest.raises(UsageError, match=r"holds no weights: best.safetensors"):
        built(tmp_path)


@pytest.mark.slow
def test_vgg_takes_torchvisions_names_timms_and_its_own(tmp_path):
    with torch.device("meta"):
        shapes = {key: tensor.shape for key, tensor in timm.create_model("vgg16").state_dict().items()}
    torch.manual_seed(0)
    theirs = {
        key: torch.rand(shape) if key.startswith("features") else torch.zeros(1).expand(shape)
        for key, shape in shapes.items()
    }
    encoder = VGGLargeFOV(weights=saved(tmp_path, {f"backbone.{key}": tensor for key, tensor in theirs.items()}))
    assert torch.equal(encoder.conv1[0].weight, theirs["features.0.weight"])
    assert encoder.weights.startswith("30 of 30 tensors from ")
    own = saved(tmp_path, {f"base.encoder.{key}": tensor for key, tensor in encoder.state_dict().items()}, "own.pth")
    again = VGGLargeFOV(weights=own)
    assert torch.equal(again.conv5[4].weight, theirs["features.28.weight"])
    with pytest.raises(UsageError, match=r"'vgg16': 15 of 30 tensors fit; missing: "):
        VGGLargeFOV(weights=saved(tmp_path, dict(list(encoder.state_dict().items())[:15])))
    torchvision = {key: tensor for key, tensor in theirs.items() if key.startswith("features")}
    for ours, other in (("pre_logits.fc1", "classifier.0"), ("pre_logits.fc2", "classifier.3")):
        torchvision |= {f"{other}.weight": theirs[f"{ours}.weight"].flatten(1), f"{other}.bias": theirs[f"{ours}.bias"]}
    assert torch.equal(VGGLargeFOV(weights=saved(tmp_path, torchvision)).conv1[2].weight, theirs["features.2.weight"])


def test_safetensors_of_others_have_no_header_of_ours(wholes, tmp_path):
    safetensors.torch.save_file(
        {f"model.{key}": tensor for key, tensor in wholes("test_vit").items()}, tmp_path / "w.safetensors"
    )
    assert_holds(VitEncoder("test_vit", weights=tmp_path / "w.safetensors"), wholes("test_vit"))
    safetensors.torch.save_file(wholes("test_vit"), tmp_path / "w.safetensors", {"attseg": json.dumps({"format": 1})})
    with pytest.raises(UsageError, match="the header of .*w.safetensors is damaged"):
        VitEncoder("test_vit", weights=tmp_path / "w.safetensors")
