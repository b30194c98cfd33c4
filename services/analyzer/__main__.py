"""The analyzer worker: `python -m services.analyzer`."""

from services.analyzer.deepface_stage import DeepFaceStage
from services.analyzer.stage import AnalyzerStage
from services.common.settings import Settings
from services.common.work.worker import serve

if __name__ == "__main__":
    serve(DeepFaceStage() if Settings().analyzer_graphs == "deepface" else AnalyzerStage())
