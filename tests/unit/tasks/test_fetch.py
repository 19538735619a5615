"""Files from a mirror, the cache or a server: used only if they are the ones expected."""

import hashlib
import http.server
import threading

import pytest

from mtl_bench.errors import UserError
from mtl_bench.tasks.fetch import Source, fetch, sha256

CONTENT = b"the corpus"
SUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path == "/corpus"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if found:
            self.wfile.write(CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_downloaded_once_and_then_cached(address, tmp_path):
    source = Source("raw/x/corpus", f"{address}/corpus", SUM)
    folder = fetch([source], None)
    assert (folder / "raw/x/corpus").read_bytes() == CONTENT
    assert folder == tmp_path / "cache"
    gone = Source("raw/x/corpus", "http://127.0.0.1:9/corpus", SUM)
    assert fetch([gone], None) == folder


def test_a_wrong_checksum_leaves_nothing_behind(address, tmp_path):
    with pytest.raises(UserError, match="cannot be downloaded"):
        fetch([Source("raw/corpus", f"{address}/corpus", "0" * 64)], None)
    assert not list((tmp_path / "cache" / "raw").glob("*"))


def test_without_a_network_the_error_says_all_that_is_needed(tmp_path):
    source = Source("raw/corpus", "http://127.0.0.1:9/corpus", SUM)
    with pytest.raises(UserError) as error:
        fetch([source], "CC BY 3.0")
    for part in (source.url, "CC BY 3.0", str(tmp_path / "cache/raw/corpus"), "MTL_BENCH_MIRROR"):
        assert part in str(error.value)


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
