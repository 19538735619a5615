"""Tiny pretrained models: random weights of a configuration, and a tokenizer of a few sentences."""

import torch
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

from mtl_bench.text.hub import quiet_transformers

TEXT = [
    "The quick brown fox jumps over the lazy dog and sleeps.",
    "Unbelievable happenings happened in Zürich, naturally: 1234 of them!",
    "Words are split into smaller words, and those into letters.",
    "L'été, les élèves naïfs mangeaient des crêpes à la maison.",
]


def wordpiece(accents=False):
    """BERT's: lower case, no accents, `##` inside words, [CLS] and [SEP]."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=not accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer, {"pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}


def padded_left():
    """BERT's, from a file that pads on the left and cuts."""
    tokenizer, options = wordpiece()
    tokenizer.enable_padding(direction="left", pad_id=0, pad_token="[PAD]", length=20)
    tokenizer.enable_truncation(4)
    return tokenizer, options | {"padding_side": "left"}


def byte_level(prefix=False, special=("<s>", "<pad>", "</s>", "<unk>")):
    """GPT-2's, without special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer, {"pad_token": special[1]} if len(special) > 1 else {}


def gpt2():
    """No special token but one, which ends texts."""
    tokenizer, _ = byte_level(special=["<|endoftext|>"])
    return tokenizer, {"unk_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}


def roberta(prefix=False):
    """RoBERTa's: <s> and </s> around."""
    tokenizer, options = byte_level(prefix)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=prefix
    )
    return tokenizer, options | {"unk_token": "<unk>"}


def modern():
    """Byte-level after a pattern of its own, as tokenizers of newer models."""
    tokenizer, options = byte_level()
    pattern = Regex(r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return tokenizer, options


def unigram(scheme="always"):
    """T5's: SentencePiece's pieces, </s> behind."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    trainer = trainers.UnigramTrainer(
        vocab_size=150,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer, {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"}


def stripped():
    """BPE of characters without accents, and no unknown sub-word."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=["<pad>"], show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer, {"pad_token": "<pad>"}


def prepended():
    """Llama's first: a normalizer that puts a mark before each text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=250, special_tokens=["<unk>", "<s>"], show_progress=False
    )
    # Of words: it has nothing that would take sentences apart.
    tokenizer.train_from_iterator([w for line in TEXT for w in line.split()], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return tokenizer, {"unk_token": "<unk>"}


def greek():
    """Letters of another alphabet only, no unknown sub-word, <s> before."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=20, special_tokens=["<s>"], show_progress=False)
    tokenizer.train_from_iterator(["βδε λμ"], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return tokenizer


BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}
BART = {
    f"{side}_{name}": value
    for side in ("encoder", "decoder")
    for name, value in {"layers": 2, "attention_heads": 2, "ffn_dim": 24}.items()
}
MODELS = {
    "bert": (wordpiece, BERT),
    "albert": (wordpiece, BERT | {"embedding_size": 8}),
    "electra": (wordpiece, BERT | {"embedding_size": 8}),
    "mpnet": (roberta, BERT),
    "roberta": (roberta, BERT),
    "xlm-roberta": (roberta, BERT),
    "distilbert": (
        wordpiece,
        {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 40},
    ),
    "gpt2": (gpt2, {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}),
    "t5": (unigram, {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}),
    "bart": (roberta, BART | {"d_model": 16, "max_position_embeddings": 40}),
    "deberta-v2": (
        wordpiece,
        BERT | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8},
    ),
    "modernbert": (modern, BERT | {"local_attention": 8}),
    "xlm": (
        wordpiece,
        {"emb_dim": 16, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 40},
    ),
}
"""By type: its tokenizer, and options of its configuration."""


def save_model(folder, kind="bert", tokenizer=None, pooler=True, **options):
    """Save a tiny model of a type, and its tokenizer; return the model as it was saved."""
    make, own_options = MODELS[kind]
    backend, special = (tokenizer or make)()
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, **special)
    ids = {
        "pad_token_id": fast.pad_token_id,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "cls_token_id": 0,
        "sep_token_id": 0,
    }
    config = AutoConfig.for_model(kind, **{"vocab_size": len(fast)} | ids | own_options | options)
    with quiet_transformers():
        torch.manual_seed(0)
        model = AutoModel.from_config(config)
        if not pooler:
            model.pooler = None
        model.save_pretrained(folder)
        fast.save_pretrained(folder)
    return model.eval()
