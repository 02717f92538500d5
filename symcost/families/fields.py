"""The fields of a Hugging Face config: each asked for by name; what nobody asks for must be harmless."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sympy import Expr, Symbol

from symcost.errors import ConfigError, nearest

# Fields that change no count of parameters, saved activations or FLOPs, in any family: names, token ids,
# numerical constants, scalars that a result is multiplied by, angles, windows (which only say what is
# masked), and what concerns generation or other heads.
HARMLESS = frozenset(
    name
    for names in (
        "architectures auto_map name_or_path transformers_version license tokenizer_class",
        "task_specific_params id2label label2id num_labels problem_type finetuning_task prefix",
        "custom_pipelines torchscript bos_token_id eos_token_id eod_token_id pad_token_id unk_token_id",
        "sep_token_id decoder_start_token_id dtype torch_dtype initializer_range initializer_factor",
        "initializer_cutoff_factor init_std init_device layer_norm_eps layer_norm_epsilon rms_norm_eps",
        "norm_eps norm_epsilon layernorm_epsilon rope_scaling rope_theta rope_parameters",
        "rope_local_base_freq rotary_emb_base rope_interleave rope_ratio original_max_position_embeddings",
        "max_position_embeddings n_positions n_ctx seq_length max_seq_len sliding_window",
        "use_sliding_window max_window_layers sliding_window_pattern window_size attention_chunk_size",
        "floor_scale attn_scale swiglu_limit swiglu_alpha initial_context_length pretraining_tp use_cache",
        "cache_implementation attn_implementation gradient_checkpointing chunk_size_feed_forward",
        "return_dict use_return_dict output_attentions output_hidden_states is_decoder summary_type",
        "summary_use_proj summary_activation summary_proj_to_labels summary_first_dropout",
        "classifier_dropout scale_attn_weights scale_attn_by_inverse_layer_idx query_pre_attn_scalar",
        "attention_softmax_in_fp32 scale_attention_softmax_in_fp32 masked_softmax_fusion attn_softmax_bf16",
        "bias_dropout_fusion skip_bias_add skip_bias_add_qkv offset_alibi alibi_bias_max logit_scale",
        "embedding_multiplier logits_scaling residual_multiplier attention_multiplier router_aux_loss_coef",
        "aux_loss_alpha seq_aux routed_scaling_factor n_group topk_group ep_size typical_p temperature",
        "top_p top_k do_sample max_length min_length num_beams repetition_penalty experts_per_token",
        "use_bfloat16 tf_legacy_loss pruned_heads remove_invalid_values output_past model_max_length",
        "sliding_window_size use_mrope init_config tokenizer_name verbose layer_switch n_special",
        "predict_special_tokens inference_runner pad_key_length pre_allocate_kv_cache",
        "validate_runner_input max_batch_size for_llm_compressor xla_device",
    )
    for name in names.split()
)

# What else configs call a field. The first name is the one that is asked for.
SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "hidden_size": ("n_embd", "n_embed", "d_model"),
        "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
        "num_attention_heads": ("n_head", "n_heads", "num_heads"),
        "num_key_value_heads": ("num_kv_heads", "n_head_kv", "kv_n_heads"),
        "intermediate_size": ("n_inner", "ffn_dim", "ffn_hidden_size"),
        "max_position_embeddings": ("n_positions", "max_seq_len"),
        "hidden_act": ("activation_function", "activation"),
        "num_local_experts": ("num_experts", "n_routed_experts", "moe_num_experts"),
        "num_experts_per_tok": ("moe_top_k", "moe_topk"),
        "partial_rotary_factor": ("rotary_pct", "rope_pct"),
        "attention_dropout": ("attn_pdrop", "attn_dropout", "attention_probs_dropout_prob"),
        "residual_dropout": (
            "resid_pdrop",
            "hidden_dropout",
            "hidden_dropout_prob",
            "dropout",
            "resid_dropout",
        ),
        "embedding_dropout": ("embd_pdrop", "emb_pdrop", "embed_dropout"),
        "num_nextn_predict_layers": ("num_mtp_layers",),
    }
)


def is_count(value: Any) -> bool:
    """Whether a value is a positive whole number."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


class Fields:
    """The fields of one config, each asked for by name; what nobody asked for must be harmless.

    `place` is the file's name, for messages. `absent` is what a missing field means in this family. What is
    read gathers in `numbers` (d = 4096) and `ties` (d_k = d/h).
    """

    def __init__(
        self, config: Mapping[str, Any], place: str, absent: Mapping[str, Any] | None = None
    ) -> None:
        self.config, self.place, self.absent = config, place, absent or {}
        self.asked = {"model_type"}
        self.numbers: dict[str, int] = {}
        self.ties: dict[Symbol, Expr] = {}

    def get(self, name: str, default: Any = None) -> Any:
        """The field's value under any of its names; where it is missing what that means; null is None."""
        names = (name, *SYNONYMS.get(name, ()))
        self.asked.update(names)
        found = {each: self.config[each] for each in names if each in self.config}
        values = [value for value in found.values() if value is not None]
        if values:
            return values[0]
        return None if found else self.absent.get(name, default)

    def error(self, name: str, expected: str, found: Any) -> ConfigError:
        """A fault of one field, in one line."""
        return ConfigError(f"{self.place}: {name}: expected {expected}, found {found}.")

    def count(self, name: str, default: int | None = None) -> int:
        """A field that must be a positive whole number. Raises ConfigError where it is absent or none."""
        value = self.get(name)
        value = default if value is None else value
        if value is None:
            near = nearest(
                name, [key for key in self.config if key not in self.asked], "Add it to the config."
            )
            raise ConfigError(f"{self.place}: expected the field '{name}', found none. {near}")
        names = [each for each in (name, *SYNONYMS.get(name, ())) if self.config.get(each) is not None]
        if any(self.config[each] != value for each in names):
            told = " and ".join(f"{each} = {self.config[each]!r}" for each in names)
            raise self.error(name, "one value", told)
        if not is_count(value):
            raise self.error(name, "a positive whole number", repr(value))
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A field that must be true or false."""
        value = self.get(name)
        value = self.absent.get(name, default) if value is None else value
        if not isinstance(value, bool):
            raise self.error(name, "true or false", repr(value))
        return value

    def share(self, name: str, default: float = 0.0) -> float:
        """A field that must be a number from 0 to 1 (a probability, a part of a head)."""
        value = self.get(name)
        value = self.absent.get(name, default) if value is None else value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.error(name, "a number from 0 to 1", repr(value))
        return float(value)

    def one_of(self, name: str, meanings: Mapping[str, Any]) -> Any:
        """What the field's value means, one of a few. Raises ConfigError for any other."""
        value = self.get(name)
        value = self.absent.get(name) if value is None else value
        if not isinstance(value, str) or value not in meanings:
            raise self.error(name, " or ".join(f"'{each}'" for each in meanings), repr(value))
        return meanings[value]

    def numbered(self, name: str, length: int) -> list[int]:
        """A field that lists blocks by number, from 0. Null and missing list none."""
        value = self.get(name)
        value = [] if value is None else value
        if not isinstance(value, list) or not all(type(each) is int and 0 <= each < length for each in value):
            raise self.error(name, f"a list of block numbers below {length}", repr(value))
        return value

    def nested(self, name: str) -> Fields:
        """A field that is an object of fields."""
        value = self.get(name, {})
        if not isinstance(value, Mapping):
            raise self.error(name, "an object of fields", repr(value))
        return Fields(value, f"{self.place}: {name}")

    def must_be(self, name: str, *allowed: Any) -> None:
        """A field that may only have the values that change nothing, the first of which a missing one has."""
        value = self.get(name, allowed[0])
        if value not in allowed and value is not None:
            raise ConfigError(
                f"{self.place}: {name}: expected {' or '.join(map(repr, allowed))}, found {value!r}, "
                f"which is not understood for model_type '{self.config.get('model_type')}'."
            )

    def put(self, **numbers: int) -> None:
        """Numbers of the model, by letter."""
        self.numbers |= numbers

    def tie(self, letter: Symbol, form: Expr) -> None:
        """A letter that follows from others."""
        self.ties[letter] = form

    def finish(self) -> None:
        """Raises ConfigError for a field that says something and is neither understood nor harmless."""
        for name in ("is_encoder_decoder", "add_cross_attention", "tie_encoder_decoder"):
            self.must_be(name, False)
        for name, value in self.config.items():
            if (
                value is not None
                and name not in self.asked
                and name not in HARMLESS
                and not name.startswith("_")
            ):
                raise ConfigError(
                    f"{self.place}: {name}: this field is not understood for model_type "
                    f"'{self.config.get('model_type')}', and it may change a count. Remove it if it does not."
                )
