"""A projection of a backbone's maps in which people differ and photos of one person do not: PCA, then LDA.

A tower trained on a few thousand people knows them better than it knows people. A backbone that never saw an identity
has nothing to remember, and the two statistics here, of people and of photos within people, are all that is learned.
Fisher's discriminant by Belhumeur et al. 1997 (Fisherfaces); shrinkage after Ledoit and Wolf's form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class DiscriminantConfig:
    components: int = 1200  # of the PCA
    dimensions: int = 128  # of the embedding
    shrinkage: float = 0.3  # share of a round scatter in that within people
    photo_limit: int = 8  # people with hundreds of photos count as if they had so many
    weight: float = 0.7  # of this embedding beside the trained tower's, both of unit length


def fit_projection(
    features: Tensor, person: NDArray[np.int64], config: DiscriminantConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features float32 (N, D) of photos and their people (N,) → mean (D,) and matrix (D, dimensions).

    `(features - mean) @ matrix` scales each direction by the square root of the share of its variance that lies
    between people, so that the cosine there is close to the likelihood ratio of a two-covariance model.
    Raises ValueError when nobody has two photos.
    """
    count = min(config.components, *features.shape)
    torch.manual_seed(0)  # the PCA is a randomised one
    mean = features.mean(0)
    _, _, basis = torch.pca_lowrank(features, q=count, center=True, niter=2)
    projected = ((features - mean) @ basis).numpy().astype(np.float64)
    within, between = scatters(projected, person, config.photo_limit)
    round_scatter = np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = scipy.linalg.eigh(between, (1 - config.shrinkage) * within + config.shrinkage * round_scatter)
    order = np.argsort(-values)[: config.dimensions]
    ratio = np.maximum(values[order], 0)
    matrix = basis.numpy().astype(np.float64) @ (vectors[:, order] * np.sqrt(ratio / (ratio + 1)))
    return mean.numpy(), matrix.astype(np.float32)


def scatters(
    features: NDArray[np.float64], person: NDArray[np.int64], photo_limit: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Covariances (D, D) of photos around their person's mean, and of the people's means without that part."""
    within = np.zeros((features.shape[1],) * 2)
    means, shares, weights = [], [], 0.0
    for each in np.unique(person):
        own = features[person == each]
        means.append(own.mean(axis=0))
        shares.append(1 / len(own))
        if len(own) > 1:
            weight = min(len(own), photo_limit) - 1
            centred = own - means[-1]
            within += weight / (len(own) - 1) * (centred.T @ centred)
            weights += weight
    if not weights:
        raise ValueError("nobody in the training group has two photos: nothing to learn a person from")
    within /= weights
    return within, np.cov(np.array(means).T) - within * float(np.mean(shares))
