"""The bundle's README.md: data, protocol, figures, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEMPLATE = """\
# {name}@{version}

Face verification: an aligned face chip in, a unit-length embedding of {input} px input out; two faces are compared by
the cosine of their embeddings, straight and mirrored view summed.

- **Trained on** {trained_on}
- **Licence** {licence}
- **Sizes** graph input {input} px, the centre of a chip shrunk to {chip_side} px

## How well it does
Measured by `python -m trainer verifier evaluate` on people it never saw: {pairs} balanced pairs by LFW's recipe from
two held-out groups of people. What is chosen on one group (threshold, calibration) is measured on the other.

| figure | value |
|---|---|
{figures}

By condition, at the threshold of highest accuracy: {conditions}.
{comparison}
## What the API answers with
- Default threshold {default:.3f}: {far:.2%} of {impostors} impostor pairs accepted, {frr:.1%} of genuine pairs
  rejected.
- Probability is a logistic of the cosine, fitted on all held-out pairs, for equal odds beforehand. Where true
  matches are rare, as in a search through many photos, it is too confident.
- Faces under {min_face:.0f} px or with a sharpness under {min_sharpness} are reported as `low_quality`. With one photo
  of each pair shrunk, accuracy by face width was: {by_size}.

## Limits
- LFW shows public figures of the early 2000s in press photos: mostly adults, men, light-skinned. Expect more mistakes
  on children, on others and on low light. Do not use it to decide about a person.
- Networks trained on millions of faces reach 99.8 % on LFW; what LFW alone can teach ends far below. Such a network
  takes this one's place by `calibrate --onnx FILE`, `evaluate` and `export`, where its licence allows.
- Twins, heavy make-up, masks, profile views and decades between two photos defeat it more often than the figures say.
"""

FIGURES = {
    "accuracy": "accuracy (± standard error)",
    "roc_auc": "area under the ROC",
    "eer": "equal error rate",
    "tar_at_far_1pct": "true accepts at 1 % false accepts",
    "tar_at_far_0.1pct": "true accepts at 0.1 % false accepts",
    "far_at_threshold_chosen_for_1pct": "false accepts at the threshold chosen for 1 % on the other group",
    "ece": "expected calibration error, pairs not used to calibrate",
}


def card(meta: Mapping[str, Any]) -> str:
    """The card of a bundle whose metrics, parameters and calibration are those of model.json."""
    held_out, parameters, calibration = meta["metrics"]["held_out"], meta["parameters"], meta["calibration"]
    at = next(row for row in calibration["table"] if row["threshold"] == calibration["default_threshold"])
    return TEMPLATE.format(
        name=meta["name"],
        version=meta["version"],
        trained_on=meta["trained_on"],
        licence=meta["licence"],
        input=meta["input"]["width_px"],
        chip_side=parameters["chip_side_px"],
        pairs=f"{held_out['pairs']:,}",
        figures="\n".join(f"| {label} | {_figure(held_out, key)} |" for key, label in FIGURES.items()),
        conditions="; ".join(
            f"{name} {group['accuracy']:.3f} ({group['pairs']} pairs)"
            for name, group in meta["metrics"]["by_condition"].items()
            if group["accuracy"] is not None
        ),
        comparison=_comparison(meta["metrics"].get("compared_with")),
        default=at["threshold"],
        far=at["far"],
        frr=at["frr"],
        impostors=f"{calibration['measured_on']['impostor_pairs']:,}",
        min_face=parameters["min_face_px"],
        min_sharpness=parameters["min_sharpness"],
        by_size=", ".join(f"{size} px {value:.3f}" for size, value in parameters["accuracy_by_face_px"].items()),
    )


def _figure(held_out: Mapping[str, Any], key: str) -> str:
    value = f"{held_out[key]:.4f}"
    return f"{value} ± {held_out['accuracy_se']:.4f}" if key == "accuracy" else value


def _comparison(compared: Mapping[str, Any] | None) -> str:
    if not compared:
        return ""
    lines = [f"- {name}: accuracy {figures['accuracy']:.4f}" for name, figures in compared.items()]
    return "\nOn the same pairs:\n" + "\n".join(lines) + "\n"
