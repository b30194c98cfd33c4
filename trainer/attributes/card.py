"""A bundle's card and its confusion matrix as a picture: what was measured, on what, and for whom it is worse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.analyzer.graphs import GRAPHS
from trainer.attributes.labels import FAIRFACE_AGE_BINS

CONFUSION_PICTURE = "confusion.png"


def card(attribute: str, meta: dict[str, Any], figures: dict[str, Any]) -> str:
    """Markdown."""
    held_out = ", ".join(f"{count:,} of {name}" for name, count in figures["held_out"].items())
    parts = [
        f"# {meta['name']} {meta['version']}",
        f"Estimates {attribute} from a face. An estimate of how a face looks in one photo, not a fact about a person; "
        "do not decide anything about anyone by it.",
        f"- **Graph**: `{GRAPHS[attribute].file_name}`, DeepFace's own contract, loaded by DeepFace.\n"
        f"- **Network**: {_networks(meta['parameters']['networks'])}; a face and its mirror image "
        f"averaged, at {', '.join(map(str, meta['parameters']['view_sizes_px']))} px.\n"
        f"- **Trained on**: {meta['trained_on']}.\n"
        f"- **Licence**: {meta['licence']}.\n"
        f"- **Measured on**: {held_out}; never trained on, no checkpoint chosen by them (how many sizes "
        "a graph looks at was), through ONNX Runtime from the face chips that serving cuts (`python -m trainer "
        "attributes evaluate`). Copies of one picture are on one side "
        "of the split; people are not named in these sets, so a person may be on both.",
        "## Figures",
        *_figures(attribute, figures),
    ]
    if "by_group" in figures:
        parts += ["## By group", _groups_sentence(figures["by_group"]), _groups_table(figures["by_group"])]
    parts += [
        "## Confusion",
        f"![Confusion matrix]({CONFUSION_PICTURE})",
        _confusion_table(attribute, figures["confusion"]),
        "## Limits",
        _limits(attribute),
    ]
    return "\n\n".join(parts) + "\n"


def _networks(count: int) -> str:
    one = "YOLOv8n's backbone, 1.1 M parameters, and a linear head"
    return one if count == 1 else f"{count} networks that answer together, each {one}"


def class_names(attribute: str) -> list[str]:
    """Of the confusion matrix: FairFace's bins for age."""
    if attribute == "age":
        return [f"{first}-{last}" for first, last in FAIRFACE_AGE_BINS[:-1]] + ["70 and over"]
    return [label.replace("_", " ") for label in GRAPHS[attribute].labels]


def _figures(attribute: str, figures: dict[str, Any]) -> list[str]:
    rows: list[tuple[str, str]] = []
    if attribute == "age":
        rows = [
            ("mean absolute error, UTKFace", f"{figures['mean_absolute_error_years']:.2f} years"),
            ("FairFace's bin or its neighbour", f"{figures['bin_or_neighbour']:.1%}"),
            ("FairFace's bin", f"{figures['bin']:.1%}"),
            ("true age within the answered spread, UTKFace", f"{figures['spread_holds']:.1%}"),
        ]
        rows += [
            (f"mean absolute error at {years}", f"{error:.1f} years")
            for years, error in figures["mean_absolute_error_by_age"].items()
        ]
    elif attribute == "gender":
        rows = [
            ("right, both sets", f"{figures['accuracy']:.1%}"),
            ("right, FairFace", f"{figures['accuracy_fairface']:.1%}"),
            ("right, UTKFace", f"{figures['accuracy_utkface']:.1%}"),
        ]
    elif attribute == "ethnicity":
        rows = [
            ("right of six, FairFace", f"{figures['accuracy']:.1%}"),
            ("right of six, UTKFace's four named groups", f"{figures['accuracy_utkface_four']:.1%}"),
        ]
    else:
        rows = [
            ("right of seven, FER2013's own framing", f"{figures['accuracy']:.1%}"),
            ("right of seven, as serving frames a found face", f"{figures['accuracy_aligned']:.1%}"),
            ("the same faces in FER2013's framing", f"{figures['accuracy_native_of_aligned']:.1%}"),
        ]
        rows += [(f"{name} recognized", f"{share:.1%}") for name, share in figures["recall"].items()]
    names = {
        "grey": "FairFace in grey, each fourth face",
        "32_px": "FairFace shrunk to 32 px, each fourth face",
    }
    rows += [(names[name], f"{share:.1%}") for name, share in figures.get("harder", {}).items()]
    return [_table(("what", "measured"), rows)]


def _groups_sentence(groups: list[dict[str, Any]]) -> str:
    worst = sorted((row for row in groups if row["faces"] >= 20), key=lambda row: row["right"])[:3]
    named = "; ".join(
        f"{row['ethnicity'].replace('_', ' ')} {row['gender']}, {row['age']} ({row['right']:.0%})" for row in worst
    )
    return (
        "FairFace's held-out faces by its own labels. Worst, among groups of 20 faces and more: "
        f"{named}. A group has few faces: differences below ten points may be chance."
    )


def _groups_table(groups: list[dict[str, Any]]) -> str:
    rows = [
        (
            row["ethnicity"].replace("_", " "),
            row["gender"],
            row["age"],
            str(row["faces"]),
            "-" if row["right"] is None else f"{row['right']:.0%}",
        )
        for row in groups
    ]
    return _table(("ethnicity", "gender", "age", "faces", "right"), rows)


def _confusion_table(attribute: str, confusion: list[list[int]]) -> str:
    names = class_names(attribute)
    rows = [(name, *(str(count) for count in counts)) for name, counts in zip(names, confusion, strict=True)]
    return "Rows: label. Columns: answer.\n\n" + _table(("", *names), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _limits(attribute: str) -> str:
    shared = (
        "- Faces under about 32 px, in profile, covered, or in strong colour light are worse, and so is whoever the "
        "training sets show seldom."
    )
    own = {
        "age": "- The answer is how old a face looks. Above 60 it errs by more years and tends to answer too young; "
        "make-up, beards and retouching move it.",
        "gender": "- Two labels only, given by onlookers, not by the people. Infants and children are "
        "close to guesses.",
        "ethnicity": "- Six groups that onlookers assigned. Middle eastern, latino hispanic and white are mixed up "
        "most; many people belong to none or several.",
        "emotion": "- Shows of emotion in posed and found pictures, which people agree on in about two cases of three. "
        "Fear, disgust and sadness are mixed up most. What someone feels cannot be read from a photo.",
    }
    return f"{own[attribute]}\n{shared}"


def draw_confusion(attribute: str, confusion: list[list[int]], file: Path) -> None:
    """A small PNG, rows shaded by their share."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = class_names(attribute)
    shares = [[count / max(sum(counts), 1) for count in counts] for counts in confusion]
    figure, axes = pyplot.subplots(figsize=(4.6, 4.2), dpi=90)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xlabel("answer", fontsize=8)
    axes.set_ylabel("label", fontsize=8)
    for row, counts in enumerate(shares):
        for column, share in enumerate(counts):
            colour = "white" if share > 0.5 else "black"
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=6, color=colour)
    figure.tight_layout()
    figure.savefig(file, metadata={"Software": None})
    pyplot.close(figure)
