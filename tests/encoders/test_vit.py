"""Plain transformers as encoders: the strides they are given, the pictures they take, and that nothing of timm's is lost."""

import onnxruntime
import pytest
import safetensors.torch
import timm
import torch
import torch.nn.functional as F
from torch._dynamo.testing import CompileCounter

from attseg.encoders.vit import VitEncoder, is_vit
from attseg.errors import UsageError
from attseg.models import FCN

TINY = ["test_vit", "test_vit2", "test_vit3", "test_vit4"]


def build(name, **options):
    torch.manual_seed(0)
    return VitEncoder(name, **options)


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("name", TINY)
def test_maps_are_as_declared_for_any_size(name, stride):
    encoder = build(name, output_stride=stride).eval()
    assert encoder.strides == tuple(min(s, stride) for s in (4, 8, 16, 32))
    for n, h, w in ((2, 64, 96), (1, 33, 47), (1, 32, 32), (1, 170, 50)):
        with torch.no_grad():
            maps = encoder(torch.randn(n, 3, h, w))
        expected = [(n, c, -(-h // s), -(-w // s)) for c, s in zip(encoder.channels, encoder.strides, strict=True)]
        assert [tuple(level.shape) for level in maps] == expected


@pytest.mark.parametrize(
    "name",
    [
        "deit_tiny_distilled_patch16_224",
        "vit_small_patch14_reg4_dinov2",
        "vit_small_patch16_dinov3",
        "vit_small_patch8_224",
    ],
)
def test_other_patches_tokens_and_positions(name):
    assert is_vit(name)
    with torch.device("meta"):
        encoder = VitEncoder(name, output_stride=16).eval()
        maps = encoder(torch.empty(1, 3, 70, 101))
    assert [tuple(level.shape[2:]) for level in maps] == [(18, 26), (9, 13), (5, 7), (5, 7)]


@pytest.mark.parametrize("name", TINY)
def test_maps_are_timms_blocks_normalised_and_resized(name):
    encoder = build(name, output_stride=16).eval()
    theirs = timm.create_model(name, dynamic_img_size=True).eval()
    missing = theirs.load_state_dict(encoder.network.state_dict(), strict=False)
    assert missing.unexpected_keys == []
    depth = len(theirs.blocks)
    seen = []
    for block in theirs.blocks:
        block.register_forward_hook(lambda module, given, tokens: seen.append(tokens))
    images = torch.randn(2, 3, 80, 112)
    with torch.no_grad():
        theirs.forward_features(images)
        maps = encoder(images)
    for index, (level, stride) in enumerate(zip(maps, encoder.strides, strict=True)):
        at = next(i for i in range(depth) if (i + 1) / depth >= (index + 1) / 4)
        tokens = seen[at][:, -5 * 7 :]
        grid = (tokens - tokens.mean(-1, keepdim=True)) / (tokens.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        grid = grid.view(2, 5, 7, -1).permute(0, 3, 1, 2)
        size = (80 // stride, 112 // stride)
        torch.testing.assert_close(level, F.interpolate(grid, size, mode="bilinear"), atol=1e-5, rtol=1e-4)


def test_whole_patches_are_seen_as_they_are():
    encoder = build("test_vit").eval()
    images = torch.randn(1, 3, 64, 96)
    seen = []
    encoder.network.patch_embed.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    encoder(images)
    encoder(torch.randn(1, 3, 65, 95))
    assert torch.equal(seen[0], images)
    assert seen[1].shape == (1, 3, 80, 96)


@pytest.mark.parametrize("name", TINY)
def test_every_parameter_gets_a_gradient_also_from_one_picture(name):
    encoder = build(name, output_stride=16).train()
    sum(level.square().mean() for level in encoder(torch.randn(1, 3, 40, 56))).backward()
    assert [key for key, p in encoder.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


def test_weights_come_from_a_file(tmp_path):
    torch.manual_seed(1)
    whole = timm.create_model("test_vit")
    safetensors.torch.save_file(whole.state_dict(), tmp_path / "weights.safetensors")
    encoder = build("test_vit", weights=tmp_path / "weights.safetensors")
    for key, values in encoder.network.state_dict().items():
        assert torch.equal(values, whole.state_dict()[key])
    with pytest.raises(FileNotFoundError, match=r"no file of encoder weights at .*nothing.pth"):
        build("test_vit", weights=tmp_path / "nothing.pth")


def test_stored_states_are_timms_without_what_classifies():
    ours, theirs = build("test_vit").state_dict().keys(), timm.create_model("test_vit").state_dict().keys()
    assert ours == {f"network.{key}" for key in theirs if key.split(".")[0] not in ("head", "norm", "fc_norm")}


def test_models_take_them_by_name():
    torch.manual_seed(0)
    model = FCN(3, encoder="test_vit", channels=8, decoder="gau").train()
    assert isinstance(model.encoder, VitEncoder)
    assert model.encoder.strides == (4, 8, 16, 16)
    assert model(torch.randn(1, 3, 50, 33)).logits.shape == (1, 3, 50, 33)
    with torch.device("meta"):
        assert FCN(3, encoder="vit_tiny_patch16_224").encoder.channels == (192, 192, 192, 192)


@pytest.mark.compile
def test_one_program_and_one_onnx_file_take_any_size(tmp_path):
    encoder = build("test_vit", output_stride=16).eval()
    h, w = (torch.export.Dim(side, min=32, max=4096) for side in "hw")
    dims = {0: torch.export.Dim("n", max=64), 2: h, 3: w}
    program = torch.export.export(encoder, (torch.randn(2, 3, 160, 224),), dynamic_shapes=({**dims},))
    torch.onnx.export(program, f=tmp_path / "vit.onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "vit.onnx")
    for size in ((1, 3, 32, 32), (3, 3, 33, 47), (2, 3, 96, 200)):
        images = torch.randn(size)
        found = session.run(None, {session.get_inputs()[0].name: images.numpy()})
        for ours, theirs, expected in zip(program.module()(images), found, encoder(images), strict=True):
            torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(torch.from_numpy(theirs), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.compile
@pytest.mark.slow
def test_compiles_into_one_graph_for_training_and_one_for_all_sizes():
    encoder = build("test_vit", output_stride=16)
    compiled = torch.compile(encoder.train(), fullgraph=True, dynamic=False, backend="aot_eager")
    sum(level.mean() for level in compiled(torch.randn(2, 3, 64, 80))).backward()
    torch._dynamo.reset()
    counter = CompileCounter()
    compiled = torch.compile(encoder.eval(), fullgraph=True, dynamic=True, backend=counter)
    with torch.no_grad():
        for size in ((2, 3, 64, 80), (3, 3, 96, 64), (2, 3, 33, 47)):
            images = torch.randn(size)
            for ours, theirs in zip(compiled(images), encoder(images), strict=True):
                torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert counter.frame_count == 1


def test_what_cannot_be_gets_a_sentence():
    with pytest.raises(UsageError, match=r"output_stride is 14; one of \(8, 16, 32\)"):
        build("test_vit", output_stride=14)
    for name in ("test_resnet", "beit_base_patch16_224", "vit_nothing"):
        assert not is_vit(name)
        with pytest.raises(
            UsageError, match=rf"'{name}' is none of timm's plain transformers; vit_\*, deit\* and eva\* are"
        ):
            build(name)
    with pytest.raises(UsageError, match="no encoder 'vit_tiny_patch16_225'; did you mean 'vit_tiny_patch16_224'"):
        FCN(3, encoder="vit_tiny_patch16_225")
    with pytest.raises(UsageError, match="the encoder 'beit_base_patch16_224' gives"):
        FCN(3, encoder="beit_base_patch16_224")
