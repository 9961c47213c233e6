"""The providers. A new one is a package beside this module and an entry here; see docs/adding-a-provider.md."""

from webhooks.calcom import CALCOM
from webhooks.instantly import INSTANTLY
from webhooks.provider import Provider

PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in (INSTANTLY, CALCOM)}
