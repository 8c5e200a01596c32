"""Plain JSON values as the tree from which rules are read, so that API and files have one reader."""

from __future__ import annotations

from typing import Any

from watchgate.configuration.places import Place, Problems
from watchgate.configuration.yamltree import NULL, TEXT, Listing, Mapping, Node, Scalar

DEEPEST = 64
"""More than files may have: the normal form of a rule may be deeper than the file that said it."""


def tree(value: Any, place: Place, problems: Problems, deep: int = 0) -> Node:
    """The tree of *value*; what is nested too deep, or is no JSON, is added to *problems*."""
    if deep > DEEPEST:
        problems.add(place, "", f"this is nested more than {DEEPEST} deep")
        return Scalar("", NULL, place)
    match value:
        case dict():
            entries = (
                (Scalar(str(key), TEXT, place), tree(inner, place, problems, deep + 1))
                for key, inner in value.items()
            )
            return Mapping(tuple(entries), place)
        case list() | tuple():
            items = (tree(inner, place, problems, deep + 1) for inner in value)
            return Listing(tuple(items), place)
        case str():
            return Scalar(value, TEXT, place)
        case bool():
            return Scalar(str(value).lower(), "true or false", place)
        case int() | float():
            return Scalar(repr(value), "a number", place)
        case None:
            return Scalar("", NULL, place)
        case _:
            problems.add(place, "", f"{type(value).__name__} is no JSON value")
            return Scalar("", NULL, place)
