import pytest

from attseg.recipes.recipe import DataSpec, ModelSpec, Recipe


@pytest.fixture(scope="session")
def tiny():
    """A recipe that trains in a second, with what is given changed."""

    def recipe(**changes):
        defaults = {
            "name": "tiny",
            "model": ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 8}),
            "data": DataSpec(options={"size": (64, 64), "count": 5}),
            "crop_size": (64, 64),
            "batch_size": 4,
            "steps": 6,
            "val_every": 2,
        }
        return Recipe(**defaults | changes)

    return recipe
