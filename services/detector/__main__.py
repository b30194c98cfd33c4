"""The detector worker: `python -m services.detector`."""

from services.common.settings import load_settings
from services.common.work.worker import serve
from services.detector.stage import PHOTOS_OF_A_JOB, DetectorStage

if __name__ == "__main__":
    settings = load_settings()
    serve(DetectorStage(), settings, photos_at_once=PHOTOS_OF_A_JOB * settings.concurrency)
