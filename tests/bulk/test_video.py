import json
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from attseg.bulk.frames import Reader, VideoWriter, find_videos, is_video
from attseg.bulk.outputs import Summary
from attseg.bulk.share import Share
from attseg.bulk.video import predict_videos
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.inference.segmenter import Segmenter
from attseg.models import Segmentation

av = pytest.importorskip("av", reason="needs the package av")

CLASSES = ClassTable(("red", "green", "blue"), ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
SIZE = (64, 96)
TIMES = (0, 40, 80, 200, 240, 700, 740)
"""Milliseconds: the rate of this video changes."""


class Strongest(nn.Module):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.batches = []

    def forward(self, images):
        self.batches.append(len(images))
        return Segmentation(images * self.factor, {})


def segmenter(factor=1.0):
    return Segmenter(Strongest(factor), CLASSES, Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), device="cpu")


def picture(number, size=SIZE):
    """The upper rows red, then a row of blocks of green that grows with the number, the rest blue."""
    image = np.zeros((*size, 3), np.uint8)
    image[:16, :, 0] = image[16:, :, 2] = 220
    image[16:32, : 8 * (number + 1)] = (0, 220, 0)
    return image


def film(path, times=TIMES, *, size=SIZE, codec="libx264", sound=False):
    """A video with a frame at each time, lossless enough that colours stay what they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if codec == "libx264":
            stream.codec_context.options = {"crf": "5", "g": "3"}
        voice = container.add_stream("aac", rate=48000) if sound else None
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.sample_rate, silence.pts = 48000, 0
            container.mux(voice.encode(silence))
            container.mux(voice.encode(None))
    return path


def seen(path):
    with av.open(str(path)) as container:
        return [(frame.to_ndarray(format="rgb24"), float(frame.time)) for frame in container.decode(video=0)]


def labels_of(path):
    with av.open(str(path)) as container:
        return [(frame.to_ndarray(format="gray"), float(frame.time)) for frame in container.decode(video=0)]


def run(one, path, out, **options):
    return predict_videos(one, find_videos([path]), out, **options)


def entries(out):
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("batch", [None, 1])
def test_labels_are_the_classes_and_times_those_of_the_frames(tmp_path, batch):
    path, out = film(tmp_path / "clip.mp4"), tmp_path / "out"
    assert run(segmenter(), path, out, batch=batch) == Summary(1, 0, ())
    frames, labels, overlays = seen(path), labels_of(out / "labels/clip.mkv"), seen(out / "overlays/clip.mp4")
    assert len(frames) == len(labels) == len(overlays) == len(TIMES)
    for (image, time), (values, label_time), (overlay, overlay_time) in zip(frames, labels, overlays, strict=True):
        assert np.array_equal(values, image.argmax(axis=-1))
        assert label_time == pytest.approx(time, abs=0.001)
        assert overlay_time == pytest.approx(time, abs=1e-6)
        assert overlay.shape == (*SIZE, 3)  # too narrow for a legend
        assert np.abs(overlay.astype(int) - image).mean() < 40
    assert [round(1000 * time) for _, time in labels] == list(TIMES)


def test_frames_go_through_the_network_together(tmp_path):
    one = segmenter()
    run(one, film(tmp_path / "clip.mp4"), tmp_path / "out", batch=3)
    assert one.model.batches == [3, 3, 1]


def test_a_legend_names_all_classes_below_wide_videos(tmp_path):
    path = film(tmp_path / "wide.mp4", times=(0, 40), size=(130, 322))
    run(segmenter(), path, tmp_path / "out")
    (first, _), (second, _) = seen(tmp_path / "out/overlays/wide.mp4")
    assert first.shape == second.shape
    assert first.shape[0] > 130
    assert first[132:].mean() > 128
    assert labels_of(tmp_path / "out/labels/wide.mkv")[0][0].shape == (130, 322)


def test_odd_sides_come_out_as_they_are_in_the_labels(tmp_path):
    path = tmp_path / "odd.mkv"
    with (
        path.open("wb") as file,
        VideoWriter(file, "gray", (37, 51), clock=Fraction(1, 25), rate=Fraction(25)) as writer,
    ):
        writer.write(np.arange(37 * 51, dtype=np.uint8).reshape(37, 51), 0)
    run(segmenter(), path, tmp_path / "out")
    assert labels_of(tmp_path / "out/labels/odd.mkv")[0][0].shape == (37, 51)
    assert seen(tmp_path / "out/overlays/odd.mp4")[0][0].shape == (38, 52, 3)


def test_label_videos_hold_any_value_to_the_bit(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (3, 40, 60), np.uint8)
    options = {"clock": Fraction(1, 25), "rate": Fraction(25), "notes": {"attseg": "x"}}
    with (tmp_path / "labels.mkv").open("wb") as file, VideoWriter(file, "gray", (40, 60), **options) as writer:
        for number, one in enumerate(values):
            writer.write(one, number)
    assert np.array_equal(np.stack([one for one, _ in labels_of(tmp_path / "labels.mkv")]), values)
    with Reader(tmp_path / "labels.mkv") as reader:
        assert reader.mark == "x"


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_video_that_says_it_lies_comes_out_upright(tmp_path, quarters):
    path = film(tmp_path / "phone.mp4", times=(0, 40))
    cosine, sine = ((0, 1), (-1, 0), (0, -1))[quarters - 1]
    matrix = [cosine, sine, 0, -sine, cosine, 0, 0, 0, 0x4000]
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40  # what stands before the matrix in version 0 of this box
    content[place : place + 36] = b"".join(int(65536 * value).to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(content)
    run(segmenter(), path, tmp_path / "out")
    values = labels_of(tmp_path / "out/labels/phone.mkv")[0][0]
    expected = np.rot90(seen(path)[0][0].argmax(axis=-1), -quarters)  # the matrix turns clockwise
    assert np.array_equal(values, expected)
    assert seen(tmp_path / "out/overlays/phone.mp4")[0][0].shape[:2] == expected.shape


def test_sound_is_dropped(tmp_path):
    path = film(tmp_path / "clip.mp4", sound=True)
    run(segmenter(), path, tmp_path / "out")
    with av.open(str(path)) as before, av.open(str(tmp_path / "out/overlays/clip.mp4")) as after:
        assert [stream.type for stream in before.streams] == ["video", "audio"]
        assert [stream.type for stream in after.streams] == ["video"]


def test_the_manifest_adds_up_the_areas_of_all_frames(tmp_path):
    path, out = film(tmp_path / "clip.mp4"), tmp_path / "out"
    run(segmenter(), path, out)
    (entry,) = entries(out)
    classes = np.stack([image.argmax(axis=-1) for image, _ in seen(path)])
    assert entry["classes"] == {
        name: int((classes == index).sum())
        for index, name in sorted(enumerate(CLASSES.names), key=lambda pair: -(classes == pair[0]).sum())
    }
    assert (entry["frames"], entry["height"], entry["width"], entry["name"]) == (len(TIMES), *SIZE, "clip")


def test_what_is_done_is_skipped_also_where_the_manifest_is_lost(tmp_path):
    path, out = film(tmp_path / "clip.mp4"), tmp_path / "out"
    run(segmenter(), path, out)
    again = segmenter()
    assert run(again, path, out) == Summary(0, 1, ())
    before = entries(out)
    (out / "manifest.jsonl").unlink()
    assert run(again, path, out) == Summary(0, 1, ())
    assert again.model.batches == []
    assert [entry["key"] for entry in entries(out)] == [entry["key"] for entry in before]
    ((_, message),) = run(segmenter(2.0), path, out).failed
    assert (
        "labels/clip.mkv is there already, and comes from another video, another protocol or other weights" in message
    )
    assert run(segmenter(2.0), path, out, overwrite=True).done == 1


def test_only_labels_on_demand(tmp_path):
    run(segmenter(), film(tmp_path / "clip.mp4"), tmp_path / "out", overlay=False)
    assert [path.name for path in (tmp_path / "out").rglob("clip.*")] == ["clip.mkv"]


def test_a_damaged_stretch_costs_its_frames_alone_and_is_named(tmp_path):
    path, out = film(tmp_path / "clip.avi", times=range(0, 1200, 40), codec="mpeg4"), tmp_path / "out"
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for place, size in places[13:16]:
        content[place : place + size + 8] = bytes(size + 8)[: len(content) - place]
    path.write_bytes(content)
    ((_, message),) = run(segmenter(), path, out).failed
    assert message.startswith(f"{path} is damaged: ")
    assert "of its frames could not be decoded or not rightly, the first about 0." in message
    assert message.endswith("the others were segmented")
    (entry,) = entries(out)
    assert entry["problem"] == message
    assert 12 <= entry["frames"] <= 30
    assert len(labels_of(out / "labels/clip.mkv")) == entry["frames"]


@pytest.mark.parametrize("content", [b"", b"no video at all", None])
def test_what_is_no_video_is_named_and_the_others_done(tmp_path, content):
    good, bad = film(tmp_path / "good.mp4"), tmp_path / "bad.mp4"
    bad.write_bytes(good.read_bytes()[:700] if content is None else content)
    calls = []
    summary = predict_videos(
        segmenter(), find_videos([bad, good]), tmp_path / "out", on_file=lambda *call: calls.append(call[:2])
    )
    ((path, message),) = summary.failed
    assert (summary.done, path) == (1, bad)
    assert message.startswith(f"{bad} cannot be read as a video: ")
    assert message.endswith("replace or remove it")
    assert calls == [(1, 2), (2, 2)]
    assert not (tmp_path / "out/labels/bad.mkv").exists()


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        voice = container.add_stream("aac", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = 48000, 0
        container.mux(voice.encode(silence))
        container.mux(voice.encode(None))
    with pytest.raises(DataError, match="it has no picture, only sound"):
        Reader(path)


def test_frames_are_counted_on_the_way(tmp_path):
    calls = []
    run(segmenter(), film(tmp_path / "clip.mp4"), tmp_path / "out", on_frames=lambda *call: calls.append(call))
    assert calls == [(number, 7) for number in range(1, 8)]


def test_processes_share_whole_videos(tmp_path):
    files = find_videos([film(tmp_path / f"{number}.mp4", times=(0, 40)) for number in range(3)])
    for rank, expected in ((0, 2), (1, 1)):
        assert predict_videos(segmenter(), files, tmp_path / "out", share=Share(rank, 2)).done == expected
    assert len(list((tmp_path / "out/labels").glob("*.mkv"))) == 3


def test_files_and_patterns_are_videos_and_folders_are_not(tmp_path):
    film(tmp_path / "clips/a.mp4", times=(0,))
    film(tmp_path / "clips/b.MP4", times=(0,))
    assert [is_video(text) for text in ("a.mp4", "a.MOV", "clips/*.mkv", "a.jpg", tmp_path / "clips")] == [
        *(True, True, True),
        *(False, False),
    ]
    assert [file.name for file in find_videos([tmp_path / "clips" / "*.[mM][pP]4"])] == ["a", "b"]
    with pytest.raises(UsageError, match=r"no video was found in .*\.mkv"):
        find_videos([tmp_path / "clips" / "*.mkv"])


def test_without_the_package_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("attseg.bulk.frames.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"videos need the package av, which is not installed: pip install 'av>="):
        find_videos(["clip.mp4"])
