"""Members of a deal hear of its changes."""

import httpx

from tests.support.api import ask
from tests.support.factories import ADA, BOB, World
from tests.support.subscriptions import listening

SHARE = "mutation ($in: AddDealMemberInput!) { addDealMember(input: $in) { deal { id } } }"
UNSHARE = "mutation ($in: RemoveDealMemberInput!) { removeDealMember(input: $in) { deal { id } } }"
RENAME = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id } } }"


async def test_a_member_hears_of_the_deal_until_they_leave_it(
    host: str, client: httpx.AsyncClient, world: World
) -> None:
    deal = str(world.ada.deal)
    member = {"dealId": deal, "ownerId": str(world.bob.owner)}
    async with listening(host, BOB) as bob:
        await bob.subscribe()
        await ask(client, ADA, SHARE, **{"in": member})
        assert (await bob.deal())["dealId"] == deal
        await ask(client, ADA, RENAME, **{"in": {"dealId": deal, "title": "Shared"}})
        assert await bob.deal() == {"refetch": False, "dealId": deal, "deal": {"id": deal, "title": "Shared"}}
        await ask(client, ADA, UNSHARE, **{"in": member})
        assert await bob.deal() == {"refetch": False, "dealId": deal, "deal": None}
        await ask(client, ADA, RENAME, **{"in": {"dealId": deal, "title": "Ada's again"}})
        await bob.silence()
