"""Train the face network within a budget of hours: one loop, resumable after any interruption.

Ultralytics defines the network, its loss and its moving average; the loop is ours because Ultralytics' trainer neither
autocasts on a CPU nor crops photos at their own scale, and small faces live on both.
"""

import csv
import itertools
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm
from ultralytics.nn.tasks import PoseModel
from ultralytics.utils.torch_utils import ModelEMA

from trainer.detector.bundle_weights import is_bundle, load_folded, unfold
from trainer.detector.dataset import Batch, FacePhotos, TrainingStream
from trainer.detector.network import FaceLoss, build_network
from trainer.detector.schedule import Phase, default_phases, learning_rate, phase_at
from trainer.precision import mixed_precision

LOSS_NAMES = ("box", "landmarks", "visibility", "face", "distribution")
GRADIENT_NORM_LIMIT = 10.0
EMA_DECAY, EMA_RAMP_STEPS = 0.999, 300  # the budget is thousands of steps, not the hundreds of thousands of a full run
UNFOLDING_VIEWS = 128  # that a bundle's normalisation is measured on


@dataclass(frozen=True)
class TrainSettings:
    """Everything a run depends on; written beside its checkpoint."""

    data: Path
    run: Path
    hours: float
    size: str = "n"
    weights: Path | None = None
    size_px: int = 320
    final_size_px: int = 640
    final_share: float = 0.25
    batch_size: int = 16
    peak_learning_rate: float = 1e-3
    seed: int = 0
    device: str = "auto"
    loader_workers: int = 1
    cache: str = "auto"
    limit: int | None = None
    max_steps: int | None = None


def train(settings: TrainSettings) -> Path:
    """Train, or go on from `run/last.pt`, until the hours are used; Ctrl-C saves and returns the checkpoint too."""
    rank, world, device = _place(settings.device)
    torch.manual_seed(settings.seed + rank)
    settings.run.mkdir(parents=True, exist_ok=True)
    checkpoint = settings.run / "last.pt"
    photos = FacePhotos(settings.data / "train", cache=_fits_in_memory(settings), limit=settings.limit)
    phases = default_phases(settings.size_px, settings.final_size_px, settings.batch_size, settings.final_share)
    network = _starting_network(settings, photos, phases, device, resuming=checkpoint.is_file())
    criterion = FaceLoss(network)
    average = ModelEMA(network, decay=EMA_DECAY, tau=EMA_RAMP_STEPS)
    optimizer = torch.optim.AdamW(_parameter_groups(network), lr=settings.peak_learning_rate)
    elapsed_s, step = 0.0, 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        average.ema.load_state_dict(state["ema"])
        average.updates = step = state["step"]
        optimizer.load_state_dict(state["optimizer"])
        elapsed_s = state["elapsed_s"]
        print(f"resumed {checkpoint} at step {step}, {elapsed_s / 60:.1f} minutes in")
    elif rank == 0:
        (settings.run / "settings.json").write_text(json.dumps(asdict(settings), default=str, indent=2) + "\n")

    model: nn.Module = DistributedDataParallel(network) if world > 1 else network
    budget_s = settings.hours * 3600
    save_every = max(1, len(photos) // (settings.batch_size * world))  # about an epoch of views
    log = _LossLog(settings.run / "losses.csv") if rank == 0 else None
    phase: Phase | None = None
    batches: Any = None
    bar = tqdm(
        total=round(budget_s), initial=round(elapsed_s), unit="s", desc="train", disable=rank != 0, mininterval=5
    )

    def save() -> None:
        if rank == 0:
            _save(checkpoint, network, average, optimizer, step, elapsed_s, settings)

    try:
        while elapsed_s < budget_s and (settings.max_steps is None or step < settings.max_steps):
            started = time.monotonic()
            progress = elapsed_s / budget_s
            if phase != phase_at(phases, progress):
                phase = phase_at(phases, progress)
                batches = _loader(photos, phase, settings, seed=hash((settings.seed, rank, step)), device=device)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(progress, step, peak=settings.peak_learning_rate)

            parts = _step(model, criterion, optimizer, next(batches), device)
            average.update(network)
            step += 1
            elapsed_s += _slowest(time.monotonic() - started, world, device)
            bar.update(round(elapsed_s) - bar.n)
            if log:
                log.add(step, elapsed_s, phase.view_px[1], parts)
                bar.set_postfix(
                    step=step, px=phase.view_px[1], face=f"{log.recent['face']:.3f}", box=f"{log.recent['box']:.3f}"
                )
            if step % save_every == 0:
                save()
    except KeyboardInterrupt:
        print("\ninterrupted: saving; the same command goes on from here")
    bar.close()
    save()
    if world > 1:
        torch.distributed.destroy_process_group()
    return checkpoint


def _starting_network(
    settings: TrainSettings,
    photos: FacePhotos,
    phases: tuple[Phase, ...],
    device: torch.device,
    *,
    resuming: bool,
) -> PoseModel:
    """New, from COCO, or from a bundle whose normalisation is measured on views of the first phase."""
    bundle = settings.weights if settings.weights is not None and is_bundle(settings.weights) else None
    network = build_network(settings.size, None if resuming or bundle else settings.weights)
    network.to(device, memory_format=torch.channels_last)
    if bundle and not resuming:
        load_folded(network, bundle)
        phase = phase_at(phases, 0)
        count = -(-UNFOLDING_VIEWS // phase.batch_size)
        batches = itertools.islice(_loader(photos, phase, settings, seed=settings.seed, device=device), count)
        unfold(network, (batch["img"].to(device).float().div_(255) for batch in batches), count)
    network.train()
    return network


def _step(
    model: nn.Module, criterion: FaceLoss, optimizer: torch.optim.Optimizer, batch: Batch, device: torch.device
) -> torch.Tensor:
    """One gradient step; returns the five loss parts, (5,)."""
    batch = {name: part.to(device, non_blocking=True) for name, part in batch.items()}
    images = batch["img"].float().div_(255)
    with mixed_precision(device):
        raw = model(images)
    predictions = {k: [f.float() for f in v] if isinstance(v, list) else v.float() for k, v in raw.items()}
    total, parts = criterion(predictions, batch)
    loss = total.sum() / len(images)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM_LIMIT)
    optimizer.step()
    return torch.stack([part.detach().cpu() for part in parts.values()])


def _loader(photos: FacePhotos, phase: Phase, settings: TrainSettings, *, seed: int, device: torch.device) -> Any:
    stream = TrainingStream(
        photos,
        view_px=phase.view_px,
        batch_size=phase.batch_size,
        scale_range=phase.scale_range,
        mosaic=phase.mosaic,
        seed=seed & 0x7FFFFFFF,
    )
    workers = settings.loader_workers
    return iter(
        torch.utils.data.DataLoader(stream, batch_size=None, num_workers=workers, pin_memory=device.type == "cuda")
    )


def _parameter_groups(network: nn.Module) -> list[dict[str, Any]]:
    """Weight decay for weights of convolutions only, as usual: not for biases and normalisation."""
    decayed = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]


def _place(device: str) -> tuple[int, int, torch.device]:
    """(rank, processes, device); torchrun's environment says when there are several."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return 0, 1, torch.device(device)
    torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    local = int(os.environ["LOCAL_RANK"])
    if device == "cuda":
        torch.cuda.set_device(local)
        device = f"cuda:{local}"
    return torch.distributed.get_rank(), world, torch.device(device)


def _slowest(seconds: float, world: int, device: torch.device) -> float:
    """The same clock on every rank, so that all of them stop at the same step."""
    if world == 1:
        return seconds
    longest = torch.tensor(seconds, device=device)
    torch.distributed.all_reduce(longest, op=torch.distributed.ReduceOp.MAX)
    return float(longest)


def _fits_in_memory(settings: TrainSettings) -> bool:
    """`auto`: keep decoded photos when they take less than half of the memory now free."""
    if settings.cache != "auto":
        return settings.cache == "ram"
    sizes = (line.rsplit(" ", 2)[1:] for line in (settings.data / "train" / "photos.txt").read_text().splitlines())
    needed = sum(int(w) * int(h) * 3 for w, h in itertools.islice(sizes, settings.limit))
    return needed < psutil.virtual_memory().available // 2


def _save(
    path: Path,
    network: nn.Module,
    average: ModelEMA,
    optimizer: Any,
    step: int,
    elapsed_s: float,
    settings: TrainSettings,
) -> None:
    state = {
        "network": network.state_dict(),
        "ema": average.ema.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "elapsed_s": elapsed_s,
        "size": settings.size,
        "seed": settings.seed,
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


class _LossLog:
    """A row of smoothed losses every 50 steps."""

    def __init__(self, path: Path) -> None:
        self.recent = dict.fromkeys(LOSS_NAMES, 0.0)
        self._path = path
        if not path.exists():
            path.write_text(",".join(("step", "minutes", "size_px", *LOSS_NAMES)) + "\n")

    def add(self, step: int, elapsed_s: float, size_px: int, parts: torch.Tensor) -> None:
        for name, value in zip(LOSS_NAMES, parts.tolist(), strict=True):
            self.recent[name] = value if self.recent[name] == 0 else 0.98 * self.recent[name] + 0.02 * value
        if step % 50 == 0:
            with self._path.open("a", newline="") as file:
                row = [f"{value:.4f}" for value in self.recent.values()]
                csv.writer(file).writerow([step, f"{elapsed_s / 60:.2f}", size_px, *row])
