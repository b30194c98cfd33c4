"""The analyzer worker: `python -m services.analyzer`."""

from services.common.worker import serve
from services.analyzer.stage import AnalyzerStage

if __name__ == "__main__":
    serve(AnalyzerStage())
