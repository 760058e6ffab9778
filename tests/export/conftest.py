"""One tiny network and its files, for all tests of export."""

import pytest

from attseg.export.formats import export_model
from tiny_exports import FILES, tiny


@pytest.fixture(scope="session")
def segmenter():
    """The network."""
    return tiny()


@pytest.fixture(scope="session")
def files(segmenter, tmp_path_factory):
    """A folder with a file of each kind."""
    folder = tmp_path_factory.mktemp("exported")
    for name, (format, contract) in FILES.items():
        export_model(segmenter, folder / name, format, contract, info={"step": 7})
    return folder
