"""The figures of `make bench` as tables for people."""

from __future__ import annotations

import statistics
from typing import Any

from scripts.client.table import table

Json = dict[str, Any]


def report(figures: Json) -> str:
    machine = figures["machine"]
    rows = [
        ["bare detector, images/s", f"{statistics.median(figures['bare_images_per_s']):.2f}"],
        ["whole stack, images/s", f"{statistics.median(figures['stack_images_per_s']):.2f}"],
        ["whole stack / bare detector", f"{figures['stack_to_bare']:.3f}"],
        ["ready, s", f"{figures['ready_s']:.1f}"],
    ]
    around = figures["cpu_ms_around_model"]
    cpu = [
        [name, f"{spent:.1f}", f"{around[name]:.1f}" if name in around else ""]
        for name, spent in figures["cpu_ms_per_image"].items()
    ]
    idle = [
        [row["kind"], *(f"{row[name]:.1f}" for name in ("latency_median", "overhead_median", "overhead_p95"))]
        for row in figures["idle_ms"]
    ]
    memory = [[name, f"{use['now']:.0f}", f"{use['peak']:.0f}"] for name, use in figures["memory_mb"].items() if use]
    return "\n\n".join(
        [
            f"{figures['model']} on {machine['cores']} cores ({machine['cpu']}), Python {machine['python']}; "
            f"{figures['photos']['count']} photos {figures['photos']['from']}; "
            f"load before the run {figures['load_before']:.2f}",
            table([f"median of {len(figures['bare_images_per_s'])} rounds", ""], rows),
            table(["processor time an image at saturation, core ms", "in all", "around the model"], cpu),
            table(["one job on an idle stack, ms", "median", "beyond the models", "p95"], idle),
            table(["memory, MB", "now", "peak"], memory),
        ]
    )
