import json
import pickle
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from attseg.checkpoint import FORMAT, WeightsError, load_into, read_weights, save_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.files import FileError
from attseg.inference.segmenter import load
from attseg.models import FCN
from attseg.recipes.recipe import ModelSpec

CLASSES = ClassTable(("sky", "road", "boat"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)), {1: 0, 2: 1, 3: 2})
PREPROCESSING = Preprocessing((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
HEAD = "head.weight"
INFO = {"recipe": "pan-scenes", "seed": 3, "step": 100, "miou": 0.5}


def save(path, state, args=None, info=INFO):
    model = ModelSpec(name="FCN", args=args or {})
    save_weights(path, state, model=model, classes=CLASSES, preprocessing=PREPROCESSING, info=info)
    return path


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def with_header(path, change):
    """A good file whose header is changed."""
    save(path, net().state_dict())
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["attseg"])
        state = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    change(header)
    save_file(state, path, metadata={"attseg": json.dumps(header)})
    return path


def test_what_is_saved_comes_back(tmp_path):
    state = net().state_dict() | {"half": torch.ones(2, dtype=torch.bfloat16), "flag": torch.tensor(True)}
    args = {"encoder": "resnet18", "output_stride": 8, "pyramid_kernels": [7, 5, 3]}
    weights = read_weights(save(tmp_path / "a.safetensors", state, args))
    assert weights.state.keys() == state.keys()
    for name, tensor in state.items():
        assert weights.state[name].dtype == tensor.dtype
        assert torch.equal(weights.state[name], tensor)
    assert weights.model == ModelSpec(name="FCN", args=args)
    assert weights.classes.names == CLASSES.names
    assert weights.classes.colors == CLASSES.colors
    assert weights.preprocessing == PREPROCESSING
    assert weights.info == INFO


def test_tensors_may_share_memory_and_have_any_layout(tmp_path):
    base = torch.arange(24.0).view(2, 3, 2, 2)
    state = {
        "channels_last": base.contiguous(memory_format=torch.channels_last),
        "tied": base,
        "tied_too": base,
        "part": base[1],
        "turned": base.transpose(0, 3),
        "expanded": torch.ones(1).expand(3),
        "parameter": nn.Parameter(torch.ones(2)),
    }
    read = read_weights(save(tmp_path / "a.safetensors", state)).state
    assert all(torch.equal(read[name], tensor) for name, tensor in state.items())
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in read.values())


def test_where_first_weights_came_from_is_left_out(tmp_path):
    args = {"encoder": "resnet18", "pretrained": True, "encoder_weights": "/home/me/resnet18.pth"}
    path = save(tmp_path / "a.safetensors", net().state_dict(), args)
    assert b"/home/me" not in path.read_bytes()
    assert read_weights(path).model.args == {"encoder": "resnet18"}
    wrapping = save(tmp_path / "b.safetensors", net().state_dict(), {"base": "FCN", "base_args": args})
    assert b"/home/me" not in wrapping.read_bytes()
    assert read_weights(wrapping).model.args == {"base": "FCN", "base_args": {"encoder": "resnet18"}}


def test_a_file_cannot_ask_for_another_file_to_be_read(tmp_path):
    path = with_header(
        tmp_path / "a.safetensors", lambda header: header["model"]["args"].update(encoder_weights="/evil.pt")
    )
    assert read_weights(path).model.args == {}


def test_the_file_that_was_read_can_be_replaced(tmp_path):
    path = save(tmp_path / "a.safetensors", {"a": torch.zeros(3)})
    weights = read_weights(path)
    path.write_bytes(b"")
    assert torch.equal(weights.state["a"], torch.zeros(3))


def damage(path, kind):
    save(path, net().state_dict())
    content = path.read_bytes()
    header_length = struct.unpack("<Q", content[:8])[0]
    return {
        "empty": b"",
        "cut in the header": content[: 8 + header_length // 2],
        "cut in the tensors": content[:-7],
        "longer": content + b"more",
        "bad header": content[:8] + b"{" + b"x" * (header_length - 1) + content[8 + header_length :],
        "noise": bytes(range(7, 250)),
        "text": b"this is a text, not a file of weights",
        "pickle": pickle.dumps({"state_dict": 1}),
        "zip": b"PK\x03\x04" + bytes(100),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "is not a safetensors file"),
        ("cut in the header", "is damaged or incomplete"),
        ("cut in the tensors", "is damaged or incomplete"),
        ("longer", "is damaged or incomplete"),
        ("bad header", "is damaged or incomplete"),
        ("noise", "is not a safetensors file"),
        ("text", "is not a safetensors file"),
        ("pickle", "it is a pickle, .*attseg reads safetensors only.*load_state_dict.*attseg.save"),
        ("zip", "it is a pickle, .*attseg reads safetensors only"),
    ],
)
def test_damaged_and_foreign_files_are_refused(tmp_path, kind, message):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(damage(path, kind))
    with pytest.raises(WeightsError, match=message) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)


def test_tensors_without_our_header_are_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"other\.safetensors .*was not written by attseg"):
        read_weights(tmp_path / "other.safetensors")


def test_a_newer_format_asks_for_an_upgrade(tmp_path):
    path = with_header(
        tmp_path / "a.safetensors", lambda header: header.update(format=FORMAT + 1, model="unlike today's")
    )
    with pytest.raises(WeightsError, match=rf"newer attseg \(format {FORMAT + 1}, this one reads up to {FORMAT}\)"):
        read_weights(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.pop("format"),
        lambda header: header.pop("classes"),
        lambda header: header.update(format="one"),
        lambda header: header.update(model=[]),
        lambda header: header["model"].update(args=None),
        lambda header: header["classes"].update(colors=[[1, 2]]),
        lambda header: header["classes"].update(names=[]),
        lambda header: header.update(preprocessing={"mean": [0.5], "std": [1, 1, 1]}),
        lambda header: header.update(info=3),
        lambda header: header.update(info={"recipe": json.loads("[" * 900 + "]" * 900)}),
        lambda header: header["model"].update(args={"a": json.loads('{"a":' * 60 + "1" + "}" * 60)}),
    ],
)
def test_damaged_headers_are_refused(tmp_path, change):
    path = with_header(tmp_path / "a.safetensors", change)
    with pytest.raises(WeightsError, match=r"the header of .* is damaged \("):
        read_weights(path)


def test_a_header_that_is_no_json_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"attseg": "{"})
    with pytest.raises(WeightsError, match="is damaged"):
        read_weights(tmp_path / "a.safetensors")


def test_a_missing_file_is_named_with_its_neighbour(tmp_path):
    save(tmp_path / "best.safetensors", net().state_dict())
    with pytest.raises(UsageError, match=r"there is no file or folder .*beast.*did you mean .*best"):
        read_weights(tmp_path / "beast.safetensors")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refuse(path, framework):
        raise PermissionError(13, "Permission denied")

    path = save(tmp_path / "best.safetensors", net().state_dict())
    monkeypatch.setattr("attseg.checkpoint.safe_open", refuse)
    with pytest.raises(FileError, match=r"best\.safetensors cannot be read: Permission denied"):
        read_weights(path)


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(FileError, match=r"cannot write .*best\.safetensors: a file is where the folder"):
        save(tmp_path / "run" / "best.safetensors", net().state_dict())


def test_what_json_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TypeError, match="JSON serializable"):
        save(tmp_path / "a.safetensors", net().state_dict(), info={"model": net()})
    assert list(tmp_path.iterdir()) == []


def test_load_into_copies_everything():
    model, other = net(), net()
    nn.init.ones_(other[0].weight)
    load_into(model, other.state_dict())
    assert torch.equal(model[0].weight, other[0].weight)


def test_load_into_lists_differences_by_module_and_loads_nothing():
    model = net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = {
        "0.weight": torch.zeros(9, 3, 3, 3),
        "0.bias": torch.zeros(4),
        "head.0.weight": torch.zeros(1),
        "scale": torch.ones(()),
    }
    with pytest.raises(WeightsError) as caught:
        load_into(model, state)
    assert str(caught.value).splitlines()[1:] == [
        "  missing:",
        "    1: weight, bias, running_mean, running_var, num_batches_tracked",
        "  unexpected:",
        "    head.0: weight",
        "    (the model itself): scale",
        "  of another shape:",
        "    0.weight (4 x 3 x 3 x 3 in the model, 9 x 3 x 3 x 3 in the file)",
    ]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_long_lists_of_differences_are_cut():
    model = nn.Sequential(*[nn.Linear(1, 1) for _ in range(10)])
    with pytest.raises(WeightsError, match=r"    5: weight, bias\n    and 4 more$"):
        load_into(model, {})


def forged(path, change):
    """A file that save_weights would not write: tensors changed, with a header that fits them."""
    save(path, FCN(3, encoder="test_resnet").state_dict(), {"encoder": "test_resnet"})
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["attseg"]) | {"checksum": None}
        state = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    change(state)
    save_file(state, path, metadata={"attseg": json.dumps(header)})
    return path


def cast(dtype, name):
    return lambda state: state.update({name: state[name].to(dtype)})


def filled(value, name):
    def change(state):
        state[name].view(-1)[-1] = value

    return change


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_neither_written_nor_loaded(value, tmp_path):
    names = list(FCN(3, encoder="test_resnet").state_dict())
    floats = [name for name in names if not name.endswith("num_batches_tracked")]
    for name in (floats[0], next(name for name in floats if name.endswith("running_var")), floats[-1]):
        path = forged(tmp_path / "a.safetensors", filled(value, name))
        with pytest.raises(WeightsError) as error:
            load(path, device="cpu")
        assert str(path) in str(error.value) and f"{name}: 1 of " in str(error.value)
    broken = net()
    broken[0].bias.data[0] = value
    with pytest.raises(WeightsError, match="0.bias: 1 of 4 values"):
        save(tmp_path / "b.safetensors", broken.state_dict())
    assert not (tmp_path / "b.safetensors").exists()
    with pytest.raises(WeightsError, match="0.bias: 1 of 4 values"):
        load_into(net(), broken.state_dict())


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn], ids=str)
def test_weights_of_another_kind_are_refused(dtype, tmp_path):
    path = forged(tmp_path / "a.safetensors", cast(dtype, HEAD))
    with pytest.raises(WeightsError) as error:
        load(path, device="cpu")
    assert f"{HEAD}: {str(dtype).removeprefix('torch.')}, where float32 was expected" in str(error.value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_half_and_double_precision_are_loaded_as_32_bits(dtype, tmp_path):
    expected = {}

    def change(state):
        state.update({name: each.to(dtype) if each.is_floating_point() else each for name, each in state.items()})
        expected.update({name: each.float() if each.is_floating_point() else each for name, each in state.items()})

    found = load(forged(tmp_path / "a.safetensors", change), device="cpu").model.state_dict()
    assert {name: each.dtype for name, each in found.items()} == {name: each.dtype for name, each in expected.items()}
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []
