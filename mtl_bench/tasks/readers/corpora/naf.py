"""NAF documents with WordNet sense keys (SemCor 3.0): words and their supersenses.

NAF: Fokkens et al. (2014), *NAF and GAF: linking linguistic annotations*. A document lists word
forms with the sentence that each belongs to, then terms that point at word forms and may carry
sense keys. The second field of a key is the number of its lexicographer file: the supersense.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import documents, xml_root

NOUNS = [
    "tops", "act", "animal", "artifact", "attribute", "body", "cognition", "communication",
    "event", "feeling", "food", "group", "location", "motive", "object", "person", "phenomenon",
    "plant", "possession", "process", "quantity", "relation", "shape", "state", "substance",
    "time",
]  # fmt: skip
VERBS = [
    "body", "change", "cognition", "communication", "competition", "consumption", "contact",
    "creation", "emotion", "motion", "perception", "possession", "social", "stative", "weather",
]  # fmt: skip
# WordNet 3.0, lexnames(5WN): file 00, 01, ...
LEXICOGRAPHER_FILES = [
    "adj.all",
    "adj.pert",
    "adv.all",
    *(f"noun.{name}" for name in NOUNS),
    *(f"verb.{name}" for name in VERBS),
    "adj.ppl",
]
NAME_CLASSES = ("person", "group", "location")  # SemCor's classes of proper names


class NafReader:
    """Reads words and the supersense of each word's first sense key, `o` without one."""

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a folder's documents, sorted by path; a part is a subfolder."""
        for document in documents(file / part if file and part else file, "*.naf"):
            yield from self._sentences(document)

    def _sentences(self, document: Path) -> Iterator[Example | Note]:
        root = xml_root(document)
        senses: dict[str | None, str] = {}
        for term in root.iter("term"):
            label = supersense(document, term.get("lemma", ""), self._key(term))
            for target in term.iter("target"):
                senses[target.get("id")] = label
        every = list(root.iter("wf"))
        forms = [form for form in every if form.text and form.text.strip()]
        if len(forms) < len(every):
            yield Note("words without text left out", document.name, len(every) - len(forms))
        for _, group in groupby(forms, key=lambda form: form.get("sent")):
            sentence = list(group)
            yield Example(
                tuple((form.text or "").strip() for form in sentence),
                tuple(senses.get(form.get("id"), "o") for form in sentence),
            )

    @staticmethod
    def _key(term: Element) -> str | None:
        for reference in term.iter("externalRef"):
            if reference.get("reftype") == "lexical_key":
                return str(reference.get("reference", ""))
        return None


def supersense(document: Path, lemma: str, key: str | None) -> str:
    """Return the supersense of a sense key such as `1:04:00::`.

    Proper names have the key of `person`, `group` or `location` in the file of unique beginners,
    and belong to the supersense of that name.

    >>> supersense(Path("d"), "say", "2:32:00::"), supersense(Path("d"), "group", "1:03:00::")
    ('verb.communication', 'noun.group')
    """
    if key is None:
        return "o"
    fields = key.split(":")
    try:
        label = LEXICOGRAPHER_FILES[int(fields[1])]
    except (IndexError, ValueError):
        raise UserError(
            f"{document}: sense key {key!r} of '{lemma}' has no lexicographer file (00 to 44) as "
            "its second field."
        ) from None
    return f"noun.{lemma}" if label == "noun.tops" and lemma in NAME_CLASSES else label
