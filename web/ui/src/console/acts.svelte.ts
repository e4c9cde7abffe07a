/** What a dispatcher does: each act is one request, said in one sentence, undone while it can be. */

import { ApiError, cityPath, isUnreachable, post } from "../api/client.js";
import type { Wishes } from "../api/shapes.js";
import { serverNow } from "../base/clock.svelte.js";
import { randomId } from "../base/identifier.js";
import type {
  Assignment,
  Closure,
  Crew,
  CrewStatus,
  Incident,
  Report,
  Round,
} from "../live/entities.js";
import { m } from "../paraglide/messages.js";

interface Wish {
  /** Names the act while it runs, such as `verify/<id>`: its button shows that it is busy. */
  name: string;
  path: string;
  body: Wishes[keyof Wishes];
  done: string;
  /** The report whose decision may be taken back for ten seconds. */
  undoes?: Report;
}

export interface Outcome {
  sentence: string;
  undo: { report: Report; until: number } | null;
}

export interface Failure {
  sentence: string;
  /** Present when the same wish may simply be sent again. */
  again: (() => void) | null;
}

/** A sending that waits for a second word, because the crew's position is in doubt. */
export interface Doubted {
  crew: Crew;
  go: () => void;
}

export interface Place {
  lon: number;
  lat: number;
}

export class Acts {
  busy: string | null = $state(null);
  outcome: Outcome | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);
  doubted: Doubted | null = $state.raw(null);
  readonly #inDoubt: (crew: Crew) => boolean;

  /** `inDoubt`: whether somebody should think again before sending a crew. */
  constructor(inDoubt: (crew: Crew) => boolean) {
    this.#inDoubt = inDoubt;
  }

  verify(report: Report, wish: Wishes["verify"]): Promise<boolean> {
    return this.#decide(report, "verify", wish, m.done_verify({ ticket: report.ticket }));
  }
  join(report: Report, incidentId: string, reason: string): Promise<boolean> {
    const body = { incident_id: incidentId, ...optional(reason) };
    return this.#decide(report, "join", body, m.done_join({ ticket: report.ticket }));
  }
  postpone(report: Report, reason: string): Promise<boolean> {
    return this.#decide(report, "postpone", { reason }, m.done_postpone({ ticket: report.ticket }));
  }
  refuse(report: Report, reason: string): Promise<boolean> {
    return this.#decide(report, "refuse", { reason }, m.done_refuse({ ticket: report.ticket }));
  }
  archive(report: Report, reason: string): Promise<boolean> {
    return this.#decide(report, "archive", { reason }, m.done_archive({ ticket: report.ticket }));
  }
  locate(report: Report, place: Place): Promise<boolean> {
    return this.#run({
      name: `locate/${report.id}`,
      path: `/reports/${report.id}/locate`,
      body: place,
      done: m.done_locate({ ticket: report.ticket }),
    });
  }
  /** Makes what the citizen typed a name of the report's place, or takes that back. */
  namePlace(report: Report, remember: boolean): Promise<boolean> {
    return this.#run({
      name: `place/${report.id}`,
      path: `/reports/${report.id}/${remember ? "remember-place" : "forget-place"}`,
      body: {},
      done: remember ? m.done_remember_place() : m.done_forget_place(),
    });
  }
  undo(report: Report): Promise<boolean> {
    return this.#run({
      name: `undo/${report.id}`,
      path: `/reports/${report.id}/undo`,
      body: {},
      done: m.done_undo({ ticket: report.ticket }),
    });
  }
  /**
   * Sends the proposed crew, or the one named; `divert` takes it off work it is on its way to.
   * Asks first where the position is in doubt.
   */
  async send(
    incident: Incident,
    crew: Crew | null,
    proposed: Crew | null,
    divert = false,
  ): Promise<boolean> {
    const sent = crew ?? proposed;
    if (!sent || !this.#inDoubt(sent)) return this.sendSurely(incident, crew, proposed, divert);
    const go = () =>
      void this.sendSurely(incident, crew, proposed, divert).then(() => {
        this.doubted = null;
      });
    this.doubted = { crew: sent, go };
    return false;
  }
  /** Sends without asking back: whoever calls this has asked already. */
  sendSurely(
    incident: Incident,
    crew: Crew | null,
    proposed: Crew | null,
    divert = false,
  ): Promise<boolean> {
    const name = (crew ?? proposed)?.call_sign;
    return this.#run({
      name: crew ? `send/${incident.id}/${crew.id}` : `send/${incident.id}`,
      path: `/incidents/${incident.id}/send`,
      body: crew ? { crew_id: crew.id, divert } : { divert },
      done: name
        ? m.done_send({ crew: name, ticket: incident.ticket })
        : m.done_send_any({ ticket: incident.ticket }),
    });
  }
  withdraw(assignment: Assignment, crew: string, reason: string): Promise<boolean> {
    return this.#run({
      name: `withdraw/${assignment.id}`,
      path: `/assignments/${assignment.id}/withdraw`,
      body: { reason },
      done: m.done_withdraw({ crew }),
    });
  }
  close(incident: Incident, dispositionCode: string, note: string): Promise<boolean> {
    const body = {
      disposition_code: dispositionCode,
      ...(note.trim() ? { note: note.trim() } : {}),
    };
    return this.#incident(incident, "close", body, m.done_close({ ticket: incident.ticket }));
  }
  cancel(incident: Incident, reason: string): Promise<boolean> {
    return this.#incident(
      incident,
      "cancel",
      { reason },
      m.done_cancel({ ticket: incident.ticket }),
    );
  }
  reopen(incident: Incident, reason: string): Promise<boolean> {
    return this.#incident(
      incident,
      "reopen",
      { reason },
      m.done_reopen({ ticket: incident.ticket }),
    );
  }
  reprioritise(incident: Incident, priority: number, reason: string): Promise<boolean> {
    const done = m.done_reprioritise({ ticket: incident.ticket });
    return this.#incident(incident, "reprioritise", { priority, reason }, done);
  }
  raiseAlarm(incident: Incident, level: number, reason: string): Promise<boolean> {
    const done = m.done_raise_alarm({ ticket: incident.ticket, n: level });
    return this.#incident(incident, "alarm", { alarm_level: level, reason }, done);
  }
  setShift(crew: Crew, hours: Wishes["shift"]): Promise<boolean> {
    return this.#crew(crew, "shift", "shift", hours);
  }
  staff(crew: Crew, people: Wishes["staff"]): Promise<boolean> {
    return this.#crew(crew, "staff", "staff", people);
  }
  equip(crew: Crew, equipment: string[]): Promise<boolean> {
    return this.#crew(crew, "equipment", "equipment", { equipment });
  }
  outOfService(crew: Crew, reason: string): Promise<boolean> {
    return this.#crew(crew, "out", "out-of-service", { reason });
  }
  backInService(crew: Crew): Promise<boolean> {
    return this.#crew(crew, "back", "back-in-service", {});
  }
  /** Other people took over: their hours begin anew. */
  relieve(crew: Crew): Promise<boolean> {
    return this.#crew(crew, "relieve", "status", { status: crew.status, relieved: true });
  }
  setStatus(crew: Crew, status: CrewStatus): Promise<boolean> {
    return this.#run({
      name: `status/${crew.id}`,
      path: `/crews/${crew.id}/status`,
      body: { status, relieved: false },
      done: m.done_status({ crew: crew.call_sign }),
    });
  }

  closeRoad(where: string, wish: Wishes["closures"]): Promise<boolean> {
    const done = m.done_close_road({ where });
    return this.#run({ name: "closures", path: "/closures", body: wish, done });
  }
  liftClosure(closure: Closure, where: string, reason: string): Promise<boolean> {
    return this.#run({
      name: `lift/${closure.id}`,
      path: `/closures/${closure.id}/lift`,
      body: { reason },
      done: m.done_lift_closure({ where }),
    });
  }

  /** Orders the suggested post, or dismisses it. */
  moveUp(crew: Crew, verdict: "order" | "dismiss", place: string): Promise<boolean> {
    const named = { crew: crew.call_sign, place };
    return this.#run({
      name: `move-up/${crew.id}`,
      path: `/crews/${crew.id}/move-up`,
      body: { verdict },
      done: verdict === "order" ? m.moveup_done_order(named) : m.moveup_done_dismiss(named),
    });
  }

  startRound(round: Round, crew: string): Promise<boolean> {
    const done = m.done_start_round({ crew });
    return this.#run({
      name: `start/${round.id}`,
      path: `/rounds/${round.id}/start`,
      body: {},
      done,
    });
  }
  cancelRound(round: Round, crew: string, reason: string): Promise<boolean> {
    return this.#run({
      name: `cancel/${round.id}`,
      path: `/rounds/${round.id}/cancel`,
      body: optional(reason),
      done: m.done_cancel_round({ crew }),
    });
  }

  /** Takes the last decision back, if its ten seconds are not over. */
  undoLast(): void {
    const undo = this.outcome?.undo;
    if (undo && undo.until > serverNow()) void this.undo(undo.report);
  }

  fail(error: unknown, again: (() => void) | null = null): void {
    if (!(error instanceof ApiError)) throw error;
    const fields = error.fields
      .map(({ message }) => message)
      .filter((text) => text !== error.message);
    this.failure = { sentence: [error.message, ...fields].join(" "), again };
  }

  #decide<Verb extends "verify" | "join" | "postpone" | "refuse" | "archive">(
    report: Report,
    verb: Verb,
    body: Wishes[Verb],
    done: string,
  ): Promise<boolean> {
    const path = `/reports/${report.id}/${verb}`;
    return this.#run({ name: `${verb}/${report.id}`, path, body, done, undoes: report });
  }

  #crew(crew: Crew, name: string, path: string, body: Wish["body"]): Promise<boolean> {
    return this.#run({
      name: `${name}/${crew.id}`,
      path: `/crews/${crew.id}/${path}`,
      body,
      done: m.done_crew({ crew: crew.call_sign }),
    });
  }

  #incident<Verb extends "close" | "cancel" | "reopen" | "reprioritise" | "alarm">(
    incident: Incident,
    verb: Verb,
    body: Wishes[Verb],
    done: string,
  ): Promise<boolean> {
    const path = `/incidents/${incident.id}/${verb}`;
    return this.#run({ name: `${verb}/${incident.id}`, path, body, done });
  }

  /** `key` stays the same when a wish is sent again: the server does it once. */
  async #run(wish: Wish, key = randomId()): Promise<boolean> {
    if (this.busy) return false;
    this.busy = wish.name;
    this.failure = null;
    try {
      const answer = await post<{ undo_until?: string | null }>(cityPath(wish.path), wish.body, {
        idempotencyKey: key,
      });
      const until = wish.undoes && answer?.undo_until ? Date.parse(answer.undo_until) : null;
      this.outcome = {
        sentence: wish.done,
        undo: wish.undoes && until ? { report: wish.undoes, until } : null,
      };
      return true;
    } catch (error) {
      this.fail(error, isUnreachable(error) ? () => void this.#run(wish, key) : null);
      return false;
    } finally {
      this.busy = null;
    }
  }
}

function optional(reason: string): { reason?: string } {
  return reason.trim() ? { reason: reason.trim() } : {};
}
