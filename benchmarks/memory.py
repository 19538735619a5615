"""The most memory that a pair of large tasks takes, word vectors included.

python -m benchmarks.memory
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.step import here

REPOSITORY = Path(__file__).parents[1]
PAIR = ("ccg_redwoods", "sem")
"""The two with the most training sentences and labels."""
UNIT = 1024 if sys.platform == "linux" else 1024**2  # of ru_maxrss, in a megabyte


def measure(pair: tuple[str, str] = PAIR, steps: int = 600) -> tuple[str, float]:
    """Return the pair, or what stands in for it, and the peak of a run at the paper's protocol, in MB; it evaluates and ends as all do."""
    main, aux = map(here, pair)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(REPOSITORY / "train.py"), "experiment=eacl2017"]
        command += ["embeddings=random", f"main={main}", f"aux={aux}"]  # a vector for every word
        command += [f"trainer.max_steps={steps}", f"paths.output_dir={folder}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the run of {main} and {aux} failed")
    return f"{main} + {aux}", usage.ru_maxrss / UNIT


def main() -> None:
    """Measure and print."""
    print("\nMemory of {}: {:.0f} MB".format(*measure()))


if __name__ == "__main__":
    main()
