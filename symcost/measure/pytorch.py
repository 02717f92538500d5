"""A model's own op graph run in PyTorch, written as its users write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils import checkpoint as checkpointing

from symcost import rules
from symcost.conventions import Convention, SecondRun, Taking, Work
from symcost.errors import UsageError
from symcost.rules import Rule
from symcost.symbols import length
from symcost.tensors import Op, Role, Tensor, ops_between, size_of
from symcost.terms import evaluator

Value = Any  # a torch.Tensor
DTYPES: Mapping[str, torch.dtype] = {
    "fp64": torch.float64, "fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16,
    "bool": torch.bool, "int64": torch.int64,
}  # fmt: skip
ATEN = torch.ops.aten
WORK_OF: Mapping[Any, Work] = {
    ATEN.mm.default: Work.PRODUCT,
    ATEN.addmm.default: Work.PRODUCT,
    ATEN.bmm.default: Work.BATCHED_PRODUCT,
    ATEN._scaled_dot_product_flash_attention_for_cpu.default: Work.ATTENTION,
}
DROPPED = 0.1  # the share of elements that dropout drops; no count depends on it


@dataclass
class Frame:
    """The values inside one body, which reads only what it is passed: none outlives it but by a gradient."""

    values: dict[Tensor, Value]
    place: str
    path: tuple[int, ...]
    casts: dict[tuple[Tensor, torch.dtype], Value] = field(default_factory=dict)
    used: dict[Tensor, int] = field(default_factory=dict)  # how far a packed tensor has been split


class Listener:
    """Told of each step before it runs, and of each value by its place and name; `part` says it is a view."""

    def step(self, op: Op, place: str) -> None:
        pass

    def named(self, value: Value, place: str, name: str, *, part: bool = False) -> None:
        pass


class Network:
    """A model's loss with its parameters, for one convention at given numbers.

    `element` is the model's element type. Raises UsageError where a convention or a layer cannot be run here.
    """

    def __init__(
        self, loss: Tensor, convention: Convention, numbers: Mapping[str, int], element: str
    ) -> None:
        self.loss, self.convention, self.numbers = loss, convention, numbers
        self.dtype = DTYPES[element]
        self.parameters: dict[tuple[Tensor, tuple[int, ...]], torch.nn.Parameter] = {}
        self.buffers: dict[Tensor, Value] = {}
        self.tell = Listener()
        if any(extra.rule is rules.ATTENTION for extra in convention.extras):
            raise UsageError(
                f"{convention.name}: its attention kernel runs on a GPU alone. Measure '+flash' instead."
            )
        self._make(ops_between((), loss), ())

    def run(self, tell: Listener | None = None) -> Value:
        """One forward pass; the answer is the loss."""
        self.tell = tell or Listener()
        with self._autocast():
            return self._body(Frame({}, "", ()), ops_between((), self.loss), self.loss)

    def length(self, axis: str) -> int:
        return int(evaluator(length(axis))(self.numbers))

    def shape(self, axes: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(int(evaluator(size_of((axis,)))(self.numbers)) for axis in axes)

    # Leaves: parameters are made before the first pass, tables and indices too unless each pass makes them.

    def _make(self, ops: list[Op], path: tuple[int, ...]) -> None:
        for op in ops:
            for tensor in op.inputs:
                if tensor.role is Role.PARAMETER and (tensor, path) not in self.parameters:
                    value = torch.randn(self.shape(tensor.axes), dtype=self.dtype) / 8
                    self.parameters[tensor, path] = torch.nn.Parameter(value, requires_grad=tensor.trained)
                elif self._is_made_once(tensor):
                    self.buffers[tensor] = self._leaf(tensor)
            if op.body is not None:
                for path_inside in self._paths(op, path):
                    self._make(op.body_ops(), path_inside)

    def _paths(self, op: Op, path: tuple[int, ...]) -> list[tuple[int, ...]]:
        if op.times is None:
            return [path]
        return [(*path, number) for number in range(int(evaluator(op.times)(self.numbers)))]

    def _is_made_once(self, tensor: Tensor) -> bool:
        if tensor.made_by is not None or tensor.role not in (Role.INDEX, Role.CONSTANT):
            return False
        return tensor.name in ("tokens", "targets") or tensor.name not in self.convention.computed

    def _leaf(self, tensor: Tensor) -> Value:
        shape = self.shape(tensor.axes)
        if tensor.role is Role.INDEX:
            if tensor.name == "positions":
                return torch.arange(shape[-1]).expand(shape).contiguous()
            return torch.randint(0, self.numbers["v"], shape)
        if tensor.element == "bool":
            return torch.ones(shape, dtype=torch.bool).triu(1)
        return torch.ones(shape, dtype=DTYPES[tensor.element] if tensor.element else self.dtype)

    def _value(self, tensor: Tensor, frame: Frame) -> Value:
        if tensor in frame.values:
            return frame.values[tensor]
        if tensor.role is Role.PARAMETER:
            self.tell.named(self.parameters[tensor, frame.path], frame.place, tensor.name)
            return self.parameters[tensor, frame.path]
        if tensor in self.buffers:
            return self.buffers[tensor]
        frame.values[tensor] = value = self._leaf(tensor)
        self.tell.named(value, frame.place, tensor.name)
        return value

    # Composites, as the convention takes them.

    def _body(self, frame: Frame, ops: list[Op], result: Tensor) -> Value:
        for op in ops:
            inputs = tuple(self._value(tensor, frame) for tensor in op.inputs)
            frame.values[op.result] = value = self._apply(op, inputs, frame)
            if op.body is None or op.times is not None:
                self.tell.named(value, frame.place, op.result.name, part=_shares(value, inputs))
        return frame.values[result]

    def _apply(self, op: Op, inputs: tuple[Value, ...], frame: Frame) -> Value:
        if op.rule in self.convention.without:
            return inputs[0]
        if op.body is None:
            self.tell.step(op, frame.place)
            return self._step(op, self._cast(op, inputs, frame), frame)
        placed = op.rule in (rules.PART, rules.REPEAT)
        place = f"{frame.place}.{op.name}".lstrip(".") if placed else frame.place
        taking = self.convention.taking(op.rule, op.name)
        if op.rule is rules.CROSS_ENTROPY or taking is Taking.WHOLE:
            self.tell.step(op, place)
            value = self._whole(op, self._cast(op, inputs, frame), frame, taking)
            self.tell.named(value, place, op.result.name)
            return value
        if op.times is None:
            return self._inside(op, inputs, Frame({}, place, frame.path), taking)
        for path in self._paths(op, frame.path):
            assert op.carried is not None
            self.tell.named(inputs[0], place, op.carried.name)
            passed = self._inside(op, inputs, Frame({}, place, path), taking)
            inputs = (passed, *inputs[1:])
        return inputs[0]

    def _inside(self, op: Op, inputs: tuple[Value, ...], frame: Frame, taking: Taking) -> Value:
        if taking is Taking.APART:
            return self._pass(op, frame.place, frame.path, *inputs)
        if op.rule is rules.ATTENTION and self.convention.has_own_gradient(op.rule):
            self.tell.step(op, frame.place)
            value = self._flash(op, inputs)
            self.tell.named(value, frame.place, op.result.name)
            return value
        return checkpointing.checkpoint(
            partial(self._pass, op, frame.place, frame.path), *inputs, use_reentrant=False,
            context_fn=self._keeps if self.convention.keeps else checkpointing.noop_context_fn,
            early_stop=self.convention.second_run is not SecondRun.ALL,
        )  # fmt: skip

    def _pass(self, op: Op, place: str, path: tuple[int, ...], *inputs: Value) -> Value:
        assert op.body is not None
        leaves = (op.carried, *op.inputs[1:]) if op.carried is not None else op.inputs
        return self._body(Frame(dict(zip(leaves, inputs, strict=True)), place, path), op.body_ops(), op.body)

    def _keeps(self) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
        policy = checkpointing.CheckpointPolicy

        def chooses(context: Any, op: Any, *args: Any, **kwargs: Any) -> Any:
            return policy.MUST_SAVE if WORK_OF.get(op) in self.convention.keeps else policy.PREFER_RECOMPUTE

        contexts: tuple[AbstractContextManager[Any], AbstractContextManager[Any]]
        contexts = checkpointing.create_selective_checkpoint_contexts(chooses)
        return contexts

    @contextmanager
    def _autocast(self) -> Iterator[None]:
        casts = bool(self.convention.wanted) and not self.convention.returns_to_model
        with torch.autocast("cpu", torch.bfloat16) if casts else nullcontext():
            yield

    # Single steps.

    def _cast(self, op: Op, inputs: tuple[Value, ...], frame: Frame) -> tuple[Value, ...]:
        """Where a convention returns to the model's type, a step casts what it reads; readers share it."""
        if not self.convention.returns_to_model:
            return inputs
        wanted = self.convention.wanted.get(op.rule)
        if op.rule is rules.CROSS_ENTROPY:
            wanted = self.convention.wanted.get(rules.LOG_SOFTMAX)
        dtype = DTYPES[wanted] if wanted else self.dtype
        return tuple(self._as(dtype, *pair, frame) for pair in zip(op.inputs, inputs, strict=True))

    def _as(self, dtype: torch.dtype, tensor: Tensor, value: Value, frame: Frame) -> Value:
        own = tensor.role is Role.ACTIVATION and not isinstance(value, torch.nn.Parameter)
        if not own or not value.is_floating_point() or value.dtype == dtype:
            return value
        if (tensor, dtype) not in frame.casts:
            frame.casts[tensor, dtype] = value.to(dtype)
        return frame.casts[tensor, dtype]

    def _step(self, op: Op, inputs: tuple[Value, ...], frame: Frame) -> Value:
        match op.rule:
            case rules.CONTRACT:
                return self._contract(op, *inputs)
            case rules.SPLIT:
                return self._split(op, inputs[0], frame)
            case rules.REPEAT_HEADS:
                return self._repeat(op, inputs[0])
            case rules.BROADCAST:
                shape = self.shape(op.result.axes)
                return inputs[0] if inputs[0].shape == shape else inputs[0].expand(shape)
            case rules.GATHER:
                return F.embedding(inputs[1], inputs[0]).expand(self.shape(op.result.axes))
            case rules.DRAW:
                return inputs[0]  # dropout draws its own mask
            case rules.DROPOUT:
                return F.dropout(inputs[0], DROPPED)
            case rules.ROTATE:
                return self._rotate(op, *inputs)
            case rules.JOIN:
                return self._join(op, *inputs)
        if op.rule in SUMS:
            summed = [place for place, axis in enumerate(op.inputs[0].axes) if axis not in op.result.axes]
            return SUMS[op.rule](inputs[0], summed)
        if op.rule in ELEMENTWISE:
            first, *others = inputs
            aligned = (
                _aligned(value, tensor, op.inputs[0])
                for value, tensor in zip(others, op.inputs[1:], strict=True)
            )
            return ELEMENTWISE[op.rule](first, *aligned)
        raise UsageError(
            f"measure: '{op.rule.name}' of {frame.place} has no counterpart here yet. Measure another model."
        )

    def _contract(self, op: Op, left: Value, right: Value) -> Value:
        reads = (op.inputs[0].axes, _read_by(op))
        joint, result = set(reads[0]) & set(reads[1]), op.result.axes
        batch = [axis for axis in reads[0] if axis in joint and axis in result]
        summed = [axis for axis in reads[1] if axis in joint and axis not in result]
        rows = [axis for axis in reads[0] if axis not in joint]
        columns = [axis for axis in reads[1] if axis not in joint]
        sizes = dict(zip(reads[0], left.shape, strict=True)) | dict(zip(reads[1], right.shape, strict=True))
        width = _product(sizes[axis] for axis in summed)

        left = left.permute([reads[0].index(axis) for axis in (*batch, *rows, *summed)])
        left = left.reshape(*(sizes[axis] for axis in (*batch, *rows)), width)
        right = right.permute([reads[1].index(axis) for axis in (*batch, *summed, *columns)])
        right = right.reshape(*(sizes[axis] for axis in batch), width, -1)
        product = torch.matmul(left, right)
        made = (*batch, *rows, *columns)
        return product.reshape([sizes[axis] for axis in made]).permute([made.index(axis) for axis in result])

    def _split(self, op: Op, packed: Value, frame: Frame) -> Value:
        whole, part = op.inputs[0].axes, op.result.axes
        (axis,) = (place for place in range(len(whole)) if whole[place] != part[place])
        size, start = self.shape((part[axis],))[0], frame.used.get(op.inputs[0], 0)
        frame.used[op.inputs[0]] = start + size
        return packed.narrow(axis, start, size)

    def _repeat(self, op: Op, x: Value) -> Value:
        axis = op.inputs[0].axes.index("h_kv")
        groups = self.numbers["h"] // self.numbers["h_kv"]
        if rules.REPEAT_HEADS in self.convention.views and self.convention.has_own_gradient(rules.ATTENTION):
            return x  # the kernel takes fewer key and value heads than queries
        shape = [*x.shape[: axis + 1], groups, *x.shape[axis + 1 :]]
        return x.unsqueeze(axis + 1).expand(shape).reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])

    def _join(self, op: Op, left: Value, right: Value) -> Value:
        """The left part, and the end of the right one, repeated over axes that it lacks."""
        size = self.shape(op.result.axes)[-1] - left.shape[-1]
        rest = right[..., right.shape[-1] - size :]
        wide = _aligned(rest, op.inputs[1].axes, (*op.inputs[0].axes[:-1], op.inputs[1].axes[-1]))
        return torch.cat([left, wide.expand(*left.shape[:-1], -1)], -1)

    def _rotate(self, op: Op, x: Value, table: Value) -> Value:
        axes, along = op.inputs[1].axes, op.inputs[0].axes
        pair = table if axes[0] == "2" else (table, table)  # cos and sin, or complex numbers in one table
        cos, sin = (_aligned(half, axes[axes[0] == "2" :], along) for half in pair)
        first, second = x.chunk(2, -1)
        return x * cos + torch.cat([-second, first], -1) * sin

    def _flash(self, op: Op, inputs: tuple[Value, ...]) -> Value:
        assert op.body is not None
        inside = {each.rule for each in ops_between(op.inputs, op.body)}
        strange = inside - {rules.CONTRACT, rules.SCALE, rules.MASK, rules.SOFTMAX} - self.convention.without
        if strange:
            names = ", ".join(sorted(rule.name for rule in strange))
            raise UsageError(f"measure: flash attention on a CPU does not do {names}. Add '+math'.")
        Q, K, V = inputs[:3]
        causal = rules.MASK in inside
        if V.shape[-1] != Q.shape[-1]:
            raise UsageError(
                "measure: flash attention on a CPU takes values as wide as queries. Add '+math'."
            )
        return F.scaled_dot_product_attention(Q, K, V, is_causal=causal, enable_gqa=Q.shape[1] != K.shape[1])

    def _whole(self, op: Op, inputs: tuple[Value, ...], frame: Frame, taking: Taking) -> Value:
        if op.rule is rules.CROSS_ENTROPY:
            return self._loss(inputs[0].flatten(0, -2), inputs[1], taking, frame.place)
        if op.rule in KERNELS:
            if any(value.dim() > 1 for value in inputs[1:]):
                raise UsageError(
                    f"measure: {op.rule.name} of {frame.place} has a gain for each head, which no kernel has."
                )
            return KERNELS[op.rule](*inputs)
        rows = [self.shape(each.axes) for each in op.statistics if self.convention.counts(op.rule, each.name)]
        return OwnFunction.apply(partial(self._pass, op, "", ()), rows, *inputs)

    def _loss(self, logits: Value, targets: Value, taking: Taking, place: str) -> Value:
        if "shifted_labels" in {extra.name for extra in self.convention.extras}:
            targets = F.pad(targets, (0, 1), value=-100)[..., 1:].contiguous()
            self.tell.named(targets, place, "shifted_labels")
        targets = targets.view(-1)
        if taking is Taking.APART:
            return F.cross_entropy(logits, targets)
        chosen = logits.gather(1, targets.unsqueeze(1)).squeeze(1)
        return (torch.logsumexp(logits, 1) - chosen).mean()


class OwnFunction(torch.autograd.Function):  # type: ignore[misc]
    """A fused kernel as its author writes it: it keeps its inputs and row statistics, nothing of its body."""

    @staticmethod
    def forward(ctx: Any, body: Callable[..., Value], rows: list[tuple[int, ...]], *inputs: Value) -> Value:
        ctx.body, ctx.count = body, len(inputs)
        ctx.save_for_backward(*inputs, *(torch.zeros(shape) for shape in rows))
        return body(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Value) -> tuple[Value | None, ...]:
        inputs = [value.detach().requires_grad_() for value in ctx.saved_tensors[: ctx.count]]
        with torch.enable_grad():
            result = ctx.body(*inputs)
        return (None, None, *torch.autograd.grad(result, inputs, gradient))


# ------------------------------------------------------------------ what PyTorch has one function for

KERNELS: Mapping[Rule, Callable[..., Value]] = {
    rules.SOFTMAX: lambda x: torch.softmax(x, -1),
    rules.LOG_SOFTMAX: lambda x: torch.log_softmax(x, -1),
    rules.SILU: F.silu,
    rules.GELU_TANH: lambda x: F.gelu(x, approximate="tanh"),
    rules.LAYER_NORM: lambda x, *learned: F.layer_norm(x, x.shape[-1:], *learned),
}
ELEMENTWISE: Mapping[Rule, Callable[..., Value]] = {
    rules.ADD: torch.add,
    rules.BIAS: lambda x, bias: x + bias.to(x.dtype),
    rules.MULTIPLY: torch.mul,
    rules.SCALE: lambda x: x * 0.5,
    rules.MASK: lambda x, where: x.masked_fill(where, float("-inf")),
    rules.CENTRE: torch.sub,
    rules.DIVIDE: torch.div,
    rules.NORMALISE: torch.mul,
    rules.GAIN: torch.mul,
    rules.ONE_PLUS: lambda x: 1 + x,
    rules.EXP: torch.exp,
    rules.LOG: torch.log,
    rules.SIGMOID: torch.sigmoid,
    rules.GELU: F.gelu,
    rules.TANH: torch.tanh,
    rules.RELU: torch.relu,
    rules.SQUARE: torch.square,
    rules.CUBE: lambda x: x.pow(3),
    rules.RSQRT: lambda x: torch.rsqrt(x + 1e-6),
    rules.CLAMP: lambda x: x.clamp(-1.0, 1.0),
}
SUMS: Mapping[Rule, Callable[..., Value]] = {
    rules.MEAN_SQUARE: lambda x, axes: x.pow(2).mean(axes),
    rules.MEAN: lambda x, axes: x.mean(axes),
    rules.ROW_SUM: lambda x, axes: x.sum(axes),
    rules.ROW_MAX: lambda x, axes: x.detach().amax(axes),
}


def _aligned(value: Value, tensor: Tensor | tuple[str, ...], like: Tensor | tuple[str, ...]) -> Value:
    """A value laid along the axes of another: a view that has one place along each axis it lacks."""
    own = tensor.axes if isinstance(tensor, Tensor) else tensor
    wanted = like.axes if isinstance(like, Tensor) else like
    value = value.permute([own.index(axis) for axis in wanted if axis in own])
    for place, axis in enumerate(wanted):
        if axis not in own:
            value = value.unsqueeze(place)
    return value


def _shares(value: Value, inputs: tuple[Value, ...]) -> bool:
    """Whether a result is a view of what it was made from."""
    return any(value.untyped_storage()._cdata == each.untyped_storage()._cdata for each in inputs)


def _read_by(op: Op) -> tuple[str, ...]:
    """The axes by which a contraction reads its right factor, primes and all."""
    joint, left, result = op.axes, op.inputs[0].axes, op.result.axes
    read = []
    for axis in op.inputs[1].axes:
        same = [each for each in joint if each.rstrip("'") == axis.rstrip("'")]
        summed = [each for each in same if each not in result]
        new = [each for each in same if each not in left]
        read.append((summed or new or same)[0] if len(same) > 1 else same[0])
    return tuple(read)


def _product(sizes: Iterator[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total
