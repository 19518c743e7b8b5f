"""Workers as processes that die without a word: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connections

from fairway.audit.queries import logged, verification
from fairway.jobs.commands import Worker, enqueue, every, working
from fairway.jobs.commands.ticking import tick
from fairway.jobs.models import Job
from tests.jobs import tasks
from tests.support.committed import together

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("committed")]
BARE = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'fairway.interfaces.settings'; import django;"
    " django.setup(); from fairway.interfaces.running import run_worker; run_worker()"
)
"""What `fairway worker` does, without the contexts that the jobs of these tests have no need of."""
NOW = datetime(2031, 3, 4, 12, tzinfo=UTC)


def environment(folder: Path) -> dict[str, str]:
    """Return what a process needs to work on the database of this test."""
    name = str(connections["default"].settings_dict["NAME"])
    cluster = os.environ.get("FAIRWAY_DATABASE_URL", "")
    url = urlunsplit(urlsplit(cluster)._replace(path=f"/{name}")) if cluster else f"sqlite:///{name}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FAIRWAY_")}
    return kept | {
        "FAIRWAY_DATABASE_URL": url, "FAIRWAY_DATA": str(folder / "data"), "FAIRWAY_JOB_LEASE": "1",
    }  # fmt: skip


@contextmanager
def workers(folder: Path, many: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    log = (folder / "log").open("ab")
    made = [
        subprocess.Popen([sys.executable, "-c", BARE], env=environment(folder), stdout=log, stderr=log)
        for _ in range(many)
    ]
    try:
        yield made
    finally:
        for process in made:
            process.kill()
            process.wait()
        log.close()


def until(what: str, holds: object, *, seconds: float = 120) -> None:
    assert callable(holds)
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, (
            f"never: {what}; {list(Job.objects.values('state', 'error', 'attempts'))}"
        )
        time.sleep(0.05)


def holders() -> set[int]:
    """Return the processes that hold jobs now."""
    running = Job.objects.filter(state="running").values_list("lease_owner", flat=True)
    return {int(owner.split(":")[1]) for owner in running}


def marks() -> Counter[tuple[str, int]]:
    """Return how often each step of each job was taken."""
    events = [event for event in logged() if event.command == "test.step.mark"]
    notes = [event.data for event in events]
    return Counter((note.split('"')[3], int(note.rpartition(":")[2].rstrip("}"))) for note in notes)


def test_jobs_survive_the_death_of_their_workers_and_take_each_step_once(tmp_path: Path) -> None:
    jobs = [enqueue(tasks.walk, {"steps": 6, "seconds": 0.03}) for _ in range(16)]
    with workers(tmp_path, 3) as processes:
        left = {process.pid for process in processes}
        for _ in range(2):
            until("one of them holds a job", lambda: left & holders())
            dead = (left & holders()).pop()
            os.kill(dead, signal.SIGKILL)
            left.remove(dead)
        until("all are done", lambda: not Job.objects.exclude(state="done").exists())
    wanted = {(job.key, step) for job in jobs for step in range(6)}
    assert marks() == Counter(dict.fromkeys(wanted, 1))
    assert Job.objects.filter(attempts__gt=1).exists(), "no job was taken over: nothing was shown"
    assert verification().whole


def test_a_worker_that_is_told_to_end_gives_its_job_back_at_once(tmp_path: Path) -> None:
    job = enqueue(tasks.walk, {"steps": 10_000, "seconds": 0.02})
    with workers(tmp_path, 1) as (process,):
        until("it runs", lambda: marks().total() >= 2)
        process.terminate()
        assert process.wait(10) == 0
    back = Job.objects.get(pk=job.pk)
    assert (back.state, back.attempts, back.lease_owner) == ("ready", 0, "")
    assert marks() == Counter(dict.fromkeys([(job.key, step) for step in range(back.checkpoint["next"])], 1))


def test_many_workers_on_one_queue_take_each_job_once() -> None:
    asked = {enqueue(tasks.add, {"left": 1, "right": 1}).pk for _ in range(40)}

    def take() -> list[int]:
        taken = []
        while found := working.claim("default", owner="t", lease=timedelta(minutes=1), now=datetime.now(UTC)):
            taken.append(found.pk)
        return taken

    answers = together(*[take] * 8)
    taken = [pk for answer in answers if isinstance(answer, list) for pk in answer]
    assert sorted(taken) == sorted(asked), answers


def test_a_tick_makes_one_job_with_four_workers_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairway.jobs.commands.ticking._schedules", {})
    every("test", timedelta(minutes=1), tasks.finish_with_effect)
    tick(NOW, {})
    for minute in range(1, 9):
        made = together(*[lambda minute=minute: tick(NOW + timedelta(minutes=minute), {})] * 4)
        assert sorted(map(str, made)) == ["0", "0", "0", "1"]
        Job.objects.update(state="done")
    assert Job.objects.count() == 8


def test_a_job_asked_for_is_begun_within_a_second_and_a_half() -> None:
    worker = Worker(lanes={"default": 1})
    with contextlib.closing(_Running(worker)):
        time.sleep(0.3)
        asked = [enqueue(tasks.add, {"left": 1, "right": 1}) for _ in range(3)]
        begun = time.monotonic()
        until("done", lambda: Job.objects.filter(state="done").count() == len(asked))
        assert time.monotonic() - begun < 1.5


class _Running:
    """A worker in a thread, for the length of a block."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self.thread = worker, threading.Thread(target=worker.run)
        self.thread.start()

    def close(self) -> None:
        self.worker.stop()
        self.thread.join(15)
