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
from pathlib import Path
from typing import Any

from hydra.utils import get_class
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import SGD

from mtl_bench.errors import UserError
from mtl_bench.files import filled_at_once
from mtl_bench.models.encoders.base import Encoder
from mtl_bench.models.heads.base import Head
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.tagger import Tagger
from mtl_bench.tasks.types.base import Fitted, TaskType

FORMAT = 1
"""Raised when the content of the folder changes."""

DESCRIPTION = "tagger.json"


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
                "type": {"class": _name(fitted.type), **fitted.type.describe()},
                "targets": fitted.targets.state(),
                "weights": files[task],
            }
            for task, fitted in tagger.tasks.items()
        },
    }
    shutil.rmtree(folder, ignore_errors=True)
    with filled_at_once(folder) as temporary:
        for file in set(files.values()):
            tasks = [task for task in files if files[task] == file]
            weights = _of_tasks({**tagger.state_dict(), **kept[tasks[0]].weights}, tasks)
            tensors = {name: weight.cpu().contiguous() for name, weight in weights.items()}
            save_file(tensors, temporary / file)
        text = json.dumps(description, indent=1, ensure_ascii=False)
        (temporary / DESCRIPTION).write_text(text + "\n", "utf-8")


def load_taggers(folder: Path, classes: Sequence[type] = ()) -> tuple[dict[str, Tagger], str]:
    """Return a tagger for each task that `save_tagger` wrote, and the name of the main task.

    Tasks that keep the same weights share a tagger, and all of them the parts that are not trained.

    Args:
        folder: of the tagger.
        classes: of your own that it may name.

    Raises:
        UserError: the folder holds no tagger, a damaged one, or one that names other classes.
    """
    path = folder / DESCRIPTION
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise UserError(
                f"{path}: has format {content['format']}; this program reads {FORMAT}. Train the "
                "tagger again."
            )
        known = Classes(path, classes)
        input_ = known.of(content["input"], Input)
        encoder = known.of(content["encoder"], Encoder)
        tasks = {}
        for task, entry in content["tasks"].items():
            type_ = known.of(entry["type"], TaskType)(**_rest(entry["type"]))
            known.of({"class": type_.head}, Head)
            tasks[task] = Fitted(type_, type_.restore(entry["targets"]))
        taggers: dict[str, Tagger] = {}
        by_file: dict[str, list[str]] = {}
        for task, entry in content["tasks"].items():
            by_file.setdefault(entry["weights"], []).append(task)
        for file, names in by_file.items():
            own = {name: tasks[name] for name in names}
            tagger = Tagger(
                input_.restore(_rest(content["input"])),
                lambda size: encoder.restore(size, _rest(content["encoder"])),
                own,
                SGD,  # a tagger wants an optimizer; to tag, it makes none
            )
            tagger.load_state_dict(load_file(folder / Path(file).name))
            taggers |= dict.fromkeys(names, tagger.eval())
        return taggers, str(content["main"])
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: is missing; {folder} holds no tagger.") from None
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise UserError(
            f"{folder}: the tagger is damaged ({type(error).__name__}: {error}). Train it again."
        ) from error


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
        found = self.own.get(name)
        if found is None and re.fullmatch(r"mtl_bench(\.\w+)+", name):
            try:
                found = get_class(name)
            except (ImportError, ValueError):
                found = None
        if found is None or not issubclass(found, base):
            raise UserError(
                f"{self.path}: names {name}, which is no {base.__name__} of this package, and is "
                "not loaded. If it is yours, hand it over: load_tagger(folder, classes=[...])."
            )
        return found


def _of_tasks(weights: Mapping[str, Tensor], tasks: Sequence[str]) -> dict[str, Tensor]:
    """Return the shared weights, and those of the heads of some tasks."""
    heads = tuple(f"heads.task_{task}." for task in tasks)
    return {n: w for n, w in weights.items() if not n.startswith("heads.") or n.startswith(heads)}


def _name(instance: object) -> str:
    return f"{type(instance).__module__}.{type(instance).__qualname__}"


def _rest(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "class"}
