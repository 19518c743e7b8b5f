"""Commands against a server: what pipelines and people at a terminal ask."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import niquests
import typer
from rich.markup import escape
from rich.table import Table

from fairway.interfaces.console import errors, out, print_json, tell

may = typer.Typer(help="Ask whether something may be done.", no_args_is_help=True)
DENIED, FAILED = 3, 1
TIMEOUT = 30
MARKS = {"allow": "[green]allowed[/]", "warn": "[yellow]allowed, with warnings[/]", "deny": "[red]denied[/]"}
WEIGHTS = {
    "block": "[red]blocks[/]",
    "unknown": "[red]unknown[/]",
    "warn": "[yellow]warns[/]",
    "inform": "informs",
}


def add(app: typer.Typer) -> None:
    """Enter these commands in the command line."""
    app.add_typer(may, name="may")
    app.command()(login)


def login(
    server: Annotated[str, typer.Argument(help="Address of the server, such as https://fairway.example.com")],
    token: Annotated[
        str, typer.Option(help="A token; asked for when not given", prompt="Token", hide_input=True)
    ],
) -> None:
    """Remember a server and a token for later commands; FAIRWAY_SERVER and FAIRWAY_TOKEN come before it."""
    answer = ask(server.rstrip("/"), token, "GET", "/api/v1/items", {"limit": "1"})
    if answer.status_code != 200:
        fail(answer)
    path = _remembered()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"server": server.rstrip("/"), "token": token}), encoding="utf-8")
    out.print(f"Signed in to {server}; remembered in {path}.")


@may.command()
def deploy(
    item: Annotated[str, typer.Argument(help="Key of the system, such as payments-api")],
    environment: Annotated[str, typer.Argument(help="Key of the environment, such as prod")],
    change: Annotated[str, typer.Option(help="Key of the change, such as CHG-1042")] = "",
    version: Annotated[str, typer.Option(help="Version to deploy")] = "",
    at: Annotated[str, typer.Option(help="Instant, such as 2027-01-04T08:00:00Z; now when not given")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON")] = False,
    record: Annotated[bool, typer.Option(help="Keep the question and its answer on the server")] = True,
) -> None:
    """Ask whether a system may be deployed to an environment. Exit code 0: allowed, 3: denied."""
    asked = {
        "action": "deploy", "system": item, "environment": environment,
        "change": change, "version": version, "at": at,
    }  # fmt: skip
    asked = {name: value for name, value in asked.items() if value}
    server, token = credentials()
    if record:
        answer = ask(server, token, "POST", "/api/v1/decide", body=asked)
    else:
        answer = ask(server, token, "GET", "/api/v1/decide", asked)
    if answer.status_code != 200:
        fail(answer)
    decision = answer.json()
    if as_json:
        print_json(decision)
    else:
        _show(decision, item, environment)
    if decision["verdict"] == "deny":
        raise typer.Exit(DENIED)


def _show(decision: dict[str, Any], item: str, environment: str) -> None:
    out.print(f"Deploying [bold]{item}[/] to [bold]{environment}[/] is {MARKS[decision['verdict']]}.")
    if decision["findings"]:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for finding in decision["findings"]:
            table.add_row(WEIGHTS[finding["severity"]], escape(finding["message"]))
        out.print(table)
    if decision["next_open"]:
        out.print(f"Next open: {decision['next_open']}")
    if decision["next_close"]:
        out.print(f"Open until: {decision['next_close']}")
    if decision.get("point_of_no_return"):
        out.print(f"Point of no return: {decision['point_of_no_return']}")


def _remembered() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "fairway" / "login.json"


def credentials() -> tuple[str, str]:
    kept: dict[str, str] = {}
    if _remembered().is_file():
        kept = json.loads(_remembered().read_text(encoding="utf-8"))
    server = os.environ.get("FAIRWAY_SERVER") or kept.get("server", "")
    token = os.environ.get("FAIRWAY_TOKEN") or kept.get("token", "")
    if not server:
        errors.print(
            "No server is known. Run “fairway login ADDRESS”, or set FAIRWAY_SERVER and FAIRWAY_TOKEN."
        )
        raise typer.Exit(2)
    if not token:
        errors.print(
            f"No token is known for {server}. Run “fairway login {server}”, or set FAIRWAY_TOKEN.",
            markup=False,
        )
        raise typer.Exit(2)
    return server.rstrip("/"), token


def ask(
    server: str, token: str, method: str, path: str, query: dict[str, str] | None = None, body: Any = None
) -> niquests.Response:
    try:
        return niquests.request(
            method,
            f"{server}{path}",
            params=query,
            json=body,
            timeout=TIMEOUT,
            headers={"Authorization": f"Bearer {token}"},
        )
    except niquests.RequestException as error:
        errors.print(
            f"{server} {_why(error)}. Nothing was asked; the answer is neither yes nor no.", markup=False
        )
        raise typer.Exit(FAILED) from error


def _why(error: niquests.RequestException) -> str:
    """Say in a few words why there was no answer; what the library says names its own classes."""
    if isinstance(error, niquests.exceptions.Timeout):
        return f"did not answer within {TIMEOUT} seconds"
    if isinstance(error, niquests.exceptions.SSLError):
        return "shows a certificate that this machine does not trust"
    if isinstance(error, niquests.exceptions.ConnectionError):
        return "cannot be reached; see whether the address is right and the server runs"
    return "is no address of a server; write it as https://fairway.example.com"


def fail(answer: niquests.Response) -> None:
    """Tell the server's problem in its own words and end."""
    try:
        problem = answer.json()
        fields = [(error["field"], error["message"]) for error in problem.get("errors", ())]
        tell(problem["title"], problem["detail"], fields)
    except (ValueError, KeyError, TypeError):
        errors.print(f"The server answered {answer.status_code} and nothing that Fairway says.")
    raise typer.Exit(2 if answer.status_code in {400, 422} else FAILED)
