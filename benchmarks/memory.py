"""The most memory that a pair of large tasks takes, word vectors included.

python -m benchmarks.memory
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PAIR = ("ccg_redwoods", "sem")
"""The two with the most training sentences and labels."""
UNIT = 1024 if sys.platform == "linux" else 1024**2  # of ru_maxrss, in a megabyte


def measure(main: str, aux: str, steps: int = 600) -> float:
    """Return the peak of a run at the paper's protocol, in MB; it evaluates and ends as all do."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(REPOSITORY / "train.py"), "experiment=eacl2017"]
        command += ["embeddings=glove_union", f"main={main}", f"aux={aux}"]
        command += [f"trainer.max_steps={steps}", f"paths.output_dir={folder}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the run of {main} and {aux} failed")
    return usage.ru_maxrss / UNIT


def main() -> None:
    """Measure and print."""
    print(f"\nMemory of {' + '.join(PAIR)}: {measure(*PAIR):.0f} MB")


if __name__ == "__main__":
    main()
