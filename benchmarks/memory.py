"""The most memory that a pair of large tasks takes, word vectors included.

python -m benchmarks.memory
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.step import here

REPOSITORY = Path(__file__).parents[1]
PAIR = ("ccg_redwoods", "sem")
"""The two with the most training sentences and labels."""
UNIT = 1024 if sys.platform == "linux" else 1024**2  # of ru_maxrss, in a megabyte

# A process of its own: what is forked from a large one counts that one's memory, too.
PEAK_OF = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def measure(pair: tuple[str, str] = PAIR, steps: int = 600) -> tuple[str, float]:
    """Return the pair, or what stands in for it, and the peak of its run in MB."""
    main, aux = map(here, pair)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(REPOSITORY / "train.py"), "experiment=eacl2017"]
        command += ["embeddings=random", f"main={main}", f"aux={aux}"]  # a vector for every word
        command += [f"trainer.max_steps={steps}", f"paths.output_dir={folder}"]
        peak = subprocess.check_output([sys.executable, "-c", PEAK_OF, *command], text=True)
    return f"{main} + {aux}", int(peak) / UNIT


def main() -> None:
    """Measure and print."""
    print("\nMemory of {}: {:.0f} MB".format(*measure()))


if __name__ == "__main__":
    main()
