"""YAML as Ruby writes it: symbols for keys, tags for its classes. Only plain data comes out, whatever is tagged."""

from datetime import datetime
from typing import Any

import yaml

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the compiled one is ten times faster, where it exists


class _Plain(Loader):  # type: ignore[misc]  # the loader's class is only known at run time
    """Tagged mappings, lists and texts are read as such; dates stay as they were written."""


def _untagged(loader: Any, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Plain.add_multi_constructor("!", _untagged)
_Plain.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def load(text: str) -> Any:
    """The document's plain data. Raises yaml.YAMLError."""
    return yaml.load(text, _Plain)


def moment(text: Any) -> datetime | None:
    """A date with time and offset in Ruby's forms, "2027-02-12 23:15:04.812045000 Z" among them, or None."""
    if not isinstance(text, str):
        return None
    words = text.strip().replace(" UTC", "+00:00").replace(" Z", "+00:00").replace(" +", "+").replace(" -", "-")
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    return found if found.utcoffset() is not None else None
