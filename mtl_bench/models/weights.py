"""The folder of a trained tagger: weights as safetensors, and a JSON file that describes the rest.

| file | holds |
|---|---|
| `tagger.json` | input, encoder, task types and targets, as plain values; the main task |
| `step<n>.safetensors` | the weights that some of the tasks kept, as they were after step n |

Nothing in it is code: classes are named, and only those of this package are made (and those that
the caller hands over).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import ENOENT
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.optim import SGD

from mtl_bench.errors import UserError
from mtl_bench.files import filled_at_once, write_atomically
from mtl_bench.models.encoders.base import Encoder
from mtl_bench.models.heads.base import Head
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.task_options import TaskOptions
from mtl_bench.tasks.types.base import Fitted, TaskType

FORMAT = 1
"""Raised when the content of the folder changes."""

DESCRIPTION = "tagger.json"
WEIGHTS = re.compile(r"step\d+\.safetensors")


@dataclass(frozen=True)
class Kept:
    """The weights that a task keeps.

    Attributes:
        step: of the run after which they were so.
        weights: of all that is trained, by name; the heads of other tasks may be among them.
    """

    step: int
    weights: Mapping[str, Tensor]


def save_tagger(folder: Path, tagger: Tagger, kept: Mapping[str, Kept], main: str) -> None:
    """Write a tagger and all that is needed to use it.

    Args:
        folder: made; what it held is replaced.
        tagger: trained.
        kept: by task; tasks that keep the same step share a file.
        main: the main task, which is tagged where none is named.
    """
    files = {task: f"step{of_task.step}.safetensors" for task, of_task in kept.items()}
    description = {
        "format": FORMAT,
        "main": main,
        "input": {"class": _name(tagger.input), **tagger.input.describe()},
        "encoder": {"class": _name(tagger.encoder), **tagger.encoder.describe()},
        "tasks": {
            task: {
                "type": {
                    "class": _name(fitted.type),
                    **fitted.type.describe(),
                    "head": _name(tagger.head(task)),  # a yaml may name it by another path
                },
                "targets": fitted.targets.state(),
                "weights": files[task],
                **_private_layers(tagger, task),
            }
            for task, fitted in tagger.tasks.items()
        },
    }
    shutil.rmtree(folder, ignore_errors=True)
    with filled_at_once(folder) as temporary:
        for file in set(files.values()):
            tasks = [task for task in files if files[task] == file]
            weights = _of_tasks({**tagger.state_dict(), **kept[tasks[0]].weights}, tasks)
            tensors = {
                name: weight.cpu().contiguous()
                for name, weight in weights.items()
                # Of the training loss alone.
                if ".padding." not in name and not name.startswith("learned_weights.")
            }
            # By our own means: a full disk is an OSError then, which names the file.
            write_atomically(temporary / file, save(tensors))
        text = json.dumps(description, indent=1, ensure_ascii=False)
        write_atomically(temporary / DESCRIPTION, text + "\n")


def load_taggers(folder: Path, classes: Sequence[type] = ()) -> tuple[dict[str, Tagger], str]:
    """Return a tagger for each task that `save_tagger` wrote, and the name of the main task.

    Tasks that keep the same weights share a tagger; all share the input if it was not trained.

    Args:
        folder: of the tagger.
        classes: of your own that it may name.

    Raises:
        UserError: the folder holds no tagger, a damaged one, or one that names other classes.
    """
    try:
        content = _read(folder / DESCRIPTION)
        return _taggers(folder, content, Classes(folder / DESCRIPTION, classes))
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: is missing; {folder} holds no tagger.") from None
    except OSError as error:
        raise UserError(f"{error.filename or folder}: cannot be read: {error.strerror}.") from None
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        reason = " ".join(str(error).split())  # torch lists the weights that do not fit in lines
        raise UserError(
            f"{folder}: the tagger is damaged ({type(error).__name__}: {reason[:500]}). Train it "
            "again with `overwrite=true save_weights=true`."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    """Return a description, its format and the names in it checked."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if content["format"] != FORMAT:
        raise UserError(
            f"{path}: has format {content['format']}; this program reads {FORMAT}. Train the "
            "tagger again with `overwrite=true save_weights=true`."
        )
    if content["main"] not in content["tasks"]:
        raise ValueError(f"its main task is {content['main']!r}, which is none of its tasks")
    for task, entry in content["tasks"].items():
        # A file beside the description, wherever a damaged or foreign one points.
        if not WEIGHTS.fullmatch(entry["weights"]):
            raise ValueError(f"the weights of task '{task}' are {entry['weights']!r}")
        if not (path.parent / entry["weights"]).is_file():
            raise FileNotFoundError(ENOENT, "missing", str(path.parent / entry["weights"]))
    return content


def _taggers(
    folder: Path, content: Mapping[str, Any], classes: Classes
) -> tuple[dict[str, Tagger], str]:
    """Make the taggers of a description; all its classes are checked before any is made."""
    input_class = classes.of(content["input"], Input)
    encoder_class = classes.of(content["encoder"], Encoder)
    types = {task: classes.of(entry["type"], TaskType) for task, entry in content["tasks"].items()}
    for entry in content["tasks"].values():
        classes.of({"class": entry["type"]["head"]}, Head)
    tasks: dict[str, Fitted] = {}
    by_file: dict[str, list[str]] = {}
    for task, entry in content["tasks"].items():
        type_ = types[task](**_rest(entry["type"]))
        tasks[task] = Fitted(type_, type_.restore(entry["targets"]))
        by_file.setdefault(entry["weights"], []).append(task)
    taggers: dict[str, Tagger] = {}
    input_ = None
    for file, names in by_file.items():
        if input_ is None or any(parameter.requires_grad for parameter in input_.parameters()):
            input_ = input_class.restore(_rest(content["input"]))
        tagger = Tagger(
            input_,
            lambda size: encoder_class.restore(size, _rest(content["encoder"])),
            {name: tasks[name] for name in names},
            SGD,  # a tagger wants an optimizer; to tag, it makes none
            options=TaskOptions(
                private_layers={
                    name: content["tasks"][name].get("private_layers", 0) for name in names
                }
            ),
        )
        weights = load_file(folder / file)
        if any(weight.dtype == torch.float64 for weight in weights.values()):
            tagger.double()  # else the weights of `trainer.precision=64-true` would be rounded
        tagger.load_state_dict(weights)
        taggers |= dict.fromkeys(names, tagger.eval())
    return {task: taggers[task] for task in content["tasks"]}, str(content["main"])


class Classes:
    """The classes that a description may name: those of this package, and some of the caller's."""

    def __init__(self, path: Path, own: Sequence[type]) -> None:
        """Take the file that names them, for errors, and the caller's."""
        self.path = path
        self.own = {f"{each.__module__}.{each.__qualname__}": each for each in own}

    def of(self, entry: Mapping[str, Any], base: type) -> Any:
        """Return the class that an entry names, below `base`.

        Raises:
            UserError: it is not of this package, or of another kind.
        """
        name = str(entry["class"])
        named = self.own.get(name) or _of_package(name)
        if not (isinstance(named, type) and issubclass(named, base)):
            raise UserError(
                f"{self.path}: names {name}, which is no {base.__name__} of this package, and is "
                "not loaded. If it is yours and you trust it, hand the class over: in Python "
                f"`load_tagger(folder, classes=[...])`, on the command line `--class {name}`."
            )
        return named


def _of_tasks(weights: Mapping[str, Tensor], tasks: Sequence[str]) -> dict[str, Tensor]:
    """Return the shared weights, and those of some tasks."""
    own = tuple(f"{part}.task_{task}." for part in ("heads", "private") for task in tasks)
    return {
        name: weight
        for name, weight in weights.items()
        if not name.startswith(("heads.", "private.")) or name.startswith(own)
    }


def _private_layers(tagger: Tagger, task: str) -> dict[str, int]:
    count = tagger.options.private_layers.get(task)
    return {"private_layers": count} if count else {}


def _of_package(name: str) -> Any:
    """Return what this package calls so, or None; nothing else is imported, which would run it."""
    module = name.rpartition(".")[0]
    return class_named(name) if re.fullmatch(r"mtl_bench(\.\w+)+", module) else None


def class_named(name: str) -> Any:
    """Return what a dotted path names, or None."""
    module, _, own_name = name.rpartition(".")
    try:
        return getattr(import_module(module), own_name, None)
    except (ImportError, ValueError):
        return None


def _name(instance: object) -> str:
    return f"{type(instance).__module__}.{type(instance).__qualname__}"


def _rest(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "class"}
