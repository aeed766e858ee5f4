"""YAML with the line on which each thing stands. Every value is a text: nothing is guessed to be a number or a date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

# Where something stands: the names and positions that lead to it.
Path = tuple[str | int, ...]

_DEPTH_MAX = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts from 1; `path` as ("venues", "canal", "accepts", 0)."""

    line: int
    path: Path
    text: str

    def __str__(self) -> str:
        where = ".".join(str(part) for part in self.path)
        return f"line {self.line}: {where + ': ' if where else ''}{self.text}"


class BadNetworkFile(ValueError):
    """The file is no network; `problems` are all that were found, in the order of lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda it: it.line)
        super().__init__("\n".join(str(it) for it in self.problems))


@dataclass(frozen=True, slots=True)
class Written:
    """A document of mappings, lists and texts, and the line of each path."""

    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """That of the nearest thing above when the path itself does not stand in the file."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> Written:
    """Raises BadNetworkFile for what is not YAML, and for a name that stands twice."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "it is not YAML"
        raise BadNetworkFile([Problem(mark.line + 1 if mark else 1, (), said)]) from None
    except yaml.YAMLError as error:
        raise BadNetworkFile([Problem(1, (), str(error))]) from None
    if node is None:
        raise BadNetworkFile([Problem(1, (), "the file is empty")])
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    data = _value(node, (), lines, problems)
    if problems:
        raise BadNetworkFile(problems)
    return Written(data, lines)


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > _DEPTH_MAX:
        problems.append(Problem(lines[path], path[:3], "this goes too deep"))
        return ""
    if isinstance(node, yaml.SequenceNode):
        return [_value(it, (*path, number), lines, problems) for number, it in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            problems.append(Problem(line, path, "a name is a text"))
        elif key.value in found:
            first = lines[*path, key.value]
            problems.append(Problem(line, (*path, key.value), f"stands twice; the first time on line {first}"))
        else:
            lines[*path, key.value] = line
            found[key.value] = _value(value, (*path, key.value), lines, problems)
    return found
