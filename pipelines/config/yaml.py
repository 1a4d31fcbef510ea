"""YAML as configurations use it: values with the line of each, and text that reads back equal.

Words are read as YAML 1.2 reads them: PyYAML's own rules (YAML 1.1) take `1e-4` for text, `off` for
false, `1:20` for 80 and `010` for 8.
"""

import re
from typing import Any, NamedTuple

import yaml

Place = tuple[str | int, ...]
"""The way from the root to a setting: keys of sections as text, positions in lists as numbers."""

_TAG = "tag:yaml.org,2002:"
_WORDS = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F]+", tuple("-+0123456789")),
    (
        "float",
        r"[-+]?(?:[0-9][0-9_]*\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        tuple("-+.0123456789"),
    ),
)
_TAGS = {_TAG + name for name in ("map", "seq", "str", *(word[0] for word in _WORDS))}
_DEEPEST = 50  # levels; only an alias that contains itself goes deeper


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own interface


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes wherever YAML 1.1 or 1.2 would take it for something else."""

    def ignore_aliases(self, data: object) -> bool:
        return True


for _name, _pattern, _first in _WORDS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.SequenceNode:
    flow = not any(isinstance(item, dict) for item in data)
    return dumper.represent_sequence(_TAG + "seq", data, flow_style=flow)


_Dumper.add_representer(list, _represent_list)


class YamlFault(NamedTuple):
    """Something wrong in a text."""

    line: int  # from 1
    message: str


class YamlText(NamedTuple):
    """A text read: what it holds and where it says so."""

    value: Any
    lines: dict[Place, int]  # of every key and list item, from 1
    repeated: tuple[YamlFault, ...]  # keys that are set twice; `value` has the first


class YamlSyntaxError(ValueError):
    """The text is not YAML, or uses more of YAML than a configuration may.

    Args:
        fault: where, and what.
    """

    def __init__(self, fault: YamlFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def place_name(place: Place) -> str:
    """Write a place as people do: ('data', 'sizes', 0) is 'data.sizes[0]'."""
    parts = (f"[{item}]" if isinstance(item, int) else f".{item}" for item in place)
    return "".join(parts).removeprefix(".")


def parse_yaml(text: str) -> YamlText:
    """Read one YAML document with the line of each of its settings.

    Keys of mappings are the text as written, as in JSON; tags such as `!!set` are refused.

    Raises:
        YamlSyntaxError: if the text is not one YAML document of plain values.
    """
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        reader = _Reader(loader)
        value = None if root is None else reader.read(root, ())
    except yaml.YAMLError as error:
        raise YamlSyntaxError(_syntax_fault(error, text)) from error
    return YamlText(value, reader.lines, tuple(reader.repeated))


def dump_yaml(value: object) -> str:
    """Write mappings in their own order, one key a line, and lists of plain values on one line."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Reader:
    """Walks a tree of nodes: its values, the lines of its keys and items, and its repeated keys."""

    def __init__(self, loader: _Loader) -> None:
        self.lines: dict[Place, int] = {}
        self.repeated: list[YamlFault] = []
        self._loader = loader

    def read(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 - whatever the text holds
        if node.tag not in _TAGS:
            raise _refusal(node, f"a configuration has no values of kind {node.tag}")
        if len(place) > _DEEPEST:
            raise _refusal(node, f"values lie more than {_DEEPEST} levels deep")
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[*place, index] = _line(item)
            return [self.read(item, (*place, index)) for index, item in enumerate(node.value)]
        try:
            return self._loader.construct_object(node)
        except (ValueError, KeyError) as error:
            raise _refusal(node, f"{node.value!r} is not of kind {node.tag}") from error

    def _read_mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal(key, "a key is a list or a mapping; it must be text")
            here = (*place, str(key.value))
            if key.value in mapping:
                first = f"{place_name(here)!r} is set twice, first on line {self.lines[here]}"
                self.repeated.append(YamlFault(_line(key), first))
                continue
            self.lines[here] = _line(key)
            mapping[str(key.value)] = self.read(child, here)
        return mapping


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _refusal(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _syntax_fault(error: yaml.YAMLError, text: str) -> YamlFault:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        # Only the scanner's first look at the characters has no mark; it has a position.
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        return YamlFault(line, f"not valid YAML: {getattr(error, 'reason', error)}")
    line = error.problem_mark.line + 1
    begins = error.context_mark.line + 1 if error.context_mark else line
    where = f" {error.context}" if error.context else ""
    since = f" that begins on line {begins}" if where and begins != line else ""
    source = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    advice = "; put values with {configs} in quotes" if "{configs}" in source else ""
    return YamlFault(line, f"not valid YAML: {error.problem}{where}{since}{advice}")
