"""Training with each loss, alone and in a sum."""

from typing import get_args

import pytest
import torch

from attseg.data.catalog import open_data
from attseg.data.feeding.loader import train_loader
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.losses import LossName, LossSpec, make_loss, segmentation_loss
from attseg.models import build_model
from attseg.training.check import check_recipe
from fitting import fit_into

TERMS = {name: {name: 1.0} for name in get_args(LossName)} | {"sum": {"cross-entropy": 1.0, "dice": 0.5}}

STEPS = 15


def test_a_run_trains_with_all_at_once(tiny, tmp_path):
    terms = dict.fromkeys(get_args(LossName), 0.5)
    recipe = tiny(steps=2, loss=LossSpec(terms=terms, class_weights="median-frequency"))
    fit_into(tmp_path, recipe)
    first, last = (float(line.split(",")[1]) for line in (tmp_path / "metrics.csv").read_text().split()[1:])
    assert 0 < last < 10
    assert first > 0


@pytest.mark.slow
@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_a_few_steps_of_it_teach_a_network_something(terms, tiny):
    """Judged by what all of them are for: pixels that are right."""
    recipe = tiny(loss=LossSpec(terms=terms))
    data = open_data("scenes", "train", **recipe.data.options)
    loader = train_loader(data, TrainTransform((64, 64), scale=(1.0, 1.0)), batch_size=4, seed=0)
    torch.manual_seed(0)
    model = build_model("PAN", recipe.model.args, len(data.classes)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loss, right = make_loss(recipe.loss), []
    for _, batch in zip(range(STEPS), loader, strict=False):
        output, labels = model(Preprocessing()(batch["images"])), batch["labels"]
        right.append((output.logits.argmax(1) == labels)[labels != 255].float().mean().item())
        optimizer.zero_grad()
        segmentation_loss(output, labels, loss=loss).backward()
        optimizer.step()
    assert sum(right[-5:]) / 5 > max(0.4, 2 * right[0])


def test_a_loss_that_does_not_exist_is_refused_before_anything_is_read(tiny):
    with pytest.raises(UsageError, match="there is no loss 'focal'"):
        check_recipe(tiny(loss=LossSpec(terms={"focal": 1.0})), batch_size=4, num_classes=12)
