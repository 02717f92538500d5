"""Reading a model from a Hugging Face config or a spec: which layers each family is made of, and its numbers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sympy import Expr, Symbol

from symcost.errors import ConfigError, UnknownName, nearest
from symcost.model import LETTERS, Architecture, Model
from symcost.symbols import d, d_ff, d_k, h

# Fields that change no count of parameters, saved activations or FLOPs, in any family.
HARMLESS = frozenset(
    """architectures attention_dropout bos_token_id eos_token_id pad_token_id unk_token_id sep_token_id decoder_start_token_id
    dtype torch_dtype initializer_range initializer_factor layer_norm_eps layer_norm_epsilon rms_norm_eps norm_eps max_position_embeddings
    pretraining_tp rope_parameters rope_scaling rope_theta transformers_version use_cache return_dict output_attentions
    output_hidden_states is_decoder is_encoder_decoder auto_map name_or_path license task_specific_params id2label label2id
    problem_type tokenizer_class sliding_window use_sliding_window max_window_layers chunk_size_feed_forward
    gradient_checkpointing attn_implementation hidden_dropout attn_pdrop resid_pdrop embd_pdrop
    summary_type summary_use_proj summary_activation summary_proj_to_labels summary_first_dropout
    scale_attn_weights scale_attn_by_inverse_layer_idx reorder_and_upcast_attn""".split()
)


class Fields:
    """The fields of one config, each asked for by name; what nobody asked for must be harmless.

    `place` is the file's name, for messages.
    """

    def __init__(self, config: Mapping[str, Any], place: str) -> None:
        self.config, self.place = config, place
        self.asked = {"model_type"}

    def get(self, name: str, default: Any = None) -> Any:
        """The field's value, or `default` where it is absent or null."""
        self.asked.add(name)
        value = self.config.get(name)
        return default if value is None else value

    def count(self, name: str, default: int | None = None) -> int:
        """A field that must be a positive whole number. Raises ConfigError where it is absent or none."""
        value = self.get(name, default)
        if value is None:
            close = nearest(name, [key for key in self.config if key not in self.asked], "Add it to the config.")
            raise ConfigError(f"{self.place}: expected the field '{name}', found none. {close}")
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise ConfigError(f"{self.place}: {name}: expected a positive whole number, found {value!r}.")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A field that must be true or false."""
        value = self.get(name, default)
        if not isinstance(value, bool):
            raise ConfigError(f"{self.place}: {name}: expected true or false, found {value!r}.")
        return value

    def one_of(self, name: str, meanings: Mapping[str, Any], default: str) -> Any:
        """What the field's value means, one of a few. Raises ConfigError for any other."""
        value = self.get(name, default)
        if not isinstance(value, str) or value not in meanings:
            raise ConfigError(f"{self.place}: {name}: expected {' or '.join(meanings)}, found {value!r}.")
        return meanings[value]

    def must_be(self, name: str, expected: Any) -> None:
        """A field that may only have the value that changes nothing."""
        value = self.get(name, expected)
        if value != expected:
            raise ConfigError(f"{self.place}: {name}: expected {expected!r}, found {value!r}, which is not understood.")

    def finish(self) -> None:
        """Raises ConfigError for a field that is neither understood nor known to be harmless."""
        for name in self.config:
            if name not in self.asked and name not in HARMLESS and not name.startswith("_"):
                raise ConfigError(
                    f"{self.place}: {name}: this field is not understood for model_type "
                    f"'{self.config.get('model_type')}', and it may change a count. Remove it if it does not."
                )


Family = Callable[[Fields], tuple[Architecture, dict[Symbol, Expr], dict[str, int]]]


def _heads(fields: Fields, numbers: dict[str, int], ties: dict[Symbol, Expr]) -> bool:
    """Puts in h, h_kv and d_k; answers whether key and value heads are grouped."""
    numbers["h"] = fields.count("num_attention_heads")
    groups = fields.count("num_key_value_heads", numbers["h"])
    if numbers["h"] % groups:
        raise ConfigError(
            f"{fields.place}: num_key_value_heads: expected a divisor of num_attention_heads = {numbers['h']}, found {groups}."
        )
    if fields.get("head_dim") is None and numbers["d"] % numbers["h"]:
        raise ConfigError(
            f"{fields.place}: hidden_size: expected a multiple of num_attention_heads = {numbers['h']}, "
            f"found {numbers['d']}. Give head_dim where heads do not multiply to the width."
        )
    width = fields.count("head_dim", numbers["d"] // numbers["h"])
    if width * numbers["h"] == numbers["d"]:
        ties[d_k] = d / h
    else:
        numbers["d_k"] = width
    if groups == numbers["h"]:
        return False
    numbers["h_kv"] = groups
    return True


def _llama(fields: Fields) -> tuple[Architecture, dict[Symbol, Expr], dict[str, int]]:
    numbers = {"d": fields.count("hidden_size"), "d_ff": fields.count("intermediate_size")}
    numbers |= {"L": fields.count("num_hidden_layers"), "v": fields.count("vocab_size")}
    ties: dict[Symbol, Expr] = {}
    architecture = Architecture(
        feed_forward=fields.one_of("hidden_act", {"silu": "swiglu"}, "silu"),
        positions="rope",
        causal_mask=True,
        grouped=_heads(fields, numbers, ties),
        attention_bias="QKVO" if fields.flag("attention_bias") else "",
        feed_forward_bias=fields.flag("mlp_bias"),
        tied=fields.flag("tie_word_embeddings"),
    )
    return architecture, ties, numbers


def _qwen2(fields: Fields) -> tuple[Architecture, dict[Symbol, Expr], dict[str, int]]:
    architecture, ties, numbers = _llama(fields)
    return replace(architecture, attention_bias="QKV"), ties, numbers


def _gpt2(fields: Fields) -> tuple[Architecture, dict[Symbol, Expr], dict[str, int]]:
    numbers = {"d": fields.count("n_embd"), "L": fields.count("n_layer"), "v": fields.count("vocab_size")}
    numbers |= {"h": fields.count("n_head"), "c_max": fields.count("n_positions")}
    fields.get("n_ctx")
    fields.must_be("add_cross_attention", False)
    if numbers["d"] % numbers["h"]:
        raise ConfigError(f"{fields.place}: n_embd: expected a multiple of n_head = {numbers['h']}, found {numbers['d']}.")
    ties: dict[Symbol, Expr] = {d_k: d / h}
    if fields.get("n_inner") is None:
        ties[d_ff] = 4 * d
    else:
        numbers["d_ff"] = fields.count("n_inner")
    meanings = {"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu", "gelu": "gelu", "relu": "relu", "silu": "silu"}
    architecture = Architecture(
        norm="layer",
        feed_forward=fields.one_of("activation_function", meanings, "gelu_new"),
        positions="learned",
        causal_mask=True,
        attention_bias="QKVO",
        feed_forward_bias=True,
        tied=fields.flag("tie_word_embeddings", True),
    )
    return architecture, ties, numbers


FAMILIES: Mapping[str, Family] = MappingProxyType({"llama": _llama, "mistral": _llama, "qwen2": _qwen2, "gpt2": _gpt2})


def from_config(config: Mapping[str, Any], name: str, place: str = "config") -> Model:
    """The model that a Hugging Face config describes. Raises ConfigError naming the field."""
    kind = config.get("model_type")
    if not isinstance(kind, str):
        raise ConfigError(f"{place}: expected the field 'model_type', found none. Add it, as in \"llama\".")
    if kind not in FAMILIES:
        raise ConfigError(f"{place}: model_type: '{kind}' is not understood. {nearest(kind, FAMILIES)}")
    fields = Fields(config, place)
    architecture, ties, numbers = FAMILIES[kind](fields)
    fields.finish()
    return Model(name, architecture, ties, numbers, source=str(config.get("_source", f"{place}, model_type {kind}")))


def known_models() -> Mapping[str, Mapping[str, Any]]:
    """Published configs by name, each with its source."""
    text = resources.files("symcost").joinpath("known_models.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))


def load(model: str | Path | Mapping[str, Any] | Model) -> Model:
    """A model by name, from a Hugging Face `config.json`, a TOML spec, or a dict of either.

    Raises UnknownName with the nearest known name, ConfigError for a file that is broken or not understood.

    >>> load("cs190c").name
    'cs190c'
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, Mapping):
        return _from_dict(model, str(model.get("name", model.get("model_type", "spec"))), "spec")
    name = str(model)
    if name in LETTERS:
        return LETTERS[name]
    if _is_path(name):
        return _from_file(Path(name))
    known = known_models()
    if name.lower() in known:
        return from_config(known[name.lower()], name.lower(), name.lower())
    raise UnknownName(f"'{name}' is not a model. {nearest(name, [*LETTERS, *known], 'See symcost list models.')}")


def _is_path(name: str) -> bool:
    return Path(name).exists() or name.endswith((".json", ".toml")) or "/" in name or "\\" in name


def _from_file(path: Path) -> Model:
    if path.is_dir():
        raise ConfigError(f"{path}: expected a config.json or a TOML spec, found a directory. Name the file in it.")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: expected a config.json or a TOML spec, found no such file.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected UTF-8 text, found bytes that are none.") from None
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file, found: {error.strerror or error}.") from None
    try:
        config = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}:{error.colno}: expected JSON, found: {error.msg}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: expected TOML, found: {error}.") from None
    except RecursionError:
        raise ConfigError(f"{path}: expected a config, found brackets nested too deeply.") from None
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: expected an object of fields, found {type(config).__name__}.")
    name = path.parent.name if path.name == "config.json" and path.parent.name else path.stem
    return _from_dict(config, name, str(path))


def _from_dict(config: Mapping[str, Any], name: str, place: str) -> Model:
    if "model_type" in config or "architectures" in config:
        return from_config(config, name, place)
    from symcost.spec import from_spec  # pydantic is imported only where a spec is read

    return from_spec(config, name, place)
