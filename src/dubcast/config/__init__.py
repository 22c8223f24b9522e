"""Settings: the only part that reads the environment or a settings file.

One commented YAML file, then `DUBCAST__SECTION__KEY` variables, then flags; the later wins.
Unknown keys are errors that name the nearest known key, and secrets mask themselves.
"""

from __future__ import annotations

from dubcast.config.children import child_env, to_env
from dubcast.config.environment import ENV_PREFIX
from dubcast.config.folders import cache_dir, state_dir
from dubcast.config.glossary import read_glossary
from dubcast.config.hook import (
    HOOK_QUERY_ESCAPED,
    HOOK_SECRET,
    HOOK_URL,
    HookEnvironment,
    hook_child_env,
    hook_environment,
)
from dubcast.config.ingest import IngestSettings
from dubcast.config.loading import Loaded, load
from dubcast.config.media_server import MediaServerSettings
from dubcast.config.orchestrator import DestinationSettings, OrchestratorSettings, StreamEntry
from dubcast.config.printing import masked, reference
from dubcast.config.proxy import bypass_proxy, proxy_exceptions
from dubcast.config.remote import (
    RemoteAsrSettings,
    RemoteMtSettings,
    RemoteSettings,
    RemoteTtsSettings,
)
from dubcast.config.roles import settings_of
from dubcast.config.secret import MASK, Secret, SecretUrl, without_key
from dubcast.config.settings import LogSettings, ModelsSettings, Settings
from dubcast.config.speech import (
    BreakerSettings,
    ProviderSettings,
    StsClientSettings,
    StsServerSettings,
)
from dubcast.config.srt_url import SRT, SrtAddress, parse_srt_url, srt_secrets
from dubcast.config.stream import (
    DuckingSettings,
    FallbackMode,
    FragmentSettings,
    SeparationSettings,
    Separator,
    StreamSettings,
)
from dubcast.config.terminal import colours_wanted
from dubcast.config.values import Section
from dubcast.config.worker import DumpSettings, WorkerSettings

__all__ = [
    "ENV_PREFIX",
    "HOOK_QUERY_ESCAPED",
    "HOOK_SECRET",
    "HOOK_URL",
    "MASK",
    "SRT",
    "BreakerSettings",
    "DestinationSettings",
    "DuckingSettings",
    "DumpSettings",
    "FallbackMode",
    "FragmentSettings",
    "HookEnvironment",
    "IngestSettings",
    "Loaded",
    "LogSettings",
    "MediaServerSettings",
    "ModelsSettings",
    "OrchestratorSettings",
    "ProviderSettings",
    "RemoteAsrSettings",
    "RemoteMtSettings",
    "RemoteSettings",
    "RemoteTtsSettings",
    "Secret",
    "SecretUrl",
    "Section",
    "SeparationSettings",
    "Separator",
    "Settings",
    "SrtAddress",
    "StreamEntry",
    "StreamSettings",
    "StsClientSettings",
    "StsServerSettings",
    "WorkerSettings",
    "bypass_proxy",
    "cache_dir",
    "child_env",
    "colours_wanted",
    "hook_child_env",
    "hook_environment",
    "load",
    "masked",
    "parse_srt_url",
    "proxy_exceptions",
    "read_glossary",
    "reference",
    "settings_of",
    "srt_secrets",
    "state_dir",
    "to_env",
    "without_key",
]
