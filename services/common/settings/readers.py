"""The programs that read settings, by name: those of compose.yaml, and those that a person starts."""

MODEL_STAGES = ("detector", "analyzer", "verifier")

GATEWAY = ("gateway",)
WORKERS = MODEL_STAGES
LONG_RUNNING = (*GATEWAY, *WORKERS)
# Programs that come and go: the schema, the bucket for a backup, a model from the trainer.
DATABASE_USERS = (*LONG_RUNNING, "migrate")
STORE_USERS = (*LONG_RUNNING, "archive", "publish")
