"""What an incident needs: for each alarm level, which crews with which skills and equipment."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch.core.crews import Crew
from dispatch.core.incidents import Incident
from dispatch.core.policy import Policy, Slot


def slots(policy: Policy, service_code: str, alarm_level: int = 1) -> tuple[Slot, ...]:
    """The crews wanted at this level, one slot each; a level adds to those below it.

    A service without a card of its own for level 1 wants its `crews` times its `skills`.
    Raises Invalid when the city does not know the service.
    """
    service = policy.service(service_code)
    wanted: list[Slot] = []
    for level in range(1, alarm_level + 1):
        card = policy.run_cards.get((service_code, level))
        if card is not None:
            for kind in card.slot:
                wanted.extend([Slot(kind.skills, kind.equipment)] * kind.crews)
        elif level == 1:
            wanted.extend([Slot(service.skills)] * service.crews)
    return tuple(wanted)


def highest_level(policy: Policy, service_code: str) -> int:
    """The highest alarm level that adds something; 1 for a service without further cards."""
    levels = [level for code, level in policy.run_cards if code == service_code]
    return max(levels, default=1)


def slots_of(incident: Incident) -> tuple[Slot, ...]:
    """The slots of an incident, also of one opened before there were cards."""
    if incident.required_slots:
        return incident.required_slots
    return (Slot(incident.required_skills),) * incident.required_crews


def skills_of(wanted: Sequence[Slot]) -> tuple[str, ...]:
    """Every skill that any of the slots asks for, once each, in their order."""
    return tuple(dict.fromkeys(skill for slot in wanted for skill in slot.skills))


def fits(slot: Slot, crew: Crew) -> bool:
    """Whether the crew has every skill and every piece of equipment of the slot."""
    return set(slot.skills) <= set(crew.skills) and set(slot.equipment) <= set(crew.equipment)


def missing(wanted: Sequence[Slot], crews: Sequence[Crew]) -> tuple[Slot, ...]:
    """The slots that the crews already assigned leave open, in the order of `wanted`.

    As many slots as possible are filled by crews that fit, the most demanding first (a maximum
    matching by augmenting paths, Kuhn 1955; it does not depend on the order of `crews`). A crew
    that fits nothing was sent on purpose and takes the least demanding slot left, so there are
    always `max(0, len(wanted) - len(crews))` slots open.
    """
    crews = sorted(crews, key=lambda crew: crew.id)
    order = sorted(range(len(wanted)), key=lambda i: (-_demand(wanted[i]), i))
    slot_of: dict[int, int] = {}
    filled = {i for i in order if _place(i, wanted, crews, slot_of, set())}
    spare = len(crews) - len(slot_of)
    left = [i for i in order if i not in filled]
    open_ = sorted(left[: max(0, len(left) - spare)])
    return tuple(wanted[i] for i in open_)


def nobody_has(wanted: Sequence[Slot], crews: Sequence[Crew]) -> tuple[Slot, ...]:
    """The slots that no crew of the city fits, on duty or not."""
    return tuple(slot for slot in wanted if not any(fits(slot, crew) for crew in crews))


def _demand(slot: Slot) -> int:
    return len(slot.skills) + len(slot.equipment)


def _place(
    slot: int,
    wanted: Sequence[Slot],
    crews: Sequence[Crew],
    slot_of: dict[int, int],
    tried: set[int],
) -> bool:
    """Give the slot a crew, moving crews placed before to other slots where needed."""
    for j, crew in enumerate(crews):
        if j in tried or not fits(wanted[slot], crew):
            continue
        tried.add(j)
        held = slot_of.get(j)
        if held is None or _place(held, wanted, crews, slot_of, tried):
            slot_of[j] = slot
            return True
    return False
