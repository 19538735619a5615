"""Small valid files of every format of corpora, and what writes those of runs."""

import json
import shutil

from tests.field.files import sentences
from tests.fuzz.mutate import COMPRESSED

EVERY = sentences(8)
TEXTS = [" ".join(word for word, _ in s) for s in EVERY]
COLUMNS = "".join("".join(f"{w}\t{x}\n" for w, x in s) + "\n" for s in EVERY)
TAB = "\t"
CONLLU = "".join(
    f"# text = {text}\n1-2\tdu{TAB.join('_' * 9)}\n".replace("du_", "du\t_")
    + "".join(f"{n}\t{w}\tl\t{x}\t_\t_\t0\troot\t_\t_\n" for n, (w, x) in enumerate(s, 1))
    + "\n"
    for text, s in zip(TEXTS, EVERY, strict=True)
)


def json_lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


TAGGED = json_lines(*({"tokens": [w for w, _ in s], "labels": [x for _, x in s]} for s in EVERY))
CLASSED = json_lines(*({"text": text, "label": "ab"[n % 2]} for n, text in enumerate(TEXTS)))
PAIRED = json_lines(*({"source": text, "target": text[::-1]} for text in TEXTS))
SPAN = {"start": 0, "end": 2, "label": "X"}
SPANS = json_lines(*({"text": text, "spans": [SPAN]} for text in TEXTS))
RESULTS = [{"result": [{"value": {"start": 0, "end": 2, "labels": ["X"]}}]}]
LABEL_STUDIO = json.dumps([{"data": {"text": text}, "annotations": RESULTS} for text in TEXTS])
TABLE = "text\tlabel\n" + "".join(f"{text}\t{'ab'[n % 2]}\n" for n, text in enumerate(TEXTS))
CSV = "text,label\n" + "".join(f'"{text}, ""x""",{"ab"[n % 2]}\n' for n, text in enumerate(TEXTS))
STREUSLE = (
    "1\tlook\tlook\tVB\tB-LOC\t0\t\t\t\n2\tup\tup\tRP\tĪ\t1\t\t\t\n3\tit\tit\tPR\tO\t0\t\t\t\n"
)
NAF = (
    "<NAF><text><wf id='w1' sent='0'>dog</wf><wf id='w2' sent='0'>of</wf><wf id='w3' sent='1'>A"
    "</wf></text><terms><term lemma='dog'><span><target id='w1'/></span><externalRef "
    "reftype='lexical_key' reference='1:05:00::'/></term></terms></NAF>"
)
FRAMES = (
    "<t xmlns='http://framenet.icsi.berkeley.edu'><sentence><text>dogs of</text><annotationSet>"
    "<layer name='PENN'><label start='0' end='3'/><label start='5' end='6'/></layer>"
    "</annotationSet><annotationSet frameName='M'><layer name='Target'><label start='0' end='3'/>"
    "</layer></annotationSet></sentence></t>"
)
LEAF = '(root (1 dog_n1 0.0 0 1 ("dog" 4 "token [ \\\\"x\\\\" ]")))'
DERIVATIONS = "".join(f"{n}@1@2@3@4@5@6@7@8@9@{LEAF}@m\n" for n in range(3))
ITEMS = "".join(f"{n}@u@f@n@1@S@The ⌊>verb>⌋ ⌊λser¦es¦Langλ⌋ .@@@@1\n" for n in range(3))
CCG = "ID=wsj_0201.1\n(<T S[dcl] 0 2> (<L NP NN NN dog NP_1>) (<L N NN NN of N_1>) )\n"
COMPRESSIONS = {
    "test_words.txt": "a b , c\n",
    "test_labels.txt": "a c.\n",
    "test_dep.txt": "x det p y\n",
}
CLASSES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
WIKI = {"profiles": ["p"]}
READERS = {
    "columns.ColumnReader": ({"word": 1, "label": 2, "comment": "#"}, {"a": COLUMNS}, None),
    "conllu.ConlluReader": ({"label": "upos"}, {"a": CONLLU}, None),
    "jsonl.JsonLinesReader": ({"classes": CLASSES}, {"a": TAGGED}, None),
    "json_spans.JsonSpanReader": ({}, {"a": SPANS, "b": LABEL_STUDIO}, None),
    "json_texts.JsonTextReader": ({}, {"a": CLASSED}, None),
    "json_pairs.JsonPairReader": ({}, {"a": PAIRED}, None),
    "text_columns.TextColumnReader": (
        {"text": 1, "label": 2, "separator": "comma", "header": True},
        {"a": CSV},
        None,
    ),
    "plain_text.PlainTextReader": ({}, {"a": "\n".join(TEXTS)}, None),
    "corpora.streusle.StreusleReader": ({"label": "tag"}, {"a": STREUSLE}, None),
    "corpora.naf.NafReader": ({}, {"d/a.naf": NAF}, "d"),
    "corpora.framenet.FrameNetReader": (
        {"test_documents": ["b"]},
        {"a.xml": FRAMES, "b.xml": FRAMES},
        "train",
    ),
    "corpora.standoff.StandoffReader": (
        {"label": "k"},
        {"d/a.txt": "See Fig. 2. X.\n", "d/a.ann": "T1\tM 4 7;8 9\tFig\n"},
        "d",
    ),
    "corpora.compression.CompressionReader": ({"label": "deleted"}, COMPRESSIONS, "."),
    "corpora.redwoods.LexicalTypeReader": (
        {**WIKI, "lexicons": ["l.tdl"], "test_every": 2, "test_size": 1, "train_size": 1},
        {"p/result.gz": DERIVATIONS, "l.tdl": "dog_n1 := n_-_c_le &\nof := p_le &\n"},
        ".",
    ),
    "corpora.redwoods.LinkReader": ({**WIKI, "min_words": 1}, {"p/item.gz": ITEMS}, "."),
    "corpora.ccgbank.CcgbankReader": ({}, {"02/w.auto": CCG}, "02"),
}
"""By class: its options, files, and its part of their folder, or None where it reads a file."""

CHECKED = {
    "columns.tsv": COLUMNS,
    "words.conllu": CONLLU,
    "tagged.jsonl": TAGGED,
    "spans.jsonl": SPANS,
    "studio.json": LABEL_STUDIO,
    "classed.jsonl": CLASSED,
    "paired.jsonl": PAIRED,
    "table.tsv": TABLE,
    "table.csv": CSV,
}
SPLITS = {"train": {"file": "a", "sentences": ":6"}, "test": {"file": "a", "sentences": "6:"}}
COLUMN_READER = {
    "_target_": "mtl_bench.tasks.readers.columns.ColumnReader",
    "word": 1,
    "label": 2,
    "label_map": None,
}
YAML = f"""title: mine
licence: CC0
splits:
  train: {{file: a, sentences: ':6'}}
  test: {{file: a, sentences: '6:'}}
reader: {json.dumps(COLUMN_READER)}
outside: O
spans: bio
max_length: 28
"""
TASK = {
    "title": "mine",
    "splits": SPLITS,
    "reader": COLUMN_READER,
    "type": {"name": "tagging"},
    "outside": "O",
    "max_length": None,
}
VECTORS = "4 3\na 1 2 3\nb 4 5 6\nNew York 1 0 0\na 1 1 1\n"


def as_bytes(contents):
    """Return files of texts as they are on disk."""
    zip_ = COMPRESSED[".gz"]
    return {
        name: zip_(text.encode(), None) if name.endswith(".gz") else text.encode()
        for name, text in contents.items()
    }


def taken(folder):
    """Remove a folder; return what its files held."""
    paths = [path for path in folder.rglob("*") if path.is_file() and ".lock" not in path.name]
    contents = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    shutil.rmtree(folder)
    return contents
