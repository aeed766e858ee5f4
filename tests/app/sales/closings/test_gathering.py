"""Days, months and years of a venue; pages, archive and its check."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from app.cli.closings import closings as command
from app.platform.clock import now_us
from app.sales.closings import archive, store
from app.sales.closings.gathering import close_due
from app.venues.service import the_network
from tests.support.network import Network
from tests.support.tills import Till

YEAR = timedelta(days=400)


async def evening(network: Network) -> Till:
    till = Till(await network.terminal("raffinerie"))
    await network.top_up("awa", 9000)
    for _ in range(2):
        await till.open({1000: 5})
        await till.deliver(till.terminal.sale_row("awa", {"Demi": 1}))
        await till.count({1000: 4})
        await till.close("Erreur de rendu")
    return till


async def gathered(network: Network) -> list[store.Sealed]:
    venue = network.venues["raffinerie"]
    async with network.engine.begin() as connection:
        later = venue.day_of(now_us()) + YEAR
        at = await the_network(connection)
        made = await close_due(connection, network.context.keys.signing, at, venue, later)
        assert len(made) == 3
        assert await close_due(connection, network.context.keys.signing, at, venue, later) == []
        return await store.chains_at(connection, venue.id)


async def test_a_year_gathers_months_that_gather_days_that_gather_tills(network: Network) -> None:
    await evening(network)
    chains = {it.document.period: it.document for it in await gathered(network)}
    for period in ("day", "month", "year"):
        assert chains[period].figures.total == {"RAF": 700}
        assert chains[period].after.perpetual.sales == 2
        assert chains[period].so_far == {"RAF": 700}
    assert len(chains["day"].parts) == 2


async def test_an_archive_is_checked_with_the_file_alone(network: Network) -> None:
    await evening(network)
    chains, key = await gathered(network), network.context.keys.signing
    text = archive.write(chains, network.venues["raffinerie"].id, key, now_us())
    assert archive.check(text) == archive.Checked(5, 0, ())
    result = CliRunner().invoke(command, ["verify", "-"], input=text)
    assert (result.exit_code, result.output) == (0, "5 closings, 0 at other venues.\nEvery check passed.\n")
    with pytest.raises(ValueError, match="not an archive"):
        archive.check("{}")

    def found(change: object) -> bool:
        file = json.loads(text)
        change(file)  # type: ignore[operator]
        return bool(archive.check(json.dumps(file)).findings)

    def alter(file: dict[str, list[dict[str, str]]]) -> None:
        one = next(it for it in file["closings"] if '"RAF":350' in it["text"])
        one["text"] = one["text"].replace('"RAF":350', '"RAF":340')

    assert found(alter)
    assert found(lambda file: file["closings"].pop())
    assert found(lambda file: file["closings"].pop(0))
    assert found(lambda file: file.update(made_at_us=1))
    assert found(lambda file: file["closings"][0].update(signature=file["closings"][1]["signature"]))


async def test_the_pages_show_it_to_those_who_answer_for_it(network: Network) -> None:
    till = await evening(network)
    marie, yann = await network.person("marie"), await network.person("yann")
    venue = network.venues["raffinerie"].id
    page = (await marie.get("/admin/closings")).text
    assert "Bar" in page, page[:500]
    async with network.context.reader.connect() as connection:
        newest = await store.newest(connection, till.terminal.id, "session")
    assert newest is not None
    one = await marie.get(f"/admin/closings/{newest.document.id}")
    assert newest.digest.hex() in one.text
    assert (await yann.get(f"/admin/closings/{newest.document.id}")).status_code == 403
    assert (await yann.get(f"/admin/closings/venues/{venue}/archive.json")).status_code == 403
    table = (await marie.get(f"/admin/closings/venues/{venue}/closings.csv")).text
    assert ",perpetual_total,,RAF,700" in table
    text = (await marie.get(f"/admin/closings/venues/{venue}/archive.json")).text
    assert archive.check(text).findings == ()
    done = await marie.post(f"/admin/closings/venues/{venue}/day")
    assert done.status_code == 303
    assert (await marie.get(done.headers["location"])).status_code == 200
