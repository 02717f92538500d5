"""The families: what the decoder of each model_type is made of, and what a missing field means there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from symcost.families.decoder import (
    Family,
    If,
    Routed,
    between,
    falcon,
    family,
    first_dense,
    gemma2,
    llama4,
    mpt,
    opt,
)

SILU, GELU_NEW, GELU_TANH = (
    {"hidden_act": "silu"},
    {"hidden_act": "gelu_new"},
    {"hidden_act": "gelu_pytorch_tanh"},
)
RELU_2, TIED = {"hidden_act": "relu2"}, {"tie_word_embeddings": True}
DROPPED = {"attention_dropout": 0.1, "residual_dropout": 0.1, "embedding_dropout": 0.1}
BIASED, BIASED_QKV = If("attention_bias", "QKVO", ""), If("attention_bias", "QKV", "")
LLAMA: Mapping[str, Any] = {"attends": {"biased": BIASED}, "feed_biased": If("mlp_bias")}
GPT: Mapping[str, Any] = {
    "positions": "learned",
    "gated": False,
    "times": 4,
    "feed_biased": True,
    "norm": "layer",
    "only": {"add_cross_attention": (False,), "reorder_and_upcast_attn": (False,)},
}
GPT_J: Mapping[str, Any] = {
    "positions": "rope-part",
    "groups": 0,
    "gated": False,
    "times": 4,
    "feed_biased": True,
    "norm": "layer",
    "layout": "parallel",
    "head_biased": True,
    "only": {"rotary": (True,)},
}
GEMMA_PARTS: Mapping[str, Any] = {
    "norm": "rms-around-one",
    "embedding_scaled": True,
    "only": {"use_bidirectional_attention": (False,)},
}
GEMMA = GELU_TANH | TIED | {"head_dim": 256}
GEMMA_2 = GEMMA | {"num_key_value_heads": 4, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}
GEMMA_3 = GEMMA | {
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "vocab_size": 262_208,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "sliding_window_pattern": 6,
}
GLM: Mapping[str, Any] = {
    "positions": "rope-part",
    "part": 0.5,
    "attends": {"interleaved": True, "biased": BIASED_QKV},
}
GLM_ABSENT = SILU | {"num_key_value_heads": 2, "head_dim": 128, "attention_bias": True}
NORMALISED = If("norm_topk_prob")
DEEPSEEK_V3: Mapping[str, Any] = {
    "latent": {},
    "experts": Routed(
        "moe_intermediate_size",
        "n_shared_experts",
        first_dense,
        {"scores": "sigmoid", "normalised": NORMALISED, "balanced": True},
    ),
    "only": {"scoring_func": ("sigmoid",), "topk_method": ("noaux_tc",), "mlp_bias": (False,)},
    "ignored": ("num_nextn_predict_layers",),  # blocks that predict a second token are published apart
}
DEEPSEEK_V3_ABSENT = SILU | {"first_k_dense_replace": 3, "norm_topk_prob": True}

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        # One feed-forward layer, with a gate.
        "llama": family(SILU, **LLAMA),
        "mistral": family(SILU | {"num_key_value_heads": 8}),
        "ministral": family(SILU | {"num_key_value_heads": 8}),
        "qwen2": family(SILU, attends={"biased": "QKV"}),
        "qwen3": family(SILU | {"head_dim": 128}, attends={"biased": BIASED, "qk_norm": "rms"}),
        "gemma": family(GEMMA | {"num_key_value_heads": 16}, attends={"biased": BIASED}, **GEMMA_PARTS),
        "gemma2": Family(partial(gemma2, attends={"biased": BIASED}, **GEMMA_PARTS), GEMMA_2),
        "gemma3_text": Family(
            partial(
                gemma2,
                attends={"biased": BIASED, "qk_norm": "rms-around-one"},
                local={"table": "angles of the window"},
                **GEMMA_PARTS,
            ),
            GEMMA_3,
        ),
        "phi3": family(SILU, positions="rope-part", attends={"packed": True}),
        "olmo": family(SILU, attends={"biased": BIASED}, clips=True, norm="layer-plain"),
        "olmo2": family(SILU, attends={"biased": BIASED, "qk_norm": "rms-all-heads"}, layout="after"),
        "olmo3": family(SILU, attends={"biased": BIASED, "qk_norm": "rms-all-heads"}, layout="after"),
        "exaone4": family(SILU, attends={"qk_norm": "rms"}, layout="after"),
        "hunyuan_v1_dense": family(SILU, attends={"biased": BIASED, "qk_norm": "rms"}),
        "granite": family(SILU, **LLAMA),
        "smollm3": family(
            SILU | TIED | {"num_key_value_heads": 4},
            ignored=("no_rope_layers", "no_rope_layer_interval"),
            **LLAMA,
        ),
        "seed_oss": family(
            SILU | {"head_dim": 128, "attention_bias": True, "residual_dropout": 0.1},
            attends={"biased": [BIASED_QKV, If("attention_out_bias", "O", "")]},
            feed_biased=If("mlp_bias"),
        ),
        "ernie4_5": family(
            SILU | TIED | {"head_dim": 128},
            attends={"interleaved": True, "biased": If("use_bias", "QKVO", "")},
            feed_biased=If("use_bias"),
        ),
        "helium": family(
            SILU | {"head_dim": 128},
            attends={"interleaved": True, "biased": BIASED},
            feed_biased=If("mlp_bias"),
        ),
        "glm": family(GLM_ABSENT, **GLM),
        "glm4": family(GLM_ABSENT, layout="around", **GLM),
        "stablelm": family(
            SILU,
            positions="rope-part",
            part=0.25,
            attends={
                "biased": If("use_qkv_bias", "QKV", ""),
                "qk_norm": If("qk_layernorm", "layer-by-head", None),
            },
            norm="layer",
            layout=If("use_parallel_residual", "parallel", "before"),
        ),
        "cohere": family(
            SILU | TIED,
            attends={"biased": BIASED, "qk_norm": If("use_qk_norm", "layer-centred-by-head", None)},
            norm="layer-centred",
            layout="parallel",
            logits_scaled=True,
        ),
        "cohere2": family(
            SILU | TIED | {"sliding_window_pattern": 4},
            attends={"biased": BIASED},
            everywhere={"positions": "none"},
            only={"use_gated_activation": (True,), "use_parallel_block": (True,), "use_qk_norm": (False,)},
            ignored=(
                "position_embedding_type",
                "rotary_pct",
                "order_of_interleaved_layers",
                "use_parallel_embedding",
                "use_embedding_sharing",
            ),
            norm="layer-centred",
            layout="parallel",
            logits_scaled=True,
        ),
        # One feed-forward layer of two matrices.
        "gpt2": family(
            GELU_NEW | TIED | DROPPED, groups=0, attends={"packed": True, "biased": "QKVO"}, **GPT
        ),
        "gpt_bigcode": family(
            GELU_TANH | TIED | DROPPED | {"multi_query": True, "num_key_value_heads": 1},
            groups=If("multi_query", 1, 0),
            ignored=("num_key_value_heads",),  # as multi_query says
            attends={"packed": True, "biased": "QKVO"},
            **GPT,
        ),
        "gpt_neo": family(
            GELU_NEW | TIED,
            groups=0,
            attends={"biased": "O"},
            ignored=("attention_types", "attention_layers"),
            **GPT,
        ),
        "gpt_neox": family(
            {"hidden_act": "gelu", "attention_bias": True, "use_parallel_residual": True},
            positions="rope-part",
            part=0.25,
            groups=0,
            gated=False,
            feed_biased=True,
            attends={"packed": True, "biased": BIASED},
            norm="layer",
            layout=If("use_parallel_residual", "parallel-two", "before"),
        ),
        "gptj": family(GELU_NEW | {"rotary_dim": 64}, **GPT_J),
        "codegen": family(GELU_NEW | {"rotary_dim": 64}, attends={"packed": True}, **GPT_J),
        "phi": family(
            GELU_NEW,
            positions="rope-part",
            part=0.5,
            gated=False,
            feed_biased=True,
            attends={"biased": "QKVO", "qk_norm": If("qk_layernorm", "layer", None)},
            norm="layer",
            layout="parallel",
            head_biased=True,
        ),
        "opt": Family(
            opt,
            TIED
            | {"hidden_act": "relu", "residual_dropout": 0.1, "enable_bias": True}
            | {"do_layer_norm_before": True, "layer_norm_elementwise_affine": True},
        ),
        "bloom": family(
            TIED | {"hidden_act": "gelu"},
            positions="alibi",
            groups=0,
            gated=False,
            times=4,
            feed_biased=True,
            attends={"packed": True, "biased": "QKVO"},
            only={"apply_residual_connection_post_layernorm": (False,), "slow_but_exact": (False,)},
            norm="layer",
            embedding_norm=True,
        ),
        "falcon": Family(falcon, TIED | {"hidden_act": "gelu", "multi_query": True, "parallel_attn": True}),
        "mpt": Family(mpt, TIED | {"hidden_act": "gelu"}),
        "starcoder2": family(
            GELU_TANH | TIED | {"num_key_value_heads": 2, "use_bias": True},
            gated=False,
            feed_biased=If("use_bias"),
            attends={"biased": If("use_bias", "QKVO", "")},
            only={"mlp_type": ("default",), "norm_type": ("layer_norm",)},
            norm="layer",
        ),
        "arcee": family(RELU_2, gated=False, **LLAMA),
        "nemotron": family(
            RELU_2, positions="rope-part", part=0.5, gated=False, norm="layer-around-one", **LLAMA
        ),
        "persimmon": family(
            RELU_2 | {"qk_layernorm": True},
            positions="rope-part",
            part=0.5,
            groups=0,
            gated=False,
            feed_biased=True,
            attends={"packed": True, "biased": "QKVO", "qk_norm": If("qk_layernorm", "layer", None)},
            norm="layer",
        ),
        # Mixtures of experts.
        "mixtral": family(
            SILU | {"num_key_value_heads": 8, "num_local_experts": 8, "num_experts_per_tok": 2},
            experts=Routed("intermediate_size", arguments={"normalised": True}),
        ),
        "qwen2_moe": family(
            SILU | {"num_local_experts": 60, "num_experts_per_tok": 4, "qkv_bias": True},
            attends={"biased": If("qkv_bias", "QKV", "")},
            experts=Routed(
                "moe_intermediate_size",
                "shared_expert_intermediate_size",
                between,
                {"normalised": NORMALISED, "shared_gate": True},
            ),
        ),
        "qwen3_moe": family(
            SILU | {"num_key_value_heads": 4, "num_local_experts": 128, "num_experts_per_tok": 8},
            attends={"biased": BIASED, "qk_norm": "rms"},
            experts=Routed("moe_intermediate_size", "", between, {"normalised": NORMALISED}),
        ),
        "olmoe": family(
            SILU | {"num_local_experts": 64, "num_experts_per_tok": 8},
            attends={"biased": BIASED, "qk_norm": "rms-all-heads"},
            clips=True,
            experts=Routed("intermediate_size", arguments={"normalised": NORMALISED}),
        ),
        "granitemoe": family(
            SILU | {"num_local_experts": 8, "num_experts_per_tok": 2},
            attends={"biased": BIASED},
            experts=Routed("intermediate_size", arguments={"scores_of_chosen": True}),
        ),
        "gpt_oss": family(
            SILU | {"num_key_value_heads": 8, "head_dim": 64, "attention_bias": True},
            attends={"biased": BIASED, "sinks": True},
            experts=Routed("intermediate_size", arguments={"scores_of_chosen": True, "biased": True}),
        ),
        "deepseek_v2": family(
            SILU | {"first_k_dense_replace": 0, "q_lora_rank": 1536},
            latent={"complex_angles": True},
            experts=Routed(
                "moe_intermediate_size", "n_shared_experts", first_dense, {"normalised": NORMALISED}
            ),
            only={
                "scoring_func": ("softmax",),
                "topk_method": ("greedy", "gready", "group_limited_greedy"),
                "mlp_bias": (False,),
            },
        ),
        "deepseek_v3": family(DEEPSEEK_V3_ABSENT, **DEEPSEEK_V3),
        "kimi_k2": family(DEEPSEEK_V3_ABSENT, **DEEPSEEK_V3),
        "glm4_moe": family(
            SILU | {"first_k_dense_replace": 1, "n_shared_experts": 1, "norm_topk_prob": True},
            positions="rope-part",
            part=0.5,
            attends={"biased": BIASED_QKV, "qk_norm": If("use_qk_norm", "rms", None)},
            experts=DEEPSEEK_V3["experts"],
            ignored=("num_nextn_predict_layers",),
        ),
        "dots1": family(
            SILU | {"first_k_dense_replace": 0},
            attends={"biased": BIASED, "qk_norm": "rms"},
            experts=DEEPSEEK_V3["experts"],
            only={"scoring_func": ("sigmoid", "noaux_tc"), "topk_method": ("noaux_tc",)},
        ),
        "minimax_m2": family(
            SILU | {"head_dim": 128},
            positions="rope-part",
            attends={"qk_norm": "rms-all-heads"},
            experts=Routed(
                "intermediate_size", arguments={"scores": "sigmoid", "normalised": True, "balanced": True}
            ),
        ),
        "llama4_text": Family(
            llama4,
            SILU | {"head_dim": 128, "num_key_value_heads": 8, "num_experts_per_tok": 1, "use_qk_norm": True},
        ),
    }
)
