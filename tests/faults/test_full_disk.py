"""Disks that become full at any moment: a message, and with space again the run goes on."""

import shutil
import struct
import subprocess
from multiprocessing import forkserver
from pathlib import Path

import pytest

from tests.faults.worlds import PAIR, SINGLE, number_of_faults

FULL_DISKS = number_of_faults(5, 100)
"""Of each command, spread over its writes; more than there are writes means each of them."""
OFTEN = ["steps_per_task=20", "callbacks.checkpoint_seconds=0"]
COMMANDS = {"run": [*SINGLE, *OFTEN], "sweep": [*PAIR, *OFTEN]}


class Disk:
    """What shim.c reads: from which write on, and below which folder, there is no space."""

    def __init__(self, state):
        self.state = state
        state.write_bytes(bytes(2 * struct.calcsize("l") + 8192))

    def fill(self, folder, at=0):
        """Let writes below a folder fail from a number on; 0 counts them only."""
        with self.state.open("r+b") as file:  # in place: processes have mapped it
            file.write(struct.pack("ll", 0, at) + f"{folder}/\0".encode())

    def writes(self):
        return struct.unpack_from("l", self.state.read_bytes())[0]


@pytest.fixture
def disk(new_world, tmp_path, monkeypatch):
    """A disk that can be full, for commands that are started after."""
    if not (compiler := shutil.which("cc")):
        pytest.skip("needs a C compiler")
    library = tmp_path / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    state = tmp_path / "state"
    monkeypatch.setenv("FAULTS_STATE", str(state))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    disk = Disk(state)
    forkserver.ensure_running()
    monkeypatch.delenv("LD_PRELOAD")
    return disk


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMANDS)
def test_a_full_disk_is_named_and_costs_nothing(kind, new_world, disk):
    command, undisturbed = COMMANDS[kind], new_world()
    disk.fill(undisturbed.folder)
    undisturbed.finish(*command)
    total, expected = disk.writes(), undisturbed.outcome()
    assert total > 30
    numbers = range(1, total + 1, max(1, total // FULL_DISKS))
    failed = 0
    for number in numbers:
        world = new_world()
        disk.fill(world.folder, number)
        code = world.run(*command)
        text = world.log.read_text()
        assert "Traceback" not in text, (number, text[-3000:])
        if disk.writes() < number:  # sweeps do not always write equally often
            assert code == 0, (number, text[-3000:])
            continue
        assert code in (0, 1, 2), (number, text[-3000:])
        # Where neither record nor log can be written, nobody knows why a run did not begin.
        reasons = ("No space left on device", "not finished")
        assert code == 0 or any(reason in text for reason in reasons), (number, text[-3000:])
        failed += code != 0
        disk.fill(world.folder)
        world.finish(*command)
        world.check(expected)
    print(f"{kind}: full at {len(numbers)} of {total} writes, {failed} commands failed; all ended")
    assert failed > len(numbers) / 2
