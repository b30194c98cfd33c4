"""The bundle's README.md: what it began from, what it learned on, protocol, figures, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TEMPLATE = """\
# {name}@{version}

Face verification: an aligned face chip in, an embedding of unit length out; two faces are compared by the cosine of
their embeddings.

- **Began from** {began_from}
- **Trained on** {trained_on}
- **Licence** {licence}
- **Input** the central {width}x{height} px of a chip shrunk to {chip_side} px

## How well it does
Measured by `python -m trainer verifier evaluate` on people it never saw: {pairs} balanced pairs by LFW's recipe from
two halves of the held-out people, and all pairs of strangers within a half. What is chosen on one half (threshold,
probability) is measured on the other.

| figure | value |
|---|---|
{figures}
{comparison}{groups}{stated}
## What the API answers with
- Default threshold {default:.3f}: {far:.2%} of {far_means} accepted{any_far}, {frr:.1%} of genuine pairs rejected.
- Probability is a logistic of the cosine, fitted on all held-out pairs, for equal odds beforehand. Where true
  matches are rare, as in a search through many photos, it is too confident.
- A face is reported as too poor to judge under {min_face:.0f} px (an anchor under {min_anchor:.0f}), with a sharpness
  under {min_sharpness}, a mean grey level under {min_brightness}, a contrast under {min_contrast}, or with less than
  {min_inside:.0%} of it on the photo. One turned by about 45 degrees and more can match, but its "no" says nothing.
{quality}{templates}
## Limits
- Do not use it to decide about a person. Expect more mistakes on children, of whom LFW shows hardly any.
- Twins, heavy make-up, masks, profile views and decades between two photos defeat it more often than the figures say.
{limits}"""

FIGURES = {
    "accuracy": "accuracy (± standard error)",
    "roc_auc": "area under the ROC",
    "eer": "equal error rate",
    "tar_at_far_1pct": "genuine pairs found at 1 % of all strangers",
    "tar_at_far_0.1pct": "at 0.1 %",
    "tar_at_far_0.01pct": "at 0.01 %",
    "tar_at_far_1pct_alike": "at 1 % of strangers who look alike",
    "tar_at_worst_group_3pct": "where the worst group has 3 %",
    "ece": "expected calibration error, pairs not used to calibrate",
}
QUALITY_PICTURE = "quality.png"
QUALITY_WORDS = {
    "face_px": "face's shorter side, px",
    "blur_px": "Gaussian blur, px of the chip",
    "light": "light left",
    "contrast": "contrast left",
    "inside": "share of the face on the photo",
    "turn": "turn (nose's offset in eye distances)",
}


def card(meta: Mapping[str, Any]) -> str:
    """The card of a bundle whose metrics, parameters and calibration are those of model.json."""
    metrics, parameters, calibration = meta["metrics"], meta["parameters"], meta["calibration"]
    held_out = metrics["held_out"]
    row = next(
        index
        for index, entry in enumerate(calibration["table"])
        if entry["threshold"] == calibration["default_threshold"]
    )
    at = calibration["table"][row]
    far_any = at["far_any"]
    return TEMPLATE.format(
        name=meta["name"],
        version=meta["version"],
        began_from=metrics.get("began_from", "random weights"),
        trained_on=meta["trained_on"],
        licence=meta["licence"],
        width=meta["input"]["width_px"],
        height=meta["input"]["height_px"],
        chip_side=parameters["chip_side_px"],
        pairs=f"{held_out['pairs']:,}",
        figures=_rows((label, _figure(held_out, key)) for key, label in FIGURES.items() if key in held_out),
        comparison=_comparison(metrics.get("compared_with", {}), held_out),
        groups=_groups(metrics["by_group"]) if "by_group" in metrics else "",
        stated=_stated(metrics["stated_and_measured"]),
        default=at["threshold"],
        far=at["far"],
        far_means=calibration["far_means"],
        any_far=f", {far_any:.3%} of all strangers" if "by_group" in metrics else "",
        frr=at["frr"],
        min_face=parameters["min_face_px"],
        min_anchor=parameters["min_anchor_px"],
        min_sharpness=parameters["min_sharpness"],
        min_brightness=parameters["min_brightness"],
        min_contrast=parameters["min_contrast"],
        min_inside=parameters["min_inside"],
        quality=_quality(metrics["by_quality"]),
        templates=_templates(metrics["templates"]),
        limits="".join(f"- {limit}\n" for limit in metrics.get("limits", ())),
    )


def _rows(cells: Any) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _figure(held_out: Mapping[str, Any], key: str) -> str:
    value = f"{held_out[key]:.4f}"
    return f"{value} ± {held_out['accuracy_se']:.4f}" if key == "accuracy" else value


def _comparison(compared: Mapping[str, Mapping[str, Any]], own: Mapping[str, Any]) -> str:
    if not compared:
        return ""
    shown = [key for key in ("accuracy", "tar_at_far_1pct", "tar_at_far_0.1pct", "tar_at_far_1pct_alike") if key in own]
    head = _table(["on the same pairs", *(FIGURES[key].removesuffix(" (± standard error)") for key in shown)])
    lines = _rows(
        [name, *(f"{figures[key]:.4f}" if key in figures else "" for key in shown)]
        for name, figures in compared.items()
    )
    return f"\n{head}{lines}\n"


def _groups(measured: Mapping[str, Any]) -> str:
    lines = _rows(
        [name, f"{entry['pairs']:,}", f"{entry['far']:.2%}", f"{entry['low']:.2%} to {entry['high']:.2%}"]
        for name, entry in measured["groups"].items()
    )
    return (
        "\nStrangers who look alike: pairs of held-out FairFace portraits of one gender, ethnicity (as FairFace\n"
        "labels them) and age band, accepted at a default threshold that the other half chose; 95 % intervals by\n"
        "bootstrap over faces.\n\n"
        + _table(["group", "pairs", "accepted", "interval"])
        + f"{lines}\n\nThe worst group is {measured['worst']}, {measured['worst_to_mean']} times the mean of the "
        f"groups ({measured['mean']:.2%}); of all strangers in LFW, {measured['all_strangers']:.3%} are accepted.\n"
    )


def _stated(figures: Mapping[str, Mapping[str, float]]) -> str:
    words = {"any": "all strangers", "alike": "who look alike"}
    lines = _rows([words[kind], *(f"{value:.3%}" for value in measured.values())] for kind, measured in figures.items())
    stated = next(iter(figures.values()))
    return (
        "\nStated and, on people who did not choose the threshold, measured false accepts:\n\n"
        + _table(["stated", *stated])
        + f"{lines}\n"
    )


def _quality(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    parts = []
    for measure, steps in figures.items():
        lines = _rows(
            [
                ["accuracy", *(f"{entry['accuracy']:.3f}" for entry in steps.values())],
                ["found at the default", *(_share(entry["found"]) for entry in steps.values())],
            ]
        )
        parts.append(_table([QUALITY_WORDS[measure], *steps]) + lines + "\n")
    heading = "\nWith the second photo of each pair degraded, or by the more turned of the two:\n\n"
    return f"{heading}![What each kind of poor picture costs]({QUALITY_PICTURE})\n\n" + "\n".join(parts)


def _templates(figures: Mapping[str, Mapping[str, Any]]) -> str:
    if not figures:
        return ""
    probes = next(iter(figures.values()))
    keys = [key for key in probes if "tar" in key]
    lines = _rows(
        [
            key.replace("_tar_at_far_", " of set, found at ").replace("pct", " %"),
            *(f"{e[key]:.3f}" for e in figures.values()),
        ]
        for key in keys
    )
    head = _table(["photos in the template", *figures])
    return (
        f"\nSeveral photos as one template ({probes['people']} people, {probes['probes']} probes):\n\n{head}{lines}\n"
    )


def _table(head: Sequence[str]) -> str:
    return f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
