"""Damaged files of every kind that is read: each is read, or refused by its name.

MTL_BENCH_FUZZ is how many damages there are of a kind, MTL_BENCH_FUZZ_SEED draws them. A file that
is answered otherwise is kept in the test's folder; the first of each error is shown.
"""

import argparse
import contextlib
import gzip
import io
import json
import lzma
import os
import random
import resource
import shutil
import signal
import traceback
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from mtl_bench.analysis.predictors import predictor_file
from mtl_bench.analysis.recommend.history import History, Round, read_history
from mtl_bench.commands import check
from mtl_bench.config.tasks import make_reader, make_type, plain_task
from mtl_bench.errors import UserError
from mtl_bench.models.weights import load_taggers
from mtl_bench.runs.checkpoint_header import CheckpointHeader
from mtl_bench.runs.curve import CurveRow
from mtl_bench.runs.decision import Request, decide, read_files
from mtl_bench.runs.pack import pack
from mtl_bench.runs.record_reading import curve_of, read_record
from mtl_bench.runs.result_sets import about, unpacked
from mtl_bench.runs.sweep_folder import SweepRun, read_sweep, write_plan
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.sentences.read import Format, sentences
from mtl_bench.tasks.sentences.stream import open_lines
from mtl_bench.text.vector_files import read_vectors
from mtl_bench.training.callbacks.checkpoints import Checkpoints
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.callbacks.kept import KeptWeights
from mtl_bench.trust import named
from tests.fuzz import seeds
from tests.fuzz.mutate import COMPRESSED, mutated, zipped
from tests.unit.analysis.tables import made_table
from tests.unit.models.test_weights import save as save_tagger
from tests.unit.runs.records import record, task

COUNT = int(os.environ.get("MTL_BENCH_FUZZ", "300"))
SEED = os.environ.get("MTL_BENCH_FUZZ_SEED", "0")
CPU_SECONDS = 10  # that a case may take, of the process: machines are shared
MEMORY = 4 * 2**30  # bytes that it may take beside what the process has


class Kind(NamedTuple):
    """Files of a kind, by path. One is damaged, then `read` takes it and its member, if zipped."""

    files: dict[str, bytes]
    read: Callable
    packed: bool = False  # whether the damaged file may be compressed
    names: tuple[str, ...] = ()  # what errors may name in place of the file


class TooLong(BaseException):
    """A case takes longer than it may."""


def is_plain(text):
    """Return whether a text neither steers a terminal nor fails to be written."""
    odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} - {"\n", "\t"}
    return not odd and not set(text) & {*map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])}


def drained(examples):
    """Read all of a corpus, whose texts can be written again."""
    for each in examples:
        if isinstance(each, Example):
            assert each.words
            "".join([*each.words, *map(str, each.target)]).encode()


def reader(name):
    options, contents, part = seeds.READERS[name]
    read = named(f"mtl_bench.tasks.readers.{name}")(**options)

    def of_case(root, file, member=None):
        drained(read(file, member) if part is None else read(root, part))

    return lambda _: Kind(seeds.as_bytes(contents), of_case, part is None)


def datasets(root):
    library = pytest.importorskip("datasets")
    rows = {"tokens": [["Ada", "met"], ["no", "one"]], "ner_tags": [[1, 0], [0, 0]]}
    library.Dataset.from_dict(rows).save_to_disk(str(root / "made"))
    read = named("mtl_bench.tasks.readers.datasets.DatasetReader")(classes=["O", "B-PER"])
    return Kind(seeds.taken(root / "made"), lambda root, file: drained(read(root, None)))


def checked(root, file, member=None):
    others = [root / "columns.tsv"] * (file.name == "other.tsv")
    options = dict.fromkeys(("word", "label", "separator", "save"))
    with contextlib.redirect_stdout(io.StringIO()) as out:
        check.run(argparse.Namespace(what=[str(file), *map(str, others)], **options))
    wrong = [line for line in out.getvalue().split("\n") if not is_plain(line)]
    assert not wrong, f"it prints {wrong[0]!r}"


def checks(root):
    contents = seeds.CHECKED | {"other.tsv": seeds.COLUMNS}
    return Kind(seeds.as_bytes(contents), checked, names=("task '", "different numbers of columns"))


def tag(format_):
    def read(root, file, member=None):
        with contextlib.redirect_stderr(io.StringIO()) as err, open_lines(file) as source:
            for words in sentences(source, Format(format_)):
                "".join(words).encode()
        assert is_plain(err.getvalue())

    contents = {**seeds.CHECKED, "plain": "\n".join(seeds.TEXTS), "columns": seeds.COLUMNS}
    return lambda _: Kind(seeds.as_bytes(contents), read, True)


def tasks(root):
    def read(root, file):
        definition = plain_task(file)
        made = make_reader("mine", definition)
        load_corpus("mine", definition, made, make_type("mine", definition))

    (root / "a").write_text(seeds.COLUMNS)
    contents = {"mine.yaml": seeds.YAML, "other.yaml": json.dumps(seeds.TASK)}
    return Kind(seeds.as_bytes(contents), read, names=("task 'mine'", "mine: `root`"))


def write_sweep(sweep):
    """Write a sweep of two runs that are finished, and a single run that is not in its plan."""
    rows = [
        CurveRow(1, 1, "a", "train", {"loss": 1.5}),
        CurveRow(1, 1, "a", "dev", {"loss": 0.5, "f1": 0.2}),
    ]
    for name in ("a", "a+b", "b"):
        (folder := sweep / name / "seed0").mkdir(parents=True)
        tasks = {each: task() for each in name.split("+")}
        record(tasks=tasks, config={"a": {"b": 1}}, versions={"x": "1"}).write(folder, rows)
    write_plan(
        sweep, [SweepRun(f"{t}/seed0", (*t.split("+"),), 0, (0.5, 9.0)) for t in ("a", "a+b")]
    )


def sweeps(root):
    def read(root, file):
        for status in read_sweep(root):
            folder = root / status.run.folder
            assert status.run.steps >= 0
            decide(Request("key", 5), read_files(folder))
            if found := status.record and read_record(folder):
                found.main_first()
                curve_of(found, folder)
            assert is_plain(f"{status.problem} {status.run.variant} {' '.join(status.run.tasks)}")

    write_sweep(root / "made")
    header = CheckpointHeader("key", 1, "0").line() + b"rest"
    beat = json.dumps({"host": "another", "pid": 1, "step": 2, "steps": 9}).ljust(200).encode()
    extra = {"b/seed0/checkpoint.pt": header, "b/seed0/.heartbeat": beat}
    return Kind(seeds.taken(root / "made") | extra, read)


def result_sets(root):
    def read(root, file):
        packed = file
        if file.suffix == ".tar":  # damaged inside
            packed = file.with_name("b.tar.xz")
            packed.write_bytes(lzma.compress(file.read_bytes(), preset=0))
        try:
            about(unpacked(packed))
        finally:
            for folder in ("result_sets", "checksums"):
                shutil.rmtree(Path(os.environ["MTL_BENCH_CACHE"]) / folder, ignore_errors=True)

    write_sweep(root / "made")
    file = root / "made" / "a.tar.xz"
    pack(root / "made", read_sweep(root / "made"), file, "t", "CC0")
    content = file.read_bytes()
    shutil.rmtree(root / "made")
    return Kind({file.name: content, "b.tar": lzma.decompress(content)}, read)


def histories(root):
    def read(root, file):
        if found := read_history(root, "m"):
            found.steps({"a+m/0": 500})

    history = History("m", ["a", "b", "a+b"], 2000.0, [100, 200], "value", arguments=["x=1"])
    history.bought, history.pending = {"a+m/0": (0, 400)}, [(["a", "m"], 100, 0)]
    history.rounds = [Round(["a+m/0 to 100"], 400, 1.5, "a", 0.2)]
    history.write(root / "made")
    return Kind(seeds.taken(root / "made"), read)


def predictors(root):
    (root / "made").mkdir()
    table = made_table(tasks=4)
    features = {
        m: {f"f{k}": table.values[n, k] for k in range(3)} for n, m in enumerate(table.main)
    }
    families = {"data": {"_target_": "mtl_bench.analysis.features.data.DataFeatures"}}
    for name, options in (("Ridge", {"alpha": 2.0}), ("LogisticRegression", {"max_iter": 9})):
        predictor = {"_target_": f"sklearn.linear_model.{name}", **options}
        recipe = predictor_file.Recipe(predictor, families, "f1")
        predictor_file.save(root / "made" / f"{name}.json", table, features, recipe)
    return Kind(seeds.taken(root / "made"), lambda root, file: predictor_file.load(file))


def taggers(root):
    save_tagger(root / "made", steps={"a": 3, "b": 7})
    return Kind(seeds.taken(root / "made"), lambda root, file: load_taggers(file.parent))


def checkpoints(root):
    def parts():
        curves = Curves("dev")
        return curves, KeptWeights(curves, best=False)

    states = [part.state_dict() for part in parts()]
    state = dict(zip(("curves", "kept"), states, strict=True), seconds=1.0, model=torch.ones(3))
    torch.save(state, stream := io.BytesIO())
    content = CheckpointHeader("key", 1).line() + stream.getvalue()
    return Kind({"a.pt": content}, lambda _, file: Checkpoints(file, "key", *parts(), 60.0).read())


def vectors(root):
    text, numbers = seeds.VECTORS.encode(), {"vectors": np.ones((3, 3)), "mean_all": np.ones(3)}
    np.savez(stream := io.BytesIO(), words=np.array(["a", "b", "b"]), source=np.ones(3), **numbers)
    contents = {"a.npz": stream.getvalue(), "a.txt": text, "b.vec": text.partition(b"\n")[2]}
    contents["c.zip"] = zipped(text, random.Random(0), "v.txt")
    return Kind(contents, lambda _, file: read_vectors(file, 3, None, None))


KINDS = {
    **{name: reader(name) for name in seeds.READERS},
    "datasets.DatasetReader": datasets,
    **{f"tag --input {name}": tag(name) for name in ("plain", "conll", "jsonl", None)},
    **{f.__name__: f for f in (checks, tasks, sweeps, result_sets, histories, predictors)},
    **{f.__name__: f for f in (taggers, checkpoints, vectors)},
}


@contextlib.contextmanager
def limits():
    """Stop a case that takes too long or too much memory."""

    def stop(*_):
        raise TooLong

    pages = int(Path("/proc/self/statm").read_text().split()[5])
    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    handler = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_DATA, before)


def mistake(kind, root, file, *member):
    """Read a damaged file; return what went wrong and where, if anything did, and the error."""
    try:
        with limits():
            kind.read(root, file, *member)
    except UserError as error:
        if not is_plain(str(error)):
            return "control characters in an error", error
        names = (str(file), str(root), *kind.names)
        return None if any(name in str(error) for name in names) else ("no name", error)
    except (Exception, TooLong) as error:
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{f.filename}:{f.lineno}" for f in frames if "/mtl_bench/" in f.filename]
        place = places[-1] if places else f"line {frames[-1].lineno} of the test"
        return f"{type(error).__name__} in {place}", error
    return None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # libraries warn of what they read all the same
@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_read_or_refused_by_name(tmp_path, name):
    (root := tmp_path / "root").mkdir()
    kind = KINDS[name](root)
    found = {}
    for case in range(COUNT):
        draw = random.Random(f"{name} {SEED} {case}")
        path = draw.choice(sorted(kind.files))
        content, member = kind.files[path], []
        if path.endswith(".gz") and draw.random() < 0.8:
            content = gzip.compress(mutated(gzip.decompress(content), draw), 1)
        elif kind.packed and (suffix := draw.choice(("", "", *COMPRESSED))):
            content, path = COMPRESSED[suffix](mutated(content, draw), draw), f"{path}{suffix}"
            content = mutated(content, draw) if draw.random() < 0.3 else content
            member = ["member"] * (suffix == ".zip")
        else:
            content = mutated(content, draw)
        for other, whole in (kind.files | {path: content}).items():
            (root / other).parent.mkdir(parents=True, exist_ok=True)
            (root / other).write_bytes(whole)
        wrong = mistake(kind, root, root / path, *member)
        if wrong and wrong[0] not in found:
            (kept := tmp_path / f"case{case}{Path(path).suffix}").write_bytes(content)
            found[wrong[0]] = f"case {case}, {path}, kept as {kept}: {wrong[0]}: {wrong[1]!r:.400}"
        if path not in kind.files:
            (root / path).unlink()
    assert not found, f"seed {SEED}\n" + "\n".join(found.values())


def test_every_reader_is_among_them():
    import mtl_bench.tasks.readers as package

    folder = Path(package.__file__).parent
    modules = {
        ".".join(file.relative_to(folder).with_suffix("").parts)
        for file in folder.rglob("*.py")
        if "Reader:\n" in file.read_text()
    }
    assert modules - {"synthetic"} == {
        name.rpartition(".")[0] for name in KINDS if "Reader" in name
    }
