"""The names behind what the tables sign with."""

from collections.abc import Mapping

from recorder.web.services import Services


async def names_of(services: Services) -> Mapping[str, str]:
    """Return each person's name by its signature and by its id."""
    names = {}
    for each in await services.people.store.accounts():
        names[f"account:{each.id}"] = names[str(each.id)] = each.name
    return names
