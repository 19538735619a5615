"""What a process that is killed leaves, full disks, damaged files, and work that is shared."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from mtl_bench.errors import UserError
from mtl_bench.text import states
from tests.conftest import REPOSITORY
from tests.unit.text.letters import PART, PARTS, Letters, cache, compute, content

WORKER = """
import sys
from mtl_bench.text import states
from tests.unit.text.letters import PART, Letters, compute
states.PART_WORDS = PART
letters = Letters(pause=float(sys.argv[1]))
compute(letters)
print(letters.calls)
"""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(states, "PART_WORDS", PART)


@pytest.fixture
def whole(monkeypatch, tmp_path):
    """The bytes of a file that was computed undisturbed, in another cache."""
    with monkeypatch.context() as patch:
        patch.setenv("MTL_BENCH_CACHE", str(tmp_path / "undisturbed"))
        compute()
        return content()


def worker(pause):
    """A process that takes so many seconds for a part."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )


def parts_done():
    return len(list(Path(os.environ["MTL_BENCH_CACHE"]).glob("states/*/done/*[0-9]")))


def test_what_a_killed_process_did_not_finish_is_computed_by_the_next(whole):
    process = worker(0.2)
    while parts_done() < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = parts_done()
    assert 2 <= done < PARTS
    rest = Letters()
    compute(rest)
    assert rest.calls == PARTS - done
    assert content() == whole


def test_processes_share_the_work(whole):
    processes = [worker(0.2), worker(0.2)]
    results = [process.communicate() for process in processes]
    calls = [int(output) for output, _ in results]
    assert sum(calls) == PARTS, results
    assert min(calls) > 0
    assert content() == whole


def test_what_another_process_is_at_is_waited_for(whole):
    slow = worker(0.3)
    while not list(Path(os.environ["MTL_BENCH_CACHE"]).glob("states/*/done/*.lock")):
        assert slow.poll() is None, slow.communicate()
        time.sleep(0.02)
    compute()
    assert content() == whole
    output, _ = slow.communicate()
    assert 0 < int(output) < PARTS


def test_a_full_disk_is_told_and_what_is_done_stays(whole, monkeypatch):
    written = []
    real = os.pwrite

    def pwrite(descriptor, data, place):
        written.append(place)
        if len(written) > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data, place)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", pwrite)
        with pytest.raises(UserError, match=r"No space left on device.*MTL_BENCH_CACHE"):
            compute()
    assert parts_done() == 3  # the first bytes are the header
    rest = Letters()
    compute(rest)
    assert rest.calls == PARTS - 3
    assert content() == whole


def test_writes_that_are_cut_short_are_continued(whole, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda where, data, place: real(where, data[:7], place))
    compute()
    assert content() == whole


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot be kept \(Not a directory\)"):
        compute()


def test_a_complete_cache_need_not_be_writable(monkeypatch):
    compute()

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert len(compute().rows)


@pytest.mark.parametrize("damage", ["cut", "longer", "gone", "empty", "header"])
def test_a_damaged_file_is_computed_again(damage, whole):
    compute()
    file = cache() / "states.npy"
    changed = {
        "cut": whole[:-10],
        "longer": whole + b"more",
        "empty": b"",
        "header": b"\x00" * 10 + whole[10:],
    }
    file.unlink() if damage == "gone" else file.write_bytes(changed[damage])
    again = Letters()
    compute(again)
    assert again.calls == PARTS
    assert content() == whole


def test_a_file_that_was_just_begun_is_completed(whole):
    """Its process was killed right after it had made the file, or before."""
    compute()
    for marker in (cache() / "done").iterdir():
        marker.unlink()
    (cache() / "states.npy").write_bytes(whole[:20])
    compute()
    assert content() == whole


def test_an_error_of_the_model_ends_it_at_once():
    class Broken(Letters):
        def states(self, sentences):
            self.calls += 1
            time.sleep(0.1)  # who waits for it is told before the next part
            raise UserError("the model is broken")

    broken = Broken()
    with pytest.raises(UserError, match="the model is broken"):
        compute(broken)
    assert broken.calls < PARTS


def test_a_byte_that_changed_in_the_cache_is_computed_again(whole):
    compute()
    [file] = Path(os.environ["MTL_BENCH_CACHE"]).glob("states/*/states.npy")
    for place in (300, 700, file.stat().st_size - 1):
        damaged = bytearray(file.read_bytes())
        damaged[place] ^= 1
        file.write_bytes(damaged)
        letters = Letters()
        compute(letters)
        assert letters.calls == 1  # its part alone
        assert content() == whole
