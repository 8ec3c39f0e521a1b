"""A YAML text as plain values that remember where each was written.

Numbers and truth values are read as YAML 1.2 reads them (``1e6`` is a number, ``no`` and ``1:30`` are texts);
whole numbers may have ``_`` between digits.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from fleet_sim.basics.errors import UserError

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"
Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Origin:
    """Where a value was written: what opens a message about it (``x.yaml:3``, ``--set a=1``) and its line.

    `field` is the path to show after `where`; None where `where` itself says it.
    """

    where: str
    line: int = 0
    field: str | None = None


Origins: TypeAlias = dict[Place, Origin]


@dataclass(frozen=True)
class Document:
    """Values not yet checked, and the origin of each by its place; place () is the whole."""

    values: Value
    origins: Origins


def dotted(place: Place) -> str:
    """The field path a user writes for `place`."""
    return ".".join(map(str, place))


def read(path: Path) -> Document:
    """The document in the file at `path`; UserError if it is no file, no text or no YAML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; expected a scenario file in YAML") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text; expected a scenario file in YAML") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return parse(text, str(path), with_lines=True)


def parse(text: str, name: str, with_lines: bool) -> Document:
    """The document in `text`, which messages call `name`, followed by the line `with_lines`.

    UserError names the line of a syntax error, a field written twice, or a value that holds itself.
    """
    source = _Source(name, with_lines, {(): Origin(name)})
    try:
        node = yaml.compose(text, _Loader)
        return Document(None if node is None else source.build(node, (), ()), source.origins)
    except yaml.MarkedYAMLError as error:
        where = source.at(error.problem_mark.line + 1 if error.problem_mark else 1)
        problem = error.problem or "cannot be read"
        if r"'\t'" in problem:
            problem = "a tab where spaces should be"
        raise UserError(f"{where}: not YAML: {problem}") from None
    except RecursionError:
        raise UserError(f"{name}: not YAML: nested too deep") from None
    except yaml.reader.ReaderError as error:
        raise UserError(f"{name}: not YAML: {error.reason}") from None


class _Loader(yaml.SafeLoader):
    """Scalars of YAML 1.2: what surprises people in 1.1 (yes, 1:30, 010, dates, <<) is not resolved."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_TAG = "tag:yaml.org,2002:"
_DIGITS = list("-+.0123456789")
for _tag, _pattern, _first in (
    ("null", r"(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"[-+]?[0-9][0-9_]{0,40}$", _DIGITS),
    (
        "float",
        r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF|nan|NaN|NAN))$",
        _DIGITS,
    ),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_tag}", re.compile(_pattern), _first)
_SCALARS: dict[str, Callable[[str], Value]] = {
    f"{_TAG}str": str,
    f"{_TAG}null": lambda _: None,
    f"{_TAG}bool": lambda text: text.lower() == "true",
    f"{_TAG}int": lambda text: int(text.replace("_", "")),
    f"{_TAG}float": lambda text: float(re.sub(r"\.(?=[in])", "", text.lower())),
}


@dataclass(frozen=True)
class _Source:
    """A text being read: its name in messages, whether lines are told, and the origins found so far."""

    name: str
    with_lines: bool
    origins: Origins

    def at(self, line: int) -> str:
        return f"{self.name}:{line}" if self.with_lines else self.name

    def build(self, node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]) -> Value:
        """The value of `node`, which stands at `place`, below the nodes `above`."""
        line = node.start_mark.line + 1
        if node in above:
            raise UserError(f"{self.at(line)}: {dotted(place)}: holds itself")
        self.origins.setdefault(place, Origin(self.at(line), line, dotted(place)))
        inside = (*above, node)
        if isinstance(node, yaml.MappingNode):
            return {key: self.build(child, (*place, key), inside) for key, child in self.fields(node, place)}
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*place, i), inside) for i, child in enumerate(node.value)]
        if node.tag not in _SCALARS:
            raise UserError(f"{self.at(line)}: {dotted(place)}: a scenario has no tags such as {node.tag}")
        try:
            return _SCALARS[node.tag](node.value)
        except ValueError:
            kind = node.tag.removeprefix(_TAG)
            raise UserError(f"{self.at(line)}: {dotted(place)}: '{node.value}' is no {kind}") from None

    def fields(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[str, yaml.Node]]:
        """Names and value nodes of `node`; the origin of a field is the line of its name."""
        lines: dict[str, int] = {}
        for key, child in node.value:
            line, name = key.start_mark.line + 1, key.value
            if not isinstance(key, yaml.ScalarNode):
                raise UserError(f"{self.at(line)}: the name of a field must be a text")
            field = dotted((*place, name))
            if name in lines:
                raise UserError(f"{self.at(line)}: {field}: written twice, first on line {lines[name]}")
            lines[name] = line
            self.origins[(*place, name)] = Origin(self.at(line), line, field)
            yield name, child
