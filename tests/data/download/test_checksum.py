import hashlib

from attseg.data.download.checksum import digests


def test_one_reading_gives_every_digest(tmp_path):
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    told = []
    found = digests(tmp_path / "a", {"md5", "sha1", "sha256"}, lambda *values: told.append(values))
    assert found == {name: hashlib.new(name, content).hexdigest() for name in ("md5", "sha1", "sha256")}
    assert told == [(2**20, 2_560_000), (2**21, 2_560_000), (2_560_000, 2_560_000)]
