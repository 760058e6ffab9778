from attseg.data.wording import amount, few, percent, plural, ranges


def test_few_names_are_shown_whole():
    assert [few([]), few(["a", "b", "c"]), few(["a", "b"], most=1)] == ["", "a, b, c", "a and 1 more"]


def test_a_small_share_is_never_nothing():
    assert [percent(0, 7), percent(1, 10**6), percent(7, 7)] == ["0 %", "< 0.01 %", "100 %"]


def test_ranges_of_nothing_and_of_one():
    assert [ranges([]), ranges([4]), ranges(range(3))] == ["", "4", "0..2"]


def test_only_one_is_singular():
    assert [plural(number, "file") for number in range(3)] == ["0 files", "1 file", "2 files"]


def test_bytes_are_told_in_steps_of_a_thousand():
    assert [amount(count) for count in (0, 1, 999, 1000, 12_345, 10**6, 10**13)] == [
        *("0 bytes", "1 byte", "999 bytes", "1.0 kB", "12.3 kB", "1.0 MB", "10000.0 GB"),
    ]
