"""One function for each thing somebody can do: load, decide, record."""

from dispatch.actions.after_action import AFTER_ACTION
from dispatch.actions.assignments import (
    OFFER_EXPIRES,
    Estimate,
    acknowledge,
    add_photo,
    decline,
    en_route,
    expire_offer,
    grade_evidence,
    on_scene,
    send_crew,
    withdraw,
    write_note,
)
from dispatch.actions.closures import close_road, lift_closure
from dispatch.actions.crews import (
    register_crew,
    set_crew_status,
)
from dispatch.actions.incidents import (
    cancel_incident,
    clear,
    close_incident,
    reopen_incident,
    reprioritise,
)
from dispatch.actions.referrals import (
    accept_referral,
    finish_referral,
    refuse_referral,
)
from dispatch.actions.reports import (
    TRIAGE,
    NewReport,
    answer_report,
    join_report,
    locate_report,
    put_aside_report,
    receive_report,
    undo_decision,
    verify_report,
)
from dispatch.actions.rounds import cancel_round, propose_round, start_round

__all__ = [
    "AFTER_ACTION",
    "OFFER_EXPIRES",
    "TRIAGE",
    "Estimate",
    "NewReport",
    "accept_referral",
    "acknowledge",
    "add_photo",
    "answer_report",
    "cancel_incident",
    "cancel_round",
    "clear",
    "close_incident",
    "close_road",
    "decline",
    "en_route",
    "expire_offer",
    "finish_referral",
    "grade_evidence",
    "join_report",
    "lift_closure",
    "locate_report",
    "on_scene",
    "propose_round",
    "put_aside_report",
    "receive_report",
    "refuse_referral",
    "register_crew",
    "reopen_incident",
    "reprioritise",
    "send_crew",
    "set_crew_status",
    "start_round",
    "undo_decision",
    "verify_report",
    "withdraw",
    "write_note",
]
