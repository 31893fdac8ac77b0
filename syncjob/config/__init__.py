"""One YAML file is one connection: its models, and how it is read and refused."""

from syncjob.config.load import load_config, register_options
from syncjob.config.models import Config

__all__ = ["Config", "load_config", "register_options"]
