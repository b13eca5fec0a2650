"""What the scanner adds: random fields, blur, noise, streaks, whole HU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrail.datasets.phantom.canvas import Canvas, Fields
from voxtrail.datasets.phantom.frame import Frame, doubled
from voxtrail.datasets.phantom.shapes import Array, Vec

_KERNEL_SIGMA_MM = 0.65  # of the reconstruction
_HU_RANGE = (-1024, 3071)  # of twelve stored bits


def unit_noise(rng: np.random.Generator, shape: tuple[int, int, int], sigma_vox: Vec) -> Array:
    """Gaussian noise of unit variance, correlated over `sigma_vox` voxels an axis."""
    noise = rng.standard_normal(shape)
    for axis, sigma in enumerate(sigma_vox):
        impulse = np.zeros(8 * int(np.ceil(sigma)) + 9)
        impulse[len(impulse) // 2] = 1
        kernel = ndimage.gaussian_filter1d(impulse, sigma)
        noise = ndimage.gaussian_filter1d(noise, sigma, axis=axis, mode="wrap")
        noise /= np.sqrt((kernel**2).sum())
    return noise


def random_fields(frame: Frame, rng: np.random.Generator) -> Fields:
    """Draw the fields that make matter uneven."""
    x, y, z = (max(0.9 / step, 0.35) for step in frame.spacing)
    texture = unit_noise(rng, frame.shape, (x, y, z))
    coarse = frame.coarse

    def smooth(sigma_mm: float) -> Array:
        i, j, k = (sigma_mm / step for step in coarse.spacing)
        return doubled(unit_noise(rng, coarse.shape, (i, j, k)), frame.shape)

    return Fields(texture, smooth(7.0), smooth(14.0))


def scanned(canvas: Canvas, rng: np.random.Generator, noise_hu: float) -> NDArray[np.int16]:
    """Blur, streak and speckle the ideal scan.

    Parameters
    ----------
    canvas : Canvas
        All tissues and bones in place.
    rng : numpy Generator
    noise_hu : float
        Standard deviation of the noise, HU.

    Returns
    -------
    (i, j, k) int16
        HU.
    """
    frame = canvas.frame
    sigma = tuple(_KERNEL_SIGMA_MM / step for step in frame.spacing)
    hu = ndimage.gaussian_filter(canvas.hu, sigma, mode="nearest")
    hu += noise_hu * unit_noise(rng, frame.shape, (0.7, 0.7, 0.35))
    hu += _streaks(canvas, rng, noise_hu)
    stored: NDArray[np.int16] = np.clip(np.rint(hu), *_HU_RANGE).astype(np.int16)
    return stored


def _streaks(canvas: Canvas, rng: np.random.Generator, noise_hu: float) -> Array:
    """Photon starvation: sideways streaks on slices where much bone lies side by side."""
    dense = np.clip(canvas.hu, 0, 1500).mean(axis=(0, 1))  # along k
    strength = 0.06 * dense + 0.15 * noise_hu
    lines = unit_noise(rng, canvas.frame.shape, (14.0, 0.5, 0.3))
    body = ndimage.gaussian_filter((canvas.hu > -300).astype(float), 1.5)
    streaks: Array = lines * strength[None, None, :] * body
    return streaks
