"""What a configuration may hold: each key with its type and, beside it, the values allowed.

`checked` is the one way from Hydra's configuration to what the code computes with: a `RunConfig`,
of which each part gets its own section.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf

from mtl_bench.errors import UserError
from mtl_bench.tasks.definition import Task
from mtl_bench.tasks.examples import SPLITS

OUR_TRAINER_KEYS = ("max_steps", "val_check_interval", "threads", "compiled")
"""The keys of `trainer.*` that are not Lightning's own."""

RENAMED = {
    "data.whole_batches": "data.drop_last",
    "data.cut_evaluation": "data.truncate_eval",
    "data.dev_share": "data.dev_fraction",
    "data.curve_split": "data.eval_split",
}
"""Keys of the first edition, and what they are called now."""


def limited(allowed: str, fits: Callable[[Any], bool], default: Any = MISSING) -> Any:
    """Return a field of a section whose values are limited.

    Args:
        allowed: what is allowed, in words.
        fits: whether a value is.
        default: of the field.
    """
    return field(default=default, metadata={"allowed": allowed, "fits": fits})


def one_of(*values: object) -> Any:
    """Return a field that takes one of some values."""
    texts = ["null" if value is None else str(value).lower() for value in values]
    return limited(" or ".join(texts), lambda value: value in values)


def at_least(least: int) -> Any:
    """Return a field for numbers from `least`."""
    return limited(f"at least {least}", lambda number: number >= least)


def at_least_1_or_null() -> Any:
    """Return a field for counts that may be left open."""
    return limited("at least 1, or null", lambda number: number is None or number >= 1, None)


def a_name(allowed: str) -> Any:
    """Return a field for text that may not be empty."""
    return limited(allowed, lambda text: bool(text.strip()))


@dataclass
class Data:
    """`data.*`; the yaml files say what the keys mean."""

    batch_size: int = at_least(1)
    accumulate: int = at_least(1)
    lowercase: bool = MISSING
    max_length: int | None = at_least_1_or_null()
    dev_fraction: float = limited("from 0 to below 1", lambda share: 0 <= share < 1)
    split_seed: int = at_least(0)
    eval_split: str = limited("one of " + ", ".join(SPLITS), lambda split: split in SPLITS)
    final_split: str = limited("one of " + ", ".join(SPLITS), lambda split: split in SPLITS)
    truncate_eval: bool = MISSING
    drop_last: bool = MISSING


@dataclass
class Model:
    """`model.*`."""

    hidden_size: int = at_least(1)
    dropout: float = limited("a share from 0 to below 1", lambda share: 0 <= share < 1)
    label_weights: str = limited(
        "'none' or 'balanced'", lambda weights: weights in ("none", "balanced")
    )
    loss_over: str = limited("'words' or 'positions'", lambda over: over in ("words", "positions"))
    bias_start: str = limited("'zeros' or 'glorot'", lambda start: start in ("zeros", "glorot"))
    private_layers: dict[str, int] = limited(  # noqa: RUF009 (a field, as the others)
        "a map of tasks, or main, to numbers of layers from 0",
        lambda layers: all(count >= 0 for count in layers.values()),
    )


def _are_loss_weights(value: Any) -> bool:
    if not isinstance(value, dict):
        return bool(value == "uncertainty")
    return all(_is_positive(weight) for weight in value.values())


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf


@dataclass
class Trainer:
    """`trainer.*`: our keys, then those of Lightning's that work here."""

    max_steps: int | None = at_least_1_or_null()
    val_check_interval: int | None = at_least_1_or_null()
    threads: int = limited(
        f"from 1 to the processors of this machine ({os.cpu_count()})",
        lambda count: 1 <= count <= (os.cpu_count() or 1),
    )
    compiled: Any = one_of("auto", True, False)  # noqa: RUF009 (a field, as the others)
    accelerator: str = one_of("cpu", "gpu")
    devices: int = limited("1: run several runs side by side instead", lambda count: count == 1)
    precision: str = one_of("32-true", "64-true", "bf16-mixed")
    deterministic: bool | None = None
    benchmark: bool | None = None
    profiler: str | None = limited(
        "simple, advanced or null", lambda name: name in (None, "simple", "advanced"), None
    )


@dataclass
class Callbacks:
    """`callbacks.*`."""

    checkpoint_seconds: float = at_least(0)
    progress: bool = MISSING


@dataclass
class Paths:
    """`paths.*`."""

    output_dir: str = a_name("a folder, which is made")


@dataclass
class RunConfig:
    """A run; groups with a `_target_` are typed by what they name (see `mistakes.options`)."""

    main: str = MISSING
    # A map, which Hydra merges where several auxiliaries are chosen; its values mean nothing.
    aux: dict[str, bool] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    embeddings: Any = MISSING
    encoder: Any = MISSING
    model: Model = field(default_factory=Model)
    sampler: Any = MISSING
    optimizer: Any = MISSING
    task_lr: dict[str, Any] = limited(  # noqa: RUF009 (a field, as the others)
        "a map of tasks, or main, to numbers above 0",
        lambda rates: all(_is_positive(rate) for rate in rates.values()),
    )
    loss_weights: Any = limited(  # noqa: RUF009 (a field, as the others)
        "'uncertainty', or a map of tasks, or main, to numbers above 0", _are_loss_weights
    )
    trainer: Trainer = field(default_factory=Trainer)
    logger: Any = field(default_factory=dict)
    callbacks: Callbacks = field(default_factory=Callbacks)
    paths: Paths = field(default_factory=Paths)
    seed: int = limited("from 0 to 4294967295", lambda seed: 0 <= seed < 2**32)
    steps_per_task: int = at_least(1)
    sweep_name: str = a_name("a name below `paths.output_dir`")
    overwrite: bool = MISSING
    keep: str = one_of("best", "last")
    save_weights: bool = MISSING
    keep_checkpoint: bool = MISSING
    dry_run: bool = MISSING
    skip_missing: bool = MISSING
    baselines: bool = MISSING

    def task_set(self) -> tuple[str, ...]:
        """Return the tasks of the run, sorted."""
        return tuple(sorted({self.main, *self.aux}))


def unknown_keys(cfg: DictConfig) -> list[str]:
    """Return keys that `+key=...` added where no key can be added, since nothing reads it."""
    sections = {
        "": RunConfig, "data": Data, "model": Model, "callbacks": Callbacks, "paths": Paths,
    }  # fmt: skip
    return [
        f"{name}.{key}" if name else key
        for name, section in sections.items()
        for key in map(str, cfg[name] if name else cfg)
        if key not in {"hydra", *(f.name for f in fields(section))}
    ]


def checked(cfg: DictConfig) -> RunConfig:
    """Return a configuration as typed sections.

    Raises:
        UserError: a value is not allowed: the key, what was given, and what is allowed.
    """
    possible = [f.name for f in fields(Trainer)]
    for key in sorted(set(cfg.trainer) - set(possible)):
        raise UserError(
            f"trainer.{key}: this option of Lightning's would not do here what it says, since a "
            "call of the module takes many steps.\n"
            f"Possible: {', '.join(f'trainer.{key}' for key in possible)}."
        )
    values: dict[str, Any] = {section.name: cfg[section.name] for section in fields(RunConfig)}
    for name, value in values.items():
        if OmegaConf.is_config(value):
            # Here interpolations are resolved: what follows computes with plain values only.
            values[name] = OmegaConf.to_object(value)
    config = RunConfig(**values)
    for key, value, metadata in _leaves(config):
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{key} is {value}; allowed is: a finite number.")
        if "fits" in metadata and not metadata["fits"](value):
            raise UserError(f"{key} is {value!r}; allowed is: {metadata['allowed']}.")
    for name, task in config.tasks.items():
        if task.max_length is not None and task.max_length < 1:
            raise UserError(
                f"tasks.{name}.max_length is {task.max_length}; allowed is: at least 1, or null."
            )
    if config.trainer.precision == "bf16-mixed" and config.trainer.accelerator != "gpu":
        raise UserError(
            "trainer.precision is 'bf16-mixed'; allowed is: bf16-mixed with trainer=gpu only, else "
            "32-true or 64-true."
        )
    if config.data.batch_size % config.data.accumulate:
        raise UserError(
            f"data.accumulate is {config.data.accumulate}; allowed is: a divisor of "
            f"data.batch_size, which is {config.data.batch_size}."
        )
    if config.keep == "best" and config.data.eval_split == config.data.final_split:
        raise UserError(
            f"keep=best selects weights on data.eval_split, but that is {config.data.eval_split}, "
            "on which the final metrics are taken, too. Type `data.eval_split=dev`, or `keep=last`."
        )
    if config.model.loss_over == "positions" and config.model.label_weights == "balanced":
        raise UserError(
            "model.label_weights is 'balanced', but padding has no weight; allowed is: `none` with "
            "model.loss_over=positions."
        )
    unlimited = [name for name, task in config.tasks.items() if task.max_length is None]
    if config.model.loss_over == "positions" and unlimited:
        raise UserError(
            "model.loss_over is 'positions', but nothing says how many there are. Type "
            f"`data.max_length=28`, or `tasks.{unlimited[0]}.max_length=28`."
        )
    if config.trainer.compiled is True and config.trainer.accelerator != "cpu":
        raise UserError(
            "trainer.compiled is True; allowed is: true for processors only, else auto or false."
        )
    return config


def _leaves(
    node: Any, key: str = "", metadata: Mapping[Any, Any] = MappingProxyType({})
) -> Iterator[tuple[str, Any, Mapping[Any, Any]]]:
    """Yield key, value and the limits of its field, for every value of a configuration."""
    if metadata and isinstance(node, dict):  # a map whose values are limited
        yield key, node, metadata
    if is_dataclass(node):
        children = [(f.name, getattr(node, f.name), f.metadata) for f in fields(node)]
    elif isinstance(node, dict):
        children = [(str(name), value, MappingProxyType({})) for name, value in node.items()]
    elif isinstance(node, list):
        children = [(str(place), value, MappingProxyType({})) for place, value in enumerate(node)]
    else:
        yield key, node, metadata
        return
    for name, value, limits in children:
        yield from _leaves(value, f"{key}.{name}" if key else name, limits)
