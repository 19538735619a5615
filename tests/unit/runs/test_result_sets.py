"""Result sets: what is packed comes back, without what is nobody else's business."""

import gzip
import io
import json
import lzma
import re
import tarfile

import pytest

from mtl_bench.errors import UserError
from mtl_bench.runs.curve import CurveRow, read_curve
from mtl_bench.runs.pack import pack
from mtl_bench.runs.result_sets import SUFFIX, about, is_result_set, packaged, unpacked
from mtl_bench.runs.sweep_folder import read_sweep, sweep_folder
from tests.unit.runs.records import record, task

LIMIT = 5_000_000  # bytes of a set of the package


@pytest.fixture
def sweep(tmp_path):
    """A sweep of a single and a pair run, and one that failed."""
    folder = tmp_path / "mine"
    secret = {"paths": {"output_dir": "/home/me/out"}, "list": ["C:\\data\\x.txt", 1, None]}
    common = {"config": secret, "host": {"name": "my-machine", "machine": "x86_64"}}
    one, both = {"a": task()}, {"a": task(0.6), "b": task(0.7)}
    train = CurveRow(10, 10, "a", "train", {"loss": 1 / 3})
    dev = CurveRow(10, 10, "a", "dev", {"loss": 0.5, "f1": 0.25})
    timings = {"train_seconds": 2.0}
    runs = {
        "a": record(steps=10, tasks=one, timings=timings, **common),
        "a+b": record(steps=20, tasks=both, timings=timings, **common),
        "b": record("failed", tasks={"b": task(None)}, **common),
    }
    for name, content in runs.items():
        place = folder / name / "seed0"
        place.mkdir(parents=True)
        content.write(place, [train, dev])
    return folder


def packed(sweep, tmp_path, **options):
    file = tmp_path / f"set{SUFFIX}"
    given = {"title": "t", "licence": "CC0-1.0", "commands": ["python train.py"], **options}
    return file, pack(sweep, read_sweep(sweep), file, **given)


def test_what_is_packed_is_read_as_a_sweep(sweep, tmp_path):
    file, content = packed(sweep, tmp_path)
    folder = sweep_folder(file)
    assert folder.name == "set"
    assert is_result_set(folder)
    assert not is_result_set(sweep)
    assert about(folder) == content
    assert (content.runs, content.tasks, content.steps) == (2, ["a", "b"], 30)
    assert content.train_seconds == 4
    statuses = read_sweep(folder)
    assert [(s.run.folder, s.state) for s in statuses] == [
        ("a+b/seed0", "finished"),
        ("a/seed0", "finished"),
    ]
    before = {s.run.folder: s.record for s in read_sweep(sweep) if s.record}
    for status in statuses:
        assert status.record.tasks == before[status.run.folder].tasks


def test_curves_keep_eight_digits_and_what_studies_read(sweep, tmp_path):
    folder = unpacked(packed(sweep, tmp_path)[0])
    train, dev = read_curve(folder / "a/seed0")
    assert train.values["loss"] == 0.33333333
    assert dev.values == {"loss": 0.5, "f1": 0.25}
    assert [row.split for row in read_curve(folder / "a+b/seed0")] == ["dev"]


def test_names_and_paths_of_a_machine_stay_there(sweep, tmp_path):
    file, _ = packed(sweep, tmp_path)
    text = (unpacked(file) / "a/seed0/record.json").read_text()
    assert not re.search(r"home|my-machine|C:", text)
    assert json.loads(text)["config"] == {
        "paths": {"output_dir": "out"},
        "list": ["x.txt", 1, None],
    }


def test_the_same_runs_are_the_same_bytes(sweep, tmp_path):
    first = packed(sweep, tmp_path)[0].read_bytes()
    assert packed(sweep, tmp_path)[0].read_bytes() == first


def test_a_sweep_without_a_finished_run_is_refused(sweep, tmp_path):
    failed = [status for status in read_sweep(sweep) if status.state == "failed"]
    with pytest.raises(UserError, match="has no finished run"):
        pack(sweep, failed, tmp_path / "x.tar.xz", "t", "l")


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_file_that_is_none_is_named_and_leaves_nothing(content, tmp_path):
    file = tmp_path / f"bad{SUFFIX}"
    if content is None:
        with tarfile.open(file, "w:xz") as archive:
            archive.add(__file__, "other.txt")
    else:
        file.write_bytes(content)
    for _ in range(2):  # what the first attempt left would be taken for a set by the second
        with pytest.raises(
            UserError, match=f"bad{SUFFIX}: (is no result set, or damaged|.*damaged, or cut)"
        ):
            sweep_folder(file)


def test_a_file_cut_short_is_damaged(sweep, tmp_path):
    file, _ = packed(sweep, tmp_path)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UserError, match="damaged"):
        unpacked(file)


def test_a_folder_of_the_same_name_comes_first(sweep, tmp_path, monkeypatch):
    name = next(iter(packaged()))
    assert is_result_set(sweep_folder(name))
    (tmp_path / "multirun_outputs").mkdir()
    sweep.rename(tmp_path / "multirun_outputs" / name)
    assert str(sweep_folder(name)) == f"multirun_outputs/{name}"


@pytest.mark.parametrize("name", packaged())
def test_a_set_of_the_package_is_small_whole_and_nobody_s(name):
    file = packaged()[name]
    assert file.stat().st_size < LIMIT
    folder = unpacked(file)
    content = about(folder)
    assert content.title
    assert content.licence
    assert content.commands
    statuses = read_sweep(folder)
    assert len(statuses) == content.runs
    assert {status.state for status in statuses} == {"finished"}
    assert all("+changes" not in commit and commit != "not known" for commit in content.commits)
    for status in statuses:
        assert "name" not in status.record.host
        text = json.dumps([status.record.config, status.record.inputs])
        assert not re.search(r'": ?"/|/root|/home|/work', text)
        assert read_curve(folder / status.run.folder)


def archive(*members):
    """A tar of members: name, content, and fields of its header."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, fields in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in fields.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


SPARSE = {f"GNU.sparse.{k}": v for k, v in (("major", "0"), ("minor", "1"), ("map", "0,1"))}
SPARSE |= dict.fromkeys(("GNU.sparse.size", "GNU.sparse.realsize"), str(10**12))


@pytest.mark.parametrize(
    "members",
    [
        [("a" * 300, b"x", {})],
        [("p", b"x", {}), ("p/q", b"x", {})],
        [("../x", b"x", {})],
        [("big", b"0\n", {"pax_headers": SPARSE})],
        [("f", b"", {"type": tarfile.FIFOTYPE})],
        [("f", b"", {"type": tarfile.LNKTYPE, "linkname": "none"})],
        [("f", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc"})],
        [("f", b"x", {"mtime": 10**30})],
    ],
    ids=["long", "file as folder", "outside", "sparse", "pipe", "link", "symbolic link", "time"],
)
def test_members_that_no_set_has_are_refused(sweep, tmp_path, members):
    file, _ = packed(sweep, tmp_path)
    with tarfile.open(file) as own:
        about_text = own.extractfile("about.json").read()
    bad = tmp_path / f"bad{SUFFIX}"
    bad.write_bytes(lzma.compress(archive(("about.json", about_text, {}), *members)))
    with pytest.raises(UserError, match="is no result set, or damaged"):
        unpacked(bad)
    assert not list((tmp_path / "cache" / "result_sets").rglob("about.json"))


def test_what_is_compressed_twice_is_no_way_around_the_limit(tmp_path):
    bad = tmp_path / f"bad{SUFFIX}"
    bad.write_bytes(lzma.compress(gzip.compress(archive(("zeros", bytes(10**6), {})))))
    with pytest.raises(UserError, match="is no result set, or damaged"):
        unpacked(bad)
