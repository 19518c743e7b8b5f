"""Commands on the server itself: they open its database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fairway.interfaces.console import errors, out, print_json
from fairway.kernel.memory import settle

audit = typer.Typer(help="The event log: is it whole?", no_args_is_help=True)
token = typer.Typer(help="Keys to the API.", no_args_is_help=True)
search = typer.Typer(help="What search knows of the records.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]


def add(app: typer.Typer) -> None:
    """Enter these commands in the command line."""
    for command in (up, serve, worker, migrate, demo, bench, openapi):
        app.command()(command)
    app.command("import")(import_file)
    app.command("export")(export_instance)
    app.command()(invite)
    app.add_typer(audit, name="audit")
    app.add_typer(token, name="token")
    app.add_typer(search, name="search")


def _open() -> None:
    """Make Django ready: settings, apps, addresses."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairway.interfaces.settings")
    import django  # noqa: PLC0415 - clients of a server do without it

    django.setup()
    settle()


def _open_database() -> None:
    """Make Django ready, on a database that has been migrated.

    :raises NotReady: it has not.
    """
    _open()
    from fairway.interfaces import running  # noqa: PLC0415

    running.require_migrated()


def up() -> None:
    """Migrate, load the demo company into an empty database, serve and work."""
    _open()
    from fairway.interfaces import running  # noqa: PLC0415

    running.up()


def serve() -> None:
    """Serve pages and API; the database must be migrated. Jobs need a “fairway worker” beside it."""
    _open_database()
    from fairway.interfaces import running  # noqa: PLC0415

    running.serve()


def worker(
    with_parent: Annotated[bool, typer.Option(hidden=True, help="End when standard input ends")] = False,
) -> None:
    """Run jobs: imports, webhooks, what is done by the clock. Several may run, on any machine."""
    _open_database()
    from fairway.interfaces import running  # noqa: PLC0415

    running.work(with_parent=with_parent)


def migrate() -> None:
    """Bring the database to this version's shape."""
    _open()
    from fairway.interfaces import running  # noqa: PLC0415

    running.migrate()
    out.print("The database is up to date.")


def demo() -> None:
    """Load the demo company; only into a database that holds no organisation yet."""
    _open()
    from fairway.interfaces import running  # noqa: PLC0415

    running.migrate()
    if not running.load_demo():
        errors.print(
            "This database holds an organisation already; the demo company goes into an empty one only."
        )
        raise typer.Exit(1)


def bench(
    name: Annotated[str, typer.Argument(help="decide, conflicts or catalogue; all when not given")] = "",
    postgresql: Annotated[
        str | None, typer.Option(help="URL of a server to make the data's own database on; else SQLite")
    ] = None,
    changes: Annotated[
        int | None, typer.Option(min=1000, help="How many changes the data has, 100,000 when not given")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure, and print each figure beside its floor. Exit code 0: all within budget."""
    from fairway.bench import commands  # noqa: PLC0415

    if name and name not in commands.BENCHES:
        errors.print(f"There is no benchmark “{name}”; there are {', '.join(commands.BENCHES)}.")
        raise typer.Exit(2)
    results = [
        commands.run(each, changes=changes, postgresql=postgresql, show=not as_json)
        for each in ([name] if name else commands.BENCHES)
    ]
    if as_json:
        print_json(results)
    if not all(result["held"] for result in results):
        raise typer.Exit(1)


def openapi(
    file: Annotated[
        Path | None, typer.Option("--out", help="File to write; standard output when not given")
    ] = None,
) -> None:
    """Print the API's contract (OpenAPI 3.1)."""
    _open()
    from fairway.interfaces.contract import document  # noqa: PLC0415

    if file is None:
        out.file.write(document())
    else:
        file.write_text(document(), encoding="utf-8")


def import_file(
    file: Annotated[Path, typer.Argument(help="A file: CSV, XLSX, JSON, NDJSON or YAML")],
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            help="items, relations, changes or windows; backstage, kubernetes or compose; or instance, a"
            " whole export",
        ),
    ],
    mapping: Annotated[Path | None, typer.Option("--map", help="A mapping file (YAML)")] = None,
    user: Annotated[
        str, typer.Option(help="Who imports: key or e-mail address; the system when not given")
    ] = "",
    organisation: Annotated[
        str, typer.Option(help="Owner of rows that name none; the root when not given")
    ] = "",
    encoding: Annotated[
        str, typer.Option(help="Encoding of the file; as the mapping says, else UTF-8, when not given")
    ] = "",
    form: Annotated[
        str,
        typer.Option("--format", help="csv, xlsx, json, ndjson or yaml; by the name's ending when not given"),
    ] = "",
    sheet: Annotated[str, typer.Option(help="Sheet of a workbook; the first one when not given")] = "",
    header: Annotated[
        int | None,
        typer.Option(min=1, help="Row of a sheet that names the columns; the first that is not empty"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, write nothing")] = False,
    as_json: Json = False,
) -> None:
    """Import a file; every row is answered. Exit code 0: all rows stand, 1: some were refused."""
    _open_database()
    if kind == "instance":
        _restore(file, dry_run=dry_run, as_json=as_json)
        return
    from fairway.accounts import queries  # noqa: PLC0415
    from fairway.exchange import commands  # noqa: PLC0415
    from fairway.kernel.actor import SYSTEM  # noqa: PLC0415

    actor = queries.person(queries.user(SYSTEM, user)) if user else SYSTEM
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(f"{'Checking' if dry_run else 'Importing'} {file.name}", total=None)
        report = commands.import_file(
            file, kind=kind, mapping=mapping, actor=actor, organisation=organisation, encoding=encoding,
            form=form, sheet=sheet, header=header,
            dry_run=dry_run, progress=lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    if as_json:
        print_json(report.document())
    else:
        for line in report.lines(100):
            errors.print(line, markup=False, highlight=False, soft_wrap=True)
        out.print(report.summary(), markup=False, highlight=False)
    if report.refused:
        raise typer.Exit(1)


def _restore(file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Fill an empty database with a whole export."""
    from fairway.exchange import commands  # noqa: PLC0415

    with _counting("Checking" if dry_run else "Importing") as progress:
        found = commands.import_instance(file, dry_run=dry_run, progress=progress)
    if as_json:
        print_json(
            {"dry_run": dry_run, "records": found.records, "sequence": found.last[0], "hash": found.last[1]}
        )
        return
    did = "can be imported" if dry_run else "imported"
    out.print(f"{found.records:,} records and a whole log of {found.last[0]:,} events {did} from {file}.")
    if not dry_run:
        out.print("Credentials do not travel: “fairway invite E-MAIL” prints a link to choose a password.")


def export_instance(
    file: Annotated[Path, typer.Argument(help="File to write (ZIP of NDJSON)")],
    as_json: Json = False,
) -> None:
    """Write everything into one open file: all records, the event log, attached files; no credentials."""
    _open_database()
    from fairway.exchange import commands  # noqa: PLC0415

    with _counting("Exporting") as progress:
        counts = commands.export_instance(file, progress=progress)
    if as_json:
        print_json(counts)
        return
    records = sum(count for name, count in counts.items() if name.startswith("records/"))
    out.print(f"{records:,} records written to {file}. “fairway import {file} --as instance” reads it back.")


@contextmanager
def _counting(doing: str) -> Iterator[Callable[[str, int], None]]:
    """Show which part is worked on and how far it is."""
    with Progress(TextColumn("{task.description}"), TextColumn("{task.completed:,}"), console=errors,
                  transient=True) as progress:  # fmt: skip
        task = progress.add_task(doing, total=None)
        yield lambda name, done: progress.update(task, description=f"{doing} {name}", completed=done)


def invite(
    user: Annotated[str, typer.Argument(help="Key or e-mail address of a person")],
) -> None:
    """Print a link with which a person chooses a password; it opens once, for three days."""
    _open_database()
    from fairway.accounts.commands import InviteUser  # noqa: PLC0415
    from fairway.audit.commands import execute  # noqa: PLC0415
    from fairway.interfaces import running  # noqa: PLC0415
    from fairway.kernel.actor import SYSTEM  # noqa: PLC0415

    outcome = execute(InviteUser(user=user), actor=SYSTEM)
    host, port = running.configuration().listen
    out.print(f"http://{host}:{port}{outcome.answer}", markup=False, soft_wrap=True)


@audit.command()
def verify(
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint that was exported before")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Verify exported events (NDJSON) instead of the database")
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk the event log; report edits, gaps and, with a checkpoint, a cut tail. Exit code 0: whole."""
    if export is None:
        _open_database()
    else:
        _open()
    from fairway.audit import queries  # noqa: PLC0415

    report = queries.verification(checkpoint=checkpoint, export=export)
    if as_json:
        print_json(report.document())
    else:
        for flaw in report.flaws:
            errors.print(f"event {flaw.sequence}: {flaw.what}")
        out.print(report.summary())
    if report.flaws:
        raise typer.Exit(1)


@audit.command("checkpoint")
def make_checkpoint(
    file: Annotated[
        Path | None, typer.Option("--out", help="File to write; standard output when not given")
    ] = None,
) -> None:
    """Print a signed checkpoint of the log; keep it outside: with it a cut tail shows."""
    _open_database()
    from fairway.audit import queries  # noqa: PLC0415

    text = queries.checkpoint()
    if file is None:
        out.file.write(text)
    else:
        file.write_text(text, encoding="utf-8")


@audit.command("export")
def export_events(
    file: Annotated[Path, typer.Argument(help="File to write (NDJSON, one event a line)")],
    after: Annotated[int, typer.Option(help="Only events after this number")] = 0,
    texts: Annotated[bool, typer.Option(help="Free text too, not only its digests")] = False,
) -> None:
    """Write the event log to a file; “audit verify --export” checks it without the database."""
    _open_database()
    from fairway.audit import queries  # noqa: PLC0415

    count = 0
    with file.open("wb") as lines:
        for line in queries.exported(after=after, texts=texts):
            lines.write(line)
            count += 1
    out.print(f"{count} events written to {file}.")


@token.command()
def create(
    user: Annotated[str, typer.Argument(help="Key or e-mail address of the person or service account")],
    name: Annotated[str, typer.Option(help="What it is for")] = "command line",
    days: Annotated[int, typer.Option(help="How long it lives")] = 90,
    scope: Annotated[
        list[str] | None, typer.Option(help="A permission; repeat for more; all when not given")
    ] = None,
) -> None:
    """Make a token and print it, this once."""
    _open_database()
    from fairway.accounts.commands import CreateToken  # noqa: PLC0415
    from fairway.audit.commands import execute  # noqa: PLC0415
    from fairway.kernel.actor import SYSTEM  # noqa: PLC0415

    outcome = execute(CreateToken(name=name, user=user, scopes=scope, days=days), actor=SYSTEM)
    out.print(outcome.answer, markup=False)


@search.command("rebuild")
def search_rebuild(
    kinds: Annotated[
        list[str] | None, typer.Argument(help="Kinds of records; all when none is given")
    ] = None,
) -> None:
    """Write anew what search knows; it keeps itself up to date, so this is for when you doubt it."""
    _open_database()
    from fairway.workspace import commands, queries  # noqa: PLC0415

    unknown = sorted(set(kinds or ()) - queries.KINDS.keys())
    if unknown:
        errors.print(f"There is no kind “{unknown[0]}”; there are {', '.join(sorted(queries.KINDS))}.")
        raise typer.Exit(2)
    out.print(f"{commands.rebuild(kinds or ()):,} records are found now.")
