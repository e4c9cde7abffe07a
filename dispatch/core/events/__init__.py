"""Everything that can happen, as a closed set of facts in one envelope."""

from collections.abc import Mapping

from dispatch.core.events.assignments import (
    AssignmentAcknowledged,
    AssignmentCleared,
    AssignmentDeclined,
    AssignmentEnRoute,
    AssignmentEtaRevised,
    AssignmentEvidenceGraded,
    AssignmentExpired,
    AssignmentNoted,
    AssignmentOffered,
    AssignmentOnScene,
    AssignmentPhotographed,
    AssignmentWithdrawn,
)
from dispatch.core.events.closures import ClosureLifted, ClosureMade, Stretch
from dispatch.core.events.crews import (
    CrewBackInService,
    CrewCommitted,
    CrewEquipped,
    CrewOutOfService,
    CrewRegistered,
    CrewReleased,
    CrewShiftSet,
    CrewStaffed,
    CrewStatusSet,
)
from dispatch.core.events.envelope import (
    SYSTEM,
    Actor,
    Event,
    Fact,
    Kind,
    Source,
)
from dispatch.core.events.incidents import (
    AfterActionRecorded,
    IncidentAlarmRaised,
    IncidentCancelled,
    IncidentCleared,
    IncidentClosed,
    IncidentCrewArrived,
    IncidentCrewLeft,
    IncidentDispatched,
    IncidentOpened,
    IncidentReopened,
    IncidentReportJoined,
    IncidentReportLeft,
    IncidentReprioritised,
    RecommendationMade,
)
from dispatch.core.events.referrals import (
    ReferralAccepted,
    ReferralFinished,
    ReferralMade,
    ReferralRefused,
    ReferralWithdrawn,
)
from dispatch.core.events.reports import (
    ReportArchived,
    ReportClosed,
    ReporterAnswered,
    ReportLinked,
    ReportLocated,
    ReportMarkedDuplicate,
    ReportPostponed,
    ReportReceived,
    ReportRefused,
    ReportReopened,
    ReportRestored,
    ReportTriaged,
    ReportVerified,
)
from dispatch.core.events.rounds import (
    RoundCancelled,
    RoundDone,
    RoundPaused,
    RoundProposed,
    RoundResumed,
    RoundRevised,
    RoundStarted,
    RoundStopDone,
    Stop,
)

__all__ = [
    "SYSTEM",
    "Actor",
    "AfterActionRecorded",
    "AssignmentAcknowledged",
    "AssignmentCleared",
    "AssignmentDeclined",
    "AssignmentEnRoute",
    "AssignmentEtaRevised",
    "AssignmentEvidenceGraded",
    "AssignmentExpired",
    "AssignmentNoted",
    "AssignmentOffered",
    "AssignmentOnScene",
    "AssignmentPhotographed",
    "AssignmentWithdrawn",
    "ClosureLifted",
    "ClosureMade",
    "CrewBackInService",
    "CrewCommitted",
    "CrewEquipped",
    "CrewOutOfService",
    "CrewRegistered",
    "CrewReleased",
    "CrewShiftSet",
    "CrewStaffed",
    "CrewStatusSet",
    "Event",
    "Fact",
    "IncidentAlarmRaised",
    "IncidentCancelled",
    "IncidentCleared",
    "IncidentClosed",
    "IncidentCrewArrived",
    "IncidentCrewLeft",
    "IncidentDispatched",
    "IncidentOpened",
    "IncidentReopened",
    "IncidentReportJoined",
    "IncidentReportLeft",
    "IncidentReprioritised",
    "Kind",
    "RecommendationMade",
    "ReferralAccepted",
    "ReferralFinished",
    "ReferralMade",
    "ReferralRefused",
    "ReferralWithdrawn",
    "ReportArchived",
    "ReportClosed",
    "ReportLinked",
    "ReportLocated",
    "ReportMarkedDuplicate",
    "ReportPostponed",
    "ReportReceived",
    "ReportRefused",
    "ReportReopened",
    "ReportRestored",
    "ReportTriaged",
    "ReportVerified",
    "ReporterAnswered",
    "RoundCancelled",
    "RoundDone",
    "RoundPaused",
    "RoundProposed",
    "RoundResumed",
    "RoundRevised",
    "RoundStarted",
    "RoundStopDone",
    "Source",
    "Stop",
    "Stretch",
    "fact_types",
]


def fact_types() -> Mapping[str, type[Fact]]:
    """Every fact there is, by name."""
    return dict(_FACTS)


_FACTS: Mapping[str, type[Fact]] = {
    name: found
    for name, found in list(globals().items())
    if isinstance(found, type) and issubclass(found, Fact) and found is not Fact
}
