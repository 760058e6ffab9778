import time

import pytest

from attseg.errors import UsageError
from attseg.files import FileError
from attseg.hub.sources import find_weights


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No test may reach the hub: every way out is a proxy that refuses at once."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_run_folder_gives_its_best_else_its_last_weights(tmp_path):
    touch(tmp_path / "run" / "last.safetensors")
    assert find_weights(tmp_path / "run").name == "last.safetensors"
    touch(tmp_path / "run" / "best.safetensors")
    assert find_weights(str(tmp_path / "run")).name == "best.safetensors"


def test_a_file_is_taken_as_it_is(tmp_path):
    touch(tmp_path / "model.safetensors")
    assert find_weights("model.safetensors").resolve() == tmp_path / "model.safetensors"


def test_a_folder_without_weights_says_what_was_expected_and_where_there_are(tmp_path):
    touch(tmp_path / "runs" / "pan" / "best.safetensors", tmp_path / "runs" / "pan" / "last.safetensors")
    with pytest.raises(
        UsageError, match=r"runs holds no weights: best\.safetensors or last\.safetensors .* \(there are in: pan\)"
    ):
        find_weights("runs")


def test_unknown_paths_propose_their_neighbours(tmp_path):
    touch(tmp_path / "runs" / "pan-camvid" / "best.safetensors")
    for given in ("runs/pan-canvid", tmp_path / "runs" / "pan-canvid", "runs/pan-canvid/best.safetensors"):
        with pytest.raises(UsageError, match=r"there is no file or folder .*did you mean .*runs/pan-camvid'\?"):
            find_weights(given)
    with pytest.raises(
        UsageError, match=r"there is no file or folder 'elsewhere/best\.safetensors'; the current folder holds runs"
    ):
        find_weights("elsewhere/best.safetensors")


def test_the_demo_is_bundled_or_said_not_to_be():
    try:
        assert find_weights("demo").name == "demo.safetensors"
    except UsageError as error:
        assert "comes without the demo model; train one with 'attseg demo'" in str(error)


def test_an_unreachable_hub_is_a_sentence_at_once(tmp_path, monkeypatch):
    start = time.monotonic()
    with pytest.raises(
        FileError, match=r"no file or folder 'owner/name'; it could be .* but the hub cannot be reached"
    ):
        find_weights("owner/name")
    assert time.monotonic() - start < 5


def test_without_the_network_the_hub_gives_what_it_gave_before(monkeypatch):
    def cached(repository, name):
        return f"/cache/{repository}/{name}" if name == "last.safetensors" else None

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", cached)
    assert str(find_weights("owner/name")) == "/cache/owner/name/last.safetensors"


class Hub:
    """A stand-in for the hub, which holds the given files."""

    def __init__(self, *names):
        self.names = names

    def __call__(self):
        return self

    def model_info(self, repository, timeout):
        siblings = [type("File", (), {"rfilename": name}) for name in self.names]
        return type("Info", (), {"siblings": siblings})


def test_the_hub_gives_the_best_weights(monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", Hub("README.md", "last.safetensors", "best.safetensors"))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda repository, name: f"/cache/{repository}/{name}")
    assert str(find_weights("owner/name")) == "/cache/owner/name/best.safetensors"


def test_a_repository_without_weights_is_refused(monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", Hub("model.bin"))
    with pytest.raises(UsageError, match=r"'owner/name' holds neither best\.safetensors nor last\.safetensors"):
        find_weights("owner/name")
