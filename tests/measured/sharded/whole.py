"""The model on one device, each part of it replaceable by one that lies on several."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy, embedding, silu


def products(x, *matrices):
    return tuple(x @ W for W in matrices)


def attention(Q, K, V, heads):
    """[b c hd_k] each → [b c hd_k]"""
    Q, K, V = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (Q, K, V))
    P = torch.softmax(Q @ K.transpose(-1, -2) / math.sqrt(Q.shape[-1]), dim=-1)
    return (P @ V).transpose(1, 2).flatten(2)


def swiglu(x, p, way):
    G, U = way.columns(x, p["W_1"], p["W_3"])
    return way.rows(silu(G) * U, p["W_2"])


def loss(logits, targets):
    return cross_entropy(logits.flatten(0, 1), targets.flatten())


@dataclass(frozen=True)
class Way:
    """How each part is computed: `columns` are products that begin a layer, `rows` the one that ends it;
    `go` goes through a block.
    """

    attend: Callable
    columns: Callable = products
    rows: Callable = torch.matmul
    feed: Callable = swiglu
    look_up: Callable = embedding
    head: Callable = products
    lose: Callable = loss
    go: Callable = lambda block, *inputs: block(*inputs)


def norm(x, g):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * g


def block(x, p, way):
    Q, K, V = way.columns(norm(x, p["g_1"]), p["W_Q"], p["W_K"], p["W_V"])
    x = x + way.rows(way.attend(Q, K, V), p["W_O"])
    return x + way.feed(norm(x, p["g_2"]), p, way)


def logits_of(x, p, way):
    return way.head(norm(x, p["g"]), p["W_U"].T)[0]


def loss_of(tokens, targets, p, way):
    x = way.look_up(tokens, p["W_E"])
    for number in range(sum(name.endswith(".g_1") for name in p)):
        x = way.go(block, x, of_block(p, number), way)
    return way.lose(logits_of(x, p, way), targets)


def of_block(p, number):
    return {name.partition(".")[2]: value for name, value in p.items() if name.startswith(f"{number}.")}


def parameters(sizes):
    """The whole model, the same in every process."""
    torch.manual_seed(0)
    d, v = sizes["d"], sizes["v"]
    shapes = {"W_E": (v, d), "W_U": (v, d), "g": (d,)}
    of_a_block = dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), (d, d)) | {"g_1": (d,), "g_2": (d,)}
    if "E" in sizes:
        E, inner = sizes["E"], sizes["d_expert"]
        of_a_block |= {"W_R": (d, E), "W_1": (E, d, inner), "W_3": (E, d, inner), "W_2": (E, inner, d)}
    else:
        of_a_block |= {"W_1": (d, 4 * d), "W_3": (d, 4 * d), "W_2": (4 * d, d)}
    for number in range(sizes["L"]):
        shapes |= {f"{number}.{name}": shape for name, shape in of_a_block.items()}
    return {name: torch.randn(shape, dtype=torch.float64) / 4 for name, shape in shapes.items()}


def batch(sizes, sequences):
    """Tokens and targets, the same in every process."""
    torch.manual_seed(1)
    return tuple(torch.randint(sizes["v"], (sequences, sizes["c"])) for _ in range(2))


def gradients(sizes, tokens, targets, way=None):
    """The loss and the gradients of the whole model, in double precision."""
    tree = {name: value.requires_grad_() for name, value in parameters(sizes).items()}
    way = way or Way(lambda Q, K, V: attention(Q, K, V, sizes["h"]))
    lost = loss_of(tokens, targets, tree, way)
    lost.backward()
    return lost.item(), {name: value.grad for name, value in tree.items()}


def alike(found, expected):
    """Whether single-precision tensors are those computed in double precision."""
    return all(torch.allclose(found[name].double(), expected[name], rtol=1e-3, atol=1e-5) for name in found)
