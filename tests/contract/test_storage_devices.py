"""The registry a process has at its doors is the one of the database, without reading it all."""

from __future__ import annotations

import pytest

from dispatch.storage import devices as rows
from dispatch.system.devices import Devices
from tests.contract.test_world_contract import crew_of, later
from tests.contract.worlds import NOON, Stored


@pytest.mark.parametrize("few", [0, 100])
def test_what_another_process_changed_is_known_after_a_look(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(rows, "FEW", few)
    now = [NOON]
    here, there = (Devices(stored.engine, stored.city_id, lambda: now[0]) for _ in range(2))
    with stored.step() as world:
        crew = crew_of(world)
    kept, turned, retired = (there.register(label=f"Pelacak {i}", by="meja") for i in range(3))
    assert here.outdated()
    here.refresh()
    for made in (kept, turned, retired):
        assert here.let_in(made.device.id, made.secret) == made.device

    again = there.rotate(turned.device.id)
    there.retire(retired.device.id)
    there.assign(kept.device.id, crew.id)
    new = there.register(label="Baru", by="meja")
    assert not here.outdated(), "it is asked again only when that is due"
    now[0] = later(6)
    assert here.outdated()
    assert here.read_s_ago() == 6.0
    here.refresh()
    assert not here.outdated()
    assert here.let_in(turned.device.id, turned.secret) is None
    assert here.let_in(turned.device.id, again.secret) is not None
    assert here.let_in(retired.device.id, retired.secret) is None
    assert here.let_in(new.device.id, new.secret) is not None
    found = here.let_in(kept.device.id, kept.secret)
    assert found is not None
    assert found.crew_id == crew.id


def test_what_did_not_change_is_not_read_again(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = Devices(stored.engine, stored.city_id, lambda: NOON)
    made = [devices.register(label=f"Pelacak {i}", by="meja") for i in range(3)]
    read: list[str] = []
    find = rows.find

    def noted(connection: object, city_id: str, device_id: str) -> rows.Device:
        read.append(device_id)
        return find(connection, city_id, device_id)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "find", noted)
    monkeypatch.setattr(rows, "every", lambda *_: pytest.fail("all were read"))
    devices.refresh()
    assert read == []
    other = Devices(stored.engine, stored.city_id, lambda: NOON)
    monkeypatch.undo()
    other.retire(made[1].device.id)
    monkeypatch.setattr(rows, "find", noted)
    devices.refresh()
    assert read == [made[1].device.id]
