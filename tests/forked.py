"""Commands in forks of a process that has imported everything: they start within milliseconds.

The fork server that a command starts for its workers is a fork of it, so that what a test patches
holds there as well.
"""

import atexit
import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from importlib import import_module
from multiprocessing import forkserver, util
from pathlib import Path

from mtl_bench.__main__ import main as bench

REPOSITORY = Path(__file__).parents[1]
FILES = ("out", "err", "code")
PRELOAD = [
    *("matplotlib.pyplot", "pandas", "scipy.stats", "optuna"),
    *("mtl_bench.commands.hydra.application", "mtl_bench.commands.hydra.after_sweep"),
    *("mtl_bench.commands.hydra.start_searches", "mtl_bench.commands.hydra.searches"),
    *("mtl_bench.commands.hydra.tuned", "mtl_bench.sweeps.tuning", "mtl_bench.training.run"),
]


def train(*arguments, env=None, timeout=300):
    """Run train.py in a process of its own; return what `subprocess.run` would."""
    command = Command(*arguments, env=env)
    output = command.communicate(timeout)
    return subprocess.CompletedProcess(arguments, command.returncode, *output)


class Command:
    """A command that runs in a process of its own: what tests need of `subprocess.Popen`."""

    def __init__(self, *arguments, env=None):
        self.arguments, self.returncode = arguments, None
        self._folder = tempfile.TemporaryDirectory()
        self._out, self._err, self._code = (Path(self._folder.name) / n for n in FILES)
        self._out.touch(), self._err.touch()  # it may be killed before it writes
        order = [arguments, os.getcwd(), dict(env or os.environ), self._folder.name]
        server = _server()
        print(json.dumps(order), file=server.stdin, flush=True)
        answer = server.stdout.readline()
        if not answer:  # the next command gets another one
            _server.cache_clear()
            raise RuntimeError("the server from which commands are forked has ended")
        self.pid = int(answer)

    def poll(self):
        """Return the exit code, None while it runs."""
        if self.returncode is None and self._code.exists():
            self.returncode = int(self._code.read_text())
        return self.returncode

    def send_signal(self, number):
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.kill(self.pid, number)

    def communicate(self, timeout=300):
        """Wait for its end; return its output and its errors, once."""
        limit = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > limit:
                os.killpg(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(self.arguments, timeout, self._out.read_bytes())
            time.sleep(0.01)
        with self._folder:
            return self._out.read_text(), self._err.read_text()


@cache
def _server():
    """Return the process that forks, one for all tests of this process."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.forked"],
        cwd=REPOSITORY,
        text=True,
        bufsize=1,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(server.kill)
    return server


def serve():
    """Fork a process for each order that comes in; answer with its number."""
    for name in PRELOAD:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _run_and_wait(*json.loads(line))


def _run_and_wait(arguments, folder, environment, place):
    """Fork once more, and write the exit code of that process when it has ended."""
    out, err, code = (Path(place) / name for name in FILES)
    pid = os.fork()
    if not pid:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[1:1] = [path for path in environment.get("PYTHONPATH", "").split(":") if path]
        run(arguments, folder, str(out), str(err))
    print(pid, flush=True)
    with contextlib.suppress(OSError):  # the test may be over
        written = code.with_suffix(".new")
        written.write_text(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
        written.rename(code)
    os._exit(0)


def run(arguments, folder, out, err, prepare=lambda: None):
    """Run train.py, or `mtl-bench` where the first argument is that; end as a process does.

    Args:
        arguments: of the command.
        folder: to run it in.
        out: file to which its output is appended.
        err: file to which its errors are.
        prepare: called before the command.
    """
    code = 71
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # else it would read the orders
        for number, file in ((1, out), (2, err)):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        util.spawnv_passfds = _fork_server
        prepare()
        if arguments[0] == "mtl-bench":
            code = bench(list(arguments[1:])) or 0
        else:
            sys.argv = [str(REPOSITORY / "train.py"), *arguments]
            runpy.run_path(sys.argv[0], run_name="__main__")
            code = 0
    except SystemExit as stop:
        code = stop.code or 0
        if isinstance(code, str):  # as Python does
            print(code, file=sys.stderr)
            code = 1
    finally:
        if code == 71:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
        forkserver._forkserver._stop()
        os._exit(code)


def _fork_server(path, arguments, descriptors):
    """Fork instead of starting a new interpreter, if that would become the fork server."""
    if "forkserver" not in os.fsdecode(arguments[-1]):
        return _spawn(path, arguments, descriptors)
    pid = os.fork()
    if pid:
        return pid
    try:
        kept = {0, 1, 2, *map(int, descriptors)}
        for number in map(int, os.listdir("/proc/self/fd")):
            if number not in kept:
                with contextlib.suppress(OSError):
                    os.close(number)
        forkserver._forkserver.__init__()
        exec(os.fsdecode(arguments[-1]), {})
    finally:
        os._exit(0)


_spawn = util.spawnv_passfds

if __name__ == "__main__":
    serve()
