"""One small run for all tests of the verbs."""

from contextlib import redirect_stdout
from io import StringIO

import pytest

from attseg.cli import main

TINY = (
    *("pan-scenes", "--model.args.encoder", "test_resnet", "--model.args.channels", "8"),
    *("--data.options.size", "64,64", "--data.options.count", "5", "--crop_size", "64,64"),
    *("--batch_size", "2", "--steps", "2", "--val_every", "2", "--machine.workers", "0", "--machine.device", "cpu"),
)


@pytest.fixture(scope="session")
def training(tmp_path_factory):
    """A run folder whose network knows nothing, and what ``attseg train`` printed."""
    out = tmp_path_factory.mktemp("runs") / "tiny run"
    with redirect_stdout(StringIO()) as printed:
        assert main(["train", *TINY, "--out", str(out)]) == 0
    return out, printed.getvalue()


@pytest.fixture(scope="session")
def trained(training):
    """The run folder alone."""
    return training[0]
