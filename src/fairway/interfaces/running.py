"""Start: migrate, the first administrator or the demo company, serve."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from fairway.accounts import commands as accounts
from fairway.accounts import queries
from fairway.audit.commands import execute
from fairway.interfaces.configuration import Configuration, NotReady, SettingError
from fairway.interfaces.console import out
from fairway.kernel.actor import SYSTEM
from fairway.kernel.collation import sort_binary
from fairway.kernel.serving import END_STREAMS
from fairway.workspace import commands as workspace

TARGET = "fairway.interfaces.rsgi:application"


def configuration() -> Configuration:
    found: Configuration = settings.CONFIGURATION
    return found


def migrate() -> None:
    configuration().data.mkdir(parents=True, exist_ok=True)
    call_command("migrate", interactive=False, verbosity=0)
    sort_binary()
    workspace.fill()


def require_migrated() -> None:
    """Check that the database has this version's shape.

    :raises NotReady: a migration is missing.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady(
            f"The database ({connection.settings_dict['NAME']}) is not ready for this version;"
            " run “fairway migrate”, or set FAIRWAY_DATA or FAIRWAY_DATABASE_URL to the one that is meant."
        )


def up() -> None:
    """Do all that a first start needs, then serve."""
    migrate()
    made = first_administrator()
    if not made and configuration().demo:
        load_demo()
    with worker_beside():
        serve()


def first_administrator() -> bool:
    """Make root organisation and administrator as the settings say; say whether they were made.

    :raises SettingError: only one of e-mail address and password is set.
    """
    email, password = configuration().admin_email, configuration().admin_password
    if bool(email) != bool(password):
        raise SettingError("Set both FAIRWAY_ADMIN_EMAIL and FAIRWAY_ADMIN_PASSWORD, or neither.")
    if not email or queries.root() is not None:
        return False
    execute(accounts.CreateOrganisation(slug="company", name="Company"), actor=SYSTEM)
    _add_administrator(email, password)
    return True


def load_demo() -> bool:
    """Load the demo company into an empty database; say whether it was."""
    if queries.root() is not None:
        return False
    from fairway.demo import commands as demo  # noqa: PLC0415 - most starts do without it

    password = _demo_password()
    out.print("Loading the demo company: 300 changes with their history; this takes about half a minute.")
    demo.load(password=password)
    out.print(f"The demo company is loaded. Sign in as [bold]{demo.PERSON}[/] with [bold]{password}[/].")
    return True


def serve() -> None:
    """Serve until the process is told to end."""
    from granian import Granian  # noqa: PLC0415 - an extension module: only servers need it
    from granian.constants import Interfaces  # noqa: PLC0415

    host, port = configuration().listen
    _refuse_taken(host, port)
    out.print(f"Fairway is at [bold]http://{host}:{port}[/] (Ctrl+C ends it).")
    if _demo_person_exists():
        out.print(f"Sign in as [bold]demo@fairway.example[/] with [bold]{_demo_password()}[/].")
    connection.close()
    server = Granian(
        TARGET,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        backlog=1024,
        backpressure=4096,  # open streams count, too
        log_access=False,
        log_level="warning",  # type: ignore[arg-type]
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=15,
        process_name="fairway",
    )

    def end(*_: object) -> None:
        for process in multiprocessing.active_children():
            if process.pid is not None:
                os.kill(process.pid, END_STREAMS)  # or their requests would never end
        server.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian's own

    @server.on_startup
    def listen_for_the_end() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)

    server.serve()


def work(*, with_parent: bool = False) -> None:
    """Run jobs until the process is told to end; `with_parent`: or until standard input ends."""
    import_module("fairway.interfaces.urls")  # every context, and with it what it registers
    run_worker(with_parent=with_parent)


def run_worker(*, with_parent: bool = False) -> None:
    from fairway.jobs.commands import LANES, Worker  # noqa: PLC0415 - only workers need it

    lanes = dict.fromkeys(LANES, configuration().job_threads)
    worker = Worker(lanes=lanes, lease=timedelta(seconds=configuration().job_lease))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    if with_parent:

        def wait_for_end() -> None:
            with contextlib.suppress(OSError):
                while os.read(0, 64):
                    pass
            worker.stop()

        threading.Thread(target=wait_for_end, daemon=True).start()
    worker.run()


def request_threads() -> int:
    """Return how many requests are worked on at a time.

    SQLite drops the interpreter lock for each row: more than two threads cost more than they bring.
    """
    return min(2, configuration().threads) if connection.vendor == "sqlite" else configuration().threads


@contextmanager
def worker_beside() -> Iterator[None]:
    """Have a worker in a process of its own as long as the block lasts; one that dies is replaced.

    It ends with this process, whatever ends that: its standard input ends then.
    """
    command = [sys.executable, "-c", "from fairway.interfaces.cli import main; main()", "worker"]
    ended = threading.Event()
    processes: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not ended.is_set():
            process = subprocess.Popen([*command, "--with-parent"], stdin=subprocess.PIPE)  # noqa: S603 - ours
            processes[:] = [process]
            process.wait()
            ended.wait(1.0)

    threading.Thread(target=keep, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        for process in processes:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)


def _refuse_taken(host: str, port: int) -> None:
    """Check that nobody listens there: servers share a port, and a second one would take half of the calls.

    :raises SettingError: somebody does.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as cause:
            raise SettingError(
                f"FAIRWAY_LISTEN is {host}:{port}, which cannot be had: {cause.strerror}."
            ) from cause


def _demo_person_exists() -> bool:
    if not _demo_password_file().is_file() or not find_spec("fairway.demo"):
        return False
    from fairway.demo import commands as demo  # noqa: PLC0415

    return queries.people(SYSTEM).filter(email_folded=demo.PERSON).exists()


def _demo_password() -> str:
    """Return the password of this installation's demo company, made on first use, for its owner's eyes alone.

    One that everybody knows would let everybody in wherever the server is reached from elsewhere: through a
    proxy, which a server on loopback takes for this machine, or on another address later.
    """
    file = _demo_password_file()
    if not file.is_file():
        drawn = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(15))
        file.touch(mode=0o600)
        file.write_text("-".join(drawn[start : start + 5] for start in range(0, 15, 5)), encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


def _demo_password_file() -> Path:
    return configuration().data / "demo.password"


def _add_administrator(email: str, password: str) -> None:
    root = queries.root()
    if root is None:
        raise RuntimeError("the root organisation was made just before")
    execute(accounts.CreateUser(email=email, name="Administrator", organisation=root.slug), actor=SYSTEM)
    execute(accounts.SetPassword(user=email, password=password), actor=SYSTEM)
    execute(accounts.GrantRole(role="administrator", organisation=root.slug, user=email), actor=SYSTEM)


def static_root() -> Path:
    """Return the folder of the built pages and other files that are served as they are."""
    from fairway import ui  # noqa: PLC0415

    return Path(next(iter(ui.__path__))) / "static"
