"""Muon: momentum whose matrices are made orthogonal before each step (Newton-Schulz), shared out between processes."""

import torch
import torch.distributed as dist


def orthogonal(matrices, steps=5):
    """[B, n, m] with all singular values near one."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = (matrices / (matrices.flatten(1).norm(dim=1)[:, None, None] + 1e-7)).bfloat16()
    turned = x.shape[1] > x.shape[2]
    if turned:
        x = x.transpose(1, 2)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.transpose(1, 2) if turned else x).float()


class Muon(torch.optim.Optimizer):
    """Matrices only. The update's size is matched to Adam's, so that both take the same learning rate."""

    def __init__(self, matrices, lr, momentum=0.95, weight_decay=0.02):
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            updates = [self._momentum(p, group["momentum"]) for p in group["params"]]
            for p, update in zip(group["params"], _shared_orthogonal(updates)):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * 0.2 * max(p.shape) ** 0.5)

    def _momentum(self, p, momentum):
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        state["momentum"].lerp_(p.grad, 1 - momentum)
        return torch.lerp(p.grad, state["momentum"], momentum)


def _pieces(update):
    """Matrices three times as tall as wide are query, key and value in one."""
    return list(update.chunk(3)) if update.shape[0] == 3 * update.shape[1] else [update]


def _shared_orthogonal(updates):
    """Every process does its share of the matrices and all get all."""
    world, rank = (dist.get_world_size(), dist.get_rank()) if dist.is_initialized() else (1, 0)
    pieces = [piece for update in updates for piece in _pieces(update)]
    shapes = {}
    for i, piece in enumerate(pieces):
        shapes.setdefault(tuple(piece.shape), []).append(i)
    result = [torch.zeros_like(piece) for piece in pieces]
    for indices in shapes.values():
        mine = indices[rank::world]
        if mine:
            for i, matrix in zip(mine, orthogonal(torch.stack([pieces[i] for i in mine]))):
                result[i] = matrix.contiguous()
    if world > 1:
        flat = torch.cat([matrix.flatten() for matrix in result])
        dist.all_reduce(flat)
        result = [part.view_as(matrix) for part, matrix in zip(flat.split([m.numel() for m in result]), result)]
    done, start = [], 0
    for update in updates:
        count = len(_pieces(update))
        done.append(torch.cat(result[start:start + count]))
        start += count
    return done
