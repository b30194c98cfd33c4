"""The verifier worker: `python -m services.verifier`."""

from services.common.settings import load_settings
from services.common.work.worker import serve
from services.verifier.stage import VerifierStage

if __name__ == "__main__":
    serve(VerifierStage(), load_settings())
