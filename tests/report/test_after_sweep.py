"""What a sweep prints when it has ended."""

import shutil

from omegaconf import OmegaConf

from mtl_bench.commands.hydra.after_sweep import StudyCallback
from tests.unit.analysis.sweeps import write_sweep

QUICK = ["draws=5", "pair_runs=1", "runs=5"]


def test_gains_conclusions_and_page_and_a_second_time_the_same_at_once(tmp_path, capsys):
    folder = tmp_path / "toy"
    write_sweep(folder)

    def end_sweep():
        config = OmegaConf.create({"hydra": {"sweep": {"dir": str(folder)}}, "dry_run": False})
        StudyCallback(QUICK).on_multirun_end(config)
        return capsys.readouterr().out

    first = end_sweep()
    page = folder / "report" / "index.html"
    assert "Gain of F1 or mean error (test) in percent" in first
    assert "w: " in first
    assert f"Its page: {page}" in first
    written = page.stat().st_mtime_ns
    assert end_sweep() == first
    assert page.stat().st_mtime_ns == written
    shutil.rmtree(folder / "report")
    assert end_sweep() == first
    assert page.exists()
