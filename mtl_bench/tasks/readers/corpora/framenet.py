"""Full-text annotation of FrameNet 1.5: words that evoke a frame.

One XML document a text. Each sentence has a layer with the spans of its tokens (PENN or BNC part
of speech), and an annotation set for each frame, whose layer `Target` marks what evokes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import documents, overlaps, whole_number, xml_root

NAMESPACE = "{http://framenet.icsi.berkeley.edu}"
TOKEN_LAYERS = ("PENN", "BNC")  # the first that a sentence has


class FrameNetReader:
    """Reads words and `t` (part of a target) or `o`.

    Its parts: `test`, those sentences of the test documents that have a target; `train`, all
    sentences of the other documents.
    """

    def __init__(self, test_documents: Sequence[str]) -> None:
        """Name the test documents, without `.xml`."""
        self.test_documents = frozenset(test_documents)

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a part."""
        if part not in ("train", "test"):
            raise UserError(f"part: {part!r} is neither 'train' nor 'test'.")
        texts = documents(file, "*.xml")
        absent = self.test_documents - {document.stem for document in texts}
        if absent:
            raise UserError(f"{file}: lacks the test documents {', '.join(sorted(absent))}.")
        for document in texts:
            if (document.stem in self.test_documents) == (part == "test"):
                for each in self._sentences(document):
                    if isinstance(each, Note) or part == "train" or "t" in each.target:
                        yield each
                    else:
                        yield Note(
                            "test sentences without a target left out", document.name, 1, True
                        )

    def _sentences(self, document: Path) -> Iterator[Example | Note]:
        for element in xml_root(document).iter(f"{NAMESPACE}sentence"):
            text = element.findtext(f"{NAMESPACE}text") or ""
            layers: dict[str, list[tuple[int, int]]] = {}
            targets: list[tuple[int, int]] = []
            for annotation in element.iter(f"{NAMESPACE}annotationSet"):
                for layer in annotation.iter(f"{NAMESPACE}layer"):
                    name = layer.get("name", "")
                    if name not in ("Target", *TOKEN_LAYERS):
                        continue
                    spans = [
                        (
                            whole_number(document, label.get("start"), "a label's start"),
                            # FrameNet's ends are the last character, Python's the one behind it.
                            whole_number(document, label.get("end"), "a label's end") + 1,
                        )
                        for label in layer.iter(f"{NAMESPACE}label")
                        if label.get("start") is not None  # null instantiations have no place
                    ]
                    if name != "Target":
                        layers.setdefault(name, spans)
                    elif annotation.get("frameName"):
                        targets += spans
            tokens = next((layers[name] for name in TOKEN_LAYERS if layers.get(name)), [])
            pairs = [
                (text[start:end], "t" if overlaps(start, end, targets) else "o")
                for start, end in sorted(set(tokens))
                if text[start:end].strip()
            ]
            if pairs:
                yield Example(*zip(*pairs, strict=True))
            else:
                yield Note("sentences without tokens left out", document.name)
