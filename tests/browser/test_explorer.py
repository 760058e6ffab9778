"""The explorer as people use it: a server in a process of its own, and a real browser before it."""

import base64
import json
import re
import time

import pytest
import torch

from attseg.checkpoint import save_weights
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES, Scenes
from attseg.explain.change import without
from attseg.explain.looked import look
from attseg.explain.pixel import cell_of
from attseg.inference.segmenter import load
from attseg.models import build_model
from attseg.prediction.whole import as_batch
from attseg.recipes.recipe import ModelSpec
from attseg.web.desk import SCENE_SIZE
from exploring import encoded, picture, started

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODELS = {
    "psanet": (
        "PSANet",
        {"encoder": "test_resnet", "crop_size": (64, 64), "inner": 8, "channels": 8, "pretrained": False},
    ),
    "plain": ("FCN", {"encoder": "test_resnet", "pretrained": False}),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Run folders of a PSANet that knows nothing, and of a network without attention."""
    root = tmp_path_factory.mktemp("runs")
    torch.manual_seed(0)
    for name, (kind, args) in MODELS.items():
        model = build_model(kind, args, len(SCENES))
        if name == "psanet":
            for parameter in model.context.parameters():  # else all maps are alike
                parameter.data.mul_(3)
        (root / name).mkdir()
        save_weights(
            root / name / "best.safetensors",
            model.state_dict(),
            model=ModelSpec(name=kind, args=args),
            classes=SCENES,
            preprocessing=Preprocessing(),
            info={},
        )
    return root


@pytest.fixture(scope="module")
def server(runs, tmp_path_factory):
    photos = tmp_path_factory.mktemp("photos")
    (photos / "<img src=x onerror=alert(1)>.png").write_bytes(encoded(picture(48, 64, seed=5)))
    (photos / "words.jpg").write_text("no picture")
    command = ("explore", "demo", str(runs / "psanet"), str(runs / "plain"), "--pictures", str(photos))
    with started("-m", "attseg", *command, "--port", "0", "--no-open", "--device", "cpu") as running:
        yield running


@pytest.fixture
def page(server, chromium):
    """The page with nothing kept."""
    for kept in json.loads(server.ask("GET", "/api/start")[1])["pictures"]:
        server.ask("DELETE", f"/api/pictures/{kept['key']}")
    page = chromium(f"http://127.0.0.1:{server.port}/#token={server.token}")
    page.wait_for_selector("#welcome:not([hidden])")
    return page


def until(page, expression, value=None, seconds=60):
    """Wait until something holds in the page; playwright's own way is an eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, value):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(30)


def show_scene(page, seed):
    page.fill("#seed", str(seed))
    page.click("#show-scene")
    until(page, "seed => document.querySelector('.viewer h1')?.textContent === `scene ${seed}`", seed)
    settle(page)


def settle(page):
    page.wait_for_selector(".viewer", timeout=60_000)
    page.wait_for_selector("#busy", state="hidden", timeout=60_000)


def click(page, x, y, size=SCENE_SIZE, place=0):
    canvas = page.locator("canvas.picture").nth(place)
    box = canvas.bounding_box()
    canvas.click(position={"x": (x + 0.5) / size[1] * box["width"], "y": (y + 0.5) / size[0] * box["height"]})
    until(page, "place => document.querySelector('.viewer .where')?.textContent === place", f"{x}, {y}")


def drop(page, name, content, kind="image/png"):
    """Drop a file on the page, as a drag from the desktop ends."""
    page.evaluate(
        """([name, text, type]) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], name, { type }));
            for (const kind of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [name, base64.b64encode(content).decode(), kind],
    )


def seen(source, image):
    used = load(source, device="cpu")
    return used.classes, look(used.model, as_batch(image, used.preprocessing, used.device))


def problem(page, chromium):
    """What the page says went wrong; the browser's own line about the status is expected."""
    page.wait_for_selector("#problem:not([hidden])")
    assert all(line.startswith("Failed to load resource") for line in chromium.complaints)
    chromium.complaints.clear()
    return page.inner_text("#problem span")


def test_the_address_loses_its_token_and_a_reload_keeps_it(page):
    assert "token" not in page.url
    page.reload()
    page.wait_for_selector("#welcome:not([hidden])")
    assert page.locator("#model option").all_inner_texts() == ["demo · PAN", "psanet · PSANet", "plain · FCN"]


def test_without_the_token_the_page_says_what_to_do(server, chromium):
    page = chromium(f"http://127.0.0.1:{server.port}/")
    assert problem(page, chromium) == "The token is missing or wrong; open the address that `attseg explore` printed"


def test_known_pixels_of_a_scene_read_as_in_python(page):
    show_scene(page, 3)
    image = Scenes("val", size=SCENE_SIZE, seed=3)[0].image
    classes, looked = seen("demo", image)
    (spatial,) = [number for number, one in enumerate(looked.found) if one.kind == "spatial"]
    for x, y in ((5, 5), (120, 80), (200, 150), (230, 158)):
        click(page, x, y)
        readout = page.inner_text(".viewer .readout")
        assert classes.names[looked.labels[y, x]] in readout
        share = looked.scores[looked.labels[y, x], y, x]
        assert abs(float(re.search(r"([\d.]+) %", readout)[1]) / 100 - share) < 0.006
        value = looked.at(x, y)[spatial].values[0]
        shown = float(page.locator(".card .large").first.inner_text())
        assert shown == pytest.approx(value, abs=0.011)


def test_pairs_of_a_clicked_pixel_come_from_the_server_as_looked_computes_them(page, runs):
    show_scene(page, 3)
    page.select_option("#model", label="psanet · PSANet")
    until(page, "document.querySelector('.viewer .names p')?.textContent.startsWith('PSANet')")
    settle(page)
    _, looked = seen(runs / "psanet", Scenes("val", size=SCENE_SIZE, seed=3)[0].image)
    found = set()
    for x, y in ((3, 3), (120, 80), (230, 150)):
        with page.expect_response(re.compile(rf"/pairs\?.*x={x}&y={y}")):
            click(page, x, y)
        page.wait_for_timeout(200)
        for one in looked.pairs:
            (weights,) = one.at([(x, y)])
            card = page.locator(".card", has=page.locator("code", has_text=re.compile(f"^{re.escape(one.name)}$")))
            said = re.compile(r"strongest at (\d+), (\d+) with ([\d.e-]+)")
            until(
                page,
                "([text, part]) => [...document.querySelectorAll('.card')].some((card) => card.textContent.includes(text)"
                " && card.textContent.includes(part))",
                [one.name, "strongest at"],
            )
            column, row, peak = map(float, said.search(card.inner_text()).groups())
            assert peak == pytest.approx(weights.max(), rel=0.05)
            cell = cell_of(int(column), int(row), looked.size, one.cells)
            assert weights[cell] == pytest.approx(weights.max(), rel=1e-4)
            found.add((one.name, cell))
    assert len(found) > len(looked.pairs)  # the points look at different places


def test_a_scene_without_a_map_is_asked_of_the_server(page):
    show_scene(page, 3)
    page.locator(".ways button", has_text="Off").first.click()
    until(page, "() => document.querySelector('.caption').textContent.includes('change class')")
    name = page.locator(".card").first.get_attribute("data-map").removeprefix("0/")
    _, looked = seen("demo", Scenes("val", size=SCENE_SIZE, seed=3)[0].image)
    share = 100 * without(looked, [name]).share
    found = float(re.search(r"([\d.]+) % of the pixels", page.locator(".caption").inner_text())[1])
    assert abs(found - share) <= 0.5


def test_a_dropped_picture_is_shown_and_compared(page):
    drop(page, "street <b>.png", encoded(Scenes("val", size=(96, 128), seed=9)[0].image))
    settle(page)
    assert page.inner_text(".viewer h1") == "street <b>.png"
    page.select_option("#compare", label="plain · FCN")
    page.wait_for_selector(".viewer.two")
    settle(page)
    assert page.locator("canvas.picture").count() == 2
    assert "plain has no attention to watch" in page.inner_text(".viewer .notes")
    page.reload()
    page.wait_for_selector(".viewer.two")
    assert page.inner_text(".viewer h1") == "street <b>.png"


def test_a_dropped_file_that_is_no_picture_is_told_and_the_view_stays(page, chromium):
    show_scene(page, 4)
    drop(page, "notes.txt", b"words", "text/plain")
    assert problem(page, chromium).startswith("notes.txt is no picture of a format that is read here")
    assert page.inner_text(".viewer h1") == "scene 4"
    drop(page, "empty.png", b"")
    until(page, "document.querySelector('#problem span').textContent.includes('0 bytes')")
    chromium.complaints.clear()
    page.click("#problem button")
    assert page.is_hidden("#problem")
    click(page, 10, 20)


def test_a_file_that_is_too_large_is_told_before_it_is_sent(page, chromium, tmp_path):
    large = tmp_path / "large.tif"
    with large.open("wb") as file:
        file.truncate(33 * 2**20)
    page.set_input_files("#file", large)
    assert problem(page, chromium).startswith("large.tif has 33.0 MiB; at most 32 MiB are taken")


def test_pictures_of_the_folder(page, chromium):
    page.click("#browse")
    assert page.inner_text("#folder-note") == "2 of 2 pictures"
    until(page, "document.querySelector('#files img').naturalWidth > 0")
    page.wait_for_selector("#files img.unread")
    page.fill("#search", "onerror")
    assert page.locator("#files li").count() == 1
    page.click("#files button")
    settle(page)
    assert page.inner_text(".viewer h1") == "<img src=x onerror=alert(1)>"
    page.click("#browse")
    page.fill("#search", "words")
    page.click("#files button")
    assert problem(page, chromium).startswith("words is no picture")


def test_several_pictures_are_kept_and_forgotten(page):
    for seed in (1, 2):
        show_scene(page, seed)
    page.click("#next-scene")
    until(page, "document.querySelector('.viewer h1')?.textContent === 'scene 3'")
    settle(page)
    assert page.locator("#kept .item").count() == 3
    page.click("#kept [aria-label='scene 1']")
    until(page, "document.querySelector('.viewer h1')?.textContent === 'scene 1'")
    settle(page)
    page.hover("#kept .item >> nth=0")
    page.click("[aria-label='Forget scene 3']")
    until(page, "document.querySelectorAll('#kept .item').length === 2")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (820, 1180), (360, 740)])
def test_nothing_sticks_out_of_the_page(server, chromium, width, height):
    page = chromium(f"http://127.0.0.1:{server.port}/#token={server.token}", width=width, height=height)
    until(page, "document.querySelector('#model option')")
    show_scene(page, 5)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#open").bounding_box()["y"] < 200


def test_a_server_that_has_gone_is_told(runs, chromium):
    with started("-m", "attseg", "explore", "demo", "--port", "0", "--no-open") as running:
        page = chromium(f"http://127.0.0.1:{running.port}/#token={running.token}")
        page.wait_for_selector("#welcome:not([hidden])")
        running.process.kill()
        running.process.wait()
        page.click("#show-scene")
        assert problem(page, chromium).startswith("The server does not answer. If it was stopped")
