"""Files from a mirror, the cache or a server: used only if they are the ones expected."""

import hashlib
import http.server
import io
import shutil
import subprocess
import sys
import tarfile
import textwrap
import threading
import time

import pytest

from mtl_bench.errors import UserError
from mtl_bench.files import sha256
from mtl_bench.tasks import fetch as fetching
from mtl_bench.tasks.fetch import Source, expected, fetch

CONTENT = b"the corpus"
SUM = hashlib.sha256(CONTENT).hexdigest()
MEMBERS = {"a/one.txt": b"first", "a/two.txt": b"second"}


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what `files` holds; `/slow` hangs, `/short` breaks off, `/error` fails."""

    files = {}  # noqa: RUF012

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(3)
        content = self.files.get(self.path)
        self.send_response(500 if self.path == "/error" else 404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"") + 7 * (self.path == "/short")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """The address of a server, and the files that it has."""
    Handler.files = {"/corpus": CONTENT, "/short": CONTENT, "/slow": CONTENT}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Handler.files
    server.shutdown()
    server.server_close()


def files_of(folder):
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


@pytest.fixture
def corpora(tmp_path):
    """What the cache holds but for remembered checksums."""
    return lambda: [f for f in files_of(tmp_path / "cache") if not f.startswith("checksums")]


def archive(*members, mode="w:gz"):
    """Return a tar archive of (name, content or TarInfo)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:
        for name, content in members:
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return stream.getvalue()


@pytest.fixture
def folder_source(tmp_path):
    """A source of two files, whose list of members lies in the temporary folder."""
    lines = (f"{hashlib.sha256(c).hexdigest()}  {name}\n" for name, c in MEMBERS.items())
    (tmp_path / "members.sha256").write_text("".join(lines))
    return lambda url, archive=None: Source("raw/x", url, None, "members.sha256", archive)


def test_a_file_is_downloaded_once_and_then_cached(server, tmp_path):
    source = Source("raw/x/corpus", f"{server[0]}/corpus", SUM)
    folder = fetch([source], None)
    assert (folder / "raw/x/corpus").read_bytes() == CONTENT
    assert folder == tmp_path / "cache"
    gone = Source("raw/x/corpus", "http://127.0.0.1:9/corpus", SUM)
    assert fetch([gone], None) == folder


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # requests' sockets
@pytest.mark.parametrize(
    ("path", "digest", "reason"),
    [
        ("corpus", "0" * 64, "SHA256 hash of downloaded file"),
        ("short", None, "IncompleteRead"),
        ("short", SUM, "IncompleteRead"),
        ("error", None, "500 Server Error"),
        ("absent", SUM, "404"),
        ("slow", SUM, "Read timed out"),
    ],
)
def test_a_download_that_fails_leaves_nothing_behind(
    server, corpora, monkeypatch, path, digest, reason
):
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.5)
    with pytest.raises(UserError, match="cannot be downloaded") as error:
        fetch([Source("raw/corpus", f"{server[0]}/{path}", digest)], None)
    assert reason in str(error.value)
    assert corpora() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # requests' sockets
def test_without_a_network_the_error_says_all_that_is_needed(tmp_path):
    source = Source("raw/corpus", "http://127.0.0.1:9/corpus", SUM)
    with pytest.raises(UserError) as error:
        fetch([source], "CC BY 3.0")
    for part in (source.url, "CC BY 3.0", str(tmp_path / "cache/raw/corpus"), "MTL_BENCH_MIRROR"):
        assert part in str(error.value)


def test_files_of_a_folder_are_downloaded_one_by_one(server, folder_source, corpora, tmp_path):
    server[1].update({f"/{name}": content for name, content in MEMBERS.items()})
    source = folder_source(f"{server[0]}/{{member}}")
    folder = fetch([source], None, tmp_path)
    assert (folder / "raw/x/a/two.txt").read_bytes() == b"second"
    (folder / "raw/x/a/two.txt").unlink()
    server[1].pop("/a/one.txt")  # is here, and not asked for again
    assert fetch([source], None, tmp_path) == folder
    assert corpora() == ["raw/x/a/one.txt", "raw/x/a/two.txt"]


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w"])
def test_members_of_an_archive_are_found_by_name_and_checksum(
    server, folder_source, corpora, tmp_path, mode
):
    server[1]["/archive"] = archive(
        ("repo-1/old/a/one.txt", b"an older one of that name"),
        *((f"repo-1/data/{name}", content) for name, content in MEMBERS.items()),
        ("repo-1/other", b"not asked for"),
        mode=mode,
    )
    fetch([folder_source(f"{server[0]}/archive")], None, tmp_path)
    assert corpora() == ["raw/x/a/one.txt", "raw/x/a/two.txt"]


def link(name, kind, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return (name, info)


GOOD = [(f"repo/{name}", content) for name, content in MEMBERS.items()]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([*GOOD, ("repo/../../evil", b"x")], "'repo/../../evil', which would lie outside"),
        ([*GOOD, ("/etc/evil", b"x")], "'/etc/evil', which would lie outside"),
        ([link("repo/a/one.txt", tarfile.SYMTYPE, "/etc/passwd"), GOOD[1]], "is a link"),
        ([GOOD[1], link("repo/a/one.txt", tarfile.LNKTYPE, "repo/a/two.txt")], "is a link"),
        ([link("repo/a/one.txt", tarfile.FIFOTYPE, "")], "is a link or a device"),
        (
            [GOOD[0]],
            "1 of 2 files expected are not in it, or have other content; the first is 'a/two.txt'",
        ),
        ([GOOD[0], ("repo/a/two.txt", b"changed")], hashlib.sha256(b"changed").hexdigest()),
    ],
)
def test_an_archive_that_is_not_as_expected_is_not_used(
    server, folder_source, corpora, tmp_path, members, message
):
    server[1]["/archive"] = archive(*members)
    with pytest.raises(UserError) as error:
        fetch([folder_source(f"{server[0]}/archive")], None, tmp_path)
    assert message in str(error.value)
    assert corpora() == []
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * 2000]
)
@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_a_damaged_archive_is_not_used(server, folder_source, corpora, tmp_path, damage, mode):
    server[1]["/archive"] = damage(archive(*GOOD, mode=mode))
    with pytest.raises(UserError, match="is not a tar archive, or is damaged"):
        fetch([folder_source(f"{server[0]}/archive")], None, tmp_path)
    assert corpora() == []


def test_a_mirror_may_hold_the_archive(folder_source, corpora, tmp_path, monkeypatch):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/x.tar.xz").write_bytes(archive(*GOOD, mode="w:xz"))
    monkeypatch.setenv("MTL_BENCH_MIRROR", str(tmp_path / "mirror"))
    source = folder_source("http://127.0.0.1:9/archive", "x.tar.xz")
    assert fetch([source], None, tmp_path) == tmp_path / "cache"
    assert corpora() == ["raw/x/a/one.txt", "raw/x/a/two.txt"]


def test_a_changed_file_is_noticed(folder_source, tmp_path, server):
    server[1]["/archive"] = archive(*GOOD)
    source = folder_source(f"{server[0]}/archive")
    folder = fetch([source], None, tmp_path)
    (folder / "raw/x/a/one.txt").write_bytes(b"changed")
    with pytest.raises(UserError, match="not the file expected"):
        fetch([source], None, tmp_path)


def test_the_mirror_comes_first_and_is_checked_too(tmp_path, monkeypatch):
    mirror = tmp_path / "mirror"
    (mirror / "raw").mkdir(parents=True)
    (mirror / "raw/corpus").write_bytes(CONTENT)
    monkeypatch.setenv("MTL_BENCH_MIRROR", str(mirror))
    source = Source("raw/corpus", "http://127.0.0.1:9/corpus", SUM)
    assert fetch([source], None) == mirror
    (mirror / "raw/corpus").write_bytes(b"something else")
    with pytest.raises(UserError, match="not the file expected"):
        fetch([source], None)


def test_a_mirror_that_is_no_folder_is_refused(monkeypatch):
    monkeypatch.setenv("MTL_BENCH_MIRROR", "/no/such/folder")
    with pytest.raises(UserError, match="MTL_BENCH_MIRROR is '/no/such/folder'"):
        fetch([], None)


def test_a_checksum_follows_a_changed_file(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"one")
    assert sha256(file) == sha256(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"three")
    assert sha256(file) == hashlib.sha256(b"three").hexdigest()


@pytest.mark.parametrize("path", ["../x", "/x", "raw/../../x"])
def test_a_place_outside_the_data_folder_is_refused(path):
    with pytest.raises(UserError, match="is not below the data folder"):
        fetch([Source(path, "http://127.0.0.1:9/x", SUM)], None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("zzz  a\n", "line 1: expected"),
        (f"{SUM}  ../a", "line 1: expected"),
    ],
)
def test_a_list_of_members_is_checked(tmp_path, content, message):
    if content:
        (tmp_path / "members.sha256").write_text(content)
    with pytest.raises(UserError, match=message):
        fetch([Source("raw/x", "https://x", None, "members.sha256")], None, tmp_path)


def test_a_source_without_members_is_one_file(tmp_path):
    [file] = expected(Source("raw/a", "https://x/a", SUM), tmp_path)
    assert (file.path, file.url, file.sha256) == ("raw/a", "https://x/a", SUM)


FETCH = """
    import sys
    from pathlib import Path
    from mtl_bench.errors import UserError
    from mtl_bench.tasks.fetch import Source, fetch
    url, members = sys.argv[1:]
    try:
        place = fetch([Source("raw/x", url, None, "members.sha256")], None, Path(members))
    except UserError as error:
        sys.exit(str(error))
    print(sum(f.stat().st_size for f in (place / "raw/x").rglob("*") if f.is_file()))
"""


def fetch_elsewhere(url, members):
    """Fetch in a process of its own."""
    return [sys.executable, "-c", textwrap.dedent(FETCH), url, str(members)]


def test_two_processes_at_once_do_each_other_no_harm(server, folder_source, corpora, tmp_path):
    server[1]["/archive"] = archive(*GOOD)
    folder_source("")
    processes = [
        subprocess.Popen(
            fetch_elsewhere(f"{server[0]}/archive", tmp_path), stdout=-1, stderr=-1, text=True
        )
        for _ in range(4)
    ]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, ends
    assert [out.strip() for out, _ in ends] == [str(sum(map(len, MEMBERS.values())))] * 4
    assert corpora() == ["raw/x/a/one.txt", "raw/x/a/two.txt"]


@pytest.mark.parametrize("kind", ["archive", "{member}"])
def test_a_full_disk_is_told_and_nothing_half_written_is_used(server, tmp_path, monkeypatch, kind):
    large = {"big": bytes(range(256)) * 1000}
    server[1].update({"/big": large["big"], "/archive": archive(("repo/big", large["big"]))})
    digest = hashlib.sha256(large["big"]).hexdigest()
    (tmp_path / "members.sha256").write_text(f"{digest}  big\n")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=64k tmpfs {disk}"
    script = f'{mount} && "$@"; code=$?; echo left:; find {disk} -type f; exit $code'
    small = ["unshare", "-rm", "sh", "-c", script, "-"]
    tried = shutil.which("unshare") and subprocess.run([*small, "true"], capture_output=True)
    if not tried or tried.returncode:
        pytest.skip("needs unshare, to mount a small disk")
    monkeypatch.setenv("MTL_BENCH_CACHE", str(disk))
    fetching_there = fetch_elsewhere(f"{server[0]}/{kind}", tmp_path)
    end = subprocess.run([*small, *fetching_there], capture_output=True, text=True)
    assert end.returncode == 1, end
    assert "No space left on device" in end.stderr
    assert "Traceback" not in end.stderr
    assert end.stdout.strip() == "left:"
