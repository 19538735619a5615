"""Measure which auxiliary task helps which main task.

From Python, such as a notebook:

>>> import mtl_bench
>>> run = mtl_bench.train("syn_pos", aux="syn_key", steps_per_task=2)
>>> run.record.status, sorted(run.record.tasks)
('finished', ['syn_key', 'syn_pos'])
>>> sweep = mtl_bench.open_sweep("multirun_outputs/default")
>>> sweep.runs()["tasks"].tolist()
['syn_key+syn_pos']

Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from mtl_bench.analysis.recommend.recommendation import Recommendation
    from mtl_bench.analysis.study import Study
    from mtl_bench.models.trained import TrainedTagger
    from mtl_bench.runs.record import Record

__version__ = "0.2.0"
__all__ = ["Run", "Sweep", "load_tagger", "open_sweep", "study", "train"]


@dataclass(frozen=True)
class Run:
    """A run and its folder.

    Attributes:
        folder: with its record, curve and, if they were kept, weights and checkpoint.
        record: what it was, how it went, its final metrics (`record.tasks[name].final`).
    """

    folder: Path
    record: Record

    def curve(self) -> pd.DataFrame:
        """Return the curve: columns step, own_step, task, split, loss and the metrics."""
        import pandas as pd

        from mtl_bench.runs.curve import CURVE

        return pd.read_csv(self.folder / CURVE)


def train(main: str, aux: str | Sequence[str] = (), **overrides: Any) -> Run:
    """Train a run in this process, unless it is finished; the same as `python train.py`.

    Args:
        main: the main task.
        aux: auxiliary tasks; none trains the main task alone.
        overrides: of the configuration; `optimizer__lr=0.1` and `optimizer={"lr": 0.1}` are
            `optimizer.lr=0.1`.

    Raises:
        mtl_bench.errors.UserError: a mistake in the arguments or the data: what was seen, what is
            allowed, what to do.

    >>> train("syn_pos", steps_per_task=1, optimizer="adam", optimizer__lr=0.01).record.budget
    1.0
    """
    from mtl_bench.config.compose import compose_run, overrides_of
    from mtl_bench.config.mistakes.options import check_options
    from mtl_bench.errors import UserError
    from mtl_bench.training.run import run

    tasks = [aux] if isinstance(aux, str) else list(aux)
    arguments = {"main": main, "aux": tasks, **overrides}
    config, folder = compose_run(overrides_of(arguments))
    if config.dry_run:
        raise UserError(
            "dry_run shows a plan on the command line: python train.py dry_run=true ..."
        )
    check_options(config)
    return Run(folder, run(config, folder).record)


@dataclass(frozen=True)
class Sweep:
    """The folder of a sweep's runs, read anew at each call."""

    folder: Path

    def runs(self) -> pd.DataFrame:
        """Return a row for each run: tasks, seed, state, budget, final primary metrics."""
        from mtl_bench.analysis.data.frame import runs_frame
        from mtl_bench.runs.sweep_folder import read_sweep

        return runs_frame(read_sweep(self.folder))

    def gains(
        self, metric: str | None = None, budgets: Sequence[float] | None = None
    ) -> pd.DataFrame:
        """Return what each auxiliary changed: a row for each main task, auxiliary and budget.

        Args:
            metric: that gains are of; None for each main task's primary metric.
            budgets: steps per task; None for those that the sweep was asked for.
        """
        from mtl_bench.analysis.gains.gains import gains_frame

        return _warned(*gains_frame(self.folder, metric=metric, budgets=budgets))

    def recommend(self, main: str | None = None, record: str | None = None) -> list[Recommendation]:
        """Return which auxiliary to use for a main task, or for each: see docs/recommend.md.

        Args:
            main: task; None for all that were trained alone and beside another.
            record: sweep, or `published`, whose gains tell of candidates; None: that of the
                search, if there was one, else the gains with other main tasks here.
        """
        from mtl_bench.commands.shared.answers import answers, evidence

        gains = evidence(record).gains() if record else None
        return answers(evidence(str(self.folder)), [main] if main else (), gains)

    def curves(self) -> pd.DataFrame:
        """Return all values of all finished runs: run, task, seed, step, budget, metric, value."""
        from mtl_bench.analysis.data.frame import values_frame
        from mtl_bench.runs.sweep_folder import read_sweep

        return _warned(*values_frame(self.folder, read_sweep(self.folder), all_losses=True))


def _warned(frame: pd.DataFrame, problems: Sequence[str]) -> pd.DataFrame:
    """Return a frame, and warn of runs that are not in it."""
    for line in problems:
        warnings.warn(line, stacklevel=3)
    return frame


def open_sweep(folder: str | Path) -> Sweep:
    """Return the sweep of a folder; the name of one below `multirun_outputs` will do.

    Raises:
        mtl_bench.errors.UserError: there is no such folder, or no run in it.
    """
    from mtl_bench.runs.sweep_folder import read_sweep, sweep_folder

    place = sweep_folder(folder)
    read_sweep(place)
    return Sweep(place)


def load_tagger(
    folder: str | Path, classes: Sequence[type] = (), threads: int | None = None
) -> TrainedTagger:
    """Return the tagger that a run kept (`save_weights=true`, the default of a single run).

    Nothing of the folder is run as code: only classes of this package are made, or yours.

    Args:
        folder: of the run, or its `tagger/`.
        classes: of your own that the tagger may name: its type, head, input, encoder.
        threads: of torch while it works; as many as the run had by default.

    Raises:
        mtl_bench.errors.UserError: there is no tagger, a damaged one, or one of other classes.

    >>> tagger = load_tagger(train("syn_pos", steps_per_task=1, sweep_name="try").folder)
    >>> [len(labels) for labels in tagger.tag([["two", "words"], ["one"]])]
    [2, 1]
    """
    from mtl_bench.commands.shared.taggers import open_tagger

    return open_tagger(Path(folder), classes, threads)


def study(sweep: str | Path, *overrides: str) -> list[Study]:
    """Study the finished runs of a sweep: what predicts gains; the same as `mtl-bench study`.

    Args:
        sweep: its folder or name, or `published`: the runs of Bingel and Søgaard (2017).
        overrides: of `conf/study.yaml`, such as `study=full` or `metric=accuracy`.

    Returns:
        A study for each variant of the sweep; each is written to the sweep's folder, too. That of a
        result set is written to a folder of its name.
    """
    from mtl_bench.commands.shared.study_pipeline import study_published, study_sweep
    from mtl_bench.runs.result_sets import is_result_set
    from mtl_bench.runs.sweep_folder import PUBLISHED, read_sweep

    if sweep == PUBLISHED:
        return [study_published(Path(PUBLISHED) / "study", overrides or None).study]
    folder = open_sweep(sweep).folder
    out = Path(folder.name) / "study" if is_result_set(folder) else None
    studies = study_sweep(folder, read_sweep(folder), overrides or None, out)
    return [each.study for each in studies]
