"""What the tests of layouts share: Megatron's GPT, and its costs on one device."""

from dataclasses import replace

import pytest

import symcost
from symcost.families import load

MEGATRON = {"d_ff": "4*d", "d_k": "d/h"}


@pytest.fixture(scope="session")
def gpt():
    """The GPT of Korthikanti et al. 2022: dropout also behind the embedding, logits in the model's own
    type.
    """
    model = load("gpt")
    return replace(
        model, architecture=replace(model.architecture, drops=model.architecture.drops | {"embedding"})
    )


@pytest.fixture
def megatron(gpt):
    """The costs of that GPT under a layout, with what is computed again as an option."""

    def of(layout, again="", **given):
        return symcost.derive(gpt, under=f"megatron-2022{again}", layout=layout, given={**MEGATRON, **given})

    return of
