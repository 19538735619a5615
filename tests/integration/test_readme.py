"""Every command of the README, in its order, in one folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.field.files import sentences, write

REPOSITORY = Path(__file__).parents[2]
# The two commands and the environment are what `.ci/run` does in a fresh clone.
ELSEWHERE = ("make ", ". .venv")
SHORT = " steps_per_task=4 trainer.val_check_interval=2"
LONGER = " steps_per_task=400 trainer.val_check_interval=100"
SEARCH = " steps_per_task=120 trainer.val_check_interval=20"  # mwe scores too little before


def commands():
    """Return the indented lines that begin with a command, in the README's order."""
    begin = r"^ {4}((?:[A-Z_]+=\S+ )?(?:python|mtl-bench|\.venv/bin/mtl-bench|make|\.) .+)$"
    lines = re.findall(begin, (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    return [line.split(" #")[0].rstrip() for line in lines]


def as_tested(line):
    """Return a command for a machine without network, whose training takes seconds."""
    line = line.replace(".venv/bin/mtl-bench", "mtl-bench")
    line = re.sub(r"\bembeddings=glove\b", "embeddings=glove_union", line)
    whole = ("--help", "dry_run", "experiment=demo_sweep")
    if "train.py" in line and not any(part in line for part in whole):
        # `rank` needs losses of some length of the tasks that the sweep trains alone.
        longer = LONGER if "chu,pos,mwe" in line else SHORT
        if "experiment=tuned" in line:
            line += " trials=2"
        recommended = "experiment=recommend" in line or "-m experiment=contextual" in line
        longer = SEARCH if recommended or "experiment=tuned" in line else longer
        line = re.sub(r"steps_per_task=\d+", "", line) + longer
        if "experiment=eacl2017" in line:
            line += " embeddings=glove_union"
    if "mtl-bench rank" in line:  # not those of four steps
        line += " --variant trainer.val_check_interval=100"
    return line


def test_the_readme_has_commands():
    assert len(commands()) > 20
    assert {line for line in commands() if line.startswith(ELSEWHERE)} == {
        *("make demo", "make test", ". .venv/bin/activate"),
    }


@pytest.mark.slow
def test_every_command_of_the_readme_works(mirror, tmp_path):
    shutil.copy(REPOSITORY / "train.py", tmp_path)
    (tmp_path / "ner").mkdir()
    write(tmp_path / "ner/train.tsv", sentences(60))
    write(tmp_path / "ner/test.tsv", sentences(20, first=70))
    (tmp_path / "my.txt").write_text("the" + " 0.5" * 300 + "\n")
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
    }
    for line in ("python train.py experiment=demo_sweep", *commands()):
        if line.startswith(ELSEWHERE):
            continue
        command = as_tested(line)
        end = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert end.returncode == 0, f"{command}\n{end.stdout[-2000:]}\n{end.stderr[-3000:]}"
        assert end.stdout.strip(), command
        assert "Traceback" not in end.stderr, command
        if "main=ner" in command:
            assert "\nner: " in end.stdout
