"""From runs to a study, its files and its page: for `study`, `report`, `wandb` and sweeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from mtl_bench.config.tasks import conf_folder, plain_task, task_files
from mtl_bench.errors import UserError
from mtl_bench.runs.result_sets import is_result_set
from mtl_bench.runs.sweep_folder import PUBLISHED, RunStatus

if TYPE_CHECKING:
    from mtl_bench.analysis.measurements import Measurements
    from mtl_bench.analysis.recommend.recommendation import Recommendation
    from mtl_bench.analysis.section import Section
    from mtl_bench.analysis.study import Study
    from mtl_bench.analysis.study_settings import StudySettings

DEFAULT_VARIANT = "default"
"""What the variant without overrides is called where others stand beside it."""

MOST_MAINS = 40
"""Main tasks of a page, each with its table and curves."""


@dataclass(frozen=True)
class FinishedStudy:
    """A study and what belongs to it.

    Attributes:
        study: of some runs.
        sections: added to it.
        folder: where it was written.
        statuses: of the runs; none: they are the paper's.
        sweep: folder of the runs.
    """

    study: Study
    sections: Sequence[Section]
    folder: Path
    statuses: Sequence[RunStatus] = ()
    sweep: Path | None = None

    def recommendations(self) -> list[Recommendation]:
        """Return an auxiliary for each main task; none if no gain is known."""
        from mtl_bench.commands.shared.answers import answers, evidence, evidence_of

        with suppress(UserError):
            own = evidence_of(self.sweep, self.statuses) if self.sweep else evidence(PUBLISHED)
            return answers(own)
        return []

    def write_page(self) -> Path:
        """Write the report beside the study's folder; return the page's file.

        Raises:
            UserError: the sweep has too many main tasks for one page.
        """
        from mtl_bench.analysis.conclusions import main_tasks
        from mtl_bench.commands.shared.origin import origin_of
        from mtl_bench.report.page import write_report  # matplotlib: 1 s

        if (count := len(main_tasks(self.study.measurements))) > MOST_MAINS:
            raise UserError(
                f"{self.study.measurements.source}: {count} main tasks are too many for a page, "
                f"which has at most {MOST_MAINS}. Choose some: `mtl-bench report ... --main "
                "<task>,<task>`."
            )
        places = (self.folder, *self.folder.parents)
        # A variant's folder lies below `study`, and its page at the same place below `report`.
        whole = next((place for place in places if place.name == "study"), self.folder)
        folder = whole.with_name("report") / self.folder.relative_to(whole)
        origin = origin_of(self.statuses)
        return write_report(self.study, self.sections, origin, folder, self.recommendations())


def study_published(folder: Path, overrides: Sequence[str] | None = None) -> FinishedStudy:
    """Study the paper's runs; `overrides` None: those of the study in the folder."""
    from mtl_bench.paper.published_runs import (  # scikit-learn: 1 s
        BUDGET,
        F1,
        published_measurements,
    )

    settings = _settings(folder, overrides)
    if settings.metric not in (None, F1.name) or settings.budget not in (None, BUDGET):
        raise UserError("The paper's runs have gains of f1 at a budget of 50,000 only.")
    return _study(published_measurements(), folder, settings)


def study_sweep(
    sweep: Path,
    statuses: Sequence[RunStatus],
    overrides: Sequence[str] | None = None,
    folder: Path | None = None,
) -> Iterator[FinishedStudy]:
    """Study each variant of a sweep; several have a folder each.

    Args:
        sweep: its folder.
        statuses: its runs.
        overrides: of the study; None for those of the study in the folder.
        folder: to write to, by default `study` in that of the sweep.

    Raises:
        UserError: a variant cannot be studied; the others are studied first.
    """
    from mtl_bench.analysis.data.frame import has_result
    from mtl_bench.analysis.measurements import sweep_measurements

    variants: dict[str, list[RunStatus]] = defaultdict(list)
    for status in statuses:
        variants[status.run.variant].append(status)
    if folder is None and is_result_set(sweep):
        raise UserError(
            f"{sweep.name} is a result set, in which nothing is written: `mtl-bench study` and "
            "`report` take `--out <folder>`."
        )
    folder = folder or sweep / "study"
    problems = []
    for variant, own in variants.items():
        several = len(variants) > 1
        place = folder / (variant.replace("/", ",") or DEFAULT_VARIANT) if several else folder
        name = f"{sweep.name}, {variant or DEFAULT_VARIANT}" if several else sweep.name
        if not any(has_result(status) for status in own):
            problems.append(f"{name}: none of its {len(own)} runs is finished.")
            continue
        settings = _settings(place, overrides)
        try:
            measurements = sweep_measurements(name, sweep, own, settings.metric, settings.budget)
            yield replace(_study(measurements, place, settings), statuses=own, sweep=sweep)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))


def configuration(overrides: Sequence[str]) -> DictConfig:
    """Return the configuration of a study.

    Raises:
        UserError: an override names a key or choice that does not exist.
    """
    hydra = GlobalHydra.instance()
    outer, hydra.hydra = hydra.hydra, None  # a multirun that has ended calls this with Hydra up
    try:
        with initialize_config_dir(str(conf_folder().absolute()), version_base="1.3"):
            return compose("study", list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(
            f"{str(error).splitlines()[0]}\nWhat can be set is in {conf_folder() / 'study.yaml'}; "
            "to add a key, put + before it."
        ) from None
    finally:
        GlobalHydra.instance().hydra = outer


def _settings(folder: Path, overrides: Sequence[str] | None) -> StudySettings:
    """Return the settings that overrides give; None for those of the study in the folder."""
    from mtl_bench.analysis.study_files import overrides_of
    from mtl_bench.analysis.study_settings import study_settings

    arguments = overrides_of(folder) if overrides is None else list(overrides)
    config: Any = OmegaConf.to_container(configuration(arguments), resolve=True)
    return study_settings(config, arguments)


def _study(
    measurements: Measurements,
    folder: Path,
    settings: StudySettings,
) -> FinishedStudy:
    """Do a study with progress, add the paper's sections, and write both."""
    from threadpoolctl import threadpool_limits  # finds libraries that are loaded: scikit-learn's

    from mtl_bench.analysis.cache import ScoreCache
    from mtl_bench.analysis.predictors.predictor_file import save
    from mtl_bench.analysis.study import study
    from mtl_bench.analysis.study_files import write_study
    from mtl_bench.paper.sections import paper_sections

    folder.mkdir(parents=True, exist_ok=True)
    cache = ScoreCache(settings.config, measurements.fingerprint())
    # One thread: matrices are small, and threads that wait for a busy core only make it slower.
    with Console(stderr=True).status("study") as line, threadpool_limits(1, "blas"):

        def compute(name: str, function: Callable[[], Any]) -> Any:
            line.update(f"study: {name}")
            return cache(name, function)

        result = study(
            measurements,
            settings.families,
            settings.evaluation,
            early=settings.early,
            compute=compute,
        )
        sections = paper_sections(result, stand_ins(measurements.metrics), compute)
    cache.clean()
    write_study(result, sections, folder, settings.overrides)
    if result.scores:
        table = result.table.only(settings.final_features)
        recipe = replace(settings.final, loss_over=measurements.loss_over)
        save(folder / "predictor.json", table, result.features, recipe)
    return FinishedStudy(result, sections, folder)


def stand_ins(tasks: Iterable[str]) -> dict[str, str]:
    """Return the task of the paper that each task stands in for, of those that do."""
    names, files = {}, task_files()
    for task in tasks:
        with suppress(KeyError, UserError):  # its yaml is gone or damaged; its runs are here
            if paper_task := plain_task(files[task]).stands_in_for:
                names[task] = paper_task
    return names
