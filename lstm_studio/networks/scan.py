"""First-order linear recurrences over all steps at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def linear_scan(factor: Tensor, term: Tensor, initial: Tensor) -> Tensor:
    """Return y with ``y_t = factor_t ⊙ y_{t−1} + term_t``.

    The steps are cut into about √(T/2) chunks that advance side by side, as if each began at zero; then the state that
    enters each chunk is carried in through the product of its factors. That takes about 2·√(2T) operations on arrays
    in place of 2·T, and adds rounding errors no larger than a plain loop does where the factors lie in 0…1.

    Parameters
    ----------
    factor, term
        (T, H) tensors, T at least 1.
    initial
        (H,) tensor, y before the first step.

    Returns
    -------
    Tensor
        (T, H).
    """
    steps, units = term.shape
    chunk = max(1, math.isqrt(steps // 2))
    chunks = steps // chunk
    whole = chunks * chunk
    y = torch.empty_like(term)
    product = torch.empty(chunks, chunk, units, dtype=term.dtype, device=term.device)

    factors = factor[:whole].view(chunks, chunk, units).unbind(1)
    terms = term[:whole].view(chunks, chunk, units).unbind(1)
    inside = y[:whole].view(chunks, chunk, units)
    columns = inside.unbind(1)
    products = product.unbind(1)
    columns[0].copy_(terms[0])
    products[0].copy_(factors[0])
    for step in range(1, chunk):
        torch.addcmul(terms[step], factors[step], columns[step - 1], out=columns[step])
        torch.mul(products[step - 1], factors[step], out=products[step])

    carried = initial
    for rows, through in zip(inside.unbind(0), product.unbind(0), strict=True):
        rows.addcmul_(through, carried)
        carried = rows[-1]
    for step in range(whole, steps):
        torch.addcmul(term[step], factor[step], carried, out=y[step])
        carried = y[step]
    return y
