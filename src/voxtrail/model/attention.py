"""Softmax attention in blocks of queries: plain matrix products and a softmax.

PyTorch's fused attention gains nothing from bfloat16 on processors without matrix tiles, and
wants values as wide as the keys; those of memory attention are a quarter as wide.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

#: Bytes of one block of scores, which stay in the last-level cache, and the rows that a matrix
#: product needs to be worth reading all keys for.
BLOCK_BYTES = 2**22
FEWEST_ROWS = 512
#: Queries of one block in an exported graph.
EXPORTED_ROWS = 512


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return softmax(queries keysᵀ + bias) values for each item of a batch.

    Parameters
    ----------
    queries
        (n, a, C), scaled already.
    keys
        (n, t, C).
    values
        (n, t, V); V may differ from C.
    bias
        (t,): added to every query's scores; None adds nothing.

    Returns
    -------
    Tensor
        (n, a, V), of the values' type.
    """
    if queries.is_cuda:
        return _fused(queries, keys, values, bias)
    if torch.compiler.is_exporting():
        # a fixed number of blocks: a graph knows the queries, not the keys
        starts = range(0, queries.shape[1], EXPORTED_ROWS)
        blocks = [queries[:, start : start + EXPORTED_ROWS] for start in starts]
        return torch.cat([_block(one, keys, values, bias) for one in blocks], dim=1)
    budget = BLOCK_BYTES // queries.element_size() // keys.shape[1]  # rows of scores
    if queries.shape[0] * queries.shape[1] <= budget:
        return _block(queries, keys, values, bias)
    rows = max(FEWEST_ROWS, budget)
    out = values.new_empty(*queries.shape[:2], values.shape[2])
    if rows < queries.shape[1]:
        _rows_in_turn(queries, keys, values, bias, rows, out)
    else:
        _items_in_turn(queries, keys, values, bias, rows // queries.shape[1], out)
    return out


def _rows_in_turn(
    queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, rows: int, out: Tensor
) -> None:
    """Attend a block of rows of one item after the other, all in the same memory.

    Fresh memory for scores of this size comes from the system page by page, which takes longer than
    the softmax.
    """
    scores, weights = (queries.new_empty(rows, keys.shape[1]) for _ in range(2))
    for item in range(len(out)):
        for start in range(0, queries.shape[1], rows):
            block = queries[item, start : start + rows]
            into = scores[: len(block)], weights[: len(block)]
            torch.mm(block, keys[item].T, out=into[0])
            if bias is not None:
                into[0].add_(bias)
            torch.softmax(into[0], dim=-1, out=into[1])
            torch.mm(into[1], values[item], out=out[item, start : start + rows])


def _items_in_turn(
    queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, items: int, out: Tensor
) -> None:
    """Attend some whole items after the other, all in the same memory."""
    scores, weights = (queries.new_empty(items, queries.shape[1], keys.shape[1]) for _ in range(2))
    for first in range(0, len(out), items):
        some = slice(first, first + items)
        block = queries[some]
        into = scores[: len(block)], weights[: len(block)]
        torch.bmm(block, keys[some].transpose(1, 2), out=into[0])
        if bias is not None:
            into[0].add_(bias)
        torch.softmax(into[0], dim=-1, out=into[1])
        torch.bmm(into[1], values[some], out=out[some])


def _block(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    scores = queries @ keys.transpose(1, 2)
    if bias is not None:
        scores = scores + bias
    return torch.softmax(scores, dim=-1) @ values


def _fused(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    mask = None if bias is None else bias.to(queries.dtype)[None, None, None]
    attended = F.scaled_dot_product_attention(
        queries[:, None], keys[:, None], values[:, None], attn_mask=mask, scale=1.0
    )
    return attended[:, 0]
