"""Frozen states of a pretrained transformer, read from disk: nothing of them is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.batches import Batch, EncodedSplit, Ints, collate
from mtl_bench.models.inputs.frozen import FrozenModel
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.text.contextual import ContextualStates
from mtl_bench.text.states import StateTable, corpus_states


class StateInput(Input[ContextualStates]):
    """Start symbol, words and end symbol; the symbols have zeros, words their states.

    Case and signs stay as they are: the model's tokenizer knows what it wants.
    """

    anchor: Tensor

    sees_neighbours = True

    def __init__(self, source: ContextualStates) -> None:
        """Take where states come from."""
        super().__init__()
        self.source = source
        self.model = FrozenModel(source)
        self.tables: list[StateTable] = []
        self.size = self.model.size
        self.facts: dict[str, int | str] = {"rows": 0}
        # Of the type and on the device that the model has.
        self.register_buffer("anchor", torch.zeros(0), persistent=False)

    @classmethod
    def build(
        cls,
        embeddings: ContextualStates,
        corpora: Mapping[str, Corpus],
        lowercase: bool,  # noqa: ARG003
        seed: int,  # noqa: ARG003
    ) -> Self:
        """Read the states of all corpora, or compute them."""
        built = cls(embeddings)
        for name, corpus in sorted(corpora.items()):
            sentences = {e.words for split in corpus.splits.values() for e in split}
            table = corpus_states(name, sentences, built.model, torch.get_num_threads())
            built.tables.append(table)
            built.facts["rows"] = int(built.facts["rows"]) + len(table.rows)
        return built

    def encode(
        self, sentences: Sequence[Sequence[str]], max_length: int | None = None
    ) -> EncodedSplit:
        """Return the rows of sentences, cut behind `max_length` words, between two symbols.

        States are those in the whole sentence. Sentences of no corpus are read by the model now.
        """
        keys = [tuple(sentence) for sentence in sentences]
        table = next((t for t in self.tables if all(key in t.starts for key in keys)), None)
        table = table or StateTable.of(keys, self.model)
        window = slice(max_length)
        rows: list[int] = []
        for key in keys:
            start = table.starts[key]
            rows += (0, *range(start, start + len(key[window])), 0)
        lengths = [len(key[window]) + 2 for key in keys]
        return EncodedSplit.of(rows, lengths, table)

    def collate(self, task: str, split: EncodedSplit, chosen: Ints) -> Batch:
        """Return the chosen [B] sentences of a split as a batch."""
        batch = collate(task, split, chosen)
        batch.source = split.source
        return batch

    def forward(self, batch: Batch, sparse: bool) -> Tensor:  # noqa: ARG002
        """Return [U, D] the states of a batch's words."""
        states = torch.from_numpy(batch.source.rows).index_select(0, batch.rows.cpu())
        return states.to(self.anchor)

    def describe(self) -> dict[str, Any]:
        """Return the model's name, its checksum, and the layers."""
        return {
            "model": self.source.model.lasting_name(),
            "layers": self.source.layers,
            "checksum": self.source.checksum(),
        }

    @classmethod
    def restore(cls, description: Mapping[str, Any]) -> Self:
        """Return the input with the same model.

        Raises:
            UserError: it cannot be found, or is another one by now.
        """
        source = ContextualStates(description["model"], description["layers"])
        if source.checksum() != description["checksum"]:
            raise UserError(
                f"'{source.model.name}' is not the model that the tagger was trained with: its "
                "files have changed. Get the earlier ones, or train the tagger again."
            )
        return cls(source)

    def remarks(
        self,
        corpora: Mapping[str, Corpus],  # noqa: ARG002
        embeddings: ContextualStates,  # noqa: ARG002
    ) -> Iterator[str]:
        """Yield how much memory the states take on disk."""
        megabytes = sum(table.rows.nbytes for table in self.tables) / 1e6
        yield (
            f"states of '{self.source.model.name}', {self.source.layers}, frozen: "
            f"{self.facts['rows']:,} words, {megabytes:,.0f} MB on disk (see `mtl-bench cache`)"
        )
