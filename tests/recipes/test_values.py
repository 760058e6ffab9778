import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attseg.errors import UsageError
from attseg.losses import LossSpec
from attseg.recipes.recipe import NAME, AugmentSpec, Machine, ModelSpec, OptimSpec, Recipe
from attseg.recipes.values import argument_docs, from_values, to_values
from attseg.recipes.values import settings as settings_of

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)
WHOLE = st.integers(-(2**63), 2**63 - 1)
RECIPES = st.builds(
    Recipe,
    name=st.from_regex(NAME, fullmatch=True),
    model=st.builds(
        ModelSpec, name=st.sampled_from(["PAN", "FCN"]), args=st.dictionaries(st.text(min_size=1), PLAIN, max_size=3)
    ),
    augment=st.builds(AugmentSpec, scales=st.lists(NUMBERS, max_size=3).map(tuple), flip=st.booleans()),
    crop_size=st.tuples(WHOLE, WHOLE),
    optim=st.builds(OptimSpec, lr=NUMBERS, warmup=NUMBERS),
    loss=st.builds(LossSpec, aux=st.dictionaries(st.text(min_size=1), NUMBERS, max_size=2)),
    expected_miou=st.none() | NUMBERS,
)


@given(RECIPES)
@settings(max_examples=50, deadline=None)
def test_a_recipe_survives_the_way_through_plain_values(recipe):
    assert from_values(Recipe, to_values(recipe)) == recipe


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "name is missing; a text was expected"),
        ({"name": 12}, "name is 12; a text was expected; put it between quotes"),
        ({"name": "a", "stepz": 3}, "no setting 'stepz'; did you mean 'steps'"),
        ({"name": "a", "optim": {"lrr": 1}}, "no setting 'optim.lrr'; did you mean 'optim.lr'"),
        ({"name": "a", "optim": 3}, "optim is 3; a mapping of names to values was expected"),
        ({"name": "a", "optim": {"lr": "fast"}}, "optim.lr is 'fast'; a number was expected"),
        ({"name": "a", "optim": {"lr": "nan"}}, "optim.lr is 'nan'; a number was expected"),
        ({"name": "a", "optim": {"lr": None}}, "optim.lr is None; a number was expected"),
        ({"name": "a", "optim": {"lr": True}}, "optim.lr is True; a number was expected"),
        ({"name": "a", "optim": {"name": "adam"}}, "optim.name is 'adam'; one of sgd, adamw was expected"),
        ({"name": "a", "steps": 1.5}, "steps is 1.5; a whole number was expected"),
        ({"name": "a", "crop_size": [3]}, r"crop_size is \[3\]; a list of 2 whole numbers was expected, such as 3,3$"),
        ({"name": "a", "crop_size": [3, "x"]}, r"crop_size\[1\] is 'x'; a whole number was expected"),
        ({"name": "a", "augment": {"scales": 3}}, "augment.scales is 3; a list of any number of numbers was expected"),
        ({"name": "a", "augment": {"flip": 1}}, "augment.flip is 1; true or false was expected"),
        ({"name": "a", "loss": {"aux": {"x": "y"}}}, "loss.aux.x is 'y'; a number was expected"),
        (
            {"name": "a", "loss": {"aux": [1]}},
            r"loss.aux is \[1\]; a mapping of names to numbers, such as {name: 1}, was expected",
        ),
        ({"name": "a", "data": {"root": 12}}, "data.root is 12; a text was expected; put it between quotes"),
        (
            {"name": "a", "model": {"args": {"gain": float("inf")}}},
            "model.args.gain is inf; a finite number was expected",
        ),
        (
            {"name": "a", "model": {"args": {"encoder": object}}},
            "model.args.encoder is <class 'object'>; a number, text",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_what_was_expected(values, message):
    with pytest.raises(UsageError, match=message):
        from_values(Recipe, values)


@pytest.mark.parametrize(("text", "value"), [("1e-3", 1e-3), ("2", 2.0), (3, 3.0)])
def test_numbers_may_come_as_texts_or_whole(text, value):
    lr = from_values(OptimSpec, {"lr": text}).lr
    assert lr == value
    assert isinstance(lr, float)


def test_whole_numbers_may_be_written_with_an_exponent():
    assert from_values(Recipe, {"name": "a", "steps": 1e4}).steps == 10_000


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**300, 10**4000, 2.0**63, "1e300"])
def test_whole_numbers_have_64_bits(value):
    with pytest.raises(UsageError, match=r"seed is .*; a whole number was expected"):
        from_values(Recipe, {"name": "a", "seed": value})
    assert from_values(Recipe, {"name": "a", "seed": 2**63 - 1}).seed == 2**63 - 1


def test_a_choice_may_look_like_a_number():
    assert from_values(Machine, {"precision": 32}).precision == "32"


@pytest.mark.parametrize("record", [Recipe, Machine])
def test_every_setting_says_what_it_means(record):
    for setting in settings_of(record):
        assert setting.meaning.endswith("."), setting.key


def test_argument_docs_join_lines_and_end_with_the_section():
    class Documented:
        """First line.

        Args:
            one: Says ``this``
                and that.
            two: Another.

        Returns:
            three: Not an argument.
        """

    assert argument_docs(Documented) == {"one": "Says this and that.", "two": "Another."}
