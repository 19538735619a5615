"""Explanations of mistakes on the command line: what is wrong, what is possible, what to type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    OmegaConfBaseException,
    ValidationError,
)

from mtl_bench.config.mistakes.kinds import shown
from mtl_bench.config.mistakes.messages import did_you_mean, no_such_task
from mtl_bench.config.mistakes.options import optional, parameters_of
from mtl_bench.config.mistakes.overrides import TASK_GROUPS
from mtl_bench.config.tasks import conf_folder, options, task_files
from mtl_bench.errors import UserError

MAPS_BY_TASK = ("sampler.weights", "task_lr", "loss_weights", "model.private_layers")
"""Keys whose own keys are tasks, so that they need a `+`."""

EXTRAS = {"joblib": "joblib", "slurm": "submitit", "submitit_local": "submitit"}
EXTRAS |= {"submitit_slurm": "submitit", "ray": "ray", "ray_local": "ray"}
"""What to install for a launcher."""


def explain(error: Exception, arguments: Sequence[str]) -> str:
    """Return what a person needs to know about a mistake: what is wrong, possible, to type.

    Args:
        error: ours, Hydra's or OmegaConf's.
        arguments: of the command line.
    """
    cause = error.__cause__
    for each in _causes(error):  # ours may be raised in a resolver
        if isinstance(each, UserError):
            return str(each)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _unknown_choice(error.missing_cfg_file, arguments)
    if isinstance(error, OverrideParseException):
        return _not_readable(str(error.override))
    source = cause if isinstance(cause, OmegaConfBaseException) else error
    if isinstance(source, ConfigAttributeError | ConfigKeyError) and source.full_key:
        key = _typed(str(source.full_key), arguments)
        return unknown_key(key, key, arguments)
    if isinstance(source, ValidationError) and source.full_key:
        return f"{source.full_key}: {shown(source.value)} cannot stand there. {source.msg}"
    additions = [each for each in arguments if each.startswith("+") and each[1:2] != "+"]
    if "append" in str(error) and additions:  # Hydra has no type for it
        bare = " ".join(each.lstrip("+") for each in additions)
        return f"{' '.join(additions)}: the key is there already. Leave out the `+`: {bare}"
    return "\n".join(str(each).strip() for each in (error, cause) if each)


def help_text(arguments: Sequence[str]) -> str:
    """Return what can be chosen and set, with the configuration of a command line.

    Hydra's own help lists all of `conf/`, what belongs to `mtl-bench study` included, and takes
    longer for that than for all else.
    """
    with initialize_config_dir(str(conf_folder().absolute()), version_base="1.3"):
        cfg = compose("train", list(arguments), return_hydra_config=True)
    own = {group: options(group) for group in cfg.hydra.runtime.choices}
    lines = [f"{group}: {', '.join(names)}" for group, names in own.items() if names]
    # Groups of this package first; those with a slash are Hydra's own.
    lines.sort(key=lambda line: ("/" in line.partition(":")[0], line))
    settings = OmegaConf.to_yaml(
        OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    )
    return "\n".join(
        [
            cfg.hydra.help.header,
            "Choose in a group (group=option):\n",
            *lines,
            "\nOverride any value (foo.bar=value):\n",
            f"{settings}\nUse --hydra-help for what Hydra can do besides.",
        ]
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it, in turn."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _not_readable(override: str) -> str:
    """Explain an argument that Hydra cannot parse."""
    name, _, rest = override.partition("=")
    value = rest.strip("\"'") or "my file.txt"
    return (
        f"'{override}' cannot be read. Arguments have the form key=value.\n"
        "Lists and globs take quotes for the shell: 'aux=[pos,sem]' or 'main=glob(syn_*)'.\n"
        "A value with blanks, = or other signs takes quotes for Hydra within those for the "
        f"shell:\n  '{name.strip() or 'key'}=\"{value}\"'"
    )


def _unknown_choice(missing: str, arguments: Sequence[str]) -> str:
    """Explain `main=chuu`, `optimizer=adm`, and launchers that are not installed."""
    group, _, name = missing.removesuffix(".yaml").rpartition("/")
    if group in TASK_GROUPS:
        return f"{group}: {no_such_task(name, list(task_files()))}"
    if group == "hydra/launcher" and name in EXTRAS:
        typed = next(
            (each for each in arguments if each.startswith(f"{group}=")), f"{group}={name}"
        )
        return (
            f"{typed} needs a package that is not installed:\n"
            f"  pip install 'mtl-bench[{EXTRAS[name]}]'"
        )
    possible = options(group)
    return (
        f"{group}: there is no '{name}'.{did_you_mean(name, possible)}\n"
        f"Possible: {', '.join(possible)}."
    )


def _typed(full_key: str, arguments: Sequence[str]) -> str:
    """Return the key that a person typed, if it begins with the one that OmegaConf names."""
    keys = [each.lstrip("+~").partition("=")[0] for each in arguments]
    return next(
        (key for key in keys if key == full_key or key.startswith(f"{full_key}.")), full_key
    )


def unknown_key(key: str, full_key: str, arguments: Sequence[str]) -> str:
    """Explain `optimizer.lrr=1` and `tasks.pos.max_length=3`."""
    for of_tasks in MAPS_BY_TASK:
        name = full_key.removeprefix(f"{of_tasks}.")
        if name != full_key:
            return f"{key}: to give '{name}' a value of its own, type `+{of_tasks}.{name}=...`."
    cfg = _without(key, arguments)
    parts = full_key.split(".")
    if parts[0] == "tasks" and len(parts) > 1 and (cfg is None or parts[1] not in cfg.tasks):
        tasks = ", ".join(cfg.tasks) if cfg is not None else "see main and aux"
        return (
            f"{key}: task '{parts[1]}' is not in this run, whose tasks are: {tasks}.\n"
            f"Leave the override out, or add the task with main={parts[1]} or aux={parts[1]}."
        )
    parent, name, node = _last_known(cfg, parts)
    keys = [str(each) for each in node] if isinstance(node, DictConfig) else []
    place = f"`{parent}`" if parent else "the configuration"
    lines = [f"{key}: {place} has no key '{name}'.{did_you_mean(name, keys)}"]
    if parent == "embeddings" and "file" not in keys:
        lines.append(
            "Vectors of your own: `embeddings=file embeddings.file=... embeddings.dim=...`."
        )
    names = [each for each in keys if each[0] != "_"]
    if names:
        lines.append(f"Possible: {', '.join(f'{parent}.{k}' if parent else k for k in names)}.")
    if parent and isinstance(node, DictConfig) and node.get("_target_"):
        lines += _further_options(parent, name, node)
    return "\n".join(lines)


def _last_known(cfg: DictConfig | None, parts: Sequence[str]) -> tuple[str, str, Any]:
    """Return how much of a key there is: parent, first part that is not there, parent's node."""
    node: Any = cfg
    for place, part in enumerate(parts):
        if not isinstance(node, DictConfig) or part not in node or place == len(parts) - 1:
            return ".".join(parts[:place]), part, node
        node = node[part]
    return "", parts[0], cfg


def _further_options(group: str, name: str, node: Mapping[str, Any]) -> list[str]:
    """Name what the class behind a group takes besides, with the `+` that this needs."""
    try:
        parameters = parameters_of(group, str(node["_target_"]))
    except UserError:
        return []
    further = [each for each in optional(parameters) if each not in node]
    if not further:
        return []
    form = f": +{group}.{name}=..." if name in further else f" with +{group}.<option>=..."
    return [f"Can be added{form}" + (f" ({', '.join(further)})." if name not in further else "")]


def _without(key: str, arguments: Sequence[str]) -> DictConfig | None:
    """Return the configuration of a command line without the overrides of a key."""
    overrides = [a for a in arguments if "=" in a and not a.startswith(("-", "hydra"))]
    overrides = [
        a for a in overrides if not f"{a.lstrip('+~').partition('=')[0]}.".startswith(f"{key}.")
    ]
    # Hydra may be up already: the mistake was found while it composed.
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            return compose("train", overrides)
    except (HydraException, OmegaConfBaseException, AssertionError):
        return None  # a second mistake, or a sweep's list: then there is less to say
