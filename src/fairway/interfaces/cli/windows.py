"""Windows as text: what a file changes, and making it so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from fairway.interfaces.cli.client import DENIED, ask, credentials, fail
from fairway.interfaces.console import errors, out, print_json

windows = typer.Typer(help="Freezes and maintenance windows as text.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="A YAML file; see docs/calendars.md", exists=True, dir_okay=False)]
Backtest = Annotated[str, typer.Option(help="A span of the past, FROM..TO, such as 2025-01-01..2026-01-01")]
Json = Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON")]


def add(app: typer.Typer) -> None:
    """Enter these commands in the command line."""
    app.add_typer(windows, name="windows")


@windows.command()
def diff(file: File, backtest: Backtest = "", as_json: Json = False) -> None:
    """Say what a file adds, changes, removes and hits. Exit code 3: an example does not hold."""
    found = _send(file, backtest, dry_run=True)
    _show(found, as_json)
    if not found["holds"]:
        raise typer.Exit(DENIED)


@windows.command()
def apply(file: File, backtest: Backtest = "", as_json: Json = False) -> None:
    """Make the windows what a file says, all or nothing. Exit code 3: an example does not hold."""
    _show(_send(file, backtest, dry_run=False), as_json)


def _send(file: Path, backtest: str, *, dry_run: bool) -> dict[str, Any]:
    try:
        body: dict[str, Any] = {"text": file.read_text(encoding="utf-8")}
    except UnicodeDecodeError as cause:
        errors.print(f"{file} is no text in UTF-8.", markup=False)
        raise typer.Exit(2) from cause
    if backtest:
        start, dots, end = backtest.partition("..")
        if not dots:
            errors.print(f"“{backtest}” is no span; write it as 2025-01-01..2026-01-01.", markup=False)
            raise typer.Exit(2)
        body["backtest"] = {"from": _instant(start), "to": _instant(end)}
    server, token = credentials()
    query = {"dry_run": "true"} if dry_run else None
    answer = ask(server, token, "POST", "/api/v1/window-texts", query, body=body)
    if answer.status_code == 409:
        errors.print(escape(str(answer.json()["detail"])))
        raise typer.Exit(DENIED)
    if answer.status_code != 200:
        fail(answer)
    found: dict[str, Any] = answer.json()
    return found


def _instant(text: str) -> str:
    return f"{text}T00:00:00Z" if len(text) == 10 else text


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for name in found["added"]:
        out.print(f"[green]+[/] {escape(name)}")
    for one in found["changed"]:
        out.print(f"[yellow]~[/] {escape(one['name'])}: {', '.join(one['fields'])}")
    for one in found["removed"]:
        out.print(f"[red]-[/] {escape(one['name'])} ({one['key']})")
    if not (found["added"] or found["changed"] or found["removed"]):
        out.print("Nothing differs.")
    for hit in found["hits"]:
        owner = f", of {hit['owner']['name']}" if hit["owner"] else ""
        why = f": {hit['why'][0]}" if hit["why"] else ""
        out.print(escape(f"  {hit['effect']}: {hit['change']['key'] or hit['change']['name']}{owner}{why}"))
    for one in found["examples"]:
        mark = "[green]holds[/]" if one["holds"] else "[red]does not hold[/]"
        words = escape(one["say"] or f"example {one['position'] + 1}")
        out.print(f"{words} {mark}: expected {one['expected']}, is {one['got']}")
    if test := found["backtest"]:
        out.print(f"Of {test['changes']} changes {test['stopped']} would have been stopped.")
        for name, count in test["by"].items():
            out.print(f"  {count:>6} by {escape(name)}")
    if found["applied"]:
        out.print("Applied.")
