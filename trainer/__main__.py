"""`python -m trainer <detector|verifier|attributes> <verb> ...`: the training half's one entry point."""

from __future__ import annotations

import importlib
import sys

from services.common.errors import FacekitError

TASKS = {
    "detector": "find faces: YOLOv8-face on WIDER FACE",
    "verifier": "compare faces: a siamese network on LFW",
    "attributes": "age, gender, ethnicity and emotion: graphs for DeepFace on FairFace, UTKFace and FER2013",
}


def main(argv: list[str]) -> int:
    if not argv or argv[0] not in TASKS:
        asked_for_help = bool(argv) and argv[0] in ("-h", "--help")
        print(
            "usage: python -m trainer <task> <verb> [options]\n\ntasks:",
            file=sys.stdout if asked_for_help else sys.stderr,
        )
        for task, what in TASKS.items():
            print(f"  {task:<11} {what}", file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 2
    cli = importlib.import_module(f"trainer.{argv[0]}.cli")
    try:
        return int(cli.main(argv[1:]) or 0)
    except FacekitError as error:
        print(f"{error.title}: {error.detail}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; what was checkpointed is kept, the same command goes on from there", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
