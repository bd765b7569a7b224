"""A misspelled name is answered with the one that looks most like it."""

from __future__ import annotations

from mlxc.utils.spelling import closest_name, closest_names, did_you_mean

NAMES = ("graphene", "graphite", "nickel")


def test_the_closest_name_is_found_if_any_is_close() -> None:
    assert closest_name("graphen", NAMES) == "graphene"
    assert closest_name("xyz", NAMES) is None
    assert did_you_mean("graphen", NAMES) == " (did you mean 'graphene'?)"
    assert did_you_mean("xyz", NAMES) == ""


def test_as_many_names_as_are_wanted_are_returned_however_different() -> None:
    assert closest_names("graphene", NAMES, 2) == ["graphene", "graphite"]
    assert len(closest_names("xyz", NAMES, 3)) == 3
