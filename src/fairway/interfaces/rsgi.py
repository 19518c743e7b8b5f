"""What granian serves: the WSGI application on a pool of threads, and event streams."""

from __future__ import annotations

from fairway.interfaces.wsgi import application as wsgi_application  # first: it makes Django ready

from fairway.interfaces.running import request_threads  # isort: skip
from fairway.interfaces.streaming import Hub  # isort: skip
from fairway.kernel.serving import Entry  # isort: skip

application = Entry(wsgi_application, threads=request_threads(), streams=Hub)
