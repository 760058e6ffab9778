from dataclasses import replace

import pytest
import torch

from attseg.checkpoint import architecture
from attseg.errors import UsageError
from attseg.layers import resize
from attseg.models import FCN, build_model
from attseg.prediction.protocols import find_protocol
from attseg.recipes import RECIPES, find_recipe
from attseg.recipes.tables import TABLES, find_row_recipe, find_table

ROWS = [(table, row) for table in TABLES.values() for row in table.rows]
COUNTS = {  # of the papers; rows of our own may stand beside them
    **{"a2r:1": 5, "a2r:2": 5, "a2r:3": 5},
    **{"dfdam:1": 6, "dfdam:2": 3, "dfdam:3": 3, "dfdam:4": 7, "dfdam:5": 3, "dfdam:6": 6, "dfdam:7": 10},
    **{"pan:1": 10, "pan:2": 3, "pan:3": 4, "pan:4": 3, "pan:5": 3, "pan:6": 9, "pan:7": 6},
    **{"psanet:1": 14, "psanet:since": 8, "psanet:2": 11, "psanet:3": 12, "psanet:4": 6, "psanet:5": 6, "psanet:6": 22},
}

# What the papers say in sentences about differences between rows: table, row, other row, figure, mIoU, pixel accuracy.
SAID = (
    ("a2r:1", "ours", "baseline", 0, 6.58, None),
    ("a2r:1", "ours", "attention-to-scale", 0, 3.24, None),
    ("a2r:3", "ours", "baseline", 0, 4.40, None),
    ("dfdam:1", "50-dafm", "50-sum", 0, 5.5, None),
    ("dfdam:1", "101-dafm-2dpam", "101-sum", 0, 5.0, None),
    ("dfdam:2", "18-dafm", "18-sum", 0, 2.5, None),
    ("dfdam:3", "ms", "single", 0, 1.5, None),
    ("dfdam:3", "ms-flip", "ms", 0, 0.3, None),
    ("psanet:1", "50-collect", "50-baseline", 0, 4.04, 1.73),
    ("psanet:1", "50-both", "50-baseline", 0, 4.69, 2.16),
)


def test_every_table_has_the_rows_of_its_paper():
    assert COUNTS.keys() <= TABLES.keys()
    assert [name for name, rows in COUNTS.items() if len(TABLES[name].rows) < rows] == []


@pytest.mark.parametrize(("table", "row", "other", "figure", "miou", "accuracy"), SAID)
def test_differences_are_those_of_the_papers_sentences(table, row, other, figure, miou, accuracy):
    one, two = (find_table(table).row(name).figures[figure] for name in (row, other))
    assert one.miou - two.miou == pytest.approx(miou, abs=1e-6)
    assert accuracy is None or one.accuracy - two.accuracy == pytest.approx(accuracy, abs=1e-6)


def test_the_best_rows_are_those_of_the_published_recipes():
    for table, name, recipe in (
        ("a2r:1", "ours", "a2r-voc"),
        ("a2r:3", "ours", "a2r-ade20k"),
        ("dfdam:1", "50-dafm-2dpam", "dfdam-voc-50"),
        ("dfdam:1", "101-dafm-2dpam", "dfdam-voc-101"),
        ("dfdam:2", "18-dafm-2dpam", "dfdam-cityscapes"),
        ("pan:5", "single", "pan-voc"),
        *(("psanet:1", f"{depth}-both", f"psanet-ade20k-{depth}") for depth in (50, 101)),
        *(("psanet:4", f"{depth}-both", f"psanet-voc-{depth}") for depth in (50, 101)),
        *(("psanet:5", f"{depth}-both", f"psanet-cityscapes-{depth}") for depth in (50, 101)),
    ):
        row, published = find_row_recipe(f"{table}/{name}"), find_recipe(recipe)
        assert replace(row, source=published.source) == published


@pytest.mark.parametrize("name", TABLES)
def test_rows_have_names_of_their_own_and_baselines_in_their_table(name):
    table = TABLES[name]
    names = [row.name for row in table.rows]
    assert len(set(names)) == len(names)
    for row in table.rows:
        assert row.baseline in ("", *names)
        assert row.baseline != row.name
        assert row.recipe is not None or row.note
        assert all(figure.miou is None or 20 < figure.miou < 90 for figure in row.figures)
        assert all(figure.accuracy is None or 70 < figure.accuracy < 100 for figure in row.figures)


@pytest.mark.parametrize("name", ["pan:6", "dfdam:7"])
def test_classes_leave_a_background_that_is_plausible(name):
    """The tables print 20 classes and the mean over 21: the background that remains was between 91 and 96 in all."""
    for row in TABLES[name].rows:
        [figure] = row.figures
        if figure.classes:
            assert len(figure.classes) == 20
            assert 91 < 21 * figure.miou - sum(figure.classes.values()) < 96


def test_only_what_the_paper_has_not_is_empty():
    empty = [
        (table.name, row.name, figure.protocol)
        for table, row in ROWS
        for figure in row.figures
        if not figure.miou and not (row.recipe and row.recipe.source.startswith("not in"))
    ]
    assert empty == [
        ("a2r:2", "bias", "single"),  # "around 1 %" in the text
        *(("a2r:3", row.name, "single") for row in find_table("a2r:3").rows),  # seen at five scales
        ("psanet:5", "101-baseline", "psanet-sliding"),
    ]


def test_equal_names_are_equal_recipes():
    known = {name: make() for name, make in RECIPES.items()}
    for _, row in ROWS:
        if row.recipe is not None:
            plain = replace(row.recipe, source="", expected_miou=None, protocol="single")
            before = known.setdefault(plain.name, plain)
            assert replace(before, source="", expected_miou=None, protocol="single") == plain
    bodies = [
        repr(replace(recipe, name="r", source="", expected_miou=None, protocol="single")) for recipe in known.values()
    ]
    assert len(set(bodies)) == len(bodies)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "row"), ROWS, ids=lambda value: value.name)
def test_every_row_builds_with_the_auxiliary_outputs_that_its_loss_weighs(table, row):
    if row.recipe is None:
        return
    recipe = row.recipe
    with torch.device("meta"):
        model = build_model(recipe.model.name, architecture(recipe.model.args), 19).train()
        out = model(torch.empty(2, 3, 65, 65))
    assert out.logits.shape == (2, 19, 65, 65)
    assert out.aux.keys() == recipe.loss.aux.keys()
    for figure in row.figures:
        protocol = find_protocol(figure.protocol, data=recipe.data.name, changes=figure.changes)
        assert protocol.flip == figure.changes.get("flip", figure.protocol not in ("single", "csail-5scale"))
        most = {"csail-5scale": 1.5, "pan-multiscale": 1.75, "dfdam-multiscale": 2.0, "psanet-multiscale": 1.75}.get(
            figure.protocol, 1.0
        )
        assert max(protocol.scales) == most


def test_a_row_is_a_recipe_by_name():
    recipe = find_recipe("pan:1/se")
    assert (recipe.name, recipe.expected_miou) == ("pan-voc-se", 75.74)
    assert recipe.source == "Li et al. 2018, arXiv 1805.10180, table 1, ResNet101+SE"
    assert find_recipe("pan:5/ms").protocol == "pan-multiscale"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pan:9/se", "there is no table 'pan:9'; did you mean 'pan:"),
        ("pan:1/sse", "there is no row of pan:1 'sse'; did you mean 'se'"),
        ("pan:2/deeplabv3", "pan:2/deeplabv3 cannot be run: quoted from the paper of DeepLab V3"),
    ],
)
def test_what_is_no_row_says_so(name, message):
    with pytest.raises(UsageError, match=message):
        find_recipe(name)


@pytest.mark.parametrize(("table", "row"), ROWS, ids=lambda value: value.name)
def test_crops_of_a_multiple_of_8_plus_1_have_aligned_corners(table, row):
    """Half-pixel centres would put the cells of a map of 59 x 59 up to 3.4 pixels beside where the encoder saw them."""
    if row.recipe is None or row.recipe.model.name not in ("PSANet", "FCN"):
        return
    crop, args = row.recipe.crop_size[0], row.recipe.model.args
    if crop % 8 == 1 and args.get("output_stride") != 32:
        assert args.get("align_corners") is True
    elif "align_corners" in args and crop % 8 == 0:
        assert not args["align_corners"]


def test_aligned_corners_put_cells_where_the_encoder_saw_them():
    """A map that says at which pixel each cell is centred, brought to the crop, says where each pixel lies."""
    seen = 8.0 * torch.arange(59).expand(1, 1, 59, 59)
    place = torch.arange(465.0)
    aligned, half = (resize(seen, (465, 465), align_corners=how)[0, 0, 0] for how in (True, False))
    torch.testing.assert_close(aligned, place)
    assert (half - place)[4:-4].abs().max() > 3.3


def test_stems_are_those_of_the_released_networks():
    """64, 64 and 128 channels, with ImageNet weights in timm; PAN says "like PSPNet"."""
    for name in ("pan:1", "psanet:1", "psanet:4", "psanet:5"):
        for row in find_table(name).rows:
            if row.recipe is not None:
                with torch.device("meta"):
                    stem = build_model(
                        row.recipe.model.name, architecture(row.recipe.model.args), 19
                    ).encoder.network.conv1
                assert [stem[place].out_channels for place in (0, 3, 6)] == [64, 64, 128]
                assert row.recipe.model.args["pretrained"]


def test_ade20k_rows_of_attention_to_refine_are_seen_as_csail_does():
    rows = {row.name: row for row in find_table("a2r:3").rows}
    for row in rows.values():
        assert [figure.protocol for figure in row.figures] == ["csail-5scale", "single"]
        assert row.recipe.augment.cover
    with torch.device("meta"):
        psp = build_model("PSANet", architecture(rows["psp"].recipe.model.args), 150)
    assert {level[0].out_channels for level in psp.context.levels} == {512}
    assert psp.context.merge[0].kernel_size == (3, 3)
    assert (psp.head[1].p, psp.head[2].kernel_size, psp.aux.keys()) == (0.1, (1, 1), set())


def test_dfns_row_can_be_built_as_its_note_says():
    note = find_table("pan:4").row("dfn-rrb").note
    call = note.partition("`")[2].partition("`")[0]
    with torch.device("meta"):
        decoder = eval(call.replace("FCN(", "FCN(21, "), {"FCN": FCN}).decoder
    assert decoder.whole is None
    assert all(step.select is None for step in decoder.steps)
