"""What a configuration may hold: types of its keys, and numbers that make sense."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf

from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import SPLITS
from mtl_bench.tasks.definition import Task

OUR_TRAINER_KEYS = ("max_steps", "val_check_interval", "threads", "compiled")
"""The keys of `trainer.*` that are not Lightning's own."""

PRECISIONS = ("32-true", "64-true")


@dataclass
class Data:
    """Types of `data.*`; the yaml files say what the keys mean."""

    batch_size: int = MISSING
    lowercase: bool = MISSING
    max_length: int | None = None
    dev_fraction: float = MISSING
    split_seed: int = MISSING
    eval_split: str = MISSING
    final_split: str = MISSING
    truncate_eval: bool = MISSING
    drop_last: bool = MISSING


@dataclass
class Model:
    """Types of `model.*`."""

    hidden_size: int = MISSING
    dropout: float = MISSING
    label_weights: str = MISSING


@dataclass
class Trainer:
    """Types of `trainer.*`: our keys, then those of Lightning's that work here."""

    max_steps: int | None = None
    val_check_interval: int | None = None
    threads: int = MISSING
    compiled: bool = MISSING
    accelerator: str = MISSING
    devices: int = MISSING
    precision: str = MISSING
    deterministic: bool | None = None
    benchmark: bool | None = None
    profiler: str | None = None


@dataclass
class Callbacks:
    """Types of `callbacks.*`."""

    checkpoint_seconds: float = MISSING
    progress: bool = MISSING


@dataclass
class Paths:
    """Types of `paths.*`."""

    output_dir: str = MISSING


@dataclass
class Train:
    """Types of the top-level keys; groups with a `_target_` are typed by what they name."""

    main: str = MISSING
    aux: dict[str, bool] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    embeddings: Any = MISSING
    encoder: Any = MISSING
    model: Model = field(default_factory=Model)
    sampler: Any = MISSING
    optimizer: Any = MISSING
    trainer: Trainer = field(default_factory=Trainer)
    logger: Any = field(default_factory=dict)
    callbacks: Callbacks = field(default_factory=Callbacks)
    paths: Paths = field(default_factory=Paths)
    seed: int = MISSING
    steps_per_task: int = MISSING
    sweep_name: str = MISSING
    overwrite: bool = MISSING
    save_weights: bool = MISSING
    dry_run: bool = MISSING
    skip_missing: bool = MISSING
    baselines: bool = MISSING


def unknown_keys(cfg: DictConfig) -> list[str]:
    """Return keys that `+key=...` added where no key can be added, since nothing reads it."""
    groups = {"": Train, "data": Data, "model": Model, "callbacks": Callbacks, "paths": Paths}
    return [
        f"{group}.{key}" if group else key
        for group, schema in groups.items()
        for key in map(str, cfg[group] if group else cfg)
        if key not in {"hydra", *(f.name for f in fields(schema))}
    ]


def _at_least_1(number: int | None) -> bool:
    return number is None or number >= 1


def check(cfg: DictConfig) -> None:
    """Raise an error if a number or an option of the trainer makes no sense.

    Raises:
        UserError: with the key, what was given, and what is allowed.
    """
    for key, fits, allowed in (
        ("paths.output_dir", bool(cfg.paths.output_dir.strip()), "a folder, which is made"),
        ("sweep_name", bool(cfg.sweep_name.strip()), "a name below `paths.output_dir`"),
        ("seed", 0 <= cfg.seed < 2**32, "from 0 to 4294967295"),
        ("steps_per_task", cfg.steps_per_task >= 0, "0 or more"),
        ("trainer.max_steps", _at_least_1(cfg.trainer.max_steps), "at least 1, or null"),
        (
            "trainer.val_check_interval",
            _at_least_1(cfg.trainer.val_check_interval),
            "at least 1, or null",
        ),
        ("data.batch_size", cfg.data.batch_size >= 1, "at least 1"),
        ("data.dev_fraction", 0 <= cfg.data.dev_fraction < 1, "from 0 to below 1"),
        ("trainer.accelerator", cfg.trainer.accelerator in ("cpu", "gpu"), "cpu or gpu"),
        ("trainer.threads", cfg.trainer.threads >= 1, "at least 1"),
        ("trainer.devices", cfg.trainer.devices == 1, "1: run several runs side by side instead"),
        (
            "trainer.compiled",
            not cfg.trainer.compiled or cfg.trainer.accelerator == "cpu",
            "true or false, and true for processors only",
        ),
        ("trainer.precision", str(cfg.trainer.precision) in PRECISIONS, " or ".join(PRECISIONS)),
        *(
            (
                f"tasks.{n}.max_length",
                t.max_length is None or t.max_length >= 1,
                "at least 1, or null",
            )
            for n, t in cfg.tasks.items()
        ),
        *(
            (f"data.{key}", cfg.data[key] in SPLITS, "one of " + ", ".join(SPLITS))
            for key in ("eval_split", "final_split")
        ),
    ):
        if not fits:
            raise UserError(f"{key} is {OmegaConf.select(cfg, key)!r}; allowed is: {allowed}.")
    possible = [f.name for f in fields(Trainer)]
    odd = sorted(set(cfg.trainer) - set(possible))
    if odd:
        raise UserError(
            f"trainer.{odd[0]}: this option of Lightning's would not do here what it says, since a "
            "call of the module takes many steps.\n"
            f"Possible: {', '.join(f'trainer.{key}' for key in possible)}."
        )
