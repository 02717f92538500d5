"""A small model on several processes joined by gloo: what each keeps and sends, and whether its gradients
are right.

Written as a lecturer would shard it by hand, independent of symcost: matrices by columns and rows, tokens
between them split or not, and so the vocabulary.

Run as `python sharded.py WORLD tp|tp-sp|tp-v|tp-sp-v b c d h L v`;
prints one JSON document.
"""

import json
import math
import sys
import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch.autograd import Function

SENT: list[tuple[str, str, int]] = []  # kind, part of the step, elements of the whole
PART = ["forward"]
ANSWER = ("rank", "saved", "sent", "gradients", "loss")


def note(kind, whole):
    SENT.append((kind, PART[0], whole.numel()))


def all_reduce(x, operation=dist.ReduceOp.SUM):
    total = x.contiguous().clone()
    dist.all_reduce(total, op=operation)
    note("all-reduce", total)
    return total


def all_gather(x):
    """[b c/t d] → [b c d]"""
    parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, x.contiguous())
    whole = torch.cat(parts, dim=1)
    note("all-gather", whole)
    return whole


def reduce_scatter(x):
    """[b c d], a part of a sum → [b c/t d]; gloo has none for all types, so it is made of a sum and a
    slice.
    """
    note("reduce-scatter", x)
    total = x.contiguous().clone()
    dist.all_reduce(total)
    return own(total, 1).contiguous()


def own(x, dim):
    """This process's part along one axis."""
    return x.chunk(dist.get_world_size(), dim)[dist.get_rank()]


class Columns(Function):
    """x·W for several matrices split by columns; on the way back their parts of ∂x are added up, and sent
    once.
    """

    @staticmethod
    def forward(context, x, split, *matrices):
        context.save_for_backward(x, *matrices)
        context.split = split
        whole = all_gather(x) if split else x
        return tuple(whole @ W for W in matrices)

    @staticmethod
    def backward(context, *arriving):
        PART[0] = "backward"
        x, *matrices = context.saved_tensors
        whole = all_gather(x) if context.split else x
        part = sum(dy @ W.T for dy, W in zip(arriving, matrices, strict=True))
        gradients = [torch.einsum("bci,bco->io", whole, dy) for dy in arriving]
        return (reduce_scatter if context.split else all_reduce)(part), None, *gradients


class Rows(Function):
    """x·W for a matrix split by rows, whose parts of the result are added up."""

    @staticmethod
    def forward(context, x, split, W):
        context.save_for_backward(x, W)
        context.split = split
        return (reduce_scatter if split else all_reduce)(x @ W)

    @staticmethod
    def backward(context, dy):
        PART[0] = "backward"
        x, W = context.saved_tensors
        dy = all_gather(dy) if context.split else dy
        return dy @ W.T, None, torch.einsum("bci,bco->io", x, dy)


class Table(Function):
    """Rows of a table split by rows: each process looks up those that it has, and the sum is taken."""

    @staticmethod
    def forward(context, tokens, split, W):
        start = dist.get_rank() * W.shape[0]
        local = tokens - start
        here = (local >= 0) & (local < W.shape[0])
        context.save_for_backward(tokens)
        context.split, context.rows = split, W.shape[0]
        found = W[local.clamp(0, W.shape[0] - 1)] * here.unsqueeze(-1)
        return (reduce_scatter if split else all_reduce)(found)

    @staticmethod
    def backward(context, dx):
        PART[0] = "backward"
        (tokens,) = context.saved_tensors
        dx = all_gather(dx) if context.split else dx
        local = tokens - dist.get_rank() * context.rows
        here = (local >= 0) & (local < context.rows)
        dW = dx.new_zeros(context.rows, dx.shape[-1])
        return None, None, dW.index_add(0, local[here], dx[here])


class SplitLogSoftmax(Function):
    """log softmax over a split vocabulary: the largest and the sum of each row go round."""

    @staticmethod
    def forward(context, logits):
        largest = all_reduce(logits.amax(-1), dist.ReduceOp.MAX).unsqueeze(-1)
        total = all_reduce((logits - largest).exp().sum(-1)).unsqueeze(-1)
        log_p = logits - largest - total.log()
        context.save_for_backward(log_p)
        return log_p

    @staticmethod
    def backward(context, arriving):
        PART[0] = "backward"
        (log_p,) = context.saved_tensors
        return arriving - log_p.exp() * all_reduce(arriving.sum(-1)).unsqueeze(-1)


class SplitLoss(Function):
    """The mean of −log p at the targets, each in one process's part of the vocabulary."""

    @staticmethod
    def forward(context, log_p, targets):
        local = targets - dist.get_rank() * log_p.shape[-1]
        here = (local >= 0) & (local < log_p.shape[-1])
        local = local.clamp(0, log_p.shape[-1] - 1)
        picked = (log_p.gather(-1, local.unsqueeze(-1)).squeeze(-1) * here).sum()
        weight = log_p.new_tensor(targets.numel())
        context.save_for_backward(targets, weight)
        context.shape = log_p.shape
        return -all_reduce(picked) / weight

    @staticmethod
    def backward(context, arriving):
        targets, weight = context.saved_tensors
        local = targets - dist.get_rank() * context.shape[-1]
        here = ((local >= 0) & (local < context.shape[-1])).float()
        gradient = torch.zeros(context.shape)
        index = local.clamp(0, context.shape[-1] - 1).unsqueeze(-1)
        gradient.scatter_(-1, index, (-arriving / weight * here).unsqueeze(-1))
        return gradient, None


def norm(x, g):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * g


def block(x, p, heads, columns, rows):
    Q, K, V = columns(norm(x, p["g_1"]), p["W_Q"], p["W_K"], p["W_V"])
    Q, K, V = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (Q, K, V))
    P = torch.softmax(Q @ K.transpose(-1, -2) / math.sqrt(Q.shape[-1]), dim=-1)
    x = x + rows((P @ V).transpose(1, 2).flatten(2), p["W_O"])
    G, U = columns(norm(x, p["g_2"]), p["W_1"], p["W_3"])
    return x + rows(torch.nn.functional.silu(G) * U, p["W_2"])


def loss_of(tokens, targets, p, heads, columns, rows, look_up=torch.nn.functional.embedding, vocabulary=None):
    x = look_up(tokens, p["W_E"])
    for number in range(p["L"]):
        of_block = {
            name.partition(".")[2]: value for name, value in p.items() if name.startswith(f"{number}.")
        }
        x = block(x, of_block, heads, columns, rows)
    if vocabulary is not None:
        (logits,) = columns(norm(x, p["g"]), p["W_U"].T)
        return vocabulary(logits, targets)
    logits = norm(x, p["g"]) @ p["W_U"].T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def parameters(b, c, d, h, L, v):
    """The whole model, the same in every process."""
    torch.manual_seed(0)
    shapes = {"W_E": (v, d), "W_U": (v, d), "g": (d,)}
    for number in range(L):
        of_block = dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), (d, d))
        of_block |= {"W_1": (d, 4 * d), "W_3": (d, 4 * d), "W_2": (4 * d, d), "g_1": (d,), "g_2": (d,)}
        shapes |= {f"{number}.{name}": shape for name, shape in of_block.items()}
    return {name: torch.randn(shape, dtype=torch.float64) / 4 for name, shape in shapes.items()}


BY_COLUMNS, BY_ROWS = ("W_Q", "W_K", "W_V", "W_1", "W_3"), ("W_O", "W_2")


def part_of(name, whole, by_rows):
    short = name.rpartition(".")[2]
    if short in BY_COLUMNS:
        return own(whole, 1)
    return own(whole, 0) if short in by_rows else whole


def work(rank, world, rendezvous, way, sizes, answers):
    split, vocabulary = "sp" in way, "v" in way.split("-")
    by_rows = (*BY_ROWS, "W_E", "W_U") if vocabulary else BY_ROWS
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=world)
    torch.set_num_threads(1)
    b, c, _, h, L, v = sizes
    whole = parameters(*sizes)
    tokens, targets = (torch.randint(v, (b, c)) for _ in range(2))
    tree = {name: value.clone().requires_grad_() for name, value in whole.items()}
    plain = lambda x, *matrices: tuple(x @ W for W in matrices)  # noqa: E731
    expected = loss_of(tokens, targets, {**tree, "L": L}, h, plain, lambda x, W: x @ W)
    expected.backward()

    mine = {
        name: part_of(name, value, by_rows).float().clone().requires_grad_() for name, value in whole.items()
    }
    ours = {value.untyped_storage().data_ptr() for value in mine.values()}
    read = (own(tokens, 1), own(targets, 1)) if split and not vocabulary else (tokens, targets)
    read = tuple(each.contiguous() for each in read)
    ours |= {each.untyped_storage().data_ptr() for each in read}
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.detach()
        return tensor

    columns = lambda x, *matrices: Columns.apply(x, split, *matrices)  # noqa: E731
    rows = lambda x, W: Rows.apply(x, split, W)  # noqa: E731
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        if vocabulary:
            look_up = lambda ids, W: Table.apply(ids, split, W)  # noqa: E731
            lost = lambda logits, ids: SplitLoss.apply(SplitLogSoftmax.apply(logits), ids)  # noqa: E731
            loss = loss_of(*read, {**mine, "L": L}, h // world, columns, rows, look_up, lost)
        else:
            loss = loss_of(*read, {**mine, "L": L}, h // world, columns, rows)
    saved = sum(each.untyped_storage().nbytes() for address, each in kept.items() if address not in ours)
    kept.clear()
    if split and not vocabulary:
        loss = Mean.apply(loss)
    loss.backward()
    PART[0] = "update"
    if split:  # parameters that are whole here saw a part of the tokens alone
        for name, value in mine.items():
            if name.rpartition(".")[2] not in (*BY_COLUMNS, *by_rows):
                value.grad = all_reduce(value.grad)
    right = all(
        torch.allclose(value.grad.double(), part_of(name, tree[name].grad, by_rows), rtol=1e-3, atol=1e-5)
        for name, value in mine.items()
    )
    answers.put((rank, saved, SENT[:], bool(right), abs(loss.item() - expected.item()) < 1e-4))
    dist.barrier()
    dist.destroy_process_group()


class Mean(Function):
    """The mean loss of all tokens, of which each process has an equal part."""

    @staticmethod
    def forward(context, loss):
        return all_reduce(loss) / dist.get_world_size()

    @staticmethod
    def backward(context, arriving):
        return arriving / dist.get_world_size()


def main(world, way, *sizes):
    context = processes.get_context("spawn")
    answers = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        started = [
            context.Process(target=work, args=(rank, world, f"{folder}/meet", way, sizes, answers))
            for rank in range(world)
        ]
        for each in started:
            each.start()
        found = sorted(answers.get(timeout=100) for _ in started)
        for each in started:
            each.join()
    print(json.dumps([dict(zip(ANSWER, each, strict=True)) for each in found]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))
