"""The analyzer worker: `python -m services.analyzer`."""

from services.analyzer.stage import AnalyzerStage
from services.common.worker import serve

if __name__ == "__main__":
    serve(AnalyzerStage())
