"""Translation models in CTranslate2's format: a small one of each family, made here.

Each model says one thing, which depends on the token that it has to begin with: it is made of a
table of which token follows which.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dubcast.config import ModelsSettings
from dubcast.errors import MissingPartError, StsError
from dubcast.models.store import ModelStore
from dubcast.sts.providers.interface import MtCapabilities, MtProvider, MtTask
from dubcast.sts.providers.mt_layouts import layout_of
from dubcast.sts.providers.registry import Setup, create, offers

ctranslate2 = pytest.importorskip("ctranslate2")
pytest.importorskip("sentencepiece", reason="dubcast[sts] is not installed whole")

SPECIAL = ["<unk>", "<s>", "</s>"]
WORDS = ["▁boa", "▁noite", "▁good", "▁evening"]
PORTUGUESE, ENGLISH = "boa noite", "good evening"


@functools.cache
def pieces() -> bytes:
    """A model of word pieces that knows these words."""
    import sentencepiece

    text = "a quick brown fox jumps over the lazy dog"
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text] * 50),
        model_writer=model,
        vocab_size=60,
        hard_vocab_limit=False,
        user_defined_symbols=WORDS,
        minloglevel=2,
    )
    return model.getvalue()


def follows(tokens: Sequence[str], *sequences: Sequence[str]) -> np.ndarray:
    """Which token each one is followed by, as rows of a matrix."""
    table = np.zeros((len(tokens), len(tokens)), np.float32)
    for sequence in sequences:
        for one, after in itertools.pairwise(sequence):
            table[tokens.index(after), tokens.index(one)] = 8.0
    return table


def save(folder: Path, extra: Sequence[str], *sequences: Sequence[str], start: str) -> None:
    """A model whose decoder hands its last token to the table, and nothing else."""
    tokens = [*SPECIAL, *WORDS, *extra]
    size = len(tokens) + len(tokens) % 2
    spec = ctranslate2.specs.TransformerSpec.from_config(1, 1, pre_norm=True)
    blank(spec, size)
    spec.decoder.embeddings.weight = np.eye(len(tokens), size, dtype=np.float32)
    spec.encoder.embeddings[0].weight = np.zeros((len(tokens), size), np.float32)
    table = np.zeros((len(tokens), size), np.float32)
    table[:, : len(tokens)] = follows(tokens, *sequences)
    spec.decoder.projection.weight = table
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.decoder_start_token = start
    spec.config.add_source_eos = False
    spec.validate()
    spec.save(str(folder))


def blank(spec: object, size: int) -> None:
    """Layers that add nothing to what goes through them."""
    zeros = functools.partial(np.zeros, dtype=np.float32)
    for side in (spec.encoder, spec.decoder):
        side.position_encodings.encodings = zeros((64, size))
        side.scale_embeddings = False
        layer = side.layer[0]
        attentions = [layer.self_attention, *([layer.attention] if side is spec.decoder else [])]
        for norm in (side.layer_norm, layer.ffn.layer_norm, *(a.layer_norm for a in attentions)):
            norm.gamma, norm.beta = np.ones(size, np.float32), zeros(size)
        for linear, shape in (
            (layer.ffn.linear_0, (2 * size, size)),
            (layer.ffn.linear_1, (size, 2 * size)),
        ):
            linear.weight, linear.bias = zeros(shape), zeros(shape[0])
        for attention in attentions:
            widths = {2: (3, 1), 3: (1, 2, 1)}[len(attention.linear)]
            for linear, width in zip(attention.linear, widths, strict=True):
                linear.weight, linear.bias = zeros((width * size, size)), zeros(width * size)


PT, EN = ["▁boa", "▁noite", "</s>"], ["▁good", "▁evening", "</s>"]


def folder_of(root: Path, name: str) -> Path:
    """A small model of a family, in the layout of its folder."""
    folder = root / name
    folder.mkdir()
    if name.startswith("opus-mt-pt-en"):
        save(folder, (), ["<s>", *EN], start="<s>")
    elif name.startswith("opus"):
        save(folder, (">>pt<<", ">>pt_br<<", ">>es<<"), ["<s>", *PT], start="<s>")
    elif name == "madlad":
        save(folder, ("<2en>", "<2pt>"), ["<s>", *PT], start="<s>")
    else:
        english, portuguese = NAMES[name]
        tables = [english, *EN], [portuguese, *PT]
        save(folder, (english, portuguese), *tables, start="</s>")
    for file in FILES[name.split("-")[0]]:
        (folder / file).write_bytes(pieces())
    return folder


NAMES = {"nllb": ("eng_Latn", "por_Latn"), "m2m": ("__en__", "__pt__")}
OTHER = {"en": "pt-BR", "pt-BR": "en"}
FILES = {
    "opus": ("source.spm", "target.spm"),
    "nllb": ("sentencepiece.bpe.model",),
    "m2m": ("sentencepiece.bpe.model",),
    "madlad": ("spiece.model",),
}


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("config.json", "{", r"config\.json cannot be read: Expecting"),
        ("config.json", "[]", r"config\.json holds no settings"),
        ("config.json", None, r"config\.json cannot be read: .*No such file"),
        ("shared_vocabulary.json", "[", r"shared_vocabulary\.json cannot be read"),
        ("shared_vocabulary.json", "[[1]]", r"shared_vocabulary\.json holds no list of tokens"),
    ],
)
def test_a_folder_that_is_damaged_is_named(
    tmp_path: Path, file: str, text: str | None, why: str
) -> None:
    folder = folder_of(tmp_path, "madlad")
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    with pytest.raises(MissingPartError, match=f"{folder}/{why}"):
        provider(folder)


def provider(folder: Path) -> MtProvider:
    setup = Setup(ModelStore(ModelsSettings()), str(folder))
    made = create(MtProvider, "ctranslate2", setup)
    made.load()
    return made


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("opus-mt-pt-en", "en", ENGLISH),
        ("opus-mt-en-ROMANCE", "pt-BR", PORTUGUESE),
        ("nllb", "pt-BR", PORTUGUESE),
        ("nllb", "en", ENGLISH),
        ("m2m", "pt-BR", PORTUGUESE),
        ("m2m", "en", ENGLISH),
        ("madlad", "pt-BR", PORTUGUESE),
    ],
)
def test_a_folder_of_each_family_translates(
    tmp_path: Path, name: str, target: str, said: str
) -> None:
    made = provider(folder_of(tmp_path, name))
    source = OTHER[target]
    tasks = [MtTask("Hop. Hop.", source, target), MtTask("", source, target)]
    assert made.run(tasks) == [f"{said} {said}", ""]


def test_sentences_of_several_languages_go_together(tmp_path: Path) -> None:
    made = provider(folder_of(tmp_path, "nllb"))
    tasks = [MtTask("hop", OTHER[target], target) for target in ("en", "pt-BR", "en")]
    assert made.run(tasks) == [ENGLISH, PORTUGUESE, ENGLISH]


@pytest.mark.parametrize(
    ("name", "target", "given", "begins"),
    [
        ("opus-mt-pt-en", "en", ["▁x", "</s>"], None),
        ("opus-mt-en-ROMANCE", "pt-BR", [">>pt_br<<", "▁x", "</s>"], None),
        ("nllb", "pt-BR", ["eng_Latn", "▁x", "</s>"], ["por_Latn"]),
        ("m2m", "en", ["__pt__", "▁x", "</s>"], ["__en__"]),
        ("madlad", "pt-BR", ["<2pt>", "▁x", "</s>"], None),
    ],
)
def test_each_family_is_given_its_tokens(
    tmp_path: Path, name: str, target: str, given: list[str], begins: list[str] | None
) -> None:
    layout = layout_of(folder_of(tmp_path, name))
    assert layout.given(["▁x"], OTHER[target], target) == given
    assert layout.begins(target) == begins


@pytest.mark.parametrize(
    ("tokens", "given"),
    [
        ((">>pt_PT<<", ">>pt_br<<", ">>pt<<", ">>pt_BA<<"), ">>pt_br<<"),
        ((">>pt_PT<<", ">>pt_AO<<", ">>pt<<"), ">>pt<<"),
        ((">>por<<", ">>pob<<"), ">>pob<<"),
        ((">>por<<", ">>spa<<"), ">>por<<"),
    ],
)
def test_of_several_tokens_of_a_language_the_same_one_is_given(
    tmp_path: Path, tokens: tuple[str, ...], given: str
) -> None:
    folder = opus_with(tmp_path, tokens)
    layout = layout_of(folder)
    assert layout.given(["▁x"], "en", "pt-BR")[0] == given
    assert ("en", "pt-BR") in layout.pairs(["en", "pt-BR"])


def test_targets_that_are_not_known_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="names no target that is known"):
        layout_of(opus_with(tmp_path, (">>xyz<<",)))


def opus_with(root: Path, tokens: tuple[str, ...]) -> Path:
    folder = root / "opus-mt-en-roa"
    folder.mkdir()
    save(folder, tokens, ["<s>", *PT], start="<s>")
    for file in FILES["opus"]:
        (folder / file).write_bytes(pieces())
    return folder


def test_a_model_that_adds_the_end_itself_is_not_given_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "opus-mt-pt-en")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"add_source_eos": True}))
    assert layout_of(folder).given(["▁x"], "pt-BR", "en") == ["▁x"]


def test_what_it_offers_is_known_without_loading_it(tmp_path: Path) -> None:
    setup = Setup(ModelStore(ModelsSettings()), str(folder_of(tmp_path, "nllb")))
    offer = offers(MtProvider, MtCapabilities, "ctranslate2", setup)
    assert ("en", "pt-BR") in offer.pairs
    assert ("pt-BR", "en") in offer.pairs
    assert ("en", "en") not in offer.pairs
    assert offer.model == "nllb"


def test_a_direction_that_the_model_has_not_is_refused(tmp_path: Path) -> None:
    made = provider(folder_of(tmp_path, "opus-mt-pt-en"))
    with pytest.raises(StsError, match="cannot translate en into pt-BR"):
        made.run([MtTask("Good evening.", "en", "pt-BR")])


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        ("shared_vocabulary.json", "no vocabulary"),
        ("source.spm", "no file of word pieces"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, break_it: str, message: str) -> None:
    folder = folder_of(tmp_path, "opus-mt-pt-en")
    (folder / break_it).unlink()
    with pytest.raises(MissingPartError, match=message):
        layout_of(folder)


def test_a_folder_that_says_no_direction_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "opus-mt-pt-en").rename(tmp_path / "model")
    with pytest.raises(MissingPartError, match="does not end in a direction"):
        layout_of(folder)


def test_without_a_folder_it_says_what_to_set() -> None:
    setup = Setup(ModelStore(ModelsSettings()))
    with pytest.raises(MissingPartError, match=r"sts_server\.mt_model"):
        create(MtProvider, "ctranslate2", setup)
