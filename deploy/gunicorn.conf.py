"""gunicorn: two processes of four threads, kept connections, behind 127.0.0.1 unless told otherwise."""

import ctypes
import os
import signal
import sys

bind = f"{os.environ.get('WEB_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
keepalive = 30
timeout = 60
graceful_timeout = 8
# Loaded once and shared: half the memory, and a broken import stops the start instead of a worker.
preload_app = True
# Heartbeats are file changes; on a slow disk they would make busy workers look dead.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# The remote control of gunicorn is a socket in the home folder; nobody here uses it.
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "info"

_PR_SET_PDEATHSIG = 1


def post_fork(server, worker):
    """A worker never outlives its master, and never shares its database connection."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != server.pid:
            os._exit(1)
    from django.db import connections  # noqa: PLC0415 -- after the application is loaded

    connections.close_all()
