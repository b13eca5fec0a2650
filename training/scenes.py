"""Procedural 3D scenes, cut into short stacks of slices, in batches on any device.

A scene holds a target and a few neighbours, each a carved union of bent superellipsoids: blobs
with processes, tubes, plates, shells and rings. Most scenes look like a CT in a bone window
(bright cortex, noisy marrow, grey tissue), the rest have arbitrary textures. Nothing here knows
any anatomy, and nothing is taken from a scan.

Called by `training.train`; `make_batch` is a pure function of its settings and seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

OBJECTS = 6
"""Objects in a scene: the target, two look-alikes and three of other kinds."""

SOLIDS, CARVES = 4, 1
"""Bent superellipsoids united into an object, and cut out of it."""

FAR = 1e3
"""Signed distance of an absent primitive."""


@dataclass(frozen=True)
class SceneSettings:
    """How stacks of scenes are drawn.

    Parameters
    ----------
    stacks, slices
        Size of a batch: stacks, and slices in each.
    grid
        Side of the rendered slices in voxels; the trainer resizes them to the model's input.
    spread
        0 to 1: how far apart slices may lie. At 1, six stacks of ten cover the target from end
        to end, as prompts on its first and last slice do; at 0 a stack covers a small part.
    required
        Slices (of the stack) on which the target must be visible: those that get prompts.
    overrun
        Probability that a stack runs past the target's end, so that the target vanishes.
    margin
        Least and most margin around the target, as a fraction of its side.
    crowd
        Probability of each neighbour being there.
    ct_like
        Probability that a scene looks like a CT in a bone window.
    """

    stacks: int
    slices: int
    grid: int
    spread: float = 1.0
    required: tuple[int, ...] = (0,)
    overrun: float = 0.1
    margin: tuple[float, float] = (0.04, 0.4)
    crowd: float = 0.45
    ct_like: float = 0.8


@dataclass(frozen=True)
class StackBatch:
    """A batch of stacks.

    Parameters
    ----------
    image
        (B, T, N, N) uint8, 0..255.
    mask
        (B, T, N, N) bool, the target.
    """

    image: Tensor
    mask: Tensor


@dataclass(frozen=True)
class _Shapes:
    """Primitives of B scenes: all tensors start with (B, OBJECTS, SOLIDS + CARVES)."""

    centre: Tensor  # (..., 3) world units
    rotation: Tensor  # (..., 3, 3) rows are the primitive's axes
    axes: Tensor  # (..., 3) semi-axes
    bend: Tensor  # (..., 4) quadratic bending
    square: Tensor  # (...) 0 ellipsoid .. 1 box
    present: Tensor  # (...) bool
    hollow: Tensor  # (B, OBJECTS) wall as a fraction of depth; 0 = solid


class _Draw:
    """Random numbers from one generator on one device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.generator = torch.Generator(device=device).manual_seed(seed)
        self.device = device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        unit = torch.rand(*shape, generator=self.generator, device=self.device)
        return low + (high - low) * unit

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def chance(self, probability: float, *shape: int) -> Tensor:
        return self.uniform(0, 1, *shape) < probability

    def rotations(self, *shape: int) -> Tensor:
        """Return uniformly random rotation matrices (*shape, 3, 3)."""
        q = F.normalize(self.normal(*shape, 4), dim=-1)
        w, x, y, z = q.unbind(-1)
        rows = [
            torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], -1),
            torch.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], -1),
            torch.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], -1),
        ]
        return torch.stack(rows, -2)


def make_batch(
    settings: SceneSettings, seed: int, device: torch.device | str = "cpu"
) -> StackBatch:
    """Draw a batch of stacks; equal arguments give equal batches on one kind of device."""
    draw = _Draw(seed, torch.device(device))
    # Some scenes hide the target where a prompt must lie: draw spare ones and keep the rest.
    spare = settings.stacks + max(3, settings.stacks // 2)
    shapes = _draw_shapes(draw, spare, settings.crowd)
    warp = _draw_warp(draw, spare)
    points, voxel = _place_slices(draw, settings, shapes, warp)
    distance, winner = _compete(draw, _fields(shapes, warp, points), voxel)
    mask = ((winner == 0) & (distance < 0)).view(spare, settings.slices, -1)
    seen = mask.sum(-1)[:, list(settings.required)].amin(1).float()
    enough = torch.clamp(seen, max=12.0)
    keep = torch.argsort(enough, descending=True, stable=True)[: settings.stacks]
    shape = (settings.stacks, settings.slices, settings.grid, settings.grid)
    image = _paint(
        draw, settings, distance[keep].view(shape), winner[keep].view(shape), voxel[keep]
    )
    return StackBatch(image=(image * 255).round().to(torch.uint8), mask=mask[keep].view(shape))


def _draw_shapes(draw: _Draw, count: int, crowd: float) -> _Shapes:
    """Draw the objects of ``count`` scenes; object 0 is the target, of size about 1."""
    b, k, m = count, OBJECTS, SOLIDS + CARVES
    kind = torch.randint(0, 5, (b, k, 1), generator=draw.generator, device=draw.device)
    main = torch.zeros(b, k, m, dtype=torch.bool, device=draw.device)
    main[..., 0] = True

    blob = draw.uniform(0.35, 1.0, b, k, m, 3)
    tube = torch.cat([draw.uniform(0.8, 1.5, b, k, m, 1), draw.uniform(0.1, 0.35, b, k, m, 2)], -1)
    plate = torch.cat([draw.uniform(0.5, 1.2, b, k, m, 2), draw.uniform(0.05, 0.2, b, k, m, 1)], -1)
    # kinds: 0 blob with processes, 1 tube, 2 plate, 3 shell, 4 ring (a blob with a bore)
    base = torch.where(kind[..., None] == 1, tube, torch.where(kind[..., None] == 2, plate, blob))
    process = torch.where(draw.chance(0.5, b, k, m, 1), tube, plate) * draw.uniform(
        0.3, 0.8, b, k, m, 1
    )
    process = torch.where(draw.chance(0.3, b, k, m, 1), blob * 0.5, process)
    axes = torch.where(main[..., None], base, process)

    rotation = draw.rotations(b, k, m)
    # Processes start at the surface of the main solid, along one of its directions.
    direction = F.normalize(draw.normal(b, k, m, 3), dim=-1) * base[:, :, :1]
    outward = draw.uniform(0.6, 1.1, b, k, m, 1)
    offset = torch.einsum("bkmi,bkij->bkmj", direction * outward, rotation[:, :, 0])
    centre = torch.where(main[..., None], torch.zeros_like(offset), offset)

    # Carves: bores through blobs, bites elsewhere.
    bore = torch.stack(
        [
            torch.full((b, k), 2.5, device=draw.device),
            draw.uniform(0.15, 0.5, b, k),
            draw.uniform(0.15, 0.5, b, k),
        ],
        -1,
    )
    axes[:, :, SOLIDS] = torch.where(kind >= 3, bore, draw.uniform(0.15, 0.5, b, k, 3))
    centre[:, :, SOLIDS] *= torch.where(kind >= 3, 0.3, 1.0)

    bend = draw.normal(b, k, m, 4) * torch.where(kind[..., None] == 1, 0.5, 0.35)
    square = draw.uniform(0.0, 0.6, b, k, m)
    present = draw.chance(0.6, b, k, m) | main
    present[:, :, SOLIDS] = draw.chance(0.35, b, k) | (kind[..., 0] == 4)
    wall = draw.uniform(0.05, 0.16, b, k)
    hollow = torch.where((kind[..., 0] == 3) | draw.chance(0.08, b, k), wall, 0.0)

    shapes = _Shapes(centre, rotation, axes, bend, square, present, hollow)
    return _arrange(draw, shapes, crowd)


def _arrange(draw: _Draw, shapes: _Shapes, crowd: float) -> _Shapes:
    """Set look-alikes of the target beside it (objects 1 and 2) and others around it."""
    b, k, _ = shapes.present.shape
    for field in (shapes.centre, shapes.rotation, shapes.axes, shapes.bend, shapes.square):
        field[:, 1:3] = field[:, :1]
    shapes.present[:, 1:3] = shapes.present[:, :1]
    shapes.hollow[:, 1:3] = shapes.hollow[:, :1]

    size = shapes.axes[:, 0, 0].amax(-1)  # (B,)
    turn = _small_rotations(draw, b, k, 0.25)
    turn[:, 3:] = draw.rotations(b, k - 3)
    turn[:, 0] = draw.rotations(b)
    turn[:, 1:3] = turn[:, 1:3] @ turn[:, :1]
    mirror = torch.where(draw.chance(0.5, b, 1, 1), -1.0, 1.0)  # the look-alike on the other side
    shapes.centre[:, 1:2, :, :1] *= mirror[..., None]

    direction = F.normalize(draw.normal(b, k, 3), dim=-1)
    direction[:, 2] = -direction[:, 1]  # a row of three, as serial structures are
    apart = draw.uniform(0.7, 1.9, b, k)
    apart[:, 2] = apart[:, 1]
    apart[:, 3:] = draw.uniform(0.8, 2.4, b, k - 3)
    shift = direction * (apart * size[:, None])[..., None]
    shift[:, 0] = 0
    scale = draw.uniform(0.8, 1.2, b, k, 1, 1)
    scale[:, 3:] = draw.uniform(0.4, 1.3, b, k - 3, 1, 1)
    scale[:, :1] = 1
    away = ~draw.chance(crowd, b, k)
    away[:, 0] = False
    shift = torch.where(away[..., None], shift * 20, shift)

    # Row vectors: world = local @ turn, so a primitive's axes turn with it.
    centre = torch.einsum("bkmi,bkij->bkmj", shapes.centre * scale, turn) + shift[:, :, None]
    rotation = shapes.rotation @ turn[:, :, None]
    bend = shapes.bend / scale
    return _Shapes(
        centre, rotation, shapes.axes * scale, bend, shapes.square, shapes.present, shapes.hollow
    )


def _small_rotations(draw: _Draw, b: int, k: int, angle: float) -> Tensor:
    """Return rotations by about ``angle`` radians, (B, K, 3, 3)."""
    v = draw.normal(b, k, 3) * angle
    zero = torch.zeros_like(v[..., 0])
    x, y, z = v.unbind(-1)
    skew = torch.stack(
        [
            torch.stack([zero, -z, y], -1),
            torch.stack([z, zero, -x], -1),
            torch.stack([-y, x, zero], -1),
        ],
        -2,
    )
    return torch.linalg.matrix_exp(skew)


def _draw_warp(draw: _Draw, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw smooth displacements: frequencies (B, 2, 3, 3), phases and amplitudes (B, 2, 3, 1)."""
    frequency = draw.normal(count, 2, 3, 3) * torch.tensor([1.5, 4.0], device=draw.device).view(
        1, 2, 1, 1
    )
    phase = draw.uniform(0, 2 * math.pi, count, 2, 3, 1)
    strength = draw.uniform(0, 1, count, 1, 1, 1)
    amplitude = torch.tensor([0.12, 0.035], device=draw.device).view(1, 2, 1, 1) * strength
    return frequency, phase, amplitude.expand(count, 2, 3, 1)


def _warped(points: Tensor, warp: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    frequency, phase, amplitude = warp
    out = points
    for i in range(2):
        out = out + amplitude[:, i] * torch.sin(torch.baddbmm(phase[:, i], frequency[:, i], points))
    return out


def _object_field(shapes: _Shapes, points: Tensor, index: int) -> Tensor:
    """Return the approximate signed distance (B, P) to object ``index``; negative inside."""
    united: Tensor | None = None
    for i in range(SOLIDS + CARVES):
        rotation = shapes.rotation[:, index, i]
        shifted = -torch.einsum("bi,bji->bj", shapes.centre[:, index, i], rotation)
        x, y, z = torch.baddbmm(shifted[..., None], rotation, points).unbind(1)  # (B, P) each
        bend = shapes.bend[:, index, i, :, None]
        xx = x * x
        z = z + bend[:, 0] * xx + bend[:, 1] * (y * y) + bend[:, 2] * (x * y)
        y = y + bend[:, 3] * xx
        axes = shapes.axes[:, index, i, :, None]
        u, v, w = x / axes[:, 0], y / axes[:, 1], z / axes[:, 2]
        round_ = torch.sqrt(u * u + v * v + w * w)
        box = torch.maximum(torch.maximum(u.abs(), v.abs()), w.abs())
        field = torch.lerp(round_, box, shapes.square[:, index, i, None]).sub_(1)
        field = field.mul_(axes.amin(1))
        field = torch.where(shapes.present[:, index, i, None], field, FAR)
        if united is None:
            united = field
        elif i < SOLIDS:
            united = torch.minimum(united, field)
        else:
            wall = shapes.hollow[:, index, None]
            hollowed = (united + wall).abs() - wall
            united = torch.where(wall > 0, hollowed, united)
            united = torch.maximum(united, -field)
    assert united is not None
    return united


def _fields(shapes: _Shapes, warp: tuple[Tensor, Tensor, Tensor], points: Tensor) -> Tensor:
    """Return signed distances (B, OBJECTS, P) at ``points`` (B, 3, P)."""
    warped = _warped(points, warp)
    return torch.stack([_object_field(shapes, warped, k) for k in range(OBJECTS)], 1)


def _place_slices(
    draw: _Draw, settings: SceneSettings, shapes: _Shapes, warp: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Choose slices through the target and a crop around it.

    Returns
    -------
    points
        (B, 3, T * N * N) world positions (x, y, z) of the voxels; slices are z planes.
    voxel
        (B,) mean side of a voxel in world units.
    """
    b, t, n = len(shapes.hollow), settings.slices, settings.grid
    probe = 28
    line = torch.linspace(-2.2, 2.2, probe, device=draw.device)
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    cloud = torch.stack([x, y, z]).view(1, 3, -1).expand(b, -1, -1)
    inside = _object_field(shapes, _warped(cloud, warp), 0) < 0.02
    inside = inside.view(b, probe, probe, probe)  # (B, Z, Y, X)

    low, high = _extent(inside.flatten(2).any(-1), line)
    length = (high - low).clamp(min=0.1)
    whole = draw.chance(0.6 * settings.spread, b)
    part = draw.uniform(0.12, 0.12 + 0.08 + 0.55 * settings.spread, b)
    part = torch.where(whole, draw.uniform(0.85, 1.0, b), part)
    start = low + (length * (1 - part)) * draw.uniform(0, 1, b)
    stop = start + length * part
    past = draw.chance(settings.overrun, b)
    beyond = high + 0.3 * length * draw.uniform(0, 1, b)
    steps = torch.arange(t, device=draw.device) / max(t - 1, 1)
    jitter = draw.uniform(-0.25, 0.25, b, t) / max(t - 1, 1)
    heights = start[:, None] + (stop - start)[:, None] * (steps + jitter)
    inset = (0.1 * length).clamp(max=0.04)[:, None]
    heights = heights.maximum(low[:, None] + inset).minimum(high[:, None] - inset)
    overrun = start[:, None] + (beyond - start)[:, None] * steps
    heights = torch.where(past[:, None], overrun, heights)
    flip = draw.chance(0.5, b) & ~past  # the first slice is always prompted
    heights = torch.where(flip[:, None], heights.flip(1), heights)

    stop = torch.where(past, beyond, stop)
    near = (line >= start[:, None] - 0.1) & (line <= stop[:, None] + 0.1)
    covered = inside & near[:, :, None, None]
    sides = []
    for dims in ((1, 2), (1, 3)):  # x, then y
        first, last = _extent(covered.any(dims[0]).any(dims[1] - 1), line)
        side = (last - first).clamp(min=0.15)
        before, after = (side * draw.uniform(*settings.margin, b) for _ in range(2))
        sides.append((first - before, last + after))
    cells = (torch.arange(n, device=draw.device) + 0.5) / n
    xs = sides[0][0][:, None] + (sides[0][1] - sides[0][0])[:, None] * cells
    ys = sides[1][0][:, None] + (sides[1][1] - sides[1][0])[:, None] * cells
    points = torch.stack(
        [
            xs[:, None, None, :].expand(b, t, n, n),
            ys[:, None, :, None].expand(b, t, n, n),
            heights[:, :, None, None].expand(b, t, n, n),
        ],
        1,
    )
    voxel = ((sides[0][1] - sides[0][0]) + (sides[1][1] - sides[1][0])) / (2 * n)
    return points.reshape(b, 3, -1), voxel


def _extent(occupied: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and last coordinate of ``line`` where ``occupied`` (B, L) holds."""
    low = torch.where(occupied, line, math.inf).amin(1)
    high = torch.where(occupied, line, -math.inf).amax(1)
    empty = ~occupied.any(1)
    return torch.where(empty, -0.5, low), torch.where(empty, 0.5, high)


def _compete(draw: _Draw, fields: Tensor, voxel: Tensor) -> tuple[Tensor, Tensor]:
    """Let objects compete for each voxel, a thin gap between them.

    Returns
    -------
    distance
        (B, P) signed distance to the nearest object, gap carved.
    winner
        (B, P) int64, which object that is.
    """
    gap = (draw.uniform(-0.5, 2.5, len(voxel)).clamp(min=0) * voxel)[:, None]
    (first, second), (winner, _) = (
        v.unbind(1) for v in torch.topk(fields, 2, dim=1, largest=False)
    )
    return torch.maximum(first, (first - second + gap) / 2), winner


def _smooth_noise(draw: _Draw, shape: tuple[int, int, int, int], cells: int) -> Tensor:
    """Return smooth noise (B, T, N, N) of unit strength with ``cells`` cells across."""
    b, t, n, _ = shape
    coarse = draw.normal(b, 1, max(2, t // 2), cells, cells)
    return F.interpolate(coarse, size=(t, n, n), mode="trilinear", align_corners=True)[:, 0]


def _paint(
    draw: _Draw, settings: SceneSettings, distance: Tensor, winner: Tensor, voxel: Tensor
) -> Tensor:
    """Return the image (B, T, N, N), 0..1, of scenes given their distances and winners."""
    b, t, n, _ = distance.shape
    shape, one = (b, t, n, n), (b, 1, 1, 1)
    h = voxel.view(one)
    tissue = _smooth_noise(draw, shape, 5)
    fine = _smooth_noise(draw, shape, max(6, n // 3))
    ct = draw.chance(settings.ct_like, *one)

    # Tissue: grey muscle, darker fat, some air; elsewhere anything.
    muscle = draw.uniform(0.27, 0.36, *one)
    fat = muscle - draw.uniform(0.02, 0.1, *one)
    back = torch.where(tissue + draw.uniform(-1.5, 1.5, *one) > 0, muscle, fat)
    air = tissue > draw.uniform(0.9, 4.0, *one)
    back = torch.where(air, draw.uniform(0.0, 0.1, *one), back) + 0.02 * fine
    level = draw.uniform(0.0, 1.0, *one)
    other = level + draw.uniform(0, 0.15, *one) * tissue + draw.uniform(0, 0.12, *one) * fine
    back = torch.where(ct, back, other)

    # Bone: cortex of some thickness over noisy marrow, much alike in all bones of a scene.
    def per_object(low: float, high: float, alike: float) -> Tensor:
        common = draw.uniform(low, high, b, 1)
        own = draw.uniform(low, high, b, OBJECTS)
        value = torch.lerp(common, own, draw.uniform(0, 1, b, 1).pow(2) * (1 - alike))
        return value.gather(1, winner.view(b, -1)).view(shape)

    cortex = per_object(0.5, 1.05, 0.3)
    marrow = per_object(0.3, 0.6, 0.3)
    thickness = per_object(0.4, 3.5, 0.3) * h
    grain = draw.uniform(0.02, 0.12, *one)
    marrow = marrow + grain * fine + 0.05 * tissue
    inner = torch.sigmoid((-distance - thickness) / (0.5 * h))
    bone = torch.lerp(cortex.maximum(marrow), marrow, inner)
    soft = per_object(0.0, 1.0, 0.0) < 0.12  # an organ or vessel among the neighbours
    bone = torch.where(soft & (winner > 0), muscle + 0.12 * draw.uniform(0.2, 1, *one), bone)
    contrast = draw.uniform(0.12, 0.8, *one) * torch.where(draw.chance(0.5, *one), -1.0, 1.0)
    object_ = level + contrast + draw.uniform(0, 0.12, *one) * fine
    object_ = object_ + (per_object(-0.3, 0.3, 0.6)) + draw.uniform(-0.3, 0.3, *one) * inner
    solid = torch.where(ct, bone, object_)

    # Partial volume, blur, noise, streaks, gamma.
    edge = h * draw.uniform(0.15, 0.6, *one)
    image = torch.lerp(back, solid, torch.sigmoid(-distance / edge))
    image = torch.lerp(image, F.avg_pool2d(image, 3, 1, 1), draw.uniform(0, 0.9, *one))
    # Squared: most scans are quieter than the worst.
    noise = 0.07 * draw.uniform(0, 1, *one).square() * draw.normal(*shape)
    coarse = 0.12 * draw.uniform(0, 1, *one).square() * F.avg_pool2d(draw.normal(*shape), 3, 1, 1)
    image = image + noise + coarse + _streaks(draw, shape)
    image = image.clamp(0, 1).pow(torch.exp(draw.uniform(-0.3, 0.3, *one)))
    image = (image - 0.5) * draw.uniform(0.8, 1.15, *one) + 0.5 + draw.uniform(-0.05, 0.05, *one)
    invert = ~ct & draw.chance(0.5, *one)
    return torch.where(invert, 1 - image, image).clamp(0, 1)


def _streaks(draw: _Draw, shape: tuple[int, int, int, int]) -> Tensor:
    """Return faint parallel streaks, present in a fifth of the scenes."""
    b, t, n, _ = shape
    angle = draw.uniform(0, math.pi, b, t, 1, 1)
    line = torch.linspace(-1, 1, n, device=draw.device)
    across = line * torch.cos(angle) + line[:, None] * torch.sin(angle)
    wave = torch.sin(across * draw.uniform(10, 40, b, t, 1, 1) + draw.uniform(0, 6.3, b, t, 1, 1))
    fade = torch.exp(-((across * 3 - draw.uniform(-2, 2, b, t, 1, 1)) ** 2))
    strength = draw.uniform(0, 0.12, b, 1, 1, 1) * draw.chance(0.2, b, 1, 1, 1)
    return strength * wave * fade
