"""Settings: one class that says everything about each setting, and one door, `load_settings`, for every program."""

from services.common.settings.load import load_settings
from services.common.settings.settings import Settings
from services.common.settings.work import usable_cpus

__all__ = ["Settings", "load_settings", "usable_cpus"]
