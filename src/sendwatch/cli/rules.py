"""The commands that look things up: rules, their examples, the classes of texts, the law.

Belongs here: arguments. Not here: any answer (`rules/`, `law/`, `report/catalogue.py`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from sendwatch.cli.options import configured, output, settings_offline

if TYPE_CHECKING:
    from sendwatch.cli.options import Output


@click.group()
def rules() -> None:
    """The catalogue of rules."""


@rules.command(name="list")
@configured
@output
def list_rules(path: str | None, output: Output) -> None:
    """Every rule: severity, mode, clause, violation."""
    from sendwatch.engine.judging import prepare
    from sendwatch.report.catalogue import as_json, as_text

    rulebook = prepare(settings_offline(path)).rulebook
    click.echo(msgspec.json.encode(as_json(rulebook)).decode() if output == "json" else as_text(rulebook))


@rules.command(name="test")
@output
def test_rules(output: Output) -> None:
    """Ask every rule about the examples that it carries.

    Status 1 if one is answered otherwise.
    """
    from sendwatch.report.catalogue import try_examples

    tried = try_examples()
    wrong = [each for each in tried if not each.right]
    if output == "json":
        click.echo(msgspec.json.encode(tried).decode())
    else:
        for each in wrong:
            click.echo(f"{each.rule}: {each.example}: expected {each.expected}, got {each.got}")
        asked = len({each.rule for each in tried})
        click.echo(f"{len(tried)} examples of {asked} rules, {len(wrong)} answered otherwise")
    sys.exit(int(bool(wrong)))


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
def classify(files: tuple[str, ...]) -> None:
    """Precision and recall per class of text.

    Over FILES of labelled texts: class, provenance, text, by tabs.
    """
    from pathlib import Path

    from sendwatch.text.table import table

    for name in files:
        click.echo(name)
        click.echo(table(Path(name)))


@click.group()
def law() -> None:
    """The law packs."""


@law.command(name="diff")
@click.argument("before")
@click.argument("after")
@output
def law_diff(before: str, after: str, output: Output) -> None:
    """List what changes for which rule between two packs.

    Such as miit-31 and miit-74; status 1 if anything does.
    """
    from sendwatch import law as packs
    from sendwatch.report.catalogue import changes

    known = {pack.id: pack for pack in packs.load()}
    for name in (before, after):
        if name not in known:
            click.echo(f"there is no law pack {name}; there are {', '.join(known)}", err=True)
            sys.exit(2)
    found = changes(known[before], known[after])
    if output == "json":
        click.echo(msgspec.json.encode(found).decode())
    else:
        for change in found:
            click.echo(f"{change.rule:<28} {change.before or '–':<28} -> {change.after or '–'}")
        for pack in (known[before], known[after]):
            if not pack.checked:
                click.echo(f"note: the clauses of {pack.id} have not been checked by a person")
    sys.exit(int(bool(found)))
