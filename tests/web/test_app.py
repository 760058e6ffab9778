import asyncio
import json
import threading
from urllib.parse import quote

import numpy as np
import pytest
import torch

from attseg.attention import pairwise
from attseg.explain.change import without
from attseg.explain.looked import look
from attseg.explain.planes import decode
from attseg.prediction.whole import as_batch
from exploring import PLAIN, Strongest, encoded, picture, refusal, segmenter


def test_the_start_tells_what_there_is(client):
    told = client.ask("GET", "/api/start").json()
    assert [(one["name"], one["network"], one["attends"]) for one in told["models"]] == [
        ("strongest", "Strongest", True),
        ("psanet", "PSANet", True),
        ("plain", "Plain", False),
    ]
    assert told["folder"] == {"name": "photos", "files": ["a", "more/b"], "left_out": 0}
    assert told["pictures"] == []
    assert told["limits"]["upload_bytes"] == 32 * 2**20


def test_a_picture_is_kept_and_seen(client):
    image = picture(40, 50)
    told = client.put(encoded(image), "street.png")
    assert (told["name"], told["height"], told["width"]) == ("street.png", 40, 50)
    bundle = client.ask("GET", f"/api/pictures/{told['key']}/models/0").json()
    (side,) = bundle["sides"]
    assert (bundle["name"], bundle["notes"], side["title"], side["source"]) == (
        "street.png",
        [],
        "Strongest",
        "strongest",
    )
    assert np.array_equal(decode(side["labels"]) * 1.0, image.argmax(-1))
    (one,) = side["maps"]
    np.testing.assert_allclose(decode(one["values"]), image.transpose(2, 0, 1) / 255, atol=1 / 400)
    assert client.ask("GET", "/api/start").json()["pictures"] == [told]


def test_names_are_texts_of_one_line(client):
    assert (
        client.put(encoded(picture()), quote("<b>\n\x1b[2Jstraße" + 300 * "x"))["name"]
        == ("<b>[2Jstraße" + 300 * "x")[:120]
    )
    assert client.put(encoded(picture(seed=1)), "")["name"] == "picture"


def test_pairs_are_those_of_looked(client, psanet):
    image = picture(64, 96)
    key = client.put(encoded(image))["key"]
    bundle = client.ask("GET", f"/api/pictures/{key}/models/1").json()
    used = segmenter(psanet)
    looked = look(psanet, as_batch(image, used.preprocessing, torch.device("cpu")))
    names = [one["name"] for one in bundle["sides"][0]["maps"] if one["kind"] == "pairwise"]
    assert names == [one.name for one in looked.pairs] != []
    assert all(one["pairs"]["values"] is None for one in bundle["sides"][0]["maps"] if one["kind"] == "pairwise")
    for x, y in ((0, 0), (95, 63), (41, 7)):
        expected = {one.name: one.values for one in looked.at(x, y)}
        for name in names:
            told = client.ask("GET", f"/api/pictures/{key}/models/1/pairs?map={name}&x={x}&y={y}").json()
            values = np.reshape(told["weights"], (told["rows"], told["columns"]))
            np.testing.assert_allclose(values, expected[name], rtol=1e-5)


def test_a_click_does_not_run_the_model_again_nor_does_a_second_look(make_client):
    model = Strongest()
    client = make_client(models=[model])
    key = client.put(encoded(picture()))["key"]
    first = client.ask("GET", f"/api/pictures/{key}/models/0").content
    assert client.ask("GET", f"/api/pictures/{key}/models/0").content == first
    assert model.ran == 1


def test_a_model_without_attention_shows_its_prediction_and_says_so(client):
    key = client.put(encoded(picture()))["key"]
    bundle = client.ask("GET", f"/api/pictures/{key}/models/2").json()
    assert bundle["sides"][0]["maps"] == []
    assert bundle["notes"] == ["plain has no attention to watch, so only what it predicts is shown."]


@pytest.mark.parametrize("path", ["models/3", "models/99999"])
def test_models_that_are_not_there(client, path):
    key = client.put(encoded(picture()))["key"]
    assert "there are 3, counted from 0" in refusal(client.ask("GET", f"/api/pictures/{key}/{path}"), 404)


@pytest.mark.parametrize(
    "asked", ["map=a&x=1", "map=a&x=1&y=", "map=a&x=-1&y=0", "map=a&x=1.5&y=0", "map=a&x=1&y=1e3", "map=a&x=٣&y=1"]
)
def test_places_that_are_no_numbers(client, asked):
    key = client.put(encoded(picture()))["key"]
    assert "a whole number was expected" in refusal(
        client.ask("GET", f"/api/pictures/{key}/models/1/pairs?{asked}"), 422
    )


def test_pairs_that_are_not_there(client):
    key = client.put(encoded(picture()))["key"]
    base = f"/api/pictures/{key}/models"
    assert "its maps of this kind: none" in refusal(client.ask("GET", f"{base}/0/pairs?map=position&x=0&y=0"), 404)
    name = refusal(client.ask("GET", f"{base}/1/pairs?map=x&x=0&y=0"), 404).rpartition(": ")[2].split(", ")[0]
    assert "outside the picture of 40 x 50" in refusal(client.ask("GET", f"{base}/1/pairs?map={name}&x=50&y=0"), 422)


def test_a_picture_without_a_map(client, psanet):
    base = f"/api/pictures/{client.put(encoded(picture()))['key']}/models"
    name = "position"
    told = client.ask("GET", f"{base}/0/without?map={name}&how=off").json()
    image = picture()
    strongest = image.argmax(2)
    assert (decode(told["labels"]) == 0).all()  # all colours alike: the first class
    assert told["share"] == pytest.approx((strongest != 0).mean(), abs=1e-5)
    pairs = json.loads(client.ask("GET", f"{base}/1").content)["sides"][0]["maps"][0]["name"]
    for how in ("off", "even"):
        told = client.ask("GET", f"{base}/1/without?map={pairs}&how={how}").json()
        change = without(look(psanet, as_batch(image, PLAIN, torch.device("cpu"))), [pairs], how)
        assert (decode(told["labels"]) == change.labels[:40, :50]).all()
    told = client.ask("GET", f"{base}/1/without?map={pairs}&how=other&other=1").json()
    assert told["share"] == 0 and told["how"] == "other"


def test_switches_that_are_not_there(client, monkeypatch):
    base = f"/api/pictures/{client.put(encoded(picture()))['key']}/models"
    assert "'positoin'" in refusal(client.ask("GET", f"{base}/0/without?map=positoin&how=off"), 422)
    for asked in ("how=none", "how=other", "how=off&other=0", "how=off&other=x"):
        refusal(client.ask("GET", f"{base}/0/without?map=position&{asked}"), 422)
    refusal(client.ask("GET", f"{base}/9/without?map=position&how=off"), 404)
    refusal(client.ask("GET", f"{base}/0/without?map=position&how=other&other=9"), 404)
    assert "other model" in refusal(client.ask("GET", f"{base}/0/without?map=position&how=other&other=1"), 422)
    pairs = json.loads(client.ask("GET", f"{base}/1").content)["sides"][0]["maps"][0]["name"]
    monkeypatch.setattr(pairwise, "MOST_WEIGHTS", 3)
    assert "smaller picture" in refusal(client.ask("GET", f"{base}/1/without?map={pairs}&how=off"), 422)


def test_scenes_are_those_of_their_seed(client):
    one, two = (client.ask("POST", f"/api/scenes/{seed}").json() for seed in (1, 2))
    assert (one["name"], one["height"], one["width"]) == ("scene 1", 160, 240)
    assert one["key"] != two["key"]
    assert client.ask("POST", "/api/scenes/1").json() == one
    assert "0 to 4294967295" in refusal(client.ask("POST", "/api/scenes/4294967296"), 422)
    for seed in ("x", "-1", "1.5", "99999999999", "%20"):
        assert "a whole number was expected" in refusal(client.ask("POST", f"/api/scenes/{seed}"), 422)


def test_pictures_are_forgotten(client):
    key = client.put(encoded(picture()))["key"]
    assert client.ask("DELETE", f"/api/pictures/{key}").status_code == 204
    assert "not kept any more" in refusal(client.ask("GET", f"/api/pictures/{key}/models/0"), 404)
    assert client.ask("DELETE", f"/api/pictures/{key}").status_code == 204


def test_the_least_recently_used_picture_goes_first(make_client):
    client = make_client(kept_pictures=2)
    one, two = (client.put(encoded(picture(seed=seed)))["key"] for seed in (1, 2))
    client.ask("GET", f"/api/pictures/{one}/models/0")
    three = client.put(encoded(picture(seed=3)))["key"]
    assert [kept["key"] for kept in client.ask("GET", "/api/start").json()["pictures"]] == [three, one]
    assert "there is room for 2" in refusal(client.ask("GET", f"/api/pictures/{two}/models/0"), 404)


def test_memory_of_kept_pictures_is_bounded(make_client):
    client = make_client(kept_bytes=100_000)
    for seed in range(8):
        key = client.put(encoded(picture(100, 100, seed=seed)))["key"]
        assert client.ask("GET", f"/api/pictures/{key}/models/0").status_code == 200
    assert len(list(client.desk.shelf)) == 1
    assert client.desk.shelf.nbytes > 100_000  # one picture with its maps is more, and is kept all the same


def test_one_look_for_all_who_ask_and_more_than_may_wait_are_told_when_to_come_again(make_client):
    gate = threading.Event()

    class Slow(Strongest):
        def forward(self, images):
            assert gate.wait(30)
            return super().forward(images)

    model = Slow()
    client = make_client(models=[model], looks=2)
    keys = [client.put(encoded(picture(seed=seed)))["key"] for seed in range(3)]

    async def ask_all():
        waiting = [
            asyncio.create_task(client.asking("GET", f"/api/pictures/{key}/models/0"))
            for key in (keys[0], keys[0], keys[1])
        ]
        await asyncio.sleep(0.2)
        refused = await client.asking("GET", f"/api/pictures/{keys[2]}/models/0")
        assert (await client.asking("GET", "/api/start")).status_code == 200  # the server answers meanwhile
        gate.set()
        return refused, await asyncio.gather(*waiting)

    refused, answers = client.run(ask_all())
    assert "2 pictures to be seen are waiting already" in refusal(refused, 503)
    assert refused.headers["Retry-After"] == "1"
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert model.ran == 2


class Layers(Strongest):
    """Many layers, each with a wait."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(*(Pause() for _ in range(200)))

    def forward(self, images):
        return super().forward(self.layers(images))


class Pause(torch.nn.Module):
    def forward(self, images):
        threading.Event().wait(0.05)
        return images


def test_a_look_that_takes_too_long_is_ended_between_two_layers(make_client):
    client = make_client(models=[Layers()], look_seconds=0.3)
    key = client.put(encoded(picture()))["key"]
    assert "within 0.3 s" in refusal(client.ask("GET", f"/api/pictures/{key}/models/0"), 504)
    assert not any(module._forward_pre_hooks for module in client.desk.choices[0].segmenter.model.modules())


def test_closing_ends_what_is_under_way_and_what_waits(make_client):
    client = make_client(models=[Layers()])
    keys = [client.put(encoded(picture(seed=seed)))["key"] for seed in range(2)]

    async def close_meanwhile():
        tasks = [asyncio.create_task(client.asking("GET", f"/api/pictures/{key}/models/0")) for key in keys]
        await asyncio.sleep(0.3)
        client.desk.close()
        return await asyncio.gather(*tasks)

    for answer in client.run(close_meanwhile()):
        assert refusal(answer, 503) == "the server is stopping"


@pytest.mark.parametrize(
    "path",
    ["/index.html", "/static/explorer.js", "/nothing", "/api", "/api/", "/docs", "/openapi.json", "/api/pictures"],
)
def test_addresses_that_are_not_there(client, path):
    answer = client.ask("GET", path)
    if path == "/index.html":
        assert answer.status_code == 404
    assert answer.status_code in (404, 405)
    assert json.loads(answer.text)["error"]
