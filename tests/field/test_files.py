"""Files from bug reports: what `mtl-bench check` reads in them, and what it says."""

import json

import pytest
from omegaconf import OmegaConf

from mtl_bench.__main__ import main
from tests.field.files import counts, sentences, write

TRAIN, TEST = sentences(12), sentences(6, first=12)
SIZES = [12, sum(map(len, TRAIN)), 6, sum(map(len, TEST))]


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Check train.tsv and test.tsv; return exit code, what was printed, and the yaml as a dict."""
    monkeypatch.setenv("COLUMNS", "500")

    def run(*options):
        files = [str(tmp_path / "train.tsv"), str(tmp_path / "test.tsv")]
        code = main(["check", *files, *options])
        out, err = capsys.readouterr()
        yaml = out.partition("does it):\n\n")[2].partition("\nThen:")[0]
        return code, out + err, OmegaConf.to_container(OmegaConf.create(yaml)) if yaml else None

    return run


def both(tmp_path, **options):
    write(tmp_path / "train.tsv", TRAIN, **options)
    write(tmp_path / "test.tsv", TEST, **options)


def test_hashtags_are_words_and_comments_are_counted(check, tmp_path):
    for name, part in (("train", TRAIN), ("test", TEST)):
        text = ""
        for n, sentence in enumerate(part):
            lines = [f"{'#' * (tag != 'O')}{word}\t{tag}" for word, tag in sentence]
            text += "\n".join([f"# tweet id {n}", *lines, "", ""])
        (tmp_path / f"{name}.tsv").write_text(text)
    code, out, yaml = check()
    assert (code, counts(out)) == (0, SIZES)
    assert yaml["reader"]["comment"] == "#"
    assert "comment lines (#) left out: 12, first in line 1" in out
    hashtags = sum(tag != "O" for sentence in TRAIN for _, tag in sentence)
    assert f"and have 2 columns, read as words: {hashtags}," in out


@pytest.mark.parametrize("character", ["\u00a0", "\u2028", "\x0c"])
def test_other_white_space_is_part_of_words(check, tmp_path, character):
    both(tmp_path, separator=" ")
    text = (tmp_path / "train.tsv").read_text().replace("quai", f"qu{character}ai")
    (tmp_path / "train.tsv").write_text(text, "utf-8")
    code, out, yaml = check()
    assert (code, counts(out)) == (0, SIZES)
    assert yaml["reader"]["separator"] == "blank"
    assert "5 labels in train: O" in out
    assert repr(f"qu{character}ai1") in out


def test_a_blank_in_a_word_is_a_finding(check, tmp_path):
    both(tmp_path, separator=" ")
    text = (tmp_path / "train.tsv").read_text().replace("quai1 ", "quai sud1 ")
    (tmp_path / "train.tsv").write_text(text)
    _, out, _ = check()
    assert "lines with 3 columns where most have 2 (is there a blank inside a word?): 1," in out


def test_mixed_tabs_and_blanks(check, tmp_path):
    both(tmp_path)
    text = (tmp_path / "train.tsv").read_text().replace("le\t", "le  ")
    (tmp_path / "train.tsv").write_text(text)
    code, out, yaml = check()
    assert (code, counts(out), yaml["reader"]["separator"]) == (0, SIZES, "blank")


def test_indented_lines(check, tmp_path):
    both(tmp_path, separator=" X ", between="\t", lead="\t")
    code, out, yaml = check()
    assert (code, counts(out)) == (0, SIZES)
    assert (yaml["reader"]["separator"], yaml["reader"]["label"]) == ("blank", 3)
    code, out, _ = check("--separator", "tab")
    assert code == 2
    assert "the word (column 2) is blank" in out or "the label (column 1) is missing" in out


@pytest.mark.parametrize("blank", ["", "\n"])
def test_document_marks_are_left_out(check, tmp_path, blank):
    both(tmp_path, separator=" X ")
    for name in ("train", "test"):
        text = (tmp_path / f"{name}.tsv").read_text()
        (tmp_path / f"{name}.tsv").write_text(f"-DOCSTART- -X- O\n{blank}{text}")
    code, out, _ = check()
    assert (code, counts(out)) == (0, SIZES)
    assert "document marks (-DOCSTART-) left out: 1" in out
    assert "remove" not in out


SCHEMES = {
    "io": {"B": "I"},
    "bioes": {},
    "bilou": {"E": "L", "S": "U"},
    "bmes": {"I": "M"},
}


@pytest.mark.parametrize("separator", ["-", "_"])
@pytest.mark.parametrize("suffix", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_span_schemes_are_named_and_written_down(check, tmp_path, scheme, suffix, separator):
    def labelled(sentence):
        tags = []
        for place, (word, tag) in enumerate(sentence):
            letter, _, kind = tag.partition("-")
            ends = not sentence[place + 1][1].startswith("I") if kind else True
            if scheme != "io" and kind and ends:
                letter = "S" if letter == "B" else "E"
            letter = SCHEMES[scheme].get(letter, letter)
            parts = (kind, letter) if suffix else (letter, kind)
            tags.append((word, separator.join(parts) if kind else "O"))
        return tags

    # spans of three words, so that every scheme shows all its letters
    longer = [[*s[:-1], ("bord", s[3][1].replace("B-", "I-")), s[-1]] for s in TRAIN]
    write(tmp_path / "train.tsv", [labelled(s) for s in (*TRAIN, *longer)])
    write(tmp_path / "test.tsv", [labelled(s) for s in TEST])
    code, out, yaml = check()
    assert (code, yaml["spans"]) == (0, scheme), out
    assert f"Labels mark spans by the scheme {scheme.upper()}" in out
    assert f"`spans: {scheme}`; null computes none" in out


def test_stray_labels_among_spans_are_counted(check, tmp_path):
    both(tmp_path)
    text = (tmp_path / "train.tsv").read_text()
    (tmp_path / "train.tsv").write_text(text.replace("quai1\tO", "quai1\t0"))
    code, out, yaml = check()
    assert (code, yaml["spans"]) == (0, "bio")
    assert "Labels that do not follow the span scheme: 0 (1)" in out


def test_identifiers_offsets_and_lemmas_are_no_words(check, tmp_path):
    for name, part in (("train", sentences(40)), ("test", sentences(6, first=67))):
        lines = []
        for n, sentence in enumerate(part):
            for place, (word, tag) in enumerate(sentence):
                cells = [f"{name}{n}.w{place}", f"{n * 50 + place * 5}:{n * 50 + place * 5 + 4}"]
                lines.append("\t".join([*cells, word, word[:3], tag, f"doc{n}"]))
            lines.append("")
        (tmp_path / f"{name}.tsv").write_text("\n".join(lines))
    code, out, yaml = check()
    assert code == 0, out
    assert (yaml["reader"]["word"], yaml["reader"]["label"]) == (3, 5)
    _, out, _ = check("--word", "1")
    assert "occur once: are they identifiers or offsets rather than words?" in out
    assert "test: no word occurs in train" in out


def test_joined_files_and_their_byte_order_marks(check, tmp_path):
    both(tmp_path)
    text = (tmp_path / "train.tsv").read_text()
    half = text.index("\n\n") + 2
    (tmp_path / "train.tsv").write_text(f"\ufeff{text[:half]}\ufeff{text[half:]}", "utf-8")
    code, out, _ = check()
    assert (code, counts(out)) == (0, SIZES)
    assert "ufeff" not in out


def test_windows_files_get_the_right_advice(check, tmp_path):
    both(tmp_path)
    text = (tmp_path / "train.tsv").read_text().replace("quai1\t", "\u201cquai\u201d\t")
    (tmp_path / "train.tsv").write_bytes(text.encode("windows-1252"))
    code, out, _ = check()
    assert code == 2
    assert "iconv -f windows-1252" in out
    (tmp_path / "train.tsv").write_text(text.encode("windows-1252").decode("latin1"), "utf-8")
    code, out, _ = check()
    assert "Words with control characters: 1, such as '\\x93quai\\x94'" in out


def test_save_writes_the_yaml_once(check, tmp_path, capsys, monkeypatch):
    both(tmp_path)
    code, out, _ = check("--save")
    file = next(tmp_path.glob("*.yaml"))
    assert (code, f"written: {file}" in out) == (0, True)
    assert OmegaConf.load(file).spans == "bio"
    monkeypatch.setenv("MTL_BENCH_TASKS", str(tmp_path))
    assert main(["check", file.stem]) == 0
    capsys.readouterr()
    both(tmp_path)
    file.rename(tmp_path / "other.yaml")
    monkeypatch.delenv("MTL_BENCH_TASKS")
    file.write_text("title: mine")
    code, out, _ = check("--save")
    assert (code, "is there already" in out) == (2, True)
    assert file.read_text() == "title: mine"


def test_one_damaged_yaml_hides_no_other_task(tmp_path, capfd, monkeypatch, command):
    (tmp_path / "broken.yaml").write_text("title: [x")
    monkeypatch.setenv("MTL_BENCH_TASKS", str(tmp_path))
    assert main(["tasks", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert "syn_chu" in {row["task"] for row in json.loads(out)}
    assert "broken: " in err
    assert "is not valid YAML" in err
    assert command("main=syn_pos", "debug=quick")[0] == 0
    code, _, err = command("main=broken", "debug=quick")
    assert code == 2
    assert "broken.yaml: is not valid YAML" in err


@pytest.mark.parametrize("outside", ["_", "OTHER", "-", "0"])
def test_another_outside_label_than_o(check, tmp_path, outside):
    both(tmp_path, label=lambda tag: outside if tag == "O" else tag)
    code, out, yaml = check()
    assert (code, yaml["outside"], yaml["spans"]) == (0, outside, "bio"), out


def test_labels_in_two_spellings_are_a_warning(check, tmp_path):
    write(tmp_path / "train.tsv", TRAIN[:6])
    text = (tmp_path / "train.tsv").read_text()
    write(tmp_path / "train.tsv", TRAIN[6:], label=lambda tag: tag.replace("-", "_"))
    (tmp_path / "train.tsv").write_text(text + (tmp_path / "train.tsv").read_text())
    write(tmp_path / "test.tsv", TEST)
    _, out, _ = check()
    assert "begin like those of a span scheme" in out
    assert "Write all of them in one way" in out


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (lambda tag: "*" if tag == "O" else f"({tag[2:]}*", "are brackets as of CoNLL-2012"),
        (lambda tag: f'"{tag}"', "are in quotes"),
    ],
)
def test_labels_of_other_formats_are_named(check, tmp_path, label, expected):
    both(tmp_path, label=label)
    assert expected in check()[1]


def test_one_long_sentence_is_an_error(check, tmp_path):
    both(tmp_path)
    text = (tmp_path / "train.tsv").read_text().replace("\n\n", "\n")
    (tmp_path / "train.tsv").write_text(text)
    code, out, _ = check()
    assert code == 1
    assert "In files of columns, a blank line ends" in out


def test_files_of_different_columns_are_refused(check, tmp_path):
    write(tmp_path / "train.tsv", TRAIN)
    write(tmp_path / "test.tsv", TEST, separator="\tX\t")
    code, out, _ = check()
    assert code == 2
    assert "different numbers of columns: train.tsv 2, test.tsv 3" in out
    assert check("--word", "1", "--label", "2")[0] == 1  # X is no label of train


def test_other_comments_and_two_columns_of_labels(check, tmp_path):
    both(tmp_path, separator="\tX\t")
    text = "// s1 of two\n" + (tmp_path / "train.tsv").read_text().replace("suit\tX", "suit\tY")
    (tmp_path / "train.tsv").write_text(text)
    code, out, yaml = check()
    assert (code, yaml["reader"]["comment"], yaml["reader"]["label"]) == (0, "//", 3), out
    assert "Columns 2, 3 may hold labels; the last is taken." in out


def test_a_test_split_of_outside_labels_and_spans_that_nothing_closes(check, tmp_path):
    both(tmp_path)
    write(tmp_path / "test.tsv", TEST, label=lambda tag: "O")
    assert "test has the outside label 'O' only" in check()[1]
    tags = (["B-P", "E-P", "O"], ["S-P", "B-P", "O"])
    train = [[(f"w{n}{tag}", tag) for tag in tags[n % 2]] for n in range(18)]
    write(tmp_path / "train.tsv", train)
    write(tmp_path / "test.tsv", train[:4])
    out = check("--word", "1", "--label", "2")[1]
    assert "train: spans of the scheme BIOES (B-x) that no last label closes: 9." in out


@pytest.mark.parametrize("name", ["2003", "true", "null", "1e5"])
def test_a_folder_that_hydra_reads_as_a_value_gives_another_name(tmp_path, capsys, name):
    (tmp_path / name).mkdir()
    for part, some in (("train", TRAIN), ("test", TEST)):
        write(tmp_path / name / f"{part}.tsv", some)
    main(["check", *(str(tmp_path / name / f"{part}.tsv") for part in ("train", "test"))])
    assert " python train.py main=mine " in capsys.readouterr().out
