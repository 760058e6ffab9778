"""Arguments are checked by name and type, and options that do nothing by value."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from attseg.arguments import InertOption, check_arguments, refuse_inert
from attseg.errors import UsageError


def function(
    first: int,
    *,
    way: Literal["up", "down"] = "up",
    sizes: Sequence[int] = (1, 2),
    more: Mapping[str, Any] | None = None,
) -> None:
    pass


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"wya": "up"}, "no argument of it 'wya'; did you mean 'way'"),
        ({"way": "upp"}, "no way 'upp'; did you mean 'up'"),
        ({"sizes": (1, "2")}, r"sizes of it is \(1, '2'\), which it does not take"),
        ({"more": 3}, "more of it is 3"),
        ({"first": 1}, "no argument of it 'first'"),
    ],
)
def test_what_does_not_fit_is_named(args, message):
    with pytest.raises(UsageError, match=message):
        check_arguments("it", function, args, without=("first",))


def test_what_fits_is_taken():
    check_arguments("it", function, {"way": "down", "sizes": [3], "more": {"a": 1}}, without=("first",))
    check_arguments("it", function, {"more": None})


def test_options_with_their_defaults_are_not_refused():
    refuse_inert(function, {"way": "up", "sizes": [1, 2], "more": None}, beside="a", needs="b")


@pytest.mark.parametrize("given", [{"way": "down"}, {"sizes": (2, 1)}, {"more": {"a": 1}}])
def test_options_that_do_nothing_say_what_would_make_them_do_something(given):
    with pytest.raises(InertOption, match="does nothing beside a; leave it out, or take b") as caught:
        refuse_inert(function, given, beside="a", needs="b")
    args = {"way": 1, "sizes": 2, "more": 3}
    assert caught.value.without(args).keys() == args.keys() - given.keys()
    assert caught.value.below("in").without({"in": args, "x": 1}) == {"in": caught.value.without(args), "x": 1}
