"""Words compared."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.text import word_diff

words = st.lists(st.sampled_from(["one", "two", "three", "four"]), max_size=12).map(" ".join)


def test_what_stayed_what_went_what_came():
    pieces = word_diff("paid within one hour of opening", "paid within 24 hours of opening")

    assert pieces == [("", "paid within"), ("del", "one hour"), ("ins", "24 hours"), ("", "of opening")]


def test_nothing_from_nothing():
    assert word_diff("", "") == []
    assert word_diff("", "new") == [("ins", "new")]
    assert word_diff("old", " ") == [("del", "old")]


@given(words, words)
def test_both_texts_can_be_read_back(before, after):
    pieces = word_diff(before, after)

    assert " ".join(text for kind, text in pieces if kind != "ins") == before
    assert " ".join(text for kind, text in pieces if kind != "del") == after
