"""Linear's published cost formula, so that points are reserved before they are spent.

A leaf costs 0.1, an object 1, a connection its nodes times `first` (50 if absent); the sum is rounded up.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
)

LEAF, OBJECT, DEFAULT_FIRST = 0.1, 1.0, 50


def points(document: str, variables: Mapping[str, Any] | None = None) -> int:
    """Return what a document costs with these variables."""
    parsed = parse(document, no_location=True)
    fragments = {node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)}
    return ceil(round(sum(_operations(parsed, fragments, variables or {})), 6))


def _operations(
    parsed: DocumentNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> list[float]:
    return [
        _selection(node.selection_set, fragments, variables)
        for node in parsed.definitions
        if isinstance(node, OperationDefinitionNode)
    ]


def _selection(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> float:
    total = 0.0
    for node in selected.selections:
        if isinstance(node, FragmentSpreadNode):
            total += _selection(fragments[node.name.value].selection_set, fragments, variables)
        elif isinstance(node, InlineFragmentNode):
            total += _selection(node.selection_set, fragments, variables)
        elif isinstance(node, FieldNode):
            total += _field(node, fragments, variables)
    return total


def _field(node: FieldNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> float:
    if node.selection_set is None:
        return LEAF
    parts = [part for part in node.selection_set.selections if isinstance(part, FieldNode)]
    if not any(part.name.value in {"nodes", "edges"} for part in parts):
        return OBJECT + _selection(node.selection_set, fragments, variables)
    total = 0.0
    for part in parts:
        times = _first(node, variables) if part.name.value in {"nodes", "edges"} else 1
        total += times * _field(part, fragments, variables)
    return total


def _first(node: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value in {"first", "last"}:
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
            if isinstance(argument.value, VariableNode):
                return int(variables.get(argument.value.name.value) or DEFAULT_FIRST)
    return DEFAULT_FIRST
