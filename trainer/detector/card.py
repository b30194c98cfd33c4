"""The model card, written from what was measured."""

import textwrap
from collections.abc import Mapping
from typing import Any


def card(meta: Mapping[str, Any]) -> str:
    """Markdown for people who decide whether to use the model. `meta` as model.json has it, metrics filled."""
    metrics, parameters = meta["metrics"], meta["parameters"]
    precision = metrics["average_precision"]
    parity = metrics["torch_parity"]
    heights = "\n".join(
        f"| {'up to ' + str(row['below']) if row['below'] < 10_000 else str(row['from']) + ' and more'} "
        f"| {row['faces']} | {row['recall']:.2f} |"
        for row in metrics["recall_by_height_px"]
    )
    return f"""\
# {meta["name"]} {meta["version"]}

Finds faces in photos: a box, a confidence and five landmarks (eyes, nose, mouth corners, left and right as seen in the
picture) for each. YOLOv8 with a pose head of five points, trained by `python -m trainer detector`.

- **Trained on**: {_wrapped(meta["trained_on"] + ".")}
- **Input**: RGB, long side {parameters["long_side_px"]} px, sides padded to multiples of 32; a photo with more pixels
  and small or no faces is looked at again at twice the size, up to {parameters["max_long_side_px"]} px; one with a very
  large face, or none, also at half the size.
- **Default threshold**: {parameters["min_confidence"]}, the best F1 on the validation photos unless false alarms ask
  for more; boxes overlapping by more than IoU {parameters["nms_iou"]} are one face, and those by more than
  {parameters["vote_iou"]} vote on its place.
- **Licence**: {meta["licence"]}, as Ultralytics' YOLOv8 is; WIDER FACE is for research use.

## Measured
As served ({metrics["engine"]}), by `python -m trainer detector evaluate`. ONNX Runtime in float32, where that is not
to be had: {" / ".join(f"{value:.3f}" for value in metrics["average_precision_float32"].values())}.

| WIDER FACE validation, {metrics["photos"]} photos, official protocol | easy | medium | hard |
|---|---|---|---|
| average precision | {precision["easy"]:.3f} | {precision["medium"]:.3f} | {precision["hard"]:.3f} |
| faces judged | {metrics["faces"]["easy"]} | {metrics["faces"]["medium"]} | {metrics["faces"]["hard"]} |

| face height in the photo, px | faces | found at the default threshold |
|---|---|---|
{heights}

- False alarms at the default threshold: {metrics["false_alarm_rate"]:.1%} of {metrics["face_free_pictures"]} pictures
  without faces (bundled with scikit-image, generated, cut from backgrounds of validation photos).
- Exported graph, in float32, against the torch network on {parity["photos"]} photos: boxes differ by at most
  {parity["box_px"]} px, confidences by at most {parity["confidence"]}; {parity["photos_with_other_detections"]} photos
  with other detections.

## Limits
- The threshold, the suppression's and the votes' IoU and the checkpoint were chosen on the same validation photos and
  pictures as these figures: expect slightly worse elsewhere.
- Few validation photos stand behind each figure: differences of a point are within chance.
- Faces under about 12 px in the network's input are often missed, and so are heavily covered, blurred or upside-down
  ones.
- A face cut at its own box is less sure than one with room around it. Animals' faces close up come near the threshold.
- Landmarks were learned from another detector's answers, mostly on near-frontal faces; on profiles and tiny faces they
  are guesses.
- WIDER FACE's photos are press and party photos found by search engines: expect uneven accuracy over age, skin colour
  and culture.
"""


def _wrapped(text: str) -> str:
    """Long lines broken as the rest of the card is, indented under its bullet."""
    return "\n".join(textwrap.wrap(text, 120, initial_indent=" " * 16, subsequent_indent="  ")).lstrip()
