"""Options of what a group's `_target_` names: known to it, and of the kind that it declares."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from hydra.errors import InstantiationException

from mtl_bench.config.by_task import by_task
from mtl_bench.config.mistakes.kinds import is_of_kind, kind_in_words, shown
from mtl_bench.config.mistakes.messages import did_you_mean
from mtl_bench.config.schema import RunConfig
from mtl_bench.errors import UserError
from mtl_bench.trust import make, trusted

CLASS_GROUPS = ("embeddings", "encoder", "sampler", "optimizer")


def check_options(config: RunConfig) -> None:
    """Raise an error if an option of a group is unknown to its class, or of another kind.

    It imports the classes; torch's take seconds.

    Raises:
        UserError: names the key, what is allowed, and what to type.
    """
    check_encoder(config)
    for group, node in groups_of(config).items():
        check_group(group, node)
    check_samplers([config])
    task_options(config)


def check_encoder(config: RunConfig) -> None:
    """Raise an error if the encoder cannot read what the embeddings give.

    Raises:
        UserError: names the groups, and what to type.
    """
    embeddings = trusted(config.embeddings["_target_"], "embeddings._target_")
    encoder = trusted(config.encoder["_target_"], "encoder._target_")
    gives, reads = getattr(embeddings, "gives", "vectors"), getattr(encoder, "reads", "vectors")
    if gives != reads:
        remedy = {
            "sub-words": "Leave out `embeddings`, which encoder=transformer chooses.",
            "vectors": "Type `embeddings=contextual` for the states of a pretrained transformer.",
        }
        raise UserError(
            f"encoder reads {reads}, but embeddings give {gives}. {remedy.get(reads, '')}".strip()
        )
    model, other = config.encoder.get("model"), config.embeddings.get("model")
    if model != other and reads == "sub-words":
        raise UserError(
            f"encoder.model is {model!r}, but embeddings.model is {other!r}, by which words are "
            "split. Leave out `encoder.model`, which follows."
        )


def check_samplers(configs: Iterable[RunConfig]) -> None:
    """Raise an error if the sampler of a run cannot draw its tasks.

    Raises:
        UserError: names the key, what is allowed, and what to type.
    """
    makers: dict[str, Any] = {}  # by options: Hydra needs milliseconds for one
    for config in configs:
        options = repr(config.sampler)
        try:
            if options not in makers:
                makers[options] = make(config.sampler, "sampler._target_")
            sampler = makers[options]
            if callable(sampler):  # else its yaml lacks `_partial_`, which is answered later
                sampler(dict.fromkeys(config.task_set(), 1), config.main)
        except (TypeError, ValueError, InstantiationException) as error:
            given = " ".join(f"sampler.{k}={v}" for k, v in config.sampler.items() if k[0] != "_")
            raise UserError(f"sampler: {error}\nGiven: {given}") from error


def task_options(config: RunConfig) -> dict[str, dict[str, Any]]:
    """Return the options that a run gives by task, by their keys.

    Raises:
        UserError: one names a task that the run has not.
    """
    given = {
        "task_lr": config.task_lr,
        "loss_weights": {} if isinstance(config.loss_weights, str) else config.loss_weights,
        "model.private_layers": config.model.private_layers,
    }
    rate = config.optimizer.get("lr")
    if config.task_lr and not (type(rate) in (int, float) and rate > 0):
        raise UserError(
            f"task_lr is given, but optimizer.lr is {rate!r}; allowed is: a number above 0, which "
            "the other tasks have."
        )
    tasks = config.task_set()
    return {key: by_task(key, values, tasks, config.main) for key, values in given.items()}


def groups_of(config: RunConfig) -> dict[str, dict[str, Any]]:
    """Return the groups whose options are those of a class."""
    return {group: getattr(config, group) for group in CLASS_GROUPS}


def check_group(group: str, node: Mapping[str, Any]) -> None:
    """Raise an error if an option of a group is unknown to its class, or of another kind.

    Args:
        group: its name, for messages.
        node: of the configuration, with `_target_` and the options.

    Raises:
        UserError: names the key, what is allowed, and what to type.
    """
    if "_target_" not in node:
        raise UserError(f"{group}: its yaml has no `_target_`, which names what makes it.")
    parameters = parameters_of(group, str(node["_target_"]))
    takes_all = any(each.kind == each.VAR_KEYWORD for each in parameters.values())
    for name, value in node.items():
        # Keys of Hydra's instantiate, such as _target_ and _partial_.
        if str(name)[0] == "_":
            continue
        if name not in parameters:
            if takes_all:
                continue
            possible = list(
                dict.fromkeys([*(n for n in node if n[0] != "_"), *optional(parameters)])
            )
            possible.remove(name)
            raise UserError(
                f"{group}.{name}: {str(node['_target_']).rpartition('.')[2]} has no option "
                f"'{name}'.{did_you_mean(str(name), possible)}\n"
                f"Possible: {', '.join(f'{group}.{each}' for each in possible)}."
            )
        hint = parameters[name].annotation
        if hint is not inspect.Parameter.empty and not is_of_kind(hint, value):
            raise UserError(f"{group}.{name}: {shown(value)} is not {kind_in_words(hint)}.")


def parameters_of(group: str, target: str) -> Mapping[str, inspect.Parameter]:
    """Return what a class or function takes, with its types as far as they can be known."""
    try:
        named = trusted(target, f"{group}._target_")
        signature = inspect.signature(named)
    except UserError:
        raise
    except Exception as error:  # importing code of others may raise anything
        raise UserError(f"{group}._target_: '{target}' cannot be used: {error}") from error
    try:
        hints = get_type_hints(named.__init__ if inspect.isclass(named) else named)
    except Exception:  # a hint may name what exists for type checkers only
        hints = {}
    empty = inspect.Parameter.empty
    return {
        name: parameter.replace(annotation=hints.get(name, empty))
        for name, parameter in signature.parameters.items()
    }


def optional(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    """Return the options among some parameters: those that the run itself gives have no default."""
    return [
        name for name, each in parameters.items() if each.default is not inspect.Parameter.empty
    ]
