"""Published training runs: parameters, tokens, accelerators, hours and FLOPs as their authors report them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from symcost.tables import by_name, entry, exact
from symcost.tables.gpus import gpu


@dataclass(frozen=True)
class Run:
    """One run as published; None where its authors do not say.

    `active` are the parameters that one token meets (fewer than all in a mixture of experts). `gpu` is a name
    in GPUS, `gpus` how many ran at once, `gpu_hours` all of them together. `mfu` is the reported model FLOPs
    utilisation, lowest and highest.
    """

    name: str
    parameters: int
    tokens: int
    source: str
    gpu: str | None = None
    gpus: int | None = None
    gpu_hours: int | None = None
    flops: int | None = None
    active: int | None = None
    mfu: tuple[Fraction, Fraction] | None = None
    note: str = ""

    @property
    def six_n_d(self) -> int:
        """FLOPs by the rule of thumb 6·N·D, with the parameters that a token meets.

        >>> f"{run('gpt-3-175b').six_n_d:.3e}"
        '3.143e+23'
        """
        return 6 * (self.active or self.parameters) * self.tokens

    def utilisation(self, element_type: str = "bf16") -> Fraction | None:
        """6·N·D over what the GPU-hours could have done at dense peak: an MFU with every pause counted in.

        >>> f"{float(run('llama-2-7b').utilisation()):.3f}"
        '0.406'
        """
        if self.gpu is None or self.gpu_hours is None:
            return None
        return Fraction(self.six_n_d, self.gpu_hours * 3600 * gpu(self.gpu).peak_for(element_type))


def billions(printed: float) -> int:
    return exact(printed, 10**9)


def trillions(printed: float) -> int:
    return exact(printed, 10**12)


def _mfu(lowest: str, highest: str | None = None) -> tuple[Fraction, Fraction]:
    return Fraction(lowest), Fraction(highest or lowest)


GPT_3 = "Brown et al. 2020, Language Models are Few-Shot Learners, table D.1"
LLAMA_1 = "Touvron et al. 2023, LLaMA, tables 2 and 15"
LLAMA_2 = "Touvron et al. 2023, Llama 2, tables 1 and 2"
LLAMA_3 = "Meta 2024, Llama 3 model card"
LLAMA_3_1 = "Llama Team 2024, The Llama 3 Herd of Models, and the Llama 3.1 model card"
OLMO_2 = "OLMo Team 2025, 2 OLMo 2 Furious, and the model cards"
PYTHIA = "Biderman et al. 2023, Pythia, table 1 and appendix on compute"
PYTHIA_TOKENS = 299_892_736_000
SMALLER_GPT_3 = ((125, 2.25e20), (356, 6.41e20), (760, 1.37e21), (1_320, 2.38e21), (2_650, 4.77e21),
                 (6_660, 1.20e22), (12_850, 2.31e22))  # fmt: skip
SMALLER_GPT_3_NAMES = ("small", "medium", "large", "xl", "2.7b", "6.7b", "13b")

RUNS: Mapping[str, Run] = by_name(
    (
        *(
            Run(f"gpt-3-{name}", exact(millions, 10**6), billions(300), GPT_3, flops=exact(flops))
            for name, (millions, flops) in zip(SMALLER_GPT_3_NAMES, SMALLER_GPT_3, strict=True)
        ),
        Run(
            "gpt-3-175b", billions(174.6), billions(300), GPT_3, flops=exact(3.14e23),
            note="on V100, their number is not said",
        ),
        Run(
            "gopher-280b", billions(280), billions(300),
            "Rae et al. 2021, Scaling Language Models: Methods, Analysis & Insights, appendix on compute",
            gpu="tpu-v3", gpus=4096, gpu_hours=4096 * 920, flops=exact(6.31e23),
            note="the FLOPs include what was computed again, padding and repeated steps",
        ),
        Run(
            "chinchilla-70b", billions(70), trillions(1.4),
            "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, section 4",
            flops=exact(5.76e23),
            note="the budget that the paper gives for Gopher and Chinchilla alike",
        ),
        Run(
            "palm-540b", billions(540.35), billions(780),
            "Chowdhery et al. 2022, PaLM, section 4.1 and appendix B",
            gpu="tpu-v4", gpus=6144, gpu_hours=6144 * 1200 + 3072 * 336,
            flops=exact(2.5272e24), mfu=_mfu("0.462"),
            note="1200 h on all chips and 336 h on half of them; HFU 57.8 %",
        ),
        Run(
            "opt-175b", billions(175), billions(180),
            "Zhang et al. 2022, OPT, section 2; its GPU-hours in Touvron et al. 2023, LLaMA, table 15",
            gpu="a100-80gb", gpus=992, gpu_hours=809_472, note="147 TFLOP/s a GPU reported",
        ),
        Run(
            "bloom-176b", 176_247_271_424, billions(366),
            "BLOOM model card 2022; Luccioni et al. 2022, Estimating the Carbon Footprint of BLOOM",
            gpu="a100-80gb", gpus=384, gpu_hours=1_082_990,
        ),
        *(
            Run(
                f"pythia-{name}", exact(millions, 10**6), PYTHIA_TOKENS, PYTHIA,
                gpu="a100-40gb", gpu_hours=hours, note="parameters as in the name",
            )
            for name, millions, hours in (
                ("70m", 70, 510), ("160m", 160, 1_030), ("410m", 410, 2_540), ("1b", 1_000, 4_830),
                ("1.4b", 1_400, 7_120), ("2.8b", 2_800, 14_240), ("6.9b", 6_900, 33_500),
                ("12b", 12_000, 72_300),
            )
        ),
        *(
            Run(f"llama-{name}", billions(size), trillions(tokens), LLAMA_1, gpu="a100-80gb", gpu_hours=hours)
            for name, size, tokens, hours in (
                ("7b", 6.7, 1, 82_432), ("13b", 13, 1, 135_168), ("33b", 32.5, 1.4, 530_432),
                ("65b", 65.2, 1.4, 1_022_362),
            )
        ),
        *(
            Run(f"llama-2-{name}", billions(size), trillions(2), LLAMA_2, gpu="a100-80gb", gpu_hours=hours)
            for name, size, hours in (
                ("7b", 7, 184_320), ("13b", 13, 368_640), ("34b", 34, 1_038_336), ("70b", 70, 1_720_320),
            )
        ),
        *(
            Run(
                f"llama-3-{name}", billions(size), trillions(15), LLAMA_3, gpu="h100-sxm", gpu_hours=hours,
                note="more than 15 trillion tokens",
            )
            for name, size, hours in (("8b", 8, 1_300_000), ("70b", 70, 6_400_000))
        ),
        *(
            Run(
                f"llama-3.1-{name}", billions(size), trillions(15), LLAMA_3_1,
                gpu="h100-sxm", gpu_hours=hours, note="more than 15 trillion tokens",
            )
            for name, size, hours in (("8b", 8, 1_460_000), ("70b", 70, 7_000_000))
        ),
        Run(
            "llama-3.1-405b", billions(405), trillions(15.6), LLAMA_3_1,
            gpu="h100-sxm", gpus=16_384, gpu_hours=30_840_000, flops=exact(3.8e25), mfu=_mfu("0.38", "0.43"),
        ),
        Run(
            "deepseek-v3", billions(671), trillions(14.8), "DeepSeek-AI 2024, DeepSeek-V3, table 1",
            active=billions(37), gpu="h800", gpus=2048, gpu_hours=2_664_000,
            note="pre-training; 2,788,000 h with longer context and post-training; most products in fp8",
        ),
        *(
            Run(
                f"olmo-2-{name}", billions(size), trillions(tokens), OLMO_2,
                note="parameters and tokens rounded as on the card",
            )
            for name, size, tokens in (("7b", 7, 4), ("13b", 13, 5), ("32b", 32, 6))
        ),
        Run(
            "smollm3-3b", billions(3), trillions(11.2), "Hugging Face 2025, SmolLM3 (blog post and configs)",
            gpu="h100-sxm", gpus=384, gpu_hours=384 * 24 * 24, note="24 days, rounded as in the post",
        ),
        Run(
            "gpt-2-124m-llm.c", 124_475_904, billions(10),
            "Karpathy 2024, Reproducing GPT-2 (124M) in llm.c in 90 minutes for $20",
            gpu="a100-80gb", gpus=8, gpu_hours=12, note="about 90 minutes, at up to about 60 % MFU",
        ),
    )
)  # fmt: skip


def run(name: str) -> Run:
    """The run called `name`. Raises UnknownName, naming the nearest.

    >>> run("deepseek-v3").gpu
    'h800'
    """
    return entry(RUNS, "training run", name)
