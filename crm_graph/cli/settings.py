"""`crm-graph settings`: every setting, where its value comes from, and what is wrong with them."""

from collections.abc import Sequence

from crm_graph.cli.output import remark, show
from crm_graph.errors import SettingsError
from crm_graph.settings import Settings, overview, secret_strength, value_forms
from crm_graph.settings.overview import Given

MASK = "********"  # of one length, whatever the secret's is


def show_settings() -> None:
    """List all settings and where their values come from, secrets masked; report every problem.

    The exit code is 1 if `serve` would refuse them.
    """
    settings, problems = _load()  # first: it also refuses a file that can't be read
    given = overview.given(Settings.defaults())
    secret = Settings.secret_names()
    show(
        ("setting", "value", "from"),
        [(g.name, MASK if g.text and g.name in secret else g.text, g.source) for g in given],
    )
    problems += settings.serving_problems() if settings else _weak_secrets(given)
    warnings = settings.secret_warnings() if settings else []
    for line in (*overview.remarks(Settings.names()), *warnings, *problems):
        remark(line)
    if problems:
        raise SystemExit(1)


def _load() -> tuple[Settings | None, list[str]]:
    try:
        return Settings.load(), []
    except SettingsError as error:
        return None, list(error.problems)


def _weak_secrets(given: Sequence[Given]) -> list[str]:
    """What is wrong with secrets beside another setting that is wrong."""
    texts = {g.name: g.text for g in given if g.text}
    lists = {name: value_forms.comma_separated(texts[name]) for name in secret_strength.LISTS if name in texts}
    singles = {name: (texts[name],) for name in secret_strength.SINGLES if name in texts}
    return [line for name, secrets in (singles | lists).items() for line in secret_strength.problems(name, secrets)]
