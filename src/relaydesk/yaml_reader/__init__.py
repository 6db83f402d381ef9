"""The one reader of YAML: strict, in bounded work, and it knows the line of everything.

YAML can do more than a list of settings needs, and what it can do besides surprises: a dozen lines of
aliases stand for millions of values, a tag makes an object, of a key that is written twice one is lost. None
of that is read; :class:`YamlError` says what to write instead, and where.
"""

from relaydesk.yaml_reader.nodes import YamlError, YamlList, YamlMapping
from relaydesk.yaml_reader.read import parse_yaml

__all__ = ["YamlError", "YamlList", "YamlMapping", "parse_yaml"]
