"""A trained tagger on the command line: it tags, and scores what it tags as its run did."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import chdir, contextmanager
from pathlib import Path

import numpy as np
import pytest

import mtl_bench
from mtl_bench.__main__ import main
from mtl_bench.commands.shared.definitions import corpus_of, definitions
from mtl_bench.errors import UserError
from mtl_bench.runs.record_reading import read_record
from mtl_bench.tasks.types.tagging_scores import TaggingScorer
from tests.conftest import REPOSITORY
from tests.forked import train

TASKS = ("syn_chu", "syn_pos")
PAIR = ["main=syn_chu", "aux=syn_pos", "steps_per_task=60", "optimizer=adam", "optimizer.lr=0.01"]
VARIANT = "optimizer.lr=0.01,optimizer=adam"


def gold(task):
    return corpus_of(task, definitions([task])[task])["test"]


def columns(examples, end="\n"):
    return "".join(
        "".join(f"{word}\t{label}{end}" for word, label in zip(*example, strict=True)) + end
        for example in examples
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a pair run, trained once for all tests, with the test files of its tasks."""
    place = tmp_path_factory.mktemp("tagging")
    with chdir(place):
        end = train(*PAIR, "callbacks.progress=false")
    assert end.returncode == 0, end.stderr
    run = place / "multirun_outputs/default/syn_chu+syn_pos" / VARIANT / "seed0"
    for task in TASKS:
        (run / f"{task}.tsv").write_text(columns(gold(task)), "utf-8")
    return run


@pytest.fixture
def bench(capfd, monkeypatch):
    """Run a command with some standard input; return exit code, output and errors."""

    def run(*arguments, stdin=""):
        content = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return run


def sentences_of(output):
    """Return the cells of conll output, by sentence."""
    blocks = output.removesuffix("\n\n").split("\n\n")
    return [[line.split("\t") for line in block.split("\n")] for block in blocks]


def test_each_task_keeps_its_best_weights(folder):
    steps = {name: task.kept_step for name, task in read_record(folder).tasks.items()}
    assert {path.name for path in (folder / "tagger").iterdir()} == {
        *("tagger.json", *(f"step{step}.safetensors" for step in steps.values())),
    }


@pytest.mark.parametrize("task", TASKS)
def test_the_test_file_of_the_run_gives_the_metrics_of_its_record(folder, bench, task):
    record = read_record(folder).tasks[task]
    code, out, err = bench("evaluate", folder, folder / f"{task}.tsv", "--task", task, "--json")
    assert code == 0, err
    content = json.loads(out)
    assert content["metrics"] == record.final  # to the last digit
    assert (content["task"], content["sentences"]) == (task, 250)
    assert "2 columns, separated by tabs" in err
    _, out, _ = bench("evaluate", folder, folder / f"{task}.tsv", "--task", task)
    for name, value in record.final.items():
        title = record.metrics[name].title if name in record.metrics else name
        assert [title, f"{value:.4g}"] in [
            [cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines()
        ]


@pytest.mark.parametrize("task", TASKS)
def test_labels_are_those_that_the_evaluation_predicted(folder, bench, task, monkeypatch):
    predicted = []

    def update(self, predictions, gold, lengths):
        predicted.append(predictions)
        original(self, predictions, gold, lengths)

    original = TaggingScorer.update
    monkeypatch.setattr(TaggingScorer, "update", update)
    tagger = mtl_bench.load_tagger(folder)
    names = np.array(tagger.tasks[task].targets.names)
    for example in gold(task):
        tagger.evaluate([example], task)
    code, out, _ = bench("tag", folder, folder / f"{task}.tsv", "--task", task)
    assert code == 0
    labels = [[label for _, label in sentence] for sentence in sentences_of(out)]
    assert labels == [names[ids].tolist() for ids in predicted]
    words = tuple(tuple(word for word, _ in sentence) for sentence in sentences_of(out))
    assert words == tuple(example.words for example in gold(task))


def test_what_is_tagged_scores_in_full(folder, bench, tmp_path):
    _, out, _ = bench("tag", folder, folder / "syn_pos.tsv", "--task", "syn_pos")
    (tmp_path / "tagged.txt").write_text(out)
    _, out, _ = bench("evaluate", folder, "tagged.txt", "--task", "syn_pos", "--json")
    assert json.loads(out)["metrics"]["accuracy"] == 1


def test_every_input_gives_the_same_labels_and_every_output_has_them(folder, bench):
    words = [list(example.words) for example in gold("syn_chu")][:40]
    plain = "\n".join(" ".join(sentence) for sentence in words)
    conll = columns([(sentence, ["X"] * len(sentence)) for sentence in words], end="\r\n")
    jsonl = "".join(json.dumps({"tokens": sentence}) + "\n" for sentence in words)
    lists = "".join(json.dumps(sentence) + "\n" for sentence in words)
    Path("sentences.txt").write_text(plain)
    expected = bench("tag", folder, "sentences.txt")[1]
    assert bench("tag", folder, stdin=plain)[1] == expected
    assert bench("tag", folder, "-", stdin="\ufeff" + conll)[1] == expected
    for content in (jsonl, lists):
        assert (
            bench("tag", folder, "--input", "jsonl", "--chunk", "7", stdin=content)[1] == expected
        )
    _, out, _ = bench("tag", folder / "tagger", "--output", "jsonl", stdin=jsonl)
    objects = [json.loads(line) for line in out.splitlines()]
    assert [[*zip(o["words"], o["syn_chu"], strict=True)] for o in objects] == [
        [tuple(cells) for cells in sentence] for sentence in sentences_of(expected)
    ]
    tagged = mtl_bench.load_tagger(folder / "tagger").tag(words)
    assert tagged == [each["syn_chu"] for each in objects]


def test_several_tasks_are_columns_in_the_order_asked_for(folder, bench):
    words = " ".join(gold("syn_chu")[0].words)
    both = sentences_of(bench("tag", folder, "--task", "all", stdin=words)[1])
    assert [len(cells) for cells in both[0]] == [3] * len(words.split())
    asked = ("--task", "syn_pos", "--task", "syn_chu", "--task", "syn_pos", "--scores")
    with_scores = sentences_of(bench("tag", folder, *asked, stdin=words)[1])
    for (word, chunk, tag), (word_, tag_, score, chunk_, score_) in zip(
        both[0], with_scores[0], strict=True
    ):
        assert (word, chunk, tag) == (word_, chunk_, tag_)
        assert 0 <= float(score) <= 1
        assert 0 <= float(score_) <= 1
    _, out, _ = bench("tag", folder, *asked, "--output", "jsonl", stdin=words)
    content = json.loads(out)
    assert list(content) == ["words", "syn_pos", "syn_pos_scores", "syn_chu", "syn_chu_scores"]
    assert content["syn_pos_scores"] == [float(cells[2]) for cells in with_scores[0]]


def test_sentences_without_words_keep_their_place(folder, bench):
    text = "kuhedi\n\nfiseho\n"
    _, out, _ = bench("tag", folder, "--input", "plain", "--output", "jsonl", stdin=text)
    assert [json.loads(line)["words"] for line in out.splitlines()] == [["kuhedi"], [], ["fiseho"]]
    assert len(sentences_of(bench("tag", folder, "--input", "plain", stdin=text)[1])) == 2
    for content in ("", "\n", "\r\n \n", b"\xef\xbb\xbf"):
        assert bench("tag", folder, stdin=content)[:2] == (0, "")


def test_words_may_have_blanks_but_a_column_no_tab(folder, bench):
    assert bench("tag", folder, stdin='["New York", "x"]')[1].startswith("New York\t")
    code, _, err = bench("tag", folder, stdin='["a\\tb"]')
    assert (code, "'a\\tb' has a tab or line break" in err, "--output jsonl" in err) == (
        2,
        True,
        True,
    )
    assert bench("tag", folder, "--output", "jsonl", stdin='["a\\tb"]')[0] == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (["--task", "nope"], "a", ["the tagger has no task 'nope'", "syn_chu, syn_pos"]),
        (["none.txt"], "", ["none.txt: there is no such file"]),
        (["."], "", [".: is a folder"]),
        ([], b"a b\ncaf\xe9\n", ["standard input, line 2: byte 4 is not UTF-8"]),
        (["--input", "jsonl"], "a b", ["standard input, line 1: is not JSON"]),
        (["--word", "2"], "a b c", ["--word 2: goes with conll and jsonl"]),
        (["--language", "de"], "a b c", ["--language de: goes with --raw"]),
        (["--class", "no_such.Thing"], "a", ["--class no_such.Thing: cannot be imported"]),
    ],
)
def test_mistakes_are_answered(folder, bench, arguments, stdin, expected):
    code, out, err = bench("tag", folder, *arguments, stdin=stdin)
    assert (code, out) == (2, "")
    for part in expected:
        assert part in err
    assert "Traceback" not in err


def test_what_cannot_be_evaluated_is_answered(folder, bench):
    for arguments, expected in (
        (["none.tsv"], "none.tsv: there is no such file"),
        ([folder / "syn_pos.tsv"], "no label of the data is one of the tagger's"),
        ([folder / "syn_pos.tsv", "--task", "mwe"], "the tagger has no task 'mwe'"),
        ([folder / "syn_pos.tsv", "--label", "7"], "line 1: 2 columns where at least 7"),
        ([folder / "syn_pos.tsv", "--reader", "syn_pos"], "its sentences are generated, not read"),
        ([folder / "syn_pos.tsv", "--reader", "mwe", "--word", "1"], "the task's yaml says all"),
    ):
        code, out, err = bench("evaluate", folder, *arguments)
        assert (code, out, expected in err) == (2, "", True), err


def test_labels_that_training_lacks_are_misses(folder, bench):
    words, labels = gold("syn_pos")[0]
    Path("new.tsv").write_text(columns([(words, labels), (words, ["NEW"] * len(words))]))
    columns_of = ("--word", "1", "--label", "2")  # of so few lines, the guess is another one
    _, out, _ = bench("evaluate", folder, "new.tsv", "--task", "syn_pos", "--json", *columns_of)
    metrics = json.loads(out)["metrics"]
    assert metrics["unseen_labels"] == len(words)
    assert metrics["accuracy"] <= 0.5


def test_a_run_without_a_tagger_says_which_command_makes_it(command, bench):
    options = ["steps_per_task=4", "callbacks.progress=false", "sweep_name=some"]
    assert command("main=syn_pos", *options, "save_weights=false")[0] == 0
    run = Path("multirun_outputs/some/syn_pos/seed0")
    code, _, err = bench("tag", run, stdin="a")
    assert (code, "kept no tagger" in err) == (2, True)
    with pytest.raises(UserError, match="kept no tagger"):
        mtl_bench.load_tagger(run)
    [line] = [line for line in err.splitlines() if "train.py" in line]
    arguments = [each.strip("'") for each in line.split()[2:]]
    assert arguments[-1] == "save_weights=true"
    code, _, err = command(*arguments)
    assert code == 0, err
    assert bench("tag", run, stdin="a")[0] == 0
    code, _, err = bench("tag", "multirun_outputs", stdin="a")
    assert (code, f"{run}" in err) == (2, True)
    assert bench("tag", "nowhere", stdin="a")[::2] == (
        *(2, "\nnowhere: is no folder; name the folder of a run.\n"),
    )


def test_an_evaluation_leaves_out_what_that_of_the_run_left_out(command, bench):
    options = ["experiment=eacl2017", "embeddings=random", "main=syn_mwe", "steps_per_task=10"]
    assert command(*options, "tasks.syn_mwe.max_length=5", "callbacks.progress=false")[0] == 0
    [record_file] = Path("multirun_outputs").rglob("record.json")
    run = record_file.parent
    assert command(*options, "tasks.syn_mwe.max_length=5", "save_weights=true")[0] == 0
    Path("test.tsv").write_text(columns(gold("syn_mwe")))
    code, out, err = bench("evaluate", run, "test.tsv", "--json")
    assert code == 0, err
    assert "words behind the first 5 of a sentence, sentences behind the last whole batch" in err
    assert json.loads(out)["metrics"] == read_record(run).tasks["syn_mwe"].final
    _, out, err = bench("evaluate", run, "test.tsv", "--json", "--complete")
    assert "left out" not in err
    complete = json.loads(out)["metrics"]
    assert complete != read_record(run).tasks["syn_mwe"].final
    _, out, _ = bench("evaluate", run / "tagger", "test.tsv", "--json", "--complete")
    assert json.loads(out)["metrics"] == complete


@contextmanager
def started(folder, *arguments):
    """Start `mtl-bench tag` as a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "mtl_bench", "tag", str(folder), "--input", "plain", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as process:
        yield process


def test_a_pipe_is_answered_before_it_ends_and_may_be_broken(folder):
    with started(folder, "--chunk", "2") as process:
        process.stdin.write(b"kuhedi fiseho\nkuhedi\n")
        process.stdin.flush()
        lines = [process.stdout.readline() for _ in range(5)]  # it would hang without an answer
        words = [line.split(b"\t")[0] for line in lines]
        assert words == [b"kuhedi", b"fiseho", b"\n", b"kuhedi", b"\n"]
        process.stdout.close()  # as `head` does
        process.stdin.write(b"kuhedi\n" * 4)
        process.stdin.close()
        errors = process.stderr.read()
        assert not {b"Traceback", b"Exception"} & set(errors.split())
        assert process.wait(60) == 0


def test_ctrl_c_ends_it_without_a_traceback(folder):
    with started(folder, "--chunk", "1") as process:
        process.stdin.write(b"kuhedi\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"kuhedi\t")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        errors = process.stderr.read()
        assert not {b"Traceback", b"Exception"} & set(errors.split())


def test_a_terminal_of_another_encoding_gets_utf_8(folder):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "ascii"}
    command_ = [sys.executable, "-m", "mtl_bench", "tag", str(folder), "--input", "plain"]
    end = subprocess.run(
        command_, input="Grüße\n".encode(), capture_output=True, env=environment, check=True
    )
    assert end.stdout.decode().startswith("Grüße\t")
