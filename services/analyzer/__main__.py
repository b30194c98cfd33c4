"""The analyzer worker: `python -m services.analyzer`."""

from services.analyzer.deepface_stage import DeepFaceStage
from services.analyzer.stage import AnalyzerStage
from services.common.settings import load_settings
from services.common.work.worker import serve

if __name__ == "__main__":
    settings = load_settings()
    serve(DeepFaceStage() if settings.analyzer_graphs == "deepface" else AnalyzerStage(), settings)
