"""`mtl-bench study`: can gains be predicted? The paper's tables, and an honest evaluation."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.singleton import Singleton
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from mtl_bench.commands.summary import show
from mtl_bench.compose import conf_folder
from mtl_bench.errors import UserError
from mtl_bench.runs.store import Stored, read_sweep

if TYPE_CHECKING:
    from mtl_bench.meta.evidence import Evidence
    from mtl_bench.meta.study import Study

HELP = "can gains be predicted: the paper's tables and an honest evaluation"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", help="folder of a sweep, or `published`: the paper's own runs")
    parser.add_argument("overrides", nargs="*", help="of conf/study.yaml, such as draws=200")
    parser.add_argument("--full", action="store_true", help="everything: minutes, resumable")
    parser.add_argument("--out", type=Path, help="folder to write to (default: <sweep>/study)")


def run(arguments: argparse.Namespace) -> None:
    """Write the study's files and print a summary, for each variant of the sweep."""
    overrides = ["study=full"] * arguments.full + arguments.overrides
    if arguments.sweep == "published":
        if arguments.out is None:
            raise UserError("`mtl-bench study published` needs `--out <folder>` to write to.")
        studies = study_published(arguments.out, overrides)
    else:
        folder = Path(arguments.sweep)
        studies = study_sweep(folder, read_sweep(folder), overrides, arguments.out)
    for study, out in studies:
        show(study)
        print(f"\nwritten: {out}")


def study_published(out: Path, overrides: Sequence[str] = ()) -> Iterator[tuple[Study, Path]]:
    """Study the paper's runs; yield the study, and where it was written."""
    from mtl_bench.meta.evidence import published_evidence  # scikit-learn: 1 s

    yield _study(published_evidence(), out, configuration(overrides)), out


def study_sweep(
    folder: Path, stored: Sequence[Stored], overrides: Sequence[str] = (), out: Path | None = None
) -> Iterator[tuple[Study, Path]]:
    """Study each variant of a sweep; several have a folder each.

    Raises:
        UserError: there are too few gains, or a curve is damaged.
    """
    from mtl_bench.meta.evidence import sweep_evidence

    config = configuration(overrides)
    variants: dict[str, list[Stored]] = defaultdict(list)
    for each in stored:
        variants[each.planned.variant].append(each)
    out = out or folder / "study"
    for variant, runs in variants.items():
        place = out / (variant.replace("/", ",") or "plain") if len(variants) > 1 else out
        name = f"{folder}, {variant}" if variant else str(folder)
        yield _study(sweep_evidence(name, folder, runs), place, config), place


def configuration(overrides: Sequence[str]) -> DictConfig:
    """Return the configuration of a study.

    Raises:
        UserError: an override names what is not there.
    """
    around = Singleton.get_state()  # a multirun that has ended calls this while Hydra is up
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder().absolute()), version_base="1.3"):
            return compose("study", list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(
            f"{str(error).splitlines()[0]}\nWhat can be set is in {conf_folder() / 'study.yaml'}."
        ) from None
    finally:
        Singleton.set_state(around)


def _study(evidence: Evidence, out: Path, config: DictConfig) -> Study:
    """Do a study with progress, and write it."""
    from mtl_bench.meta.evaluation import Plan
    from mtl_bench.meta.files import Remembered, write
    from mtl_bench.meta.saved import save
    from mtl_bench.meta.study import study

    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    families = {name: instantiate(each) for name, each in plain["features"].items()}
    unknown = {n for names in plain["sets"].values() for n in names} - families.keys()
    if unknown:
        raise UserError(f"sets: there are no features {', '.join(sorted(unknown))}.")
    sets = {
        name: list(dict.fromkeys(f for family in names for f in families[family].names()))
        for name, names in plain["sets"].items()
    }
    predictors = {
        name: instantiate(each, _convert_="all") for name, each in plain["predictor"].items()
    }
    plan = Plan(sets, predictors, config.pair_runs, config.draws, list(config.nested))
    remembered = Remembered(out / ".parts", f"{plain} {evidence.fingerprint()}")
    with Console(stderr=True).status("study") as status:

        def do(name: str, job: Callable[[], Any]) -> Any:
            status.update(f"study: {name}")
            return remembered(name, job)

        found = study(evidence, families, plan, runs=config.runs, early=config.early, do=do)
    write(found, out)
    final = plain["final"]
    save(
        out / "predictor.json",
        found.table.only(sets[final["set"]]),
        found.features,
        plain["predictor"][final["predictor"]],
        plain["features"],
    )
    return found
