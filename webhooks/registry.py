"""The providers whose webhooks are received."""

from webhooks.calcom import CALCOM
from webhooks.instantly import INSTANTLY
from webhooks.provider import Provider

PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in (INSTANTLY, CALCOM)}
