"""Where a run comes from."""

import shutil
import subprocess

from mtl_bench.runs import provenance


def test_the_commit_is_that_of_the_code_and_not_of_a_checkout_around_it(tmp_path, monkeypatch):
    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True)

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "n")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "n@example.org")
    copy = tmp_path / "site-packages" / "provenance.py"
    copy.parent.mkdir()
    shutil.copy(provenance.__file__, copy)
    monkeypatch.setattr(provenance, "__file__", str(copy))
    git("init")
    git("commit", "--allow-empty", "-m", "their own")
    assert provenance._git_commit() is None
    git("add", "site-packages")
    git("commit", "-m", "the code")
    assert len(provenance._git_commit()) == 40
    copy.write_text("changed")
    assert provenance._git_commit().endswith("+changes")
