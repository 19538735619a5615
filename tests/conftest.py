"""Shared fixtures. Every test has a cache of its own, and sees a mirror only if it asks for one."""

from __future__ import annotations

import os
import runpy
import sys
from multiprocessing import forkserver
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hypothesis import HealthCheck, settings

from mtl_bench.config.compose import register
from mtl_bench.config.tasks import conf_folder
from tests import forked

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: two workers share two cores

# No test is about time, and machines are shared.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

REPOSITORY = Path(__file__).parents[1]
MIRROR = os.environ.get("MTL_BENCH_MIRROR")


@pytest.fixture(autouse=True)
def own_world(tmp_path, tmp_path_factory, monkeypatch):
    """A temporary folder to work in, with its own cache and no mirror.

    Compiled kernels are shared: to build them takes seconds, and they depend on nothing else.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "cache"))
    kernels = tmp_path_factory.getbasetemp().parent / "kernels"
    kernels.mkdir(exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "kernels").symlink_to(kernels)
    monkeypatch.delenv("MTL_BENCH_MIRROR", raising=False)
    monkeypatch.delenv("MTL_BENCH_TASKS", raising=False)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv(
        "MTL_BENCH_TRUST", "tests,bad,module"
    )  # whose readers, types and samplers stand in yaml
    yield
    GlobalHydra.instance().clear()
    forkserver._forkserver._stop()  # else the workers of the next test have this one's environment


@pytest.fixture
def mirror(monkeypatch, tmp_path_factory):
    """The folder with the real corpora; the test is skipped where there is none.

    Corpora that were read are kept for the other tests, those of other workers included.
    """
    if not MIRROR or not (Path(MIRROR) / "raw").is_dir():
        pytest.skip("needs the real corpora: MTL_BENCH_MIRROR is not set to a mirror")
    monkeypatch.setenv("MTL_BENCH_MIRROR", str(Path(MIRROR).absolute()))
    shared = tmp_path_factory.getbasetemp().parent / "mirror_cache"
    monkeypatch.setenv("MTL_BENCH_CACHE", str(shared))
    return Path(MIRROR).absolute()


def compose_train(*overrides):
    """Compose the configuration of a run from overrides."""
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return compose("train", list(overrides))


@pytest.fixture
def configure():
    """The function that composes a run's configuration."""
    return compose_train


@pytest.fixture
def command(monkeypatch, capfd):
    """Run `train.py`, a single run in this process; return exit code, output and errors."""

    def run(*arguments):
        if "-m" in arguments:  # in this process, workers would import everything for each test
            end = forked.train(*arguments)
            return end.returncode, end.stdout, end.stderr
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
        capfd.readouterr()
        try:
            runpy.run_path(str(REPOSITORY / "train.py"), run_name="__main__")
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def own_task(tmp_path, monkeypatch):
    """Write a task of the user's own: its files and its yaml, outside the repository."""

    def write(name="mine", train=None, dev=None, test=None, extra=""):
        folder = tmp_path / "tasks"
        folder.mkdir(exist_ok=True)
        sentence = "The\tDET\nold\tADJ\nman\tNOUN\nsleeps\tVERB\n\n"
        splits = {"train": train or sentence * 40, "dev": dev, "test": test or sentence * 8}
        lines = [f"title: {name}", "splits:"]
        for split, content in splits.items():
            if content is not None:
                content = content if isinstance(content, bytes) else content.encode()
                (folder / f"{name}.{split}.tsv").write_bytes(content)
                lines.append(f"  {split}: {{file: {name}.{split}.tsv}}")
        lines += ["reader:", "  _target_: mtl_bench.tasks.readers.columns.ColumnReader"]
        lines += ["  word: 1", "  label: 2", extra]
        (folder / f"{name}.yaml").write_text("\n".join(lines))
        monkeypatch.setenv("MTL_BENCH_TASKS", str(folder))
        return folder

    return write


@pytest.fixture(scope="session")
def pretrained_folder(tmp_path_factory):
    """Make the folder of a tiny pretrained model of a type and options, once; return its path."""
    from tests import tiny_models  # it takes seconds

    made = {}

    def make(kind="bert", **options):
        key = kind, *sorted(options.items())
        if key not in made:
            made[key] = tmp_path_factory.mktemp(kind)
            tiny_models.save_model(made[key], kind, **options)
        return str(made[key])

    return make
