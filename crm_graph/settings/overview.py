"""Where the value of each setting comes from: the environment, `.env`, or its default."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from crm_graph.settings import env_file
from crm_graph.settings.similar_names import meant

Source = Literal["environment", ".env", "default"]


@dataclass(frozen=True, slots=True)
class Given:
    """A setting as its text was given."""

    name: str
    text: str
    source: Source


def given(defaults: Mapping[str, str]) -> list[Given]:
    """Each setting with its text. An empty value counts as not set. Raises OSError and UnicodeDecodeError."""
    environment, file = _environment(), env_file.values()
    return [
        Given(name, environment[name], "environment")
        if name in environment
        else Given(name, file[name], ".env")
        if name in file
        else Given(name, default, "default")
        for name, default in defaults.items()
    ]


def source(name: str) -> str | None:
    """Where the value of a setting is written, for people; None where nothing sets it. Raises as `given` does."""
    if name in _environment():
        return "in the environment"
    line = env_file.lines().get(name)
    return f"{env_file.ENV_FILE} line {line}" if line else None


def remarks(names: Collection[str]) -> list[str]:
    """What looks wrong in the environment, and may be right because other programs read it too; without values."""
    environment, file = _environment(), env_file.values()
    found = [(name, meant(name, names)) for name in sorted(environment)]
    lines = [f"the variable {name!a} is not a setting; did you mean {setting}?" for name, setting in found if setting]
    differing = [
        name for name in names if name in environment and file.get(name, environment[name]) != environment[name]
    ]
    if differing:
        lines.append(f"the environment and {env_file.ENV_FILE} differ, the environment wins: {', '.join(differing)}")
    return lines


def _environment() -> dict[str, str]:
    return {name.upper(): value for name, value in os.environ.items() if value}
