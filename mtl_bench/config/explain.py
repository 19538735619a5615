"""Answers to mistakes on the command line: what is wrong, what is possible, what to type."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.config.compose import TASK_GROUPS, conf_folder, options
from mtl_bench.errors import UserError

# OmegaConf says the same in two ways.
WRONG_TYPE = (
    r"Value '(.*)' of type '\w+' could not be converted to (\w+)|Value '(.*)' is not a valid (\w+)"
)
KINDS = {
    "Integer": "a whole number",
    "int": "a whole number",
    "Float": "a number",
    "float": "a number",
    "bool": "true or false",
}


def answer(error: Exception, arguments: Sequence[str]) -> str:
    """Return what a person needs to know about a mistake: what is wrong, possible, to type.

    Args:
        error: ours, Hydra's or OmegaConf's.
        arguments: of the command line.
    """
    text = str(error)
    if isinstance(error.__cause__, UserError):  # of a resolver
        return str(error.__cause__)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _unknown_choice(error.missing_cfg_file)
    if isinstance(error, OverrideParseException):
        name, _, rest = str(error.override).partition("=")
        quoted = rest.strip("\"'") or "my file.txt"
        return (
            f"'{error.override}' cannot be read. Arguments have the form key=value.\n"
            "Lists and globs take quotes for the shell: 'aux=[pos,sem]' or 'main=glob(syn_*)'.\n"
            "A value with blanks, = or other signs takes quotes for Hydra within those for the "
            f"shell:\n  '{name.strip() or 'key'}=\"{quoted}\"'"
        )
    details = f"{text}\n{error.__cause__ or ''}"
    if missing := re.search(r"Could not override '([^']+)'", details):
        key = missing.group(1)
        full = re.search(r"full_key: (\S+)", details)
        return unknown_key(key, full.group(1) if full else key, arguments)
    if wrong := re.search(WRONG_TYPE, details):
        key = re.search(r"full_key: (\S+)", details)
        value, kind = wrong.group(1) or wrong.group(3), wrong.group(2) or wrong.group(4)
        seen = f"'{value}'" if value else "nothing"
        return f"{key.group(1) if key else 'a key'}: {seen} is not {KINDS.get(kind, kind)}."
    if ambiguous := re.search(r"Ambiguous value for argument '([^']+)'", details):
        key, _, value = ambiguous.group(1).partition("=")
        return (
            f"'{ambiguous.group(1)}' has several values. For a sweep over them, add -m:\n"
            f"  python train.py -m {key}={value}\n"
            f"For one run with all of them (`aux` takes a list):\n"
            f"  python train.py '{key}=[{value}]'"
        )
    return text if isinstance(error, UserError) else details.strip()


def help_text(arguments: Sequence[str]) -> str:
    """Return what can be chosen and set, with the configuration of a command line.

    Hydra's own help lists all of `conf/`, what belongs to `mtl-bench study` included, and takes
    longer for that than for all else.
    """
    with initialize_config_dir(str(conf_folder().absolute()), version_base="1.3"):
        cfg = compose("train", list(arguments), return_hydra_config=True)
    own = {group: options(group) for group in cfg.hydra.runtime.choices}
    lines = [f"{group}: {', '.join(names)}" for group, names in own.items() if names]
    lines.sort(key=lambda line: ("/" in line.partition(":")[0], line))
    chosen = OmegaConf.to_yaml(
        OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    )
    return "\n".join(
        [
            cfg.hydra.help.header,
            "Choose in a group (group=option):\n",
            *lines,
            "\nOverride any value (foo.bar=value):\n",
            f"{chosen}\nUse --hydra-help for what Hydra can do besides.",
        ]
    )


def _unknown_choice(missing: str) -> str:
    """Answer `main=chuu`, `optimizer=adm`."""
    group, _, name = missing.removesuffix(".yaml").rpartition("/")
    possible = options(group)
    lines = [f"{group}: there is no '{name}'.{_did_you_mean(name, possible)}"]
    lines.append(f"Possible: {', '.join(possible)}.")
    if group in TASK_GROUPS:
        lines.append(
            "For a task of your own, write a yaml (see CONTRIBUTING.md) and name its folder in "
            "MTL_BENCH_TASKS."
        )
    return "\n".join(lines)


def unknown_key(key: str, full_key: str, arguments: Sequence[str]) -> str:
    """Answer `optimizer.lrr=1` and `tasks.pos.max_length=3`."""
    cfg = _without(key, arguments)
    if full_key.startswith("tasks.") and full_key.count(".") == 1:
        tasks = ", ".join(cfg.tasks) if cfg is not None else "see main and aux"
        name = full_key.partition(".")[2]
        return (
            f"{key}: task '{name}' is not in this run, whose tasks are: {tasks}.\n"
            f"Leave the override out, or add the task with main={name} or aux={name}."
        )
    parent, _, name = full_key.rpartition(".")
    lines = []
    node = None if cfg is None else (OmegaConf.select(cfg, parent) if parent else cfg)
    keys = [str(k) for k in node] if isinstance(node, DictConfig) else []
    where = f"`{parent}`" if parent else "the configuration"
    lines.append(f"{key}: {where} has no key '{name}'.{_did_you_mean(name, keys)}")
    if parent == "embeddings" and "file" not in keys:
        lines.append(
            "Vectors of your own: `embeddings=file embeddings.file=... embeddings.dim=...`."
        )
    if keys:
        lines.append(f"Possible: {', '.join(f'{parent}.{k}' if parent else k for k in keys)}.")
    if parent and parent.partition(".")[0] in (
        "sampler",
        "optimizer",
        "encoder",
        "trainer",
        "logger",
    ):
        lines.append(f"What the class behind it takes besides can be added: +{full_key}=...")
    return "\n".join(lines)


def _without(key: str, arguments: Sequence[str]) -> DictConfig | None:
    """Return the configuration of a command line without the overrides of a key."""
    kept = [a for a in arguments if "=" in a and not a.startswith(("-", "hydra"))]
    kept = [a for a in kept if not f"{a.lstrip('+~').partition('=')[0]}.".startswith(f"{key}.")]
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            return compose("train", kept)
    except (HydraException, OmegaConfBaseException, AssertionError):
        return None  # a second mistake, or a sweep's list: then there is less to say


def _did_you_mean(name: str, possible: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, possible, n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""
