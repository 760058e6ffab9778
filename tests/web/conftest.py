"""What the tests of the explorer share."""

import pytest
import torch

from attseg.models import PSANet
from attseg.web.desk import Desk
from attseg.web.folder import PictureFolder
from attseg.web.limits import Limits
from attseg.web.models import offer
from exploring import Client, Plain, Strongest, encoded, picture, segmenter


@pytest.fixture(scope="session")
def psanet():
    torch.manual_seed(0)
    return PSANet(3, encoder="test_resnet", pretrained=False).eval()


@pytest.fixture
def pictures(tmp_path):
    """A folder with two pictures, one of them in a folder of its own; beside it a picture that is nobody's business."""
    root = tmp_path / "photos"
    (root / "more").mkdir(parents=True)
    (root / "a.png").write_bytes(encoded(picture(seed=1)))
    (root / "more" / "b.jpg").write_bytes(encoded(picture(600, 900, seed=2), "JPEG"))
    (root / "notes.txt").write_text("secret")
    (tmp_path / "outside.png").write_bytes(encoded(picture(seed=3)))
    return root


@pytest.fixture
def make_client(pictures, psanet):
    """Makes clients of explorers with limits; what they opened is closed at the end."""
    clients = []

    def make(*, folder=True, models=None, addresses=False, **limits):
        bounds = Limits(**limits)
        models = models or (Strongest(), psanet, Plain())
        names = ("runs/strongest", "runs/psanet", "runs/plain")[: len(models)]
        desk = Desk(
            offer(names, [segmenter(model) for model in models]),
            PictureFolder(pictures, bounds) if folder else None,
            bounds,
        )
        clients.append(Client(desk, addresses=addresses))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client):
    """A client of an explorer with the limits that everybody gets."""
    return make_client()
