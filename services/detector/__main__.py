"""The detector worker: `python -m services.detector`."""

from services.common.settings import load_settings
from services.common.work.worker import serve
from services.detector.stage import DetectorStage

if __name__ == "__main__":
    serve(DetectorStage(), load_settings())
