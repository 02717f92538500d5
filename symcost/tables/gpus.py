"""Accelerators: memory, bandwidth, dense peak FLOP/s by element type, power, link, each with its source.

- `memory` is what is built in. Chips and stacks come in powers of two, so the "80 GB" of a datasheet are
  taken as 80 GiB, as the lecture takes the RTX 3090's 24. A driver, and error correction on GDDR cards, keep
  some of it: an H100 of 80 GiB = 81,920 MiB shows 81,559 MiB.
- `peak` holds dense rates, a multiply and an add as two. fp16 and bf16 on matrix units accumulate in fp32,
  as frameworks ask for (GeForce cards do fp16 twice as fast when they accumulate in fp16). fp32 is without
  tensor cores.
- `sparse` holds the rates that datasheets print "with sparsity". No training reaches them.
- `link` is the fastest way out to a neighbour (NVLink, ICI, Infinity Fabric, Ethernet, else PCIe), both
  directions together, as vendors print it.
- `price` is what one source asked or assumed for an hour at its time, not what it costs today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symcost.errors import UnknownName
from symcost.tables import GIB, by_name, entry, exact


@dataclass(frozen=True)
class Gpu:
    """One accelerator: memory in bytes, bandwidth and link in B/s, peaks in FLOP/s, price in USD an hour."""

    name: str
    year: int
    memory: int
    bandwidth: int
    peak: Mapping[str, int] = field(hash=False)
    watts: int | None
    link: int
    source: str
    sparse: Mapping[str, int] = field(default_factory=dict, hash=False)
    price: Fraction | None = None
    price_source: str = ""
    note: str = ""

    def peak_for(self, element_type: str) -> int:
        """Dense peak FLOP/s for an element type. Raises UnknownName where the vendor prints none.

        >>> gpu("a100-80gb").peak_for("bf16")
        312000000000000
        """
        if element_type in self.peak:
            return self.peak[element_type]
        known = ", ".join(self.peak)
        raise UnknownName(f"{self.name} has no published peak for '{element_type}'. Known are: {known}.")


def tflops(**printed: float) -> Mapping[str, int]:
    """Peaks by element type, printed in TFLOP/s."""
    return {element: exact(rate, 10**12) for element, rate in printed.items()}


def gb(printed: float) -> int:
    """Bytes (a second), printed in GB(/s) of 10⁹."""
    return exact(printed, 10**9)


PCIE_3, PCIE_4, PCIE_5 = gb(32), gb(64), gb(128)  # sixteen lanes, both directions

PASCAL = "NVIDIA Tesla P100 whitepaper"
VOLTA = "NVIDIA V100 Tensor Core GPU datasheet"
TURING = "NVIDIA Turing GPU Architecture whitepaper"
GA102 = "NVIDIA Ampere GA102 GPU Architecture whitepaper"
ADA = "NVIDIA Ada GPU Architecture whitepaper"
RTX_BLACKWELL = "NVIDIA RTX Blackwell GPU Architecture whitepaper"
A100 = "NVIDIA A100 Tensor Core GPU datasheet"
HOPPER = "NVIDIA H100 Tensor Core GPU Architecture whitepaper and H100 datasheet"
BLACKWELL = "NVIDIA Blackwell Architecture Technical Brief and HGX B200 datasheet"
CLOUD_TPU = "Google Cloud TPU documentation, system architecture"
AWS = "Amazon EC2 on-demand price of {}, US East, 2024, over its GPUs"
GOOGLE = "Google Cloud TPU on-demand price per chip, US, 2024"

AMPERE_PEAK = tflops(fp64=9.7, fp32=19.5, tf32=156, bf16=312, fp16=312)
AMPERE_SPARSE = tflops(tf32=312, bf16=624, fp16=624)
HOPPER_PEAK = tflops(fp64=33.5, fp32=66.9, tf32=494.7, bf16=989.4, fp16=989.4, fp8=1978.9)
HOPPER_SPARSE = tflops(tf32=989.4, bf16=1978.9, fp16=1978.9, fp8=3957.8)
CDNA_3_PEAK = tflops(fp64=81.7, fp32=163.4, tf32=653.7, bf16=1307.4, fp16=1307.4, fp8=2614.9)
CDNA_3_SPARSE = tflops(tf32=1307.4, bf16=2614.9, fp16=2614.9, fp8=5229.8)

CONSUMER = (
    Gpu(
        "rtx-2080-ti", 2018, memory=11 * GIB, bandwidth=gb(616), watts=250, link=gb(100),
        peak=tflops(fp32=13.4, fp16=53.8), source=f"{TURING}, reference card",
    ),
    Gpu(
        "titan-rtx", 2018, memory=24 * GIB, bandwidth=gb(672), watts=280, link=gb(100),
        peak=tflops(fp32=16.3, fp16=130.5), source=TURING,
        note="the one consumer card of its family that accumulates in fp32 at full rate",
    ),
    Gpu(
        "rtx-3060", 2021, memory=12 * GIB, bandwidth=gb(360), watts=170, link=PCIE_4,
        peak=tflops(fp32=12.7, tf32=12.7, bf16=25.5, fp16=25.5),
        source=f"NVIDIA GeForce RTX 3060 specification; tensor cores at the rates of the {GA102}",
    ),
    Gpu(
        "rtx-3080", 2020, memory=10 * GIB, bandwidth=gb(760), watts=320, link=PCIE_4,
        peak=tflops(fp32=29.8, tf32=29.8, bf16=59.5, fp16=59.5),
        sparse=tflops(tf32=59.5, bf16=119, fp16=119), source=GA102,
    ),
    Gpu(
        "rtx-3090", 2020, memory=24 * GIB, bandwidth=gb(936), watts=350, link=gb(112.5),
        peak=tflops(fp32=35.6, tf32=35.6, bf16=71, fp16=71),
        sparse=tflops(tf32=71, bf16=142, fp16=142), source=GA102,
    ),
    Gpu(
        "rtx-4080", 2022, memory=16 * GIB, bandwidth=gb(716.8), watts=320, link=PCIE_4,
        peak=tflops(fp32=48.7, tf32=48.7, bf16=97.5, fp16=97.5, fp8=194.9),
        sparse=tflops(tf32=97.5, bf16=194.9, fp16=194.9, fp8=389.9), source=ADA,
    ),
    Gpu(
        "rtx-4090", 2022, memory=24 * GIB, bandwidth=gb(1008), watts=450, link=PCIE_4,
        peak=tflops(fp32=82.6, tf32=82.6, bf16=165.2, fp16=165.2, fp8=330.3),
        sparse=tflops(tf32=165.2, bf16=330.4, fp16=330.4, fp8=660.6), source=ADA,
    ),
    Gpu(
        "rtx-5090", 2025, memory=32 * GIB, bandwidth=gb(1792), watts=575, link=PCIE_5,
        peak=tflops(fp32=104.8, tf32=104.8, bf16=209.5, fp16=209.5, fp8=419, fp4=1676),
        sparse=tflops(tf32=209.5, bf16=419, fp16=419, fp8=838, fp4=3352), source=RTX_BLACKWELL,
    ),
)  # fmt: skip

WORKSTATION = (
    Gpu(
        "t4", 2018, memory=16 * GIB, bandwidth=gb(320), watts=70, link=PCIE_3,
        peak=tflops(fp32=8.1, fp16=65), source="NVIDIA T4 Tensor Core GPU datasheet",
        price=Fraction("0.526"), price_source=AWS.format("g4dn.xlarge"),
    ),
    Gpu(
        "a10", 2021, memory=24 * GIB, bandwidth=gb(600), watts=150, link=PCIE_4,
        peak=tflops(fp32=31.2, tf32=62.5, bf16=125, fp16=125),
        sparse=tflops(tf32=125, bf16=250, fp16=250), source="NVIDIA A10 Tensor Core GPU datasheet",
    ),
    Gpu(
        "a40", 2020, memory=48 * GIB, bandwidth=gb(696), watts=300, link=gb(112.5),
        peak=tflops(fp32=37.4, tf32=74.8, bf16=149.7, fp16=149.7),
        sparse=tflops(tf32=149.6, bf16=299.4, fp16=299.4), source="NVIDIA A40 GPU datasheet",
    ),
    Gpu(
        "a6000", 2020, memory=48 * GIB, bandwidth=gb(768), watts=300, link=gb(112.5),
        peak=tflops(fp32=38.7, tf32=77.4, bf16=154.8, fp16=154.8),
        sparse=tflops(tf32=154.8, bf16=309.7, fp16=309.7), source=f"NVIDIA RTX A6000 datasheet and {GA102}",
    ),
    Gpu(
        "l4", 2023, memory=24 * GIB, bandwidth=gb(300), watts=72, link=PCIE_4,
        peak=tflops(fp32=30.3, tf32=60, bf16=121, fp16=121, fp8=242.5),
        sparse=tflops(tf32=120, bf16=242, fp16=242, fp8=485), source="NVIDIA L4 Tensor Core GPU datasheet",
        price=Fraction("0.8048"), price_source=AWS.format("g6.xlarge"),
        note="the datasheet prints sparse rates only; half of each is dense",
    ),
    Gpu(
        "l40s", 2023, memory=48 * GIB, bandwidth=gb(864), watts=350, link=PCIE_4,
        peak=tflops(fp32=91.6, tf32=183, bf16=362, fp16=362, fp8=733),
        sparse=tflops(tf32=366, bf16=733, fp16=733, fp8=1466), source="NVIDIA L40S GPU datasheet",
        price=Fraction("1.861"), price_source=AWS.format("g6e.xlarge"),
    ),
)  # fmt: skip

DATA_CENTRE = (
    Gpu(
        "p100", 2016, memory=16 * GIB, bandwidth=gb(732), watts=300, link=gb(160),
        peak=tflops(fp64=5.3, fp32=10.6, fp16=21.2), source=PASCAL,
    ),
    Gpu(
        "v100-16gb", 2017, memory=16 * GIB, bandwidth=gb(900), watts=300, link=gb(300),
        peak=tflops(fp64=7.8, fp32=15.7, fp16=125), source=f"{VOLTA} (SXM2)",
        price=Fraction("3.06"), price_source=AWS.format("p3.2xlarge"),
    ),
    Gpu(
        "v100-32gb", 2018, memory=32 * GIB, bandwidth=gb(900), watts=300, link=gb(300),
        peak=tflops(fp64=7.8, fp32=15.7, fp16=125), source=f"{VOLTA} (SXM2)",
    ),
    Gpu(
        "a30", 2021, memory=24 * GIB, bandwidth=gb(933), watts=165, link=gb(200),
        peak=tflops(fp64=5.2, fp32=10.3, tf32=82, bf16=165, fp16=165),
        sparse=tflops(tf32=165, bf16=330, fp16=330), source="NVIDIA A30 Tensor Core GPU datasheet",
    ),
    Gpu(
        "a100-40gb", 2020, memory=40 * GIB, bandwidth=gb(1555), watts=400, link=gb(600),
        peak=AMPERE_PEAK, sparse=AMPERE_SPARSE, source=f"{A100} (SXM)",
        price=Fraction("32.7726") / 8, price_source=AWS.format("p4d.24xlarge"),
    ),
    Gpu(
        "a100-80gb", 2020, memory=80 * GIB, bandwidth=gb(2039), watts=400, link=gb(600),
        peak=AMPERE_PEAK, sparse=AMPERE_SPARSE, source=f"{A100} (SXM)",
    ),
    Gpu(
        "a100-80gb-pcie", 2021, memory=80 * GIB, bandwidth=gb(1935), watts=300, link=gb(600),
        peak=AMPERE_PEAK, sparse=AMPERE_SPARSE, source=f"{A100} (PCIe)",
    ),
    Gpu(
        "a800-80gb", 2022, memory=80 * GIB, bandwidth=gb(2039), watts=400, link=gb(400),
        peak=AMPERE_PEAK, sparse=AMPERE_SPARSE, source="NVIDIA A800 specification (SXM)",
        note="an A100 with NVLink cut to 400 GB/s",
    ),
    Gpu(
        "h100-sxm", 2022, memory=80 * GIB, bandwidth=gb(3350), watts=700, link=gb(900),
        peak=HOPPER_PEAK, sparse=HOPPER_SPARSE, source=f"{HOPPER} (SXM5)",
        price=Fraction("98.32") / 8, price_source=AWS.format("p5.48xlarge"),
    ),
    Gpu(
        "h100-pcie", 2022, memory=80 * GIB, bandwidth=gb(2000), watts=350, link=gb(600),
        peak=tflops(fp64=25.6, fp32=51.2, tf32=378, bf16=756, fp16=756, fp8=1513),
        sparse=tflops(tf32=756, bf16=1513, fp16=1513, fp8=3026), source=f"{HOPPER} (PCIe)",
    ),
    Gpu(
        "h800", 2023, memory=80 * GIB, bandwidth=gb(3350), watts=700, link=gb(400),
        peak=tflops(fp64=1, fp32=66.9, tf32=494.7, bf16=989.4, fp16=989.4, fp8=1978.9),
        sparse=HOPPER_SPARSE, source="NVIDIA H800 specification (SXM)",
        price=Fraction(2), price_source="DeepSeek-AI 2024, DeepSeek-V3 Technical Report, table 1 (assumed)",
        note="an H100 with NVLink cut to 400 GB/s and fp64 to 1 TFLOP/s",
    ),
    Gpu(
        "gh200", 2023, memory=96 * GIB, bandwidth=gb(4000), watts=1000, link=gb(900),
        peak=HOPPER_PEAK, sparse=HOPPER_SPARSE, source="NVIDIA GH200 Grace Hopper Superchip datasheet (HBM3)",
        note="power includes the CPU",
    ),
    Gpu(
        "h200", 2024, memory=141 * GIB, bandwidth=gb(4800), watts=700, link=gb(900),
        peak=HOPPER_PEAK, sparse=HOPPER_SPARSE, source="NVIDIA H200 Tensor Core GPU datasheet (SXM)",
    ),
    Gpu(
        "b200", 2024, memory=180 * GIB, bandwidth=gb(7700), watts=1000, link=gb(1800),
        peak=tflops(fp64=37, fp32=75, tf32=1125, bf16=2250, fp16=2250, fp8=4500, fp4=9000),
        sparse=tflops(tf32=2250, bf16=4500, fp16=4500, fp8=9000, fp4=18000), source=BLACKWELL,
        note="of 192 GB built in, systems offer 180",
    ),
    Gpu(
        "mi250x", 2021, memory=128 * GIB, bandwidth=gb(3276.8), watts=560, link=gb(800),
        peak=tflops(fp64=47.9, fp32=47.9, bf16=383, fp16=383), source="AMD Instinct MI250X datasheet",
        note="two dies, each seen as a GPU of its own with half of everything; fp32 is 95.7 on matrix units",
    ),
    Gpu(
        "mi300x", 2023, memory=192 * GIB, bandwidth=gb(5300), watts=750, link=gb(896),
        peak=CDNA_3_PEAK, sparse=CDNA_3_SPARSE, source="AMD Instinct MI300X datasheet",
    ),
    Gpu(
        "mi325x", 2024, memory=256 * GIB, bandwidth=gb(6000), watts=1000, link=gb(896),
        peak=CDNA_3_PEAK, sparse=CDNA_3_SPARSE, source="AMD Instinct MI325X datasheet",
    ),
    Gpu(
        "gaudi-2", 2022, memory=96 * GIB, bandwidth=gb(2450), watts=600, link=gb(600),
        peak=tflops(bf16=432, fp8=865), source="Intel Gaudi 2 and Gaudi 3 AI accelerator white papers",
        note="24 Ethernet ports of 100 Gb/s",
    ),
    Gpu(
        "gaudi-3", 2024, memory=128 * GIB, bandwidth=gb(3700), watts=900, link=gb(1200),
        peak=tflops(bf16=1835, fp8=1835), source="Intel Gaudi 3 AI accelerator white paper",
        note="24 Ethernet ports of 200 Gb/s",
    ),
)  # fmt: skip

TPUS = (
    Gpu(
        "tpu-v3", 2018, memory=32 * GIB, bandwidth=gb(900), watts=220, link=gb(328),
        peak=tflops(bf16=123), source=f"{CLOUD_TPU} (v3); Jouppi et al. 2020",
        note="per chip; power is the measured mean; four links of 656 Gb/s, one direction",
    ),
    Gpu(
        "tpu-v4", 2021, memory=32 * GIB, bandwidth=gb(1200), watts=170, link=gb(300),
        peak=tflops(bf16=275), source=f"{CLOUD_TPU} (v4); Jouppi et al. 2023, TPU v4",
        price=Fraction("3.22"), price_source=GOOGLE,
        note="per chip; power is the measured mean; six links of 50 GB/s, one direction",
    ),
    Gpu(
        "tpu-v5e", 2023, memory=16 * GIB, bandwidth=gb(819), watts=None, link=gb(400),
        peak=tflops(bf16=197), source=f"{CLOUD_TPU} (v5e)", price=Fraction("1.20"), price_source=GOOGLE,
        note="per chip; power is not published",
    ),
    Gpu(
        "tpu-v5p", 2023, memory=95 * GIB, bandwidth=gb(2765), watts=None, link=gb(1200),
        peak=tflops(bf16=459), source=f"{CLOUD_TPU} (v5p)", price=Fraction("4.20"), price_source=GOOGLE,
        note="per chip; power is not published",
    ),
    Gpu(
        "tpu-v6e", 2024, memory=32 * GIB, bandwidth=gb(1638), watts=None, link=gb(800),
        peak=tflops(bf16=918), source=f"{CLOUD_TPU} (v6e)", price=Fraction("2.70"), price_source=GOOGLE,
        note="per chip; power is not published",
    ),
)  # fmt: skip

GPUS: Mapping[str, Gpu] = by_name((*CONSUMER, *WORKSTATION, *DATA_CENTRE, *TPUS))


def gpu(name: str) -> Gpu:
    """The accelerator called `name`. Raises UnknownName, naming the nearest.

    >>> gpu("rtx-3090").memory == 24 * 2**30
    True
    """
    return entry(GPUS, "GPU", name)


def remark_on_peak(rate: float | Fraction) -> str:
    """What to say of a rate that a datasheet prints for sparse 16-bit products; empty for any other.

    >>> remark_on_peak(1979 * 10**12)
    "1,979 TFLOP/s is h100-sxm's rate for bf16 with sparsity, which no run reaches: 989.4 TFLOP/s dense."
    >>> remark_on_peak(989 * 10**12)
    ''
    """
    for card in GPUS.values():
        for element, sparse in card.sparse.items():
            if element in ("bf16", "fp16") and abs(Fraction(rate) - sparse) * 1000 <= sparse:
                printed, dense = (f"{float(each) / 1e12:,.6g}" for each in (rate, card.peak[element]))
                return (
                    f"{printed} TFLOP/s is {card.name}'s rate for {element} with sparsity, which no run "
                    f"reaches: {dense} TFLOP/s dense."
                )
    return ""
