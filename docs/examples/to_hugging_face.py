"""Write one task of a fine-tuned tagger as a model that `transformers` loads by itself.

    python docs/examples/to_hugging_face.py <run folder> <task> <folder to write>

Afterwards `AutoModelForTokenClassification.from_pretrained(<folder>)` gives the first sub-word of a
word the label that `mtl-bench tag` gives the word.
"""

import sys
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerFast

from mtl_bench.models.encoders.transformer import TransformerEncoder
from mtl_bench.models.weights import load_taggers
from mtl_bench.runs.record import TAGGER


def export(run: Path, task: str, folder: Path) -> None:
    """Write model and tokenizer.

    Args:
        run: a run of `encoder=transformer` that kept its tagger.
        task: one of its tasks, of type `tagging`.
        folder: made, if need be.
    """
    tagger = load_taggers(run / TAGGER)[0][task]
    if not isinstance(tagger.encoder, TransformerEncoder):
        raise SystemExit(f"{run}: its encoder is not `transformer`, but {type(tagger.encoder)}.")
    names = tagger.tasks[task].targets.names[:-2]  # without those of the start and end symbols
    config = tagger.encoder.transformer.config
    config.num_labels = len(names)
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    model = AutoModelForTokenClassification.from_config(config)
    model.base_model.load_state_dict(tagger.encoder.transformer.state_dict())
    classifier = model.classifier if hasattr(model, "classifier") else model.score
    output = tagger.head(task).output
    classifier.weight.data = output.weight.data[: len(names)].clone()
    classifier.bias.data = output.bias.data[: len(names)].clone()
    model.eval().save_pretrained(folder)
    subwords = tagger.input.subwords
    backend = Tokenizer.from_str(subwords.tokenizer)
    special = {"pad_token": backend.id_to_token(subwords.padding)}
    if subwords.unknown is not None:
        special["unk_token"] = backend.id_to_token(subwords.unknown)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=subwords.size, **special
    )
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    export(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
