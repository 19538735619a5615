"""`mtl-bench cache`: what is there is listed, and removed if it can be made again."""

import json
import os
import re
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from filelock import FileLock

import mtl_bench
from mtl_bench.__main__ import main
from mtl_bench.commands.cache import COMPUTED, DOWNLOADED, KINDS
from mtl_bench.files import cached_path, read_cached, write_cached


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with something of each kind."""
    folder = tmp_path / "other cache"
    monkeypatch.setenv("MTL_BENCH_CACHE", str(folder))
    for kind in ("checksums", "corpora", "kernels"):
        write_cached(cached_path(kind, "some", 1), b"x" * 1_000_000)
        write_cached(cached_path(kind, "some", 2), b"x" * 1_000_000)
    for kind in ("vectors", "states"):
        place = cached_path(kind, "some", 1)
        (place / "done").mkdir(parents=True)
        np.save(place / "states.npy", np.zeros(1000))
        (place / "lock").touch()
        (place / "done" / "0.lock").touch()
    (folder / "result_sets" / "some" / "name").mkdir(parents=True)
    (folder / "result_sets" / "some" / "name" / "about.json").write_text("{}")
    memory = joblib.Memory(folder / "scores", verbose=0)
    memory.cache(abs)(-3)
    for kind in ("raw", "embeddings", "licensed", "mine"):
        (folder / kind / "corpus").mkdir(parents=True)
        (folder / kind / "corpus" / "train.txt").write_text("some text")
    return folder


@pytest.fixture
def bench(capfd):
    def run(*arguments):
        capfd.readouterr()
        code = main(["cache", *arguments])
        return code, *capfd.readouterr()

    return run


def listed(bench):
    return {row["kind"]: row for row in json.loads(bench("--format", "json")[1])}


def test_each_kind_is_listed_with_its_size(cache, bench):
    rows = listed(bench)
    assert rows.keys() == {*KINDS, "licensed", "mine"}
    assert (rows["corpora"]["entries"], rows["corpora"]["MB"]) == (2, 2.0)
    assert rows["scores"]["entries"] == rows["states"]["entries"] == 1
    assert "downloaded" in rows["raw"]["holds"]
    assert "never removed" in rows["licensed"]["if removed"]
    code, out, _ = bench()
    assert (code, f"{cache}: 6.0 MB in all" in " ".join(out.split())) == (0, True)


def test_a_cache_that_is_not_there_is_empty(monkeypatch, tmp_path, bench):
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "nowhere"))
    assert listed(bench) == {}
    assert bench("clear")[0] == 0
    assert not (tmp_path / "nowhere").exists()


def test_downloads_are_removed_only_if_they_are_named(cache, bench):
    code, out, _ = bench("clear")
    assert code == 0
    assert "corpora: 2 removed, 2.0 MB" in out
    rows = listed(bench)
    assert {kind for kind in COMPUTED if rows[kind]["entries"]} == set()
    assert {kind for kind in DOWNLOADED if rows[kind]["entries"]} == set(DOWNLOADED)
    code, out, _ = bench("clear", "raw", "raw")
    assert (code, out) == (0, "raw: 1 removed, 0.0 MB (downloaded again)\n")
    assert not list((cache / "raw").iterdir())
    for kind in ("embeddings", "licensed", "mine"):
        assert (cache / kind / "corpus" / "train.txt").exists()


def test_only_the_kinds_named_are_removed(cache, bench):
    bench("clear", "corpora", "states")
    rows = listed(bench)
    assert [rows[kind]["entries"] for kind in ("corpora", "states")] == [0, 0]
    assert [rows[kind]["entries"] for kind in ("checksums", "vectors", "scores")] == [2, 1, 1]


@pytest.mark.parametrize("lock", ["lock", "done/0.lock"])
def test_what_a_process_works_on_stays(cache, bench, lock):
    place = cached_path("states", "some", 1)
    with FileLock(place / lock):
        code, out, _ = bench("clear", "states")
        assert code == 0
        assert (
            f"states: 0 removed, 0.0 MB (computed again, in minutes to hours)\n  left, since a process works on it: {place}"
            in out
        )
        assert np.load(place / "states.npy").size == 1000
    assert "1 removed" in bench("clear", "states")[1]
    assert not list((cache / "states").iterdir())


def test_what_is_being_written_stays_unless_it_is_old(cache, bench):
    for name in (".some-0.abcdefgh", "tmpabcdefgh"):
        (cache / "kernels" / name).mkdir()
    bench("clear", "kernels")
    assert len(list((cache / "kernels").iterdir())) == 2
    for path in (cache / "kernels").iterdir():
        os.utime(path, (time.time() - 7200,) * 2)
    bench("clear", "kernels")
    assert not list((cache / "kernels").iterdir())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["clear", "nope"], "there is no kind 'nope'. Possible: checksums, corpora, kernels"),
        (["clear", "licensed"], "there is no kind 'licensed'"),
        (["remove"], "'remove' is nothing that can be done"),
    ],
)
def test_mistakes_are_answered_and_nothing_is_removed(cache, bench, arguments, expected):
    before = listed(bench)
    code, _, err = bench(*arguments)
    assert (code, expected in err) == (2, True)
    assert listed(bench) == before


def test_what_is_removed_is_made_again(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "other cache"))
    path = cached_path("corpora", "some", 1)
    write_cached(path, b"content")
    bench("clear")
    assert read_cached(path) is None
    write_cached(path, b"content")
    assert read_cached(path) == b"content"


def test_every_kind_of_the_package_is_known():
    package = Path(mtl_bench.__file__).parent
    calls = [
        kind
        for file in package.rglob("*.py")
        for kind in re.findall(r'(?:cached_path\(|cache_folder\(\) / )"(\w+)"', file.read_text())
    ]
    assert {"corpora", "vectors", "scores"} <= set(calls) <= set(COMPUTED)
