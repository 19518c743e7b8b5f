"""Every command by name. What runs on the server is loaded when it is called, so clients start at once."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from fairway.interfaces.cli import client, server, windows
from fairway.interfaces.configuration import NotReady, SettingError
from fairway.interfaces.console import errors, out, tell
from fairway.kernel.errors import Problem

app = typer.Typer(
    name="fairway",
    help="Change, release and environment management: may this be done, there, then; if not, why not?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        out.print(f"fairway {version('fairway')}", highlight=False)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Change, release and environment management: may this be done, there, then; if not, why not?"""


client.add(app)
windows.add(app)
server.add(app)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        app(standalone_mode=True)
    except Problem as problem:
        tell(problem.title, problem.detail, [(e.field, e.message) for e in problem.errors])
        sys.exit(3 if problem.status in {403, 409} else 1)
    except (SettingError, NotReady) as error:
        errors.print(str(error), markup=False)
        sys.exit(2)
