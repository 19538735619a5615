"""Skip, resume, extend, train or refuse: every case."""

import pytest

from mtl_bench.runs.checkpoint_header import CheckpointHeader
from mtl_bench.runs.decision import Decision, Request, RunFiles, decide
from tests.unit.runs.records import record

NOTHING = RunFiles()
SHORT, LONG = record("finished", 300), record("finished", 900)
AT_200, AT_300, AT_500 = (CheckpointHeader("key", step) for step in (200, 300, 500))


def ask(**options):
    return Request("key", **{"steps": 300, **options})


@pytest.mark.parametrize(
    ("request_", "files", "expected"),
    [
        # nothing there
        (ask(), NOTHING, Decision("train", 0, 300)),
        (ask(), RunFiles(checkpoint=AT_200), Decision("resume", 200, 300)),
        (ask(), RunFiles(checkpoint=AT_300), Decision("resume", 300, 300)),
        # finished
        (ask(), RunFiles(SHORT), Decision("skip", 300, 300)),
        (ask(steps=20), RunFiles(SHORT), Decision("skip", 300, 300)),
        (ask(), RunFiles(SHORT, checkpoint=AT_300), Decision("skip", 300, 300)),
        (ask(), RunFiles(LONG), Decision("skip", 900, 900)),
        (ask(save_weights=True), RunFiles(SHORT, weights=True), Decision("skip", 300, 300)),
        # finished, and its weights are wanted after all
        (ask(save_weights=True), RunFiles(SHORT), Decision("extend", 0, 300)),
        (ask(save_weights=True), RunFiles(SHORT, checkpoint=AT_300), Decision("extend", 300, 300)),
        (ask(save_weights=True), RunFiles(LONG), Decision("extend", 0, 900)),
        # finished, and more is asked
        (ask(steps=900), RunFiles(SHORT), Decision("extend", 0, 900)),
        (ask(steps=900), RunFiles(SHORT, checkpoint=AT_300), Decision("extend", 300, 900)),
        (ask(steps=900), RunFiles(SHORT, checkpoint=AT_500), Decision("extend", 500, 900)),
        (ask(steps=400), RunFiles(SHORT, checkpoint=AT_500), Decision("extend", 500, 500)),
        # interrupted or failed
        (
            ask(),
            RunFiles(record("interrupted", 200), checkpoint=AT_200),
            Decision("resume", 200, 300),
        ),
        (
            ask(),
            RunFiles(record("interrupted", 500), checkpoint=AT_500),
            Decision("resume", 500, 500),
        ),
        (ask(), RunFiles(record("interrupted", 0)), Decision("train", 0, 300)),
        (ask(), RunFiles(record("failed", 0)), Decision("train", 0, 300)),
        (ask(), RunFiles(record("failed", 200), checkpoint=AT_200), Decision("resume", 200, 300)),
        # overwrite trains again, whatever is there
        (ask(overwrite=True), RunFiles(SHORT, checkpoint=AT_300), Decision("train", 0, 300)),
        (ask(overwrite=True), RunFiles(checkpoint=AT_200), Decision("train", 0, 300)),
        (ask(overwrite=True), RunFiles(problem="damaged"), Decision("train", 0, 300)),
        (ask(overwrite=True), RunFiles(record("finished", 9, "other")), Decision("train", 0, 300)),
        # another run, or damage
        (ask(), RunFiles(problem="damaged"), Decision("refuse", obstacle="damaged record")),
        (
            ask(),
            RunFiles(record("finished", 300, "other")),
            Decision("refuse", obstacle="other run"),
        ),
        (
            ask(),
            RunFiles(record("interrupted", 2, "other")),
            Decision("refuse", obstacle="other run"),
        ),
        (ask(), RunFiles(record("failed", 0, "other")), Decision("train", 0, 300)),
        (
            ask(),
            RunFiles(checkpoint=CheckpointHeader("other", 2)),
            Decision("refuse", obstacle="other checkpoint"),
        ),
        (
            ask(),
            RunFiles(checkpoint=CheckpointHeader("", 0)),
            Decision("refuse", obstacle="damaged checkpoint"),
        ),
    ],
)
def test_what_is_done_follows_from_what_is_asked_and_what_is_there(request_, files, expected):
    assert decide(request_, files) == expected
