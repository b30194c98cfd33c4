"""The objectives on unit-length embeddings: identities with a margin, pairs with a learned scale, plain contrastive."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MarginHead(nn.Module):
    """CosFace (Wang et al. 2018): softmax over all trained people, the right one handicapped by `margin`."""

    def __init__(self, people: int, embedding: int, scale: float) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(people, embedding) * 0.05)
        self.scale = scale

    def forward(self, embeddings: Tensor, person: Tensor, margin: float) -> Tensor:
        """Unit-length embeddings (N, D) and class numbers (N,) → mean loss."""
        cosines = embeddings @ F.normalize(self.centres).t()
        handicap = margin * F.one_hot(person, len(self.centres))
        return F.cross_entropy(self.scale * (cosines - handicap), person)


class PairLoss(nn.Module):
    """Every pair of a batch judged same or different by a logistic of its cosine, scale and bias learned.

    The impostor pairs that count are the hardest `hard_per_photo` for each photo on average: of thousands in a
    batch nearly all are told apart with ease. The self-made weights are those of the calibrated question we serve.
    """

    def __init__(self, hard_per_photo: int = 4) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(2.3))
        self.bias = nn.Parameter(torch.tensor(-4.0))
        self.hard_per_photo = hard_per_photo

    def forward(self, embeddings: Tensor, person: Tensor) -> Tensor:
        logits = self.log_scale.exp() * (embeddings @ embeddings.t()) + self.bias
        same = person[:, None] == person[None, :]
        others = ~torch.eye(len(person), dtype=torch.bool, device=person.device)
        loss = embeddings.new_zeros(())
        if (same & others).any():
            loss = loss - F.logsigmoid(logits[same & others]).mean()
        impostors = -F.logsigmoid(-logits[~same])
        if len(impostors):
            loss = loss + impostors.topk(min(len(impostors), self.hard_per_photo * len(person))).values.mean()
        return loss


def contrastive_loss(embeddings: Tensor, person: Tensor, margin: float = 1.0) -> Tensor:
    """Hadsell et al. 2006 on neighbours (2i, 2i+1) as genuine pairs and (2i+1, 2i+2) as impostors."""
    following = torch.roll(embeddings, -1, dims=0)
    same = person == torch.roll(person, -1, dims=0)
    distance = (embeddings - following).square().sum(1).add(1e-9).sqrt()
    return torch.where(same, distance.square(), F.relu(margin - distance).square()).mean()
