"""Pages as people see them: opened from disk in a real browser, moved over, and read."""

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import Scenes
from attseg.explain.bundle import Side, make_bundle
from attseg.explain.change import without
from attseg.explain.looked import look
from attseg.explain.page.page import make_page
from attseg.explain.passes import scale_names
from attseg.explain.pixel import cell_of
from attseg.explain.planes import encode
from attseg.explain.subject import cautions_of
from attseg.inference.segmenter import load
from attseg.models import PSANet, build_model
from attseg.prediction.whole import as_batch

pytestmark = pytest.mark.browser

SIZE = (96, 128)
EVIL = "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
TINY = {
    "PSANet": {"encoder": "test_resnet", "crop_size": (64, 64), "inner": 8, "channels": 8},
    "DFDAM": {"encoder": "test_resnet", "channels": 8},
    "AttentionToRefine": {"base": "FCN", "base_args": {"encoder": "test_resnet"}, "stream_channels": 8, "channels": 8},
}
"""The models that have no trained weights at hand; what is shown of them is compared with what they computed."""


@pytest.fixture(scope="module")
def image():
    return Scenes("val", size=SIZE)[3].image


@pytest.fixture(scope="module")
def demo(image):
    segmenter = load("demo", device="cpu")
    looked = look(segmenter.model, as_batch(image, segmenter.preprocessing, segmenter.device))
    return Side("PAN", "demo", segmenter.classes, looked)


def untrained(name, image, classes):
    torch.manual_seed(0)
    model = build_model(name, TINY[name], len(classes)).eval()
    if isinstance(model, PSANet):
        for parameter in model.context.parameters():  # sharper than at the start, so that maps differ between pixels
            parameter.data.mul_(3)
    looked = look(model, as_batch(image, Preprocessing(), torch.device("cpu")))
    return Side(name, "nothing", classes, looked, scale_names(model))


@pytest.fixture(scope="module")
def sides(image, demo):
    return {"PAN": demo} | {name: untrained(name, image, demo.classes) for name in TINY}


@pytest.fixture
def shown(chromium, image, tmp_path):
    """Write a page of some sides and open it."""

    def show(*sides, fragment="", name="scene", **options):
        path = tmp_path / "page.html"
        path.write_text(make_page(make_bundle(image, sides, name=name)), encoding="utf-8")
        return open_page(chromium, f"{path.as_uri()}{fragment}", **options)

    return show


def click(page, x, y, place=0):
    """Click the middle of a pixel of the picture."""
    canvas = page.locator("canvas.picture").nth(place)
    box = canvas.bounding_box()
    canvas.click(position={"x": (x + 0.5) / SIZE[1] * box["width"], "y": (y + 0.5) / SIZE[0] * box["height"]})
    page.wait_for_timeout(50)


def open_page(chromium, url, **options):
    """A page once its viewer stands there."""
    page = chromium(url, **options)
    page.wait_for_selector(".viewer")
    return page


def until(page, expression, seconds=20):
    """Wait until something holds in the page; playwright's own way is an eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(30)


def card(page, name):
    return page.locator(f'.card[data-map="0/{name}"]')


def switches(page, name):
    """The buttons of a card that switch its map off."""
    buttons = card(page, name).locator(".ways button")
    buttons.first.wait_for()
    return buttons


def numbers(text):
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("PAN", ["Where (FPA)", *(f"Channel gates, stride {stride}" for stride in (16, 8, 4))]),
        ("PSANet", ["Collects from", "Gives to"]),
        ("DFDAM", ["Channel gates: high", "Channel gates: low", "Where (2DPAM)"]),
        ("AttentionToRefine", ["Image scales", "Classes"]),
    ],
)
def test_maps_of_one_kind_are_told_apart(shown, sides, name, titles):
    page = shown(sides[name])
    assert page.locator(".card h3").all_inner_texts() == titles
    assert page.locator(".card code").all_inner_texts() == [one.name for one in sides[name].looked.found]


def test_a_share_that_is_too_small_to_be_written_is_not_called_nothing_and_nearly_all_is_not_called_all(shown, demo):
    page = shown(demo)
    shares = page.evaluate("[0, 0.0004, 0.0006, 0.099, 0.0996, 0.984, 0.998, 0.9996, 1].map(percent)")
    assert shares == ["0 %", "< 0.1 %", "0.1 %", "9.9 %", "10 %", "98 %", "99.8 %", "> 99.9 %", "100 %"]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (127, 95), (64, 40), (31, 70)])
def test_a_click_names_the_class_and_its_score(shown, demo, x, y):
    page = shown(demo)
    click(page, x, y)
    label = int(demo.looked.labels[y, x])
    text = page.locator(".readout").inner_text()
    assert text.split()[:2] == [f"{x},", str(y)] and demo.classes.names[label] in text
    score = 100 * demo.looked.scores[label, y, x]
    assert abs(numbers(text)[2] - score) <= 0.5 + 100 / 510


def test_what_changes_without_a_map_is_shown_in_numbers_and_colours(chromium, image, demo, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(make_page(make_bundle(image, [demo], name="scene", switches=True)), encoding="utf-8")
    page = open_page(chromium, path.as_uri())
    buttons = switches(page, "context.pyramid")
    assert buttons.all_inner_texts() == ["Off", "Even"]
    for place, how in enumerate(("off", "even")):
        buttons.nth(place).click()
        until(page, f"document.querySelector('.caption')?.textContent.includes(', {how} (')")
        until(page, "document.querySelector('.caption')?.textContent.includes('change class')")
        change = without(demo.looked, ["fpa"], how)
        share, moved = numbers(page.locator(".caption").inner_text().split("):")[1])[:2]
        assert abs(share - 100 * change.share) <= 0.5 and abs(moved - 100 * float(change.shift.mean())) <= 0.5
        assert buttons.nth(place).get_attribute("aria-pressed") == "true"
    page.locator("input[type=range]").fill("100")
    for changed in (True, False):  # a pixel with the colour of its new class, and one in grey
        y, x = np.argwhere(change.changed == changed)[7]
        times = page.evaluate("document.querySelector('canvas.picture').width") // SIZE[1]
        at = f"{int(x) * times + times // 2}, {int(y) * times + times // 2}"
        data = f"[...document.querySelector('canvas.picture').getContext('2d').getImageData({at}, 1, 1).data]"
        if changed:
            new = [int(value) for value in demo.classes.colors[change.labels[y, x]]]
            until(page, f"{data}.slice(0, 3).every((value, place) => Math.abs(value - {new}[place]) <= 3)")
        else:
            until(page, f"Math.max(...{data}.slice(0, 3)) - Math.min(...{data}.slice(0, 3)) <= 3")
    names = page.locator(".legend:not([hidden]) li span:nth-child(2)").all_inner_texts()
    present = {demo.classes.names[label] for label in {*np.unique(demo.looked.labels), *np.unique(change.labels)}}
    assert set(names) == present
    until(page, "location.hash.includes('without=even+context.pyramid')")
    again = open_page(chromium, page.url)  # the link keeps the switch
    until(again, "document.querySelector('.caption')?.textContent.includes('change class')")
    assert again.locator(".caption").inner_text() == page.locator(".caption").inner_text()
    buttons.nth(1).click()
    until(page, "document.querySelector('.caption')?.textContent.includes('Choose Off')")


def test_a_switch_is_shown_of_both_models_and_said_where_one_has_no_such_map(chromium, image, demo, sides, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(make_page(make_bundle(image, [demo, replace(demo)], name="s", switches=True)))
    page = open_page(chromium, path.as_uri())
    assert switches(page, "context.pyramid").all_inner_texts() == ["Off", "Even", "The other model's"]
    switches(page, "context.pyramid").first.click()
    until(page, "document.querySelectorAll('.caption')[1]?.textContent.includes('change class')")
    captions = page.locator(".caption").all_inner_texts()
    assert captions[0] == captions[1]
    path.write_text(make_page(make_bundle(image, [demo, sides["DFDAM"]], name="s", switches=True)))
    page = open_page(chromium, path.as_uri())
    assert switches(page, "context.pyramid").all_inner_texts() == ["Off", "Even"]
    switches(page, "context.pyramid").first.click()
    until(page, "document.querySelectorAll('.caption')[1]?.textContent.includes('no such map')")


@pytest.mark.parametrize("name", ["PAN", *TINY])
def test_every_card_says_what_the_model_computed(shown, sides, name):
    side = sides[name]
    page = shown(side)
    for x, y in ((5, 90), (100, 30)):
        click(page, x, y)
        for one in side.looked.at(x, y):
            text = card(page, one.name).locator(".card-body").inner_text()
            match one.kind:
                case "spatial":
                    assert abs(numbers(text)[0] - one.values.mean()) <= 0.02
                case "channel":
                    assert abs(numbers(text)[0] - one.values.mean()) <= 0.01
                    widest = int(numbers(text)[1])
                    assert one.values[widest] >= one.values.max() - 0.01
                case "scale" | "class":
                    bars = card(page, one.name).locator(".bar").all_inner_texts()
                    names = side.scales if one.kind == "scale" else side.classes.names
                    read = {bar.split("\n")[0]: float(bar.split("\n")[-1]) for bar in bars}
                    assert set(read) == set(names)
                    assert np.allclose([read[each] for each in names], one.values, atol=0.01)
                case "pairwise":
                    found = numbers(text)
                    assert abs(found[2] - one.values.max()) <= 0.005 + 0.002 * one.values.max()
                    rows, columns = one.values.shape
                    row, column = int(found[1] * rows // SIZE[0]), int(found[0] * columns // SIZE[1])
                    assert one.values[row, column] >= one.values.max() * (1 - 1 / 254)
                    assert abs(found[-1] - one.values.sum()) <= 0.006 + 0.01 * one.values.sum()


def test_pairs_can_be_read_the_other_way_round(shown, sides):
    """What a place gives, turned round, is what a place receives from each."""
    side = sides["PSANet"]
    page = shown(side, fragment="#show=context.psa.branches.distribute.attention&at=40,40&pin=1")
    weights = side.looked.pairs[1].all().weights[0].numpy()  # (sources, rows, columns)
    row, column = cell_of(40, 40, SIZE, weights.shape[1:])
    given, received = weights[row * weights.shape[2] + column].max(), weights[:, row, column].max()
    highest = page.locator(".scale .figure").nth(1)
    assert abs(float(highest.inner_text()) - given) <= 0.006
    page.get_by_role("button", name="The other way round").click()
    page.wait_for_timeout(50)
    assert "receives from" in page.locator(".caption").inner_text()
    assert abs(float(highest.inner_text()) - received) <= 0.006
    assert abs(given - received) > 0.02  # or the test could not fail


def canvas_of(page):
    """The bytes of what the stage shows; browsers draw the same thing with differences of one or two."""
    return np.array(
        page.evaluate(
            """() => {
                const canvas = document.querySelector("canvas.picture");
                const small = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
                small.getContext("2d").drawImage(canvas, 0, 0, 64, 48);
                return [...small.getContext("2d").getImageData(0, 0, 64, 48).data];
            }"""
        )
    )


def test_hovering_names_the_class_without_letting_go_of_a_kept_pixel(shown, demo):
    page = shown(demo)
    click(page, 10, 10)
    box = page.locator("canvas.picture").bounding_box()
    page.mouse.move(box["x"] + 100.5 / 128 * box["width"], box["y"] + 90.5 / 96 * box["height"])
    page.wait_for_timeout(50)
    assert demo.classes.names[demo.looked.labels[90, 100]] in page.locator(".tip").inner_text()
    assert page.locator(".readout").inner_text().startswith("10, 10")
    page.keyboard.press("Escape")
    page.mouse.move(box["x"] + 20.5 / 128 * box["width"], box["y"] + 30.5 / 96 * box["height"])
    page.wait_for_timeout(50)
    assert page.locator(".readout").inner_text().startswith("20, 30")


def test_the_keyboard_does_all_that_the_pointer_does(shown, sides):
    page = shown(sides["PSANet"], fragment="#at=50,50")
    for key in ("ArrowRight", "Shift+ArrowDown", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    page.wait_for_timeout(100)
    assert page.locator(".readout").inner_text().startswith("41, 59")
    selected = page.locator('[role="tab"][aria-selected="true"]')
    page.keyboard.press("4")
    page.wait_for_timeout(50)
    assert selected.get_attribute("data-layer") == "context.psa.branches.collect.attention"
    page.keyboard.press("]")
    page.wait_for_timeout(50)
    assert selected.get_attribute("data-layer") == "context.psa.branches.distribute.attention"
    selected.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(50)
    assert selected.get_attribute("data-layer") == "picture"
    assert page.evaluate("document.activeElement.dataset.layer") == "picture"
    page.keyboard.press("c")
    page.keyboard.press("-")
    page.wait_for_timeout(50)
    assert page.get_by_label("Colours", exact=True).input_value() == "viridis"
    assert page.get_by_label("Opacity of colours over the picture").input_value() == "60"
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_focus_is_visible_and_the_pixel_is_spoken(shown, demo):
    page = shown(demo)
    page.keyboard.press("Tab")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "2px"
    page.locator("canvas.picture").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(400)
    label = demo.classes.names[demo.looked.labels[48, 65]]
    assert page.locator(".unseen[role=status]").inner_text().startswith(f"PAN, pixel 65, 48: {label}")


def test_a_link_reproduces_the_view(shown, sides, chromium):
    page = shown(sides["AttentionToRefine"])
    click(page, 77, 33)
    page.keyboard.press("5")
    page.wait_for_timeout(50)
    page.locator("select.entry").select_option(label=sides["PAN"].classes.names[2])
    page.get_by_label("Colours", exact=True).select_option("cividis")
    page.get_by_label("Opacity of colours over the picture").fill("90")
    page.get_by_label("Smooth").uncheck()
    until(page, "location.hash.includes('at=77%2C33') && location.hash.includes('colors=cividis')")
    page.wait_for_timeout(500)
    again = open_page(chromium, page.url)
    again.wait_for_timeout(100)
    assert np.abs(canvas_of(again) - canvas_of(page)).max() <= 2
    for place in (".readout", ".cards", ".caption"):
        assert again.locator(place).inner_text() == page.locator(place).inner_text()
    page.keyboard.press("2")
    page.wait_for_timeout(50)
    assert np.abs(canvas_of(again) - canvas_of(page)).mean() > 2


def test_the_link_can_be_copied_from_a_page_on_disk(shown, demo):
    page = shown(demo, fragment="#at=3,4&pin=1&show=certainty")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_selector("text=copied; it opens on this computer")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


@pytest.mark.parametrize(
    "fragment", ["at=9999,1", "at=x", "show=nothing&entry=77", "opacity=-3&colors=__proto__", "%E0%A4%A"]
)
def test_a_link_that_makes_no_sense_shows_the_page_all_the_same(shown, demo, fragment):
    page = shown(demo, fragment=f"#{fragment}")
    assert re.match(r"\d+, \d+", page.locator(".readout").inner_text())


@pytest.mark.parametrize("size", [(96, 128), (1500, 2000)])
def test_labels_stand_beside_the_prediction(shown, demo, size, chromium, image, tmp_path):
    """Also where the picture is kept smaller than it is."""
    truth = np.full(size, 255, np.uint8)
    truth[: size[0] // 2] = 3
    picture = np.zeros((*size, 3), np.uint8)
    looked = replace(demo.looked, logits=torch.zeros(len(demo.classes), *size)) if size != SIZE else demo.looked
    path = tmp_path / "page.html"
    path.write_text(
        make_page(make_bundle(picture, [replace(demo, looked=looked, truth=truth)], name="scene")), encoding="utf-8"
    )
    page = open_page(chromium, f"{path.as_uri()}#show=truth&opacity=100")
    page.wait_for_timeout(100)
    shown = canvas_of(page).reshape(48, 64, 4)
    assert (shown[:23, :, :3] == demo.classes.colors[3]).all() and (shown[25:, :, :3] == 96).all()
    for y, told in ((0, f"labelled {demo.classes.names[3]}"), (size[0] - 1, "no label")):
        page.goto(f"{path.as_uri()}#at=5,{y}")
        until(page, f"document.querySelector('.truth')?.innerText === {json.dumps(told)}")


def test_a_caution_stands_above_the_picture(chromium, image, demo, tmp_path):
    path = tmp_path / "page.html"
    bundle = make_bundle(image, [demo], name="scene", cautions=cautions_of([("demo", "scenes"), ("mine", "camvid")]))
    path.write_text(make_page(bundle), encoding="utf-8")
    page = open_page(chromium, path.as_uri())
    (caution,) = page.locator(".caution").all()
    assert caution.inner_text().startswith("demo was trained on generated scenes")
    assert caution.bounding_box()["y"] < page.locator("canvas.picture").bounding_box()["y"]


def test_tabs_that_do_not_fit_say_that_there_are_more(shown, demo):
    page = shown(demo, width=390, height=844)
    before, after = page.locator(".more.before"), page.locator(".more.after")
    assert not before.is_visible() and after.is_visible()
    page.keyboard.press("7")
    page.wait_for_timeout(300)
    assert before.is_visible() and not after.is_visible()
    assert not shown(demo, width=1600).locator(".more").nth(1).is_visible()


def test_names_are_shown_and_never_run(shown, demo):
    names = (EVIL, *demo.classes.names[1:])
    side = Side(EVIL, "<b>run</b>", ClassTable(names, demo.classes.colors), demo.looked)
    label = np.argwhere(demo.looked.labels == 0)
    page = shown(side, name=EVIL)
    y, x = map(int, label[0])
    click(page, x, y)
    page.keyboard.press("?")
    assert page.evaluate("window.broken") is None
    assert EVIL in page.locator(".readout").inner_text() and EVIL in page.locator("h1").inner_text()
    assert EVIL in page.title() and page.locator("img").count() == 0 and page.locator("b").count() == 0


def test_scripts_that_are_not_the_page_s_own_do_not_run(shown, demo, chromium):
    page = shown(demo)
    for kind, name, value in (
        ("script", "textContent", "window.broken = 1"),
        ("img", "src", "https://example.org/x.png"),
    ):
        page.evaluate(
            "([kind, name, value]) => { document.body.append(Object.assign(document.createElement(kind), { [name]: value })); }",
            [kind, name, value],
        )
    page.wait_for_timeout(100)
    assert page.evaluate("window.broken") is None
    refused = [text for text in chromium.complaints if "Content Security Policy" in text]
    assert len(refused) == 2
    chromium.complaints.clear()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (820, 1180), (360, 740)])
def test_nothing_is_cut_off_at_any_size(shown, sides, width, height, dark):
    page = shown(sides["PAN"], sides["PSANet"], width=width, height=height, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    light = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0] > 127")
    assert light is not dark
    pictures = [page.locator("canvas.picture").nth(place).bounding_box() for place in range(2)]
    assert all(box["width"] >= min(300, width / 2 - 24) for box in pictures)
    assert pictures[0]["y"] == pictures[1]["y"] and pictures[0]["x"] + pictures[0]["width"] < pictures[1]["x"]


def test_two_models_move_together_and_differences_are_shown(shown, sides):
    page = shown(sides["PAN"], sides["DFDAM"])
    click(page, 90, 20, place=1)
    assert [text.startswith("90, 20") for text in page.locator(".readout").all_inner_texts()] == [True, True]
    page.get_by_role("tab", name="Differences").first.click()
    page.wait_for_timeout(50)
    chosen = page.locator('[role="tab"][aria-selected="true"]')
    assert [chosen.nth(place).get_attribute("data-layer") for place in range(2)] == ["difference"] * 2
    page.get_by_role("tab", name="Where").first.click()
    page.wait_for_timeout(50)
    assert chosen.nth(0).get_attribute("data-layer") == "context.pyramid"
    assert chosen.nth(1).get_attribute("data-layer") == "difference"


def test_a_finger_chooses_a_pixel(shown, demo):
    page = shown(demo, width=360, height=740, has_touch=True, is_mobile=True)
    box = page.locator("canvas.picture").bounding_box()
    page.touchscreen.tap(box["x"] + 30.5 / 128 * box["width"], box["y"] + 60.5 / 96 * box["height"])
    page.wait_for_timeout(100)
    assert page.locator(".readout").inner_text().startswith("30, 60")


def test_maps_of_many_cells_are_drawn(chromium, image, demo, tmp_path):
    """As many as a map may keep: more than a call of a function can have arguments."""
    bundle = make_bundle(image, [demo], name="scene")
    values = np.random.default_rng(0).uniform(2, 3, (1, 1000, 1000))
    values[0, 0, 0], values[0, -1, -1] = 2, 5
    bundle["sides"][0]["maps"][0] |= {"size": [1000, 1000], "values": encode(values)}
    path = tmp_path / "page.html"
    path.write_text(make_page(bundle), encoding="utf-8")
    page = open_page(chromium, f"{path.as_uri()}#show=context.pyramid&at=127,95")
    assert page.locator(".scale .figure").all_inner_texts() == ["2.00", "5.00"]
