"""One YAML file is one connection: its models, and how it is read and refused."""

from syncjob.config.load import load_config, register_options
from syncjob.config.models import Config
from syncjob.config.secrets import secret_values

__all__ = ["Config", "load_config", "register_options", "secret_values"]
