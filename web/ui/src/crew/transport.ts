/** Carries the crew's actions, photos and positions to the server. */
import { ApiError, cityPath, get, post } from "../api/client.js";
import type { SentFix } from "./fix_buffer.js";
import { type Outcome, outcomeOf, type StoredAction } from "./outbox.js";

const ACTION_MS = 20_000;
const PHOTO_MS = 90_000;

export interface Route {
  points: [number, number][];
  length_m: number;
  duration_s: number;
  /** Missing in a way that was kept on the phone before there was one. */
  p90_duration_s?: number;
  steps: {
    name: string | null;
    length_m: number;
    duration_s: number;
    turn: string;
    lon: number;
    lat: number;
  }[];
}

export interface FixesAnswer {
  accepted: number;
  refused: { index: number; reason: string }[];
}

/** Sends one queued action; a photo's file goes first and its id is kept before the link is made. */
export async function sendAction(
  action: StoredAction,
  keep: (action: StoredAction) => Promise<void>,
): Promise<Outcome> {
  return outcomeFrom(async () => {
    let body = action.body;
    if (action.photo !== null) {
      const photoId = action.photo.photo_id ?? (await upload(action.photo));
      await keep({ ...action, photo: { ...action.photo, photo_id: photoId } });
      body = { ...body, photo_id: photoId };
    }
    return post(action.path, body, { idempotencyKey: action.key, signal: within(ACTION_MS) });
  });
}

export async function sendFixes(crewId: string, fixes: SentFix[], key: string): Promise<Outcome> {
  const path = cityPath(`/crews/${crewId}/fixes`);
  const wire = fixes.map((fix) =>
    Object.fromEntries(Object.entries(fix).filter(([, value]) => value !== null)),
  );
  return outcomeFrom(() =>
    post<FixesAnswer>(path, { fixes: wire }, { idempotencyKey: key, signal: within(ACTION_MS) }),
  );
}

export function routeTo(
  assignmentId: string,
  from: { lon: number; lat: number } | null,
): Promise<Route> {
  const query = from === null ? "" : `?lon=${from.lon.toFixed(6)}&lat=${from.lat.toFixed(6)}`;
  return get<Route>(cityPath(`/assignments/${assignmentId}/route${query}`));
}

async function upload(photo: { blob: Blob; upload_key: string }): Promise<string> {
  const form = new FormData();
  form.append("file", photo.blob, "photo.jpg");
  const answer = await post<{ photo_id: string }>(cityPath("/photos"), form, {
    idempotencyKey: photo.upload_key,
    signal: within(PHOTO_MS),
  });
  return answer.photo_id;
}

export function within(ms: number): AbortSignal {
  return AbortSignal.timeout(ms);
}

/** What became of a request: done, refused for good, or worth another try. */
export async function outcomeFrom(request: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: "done", answer: await request() };
  } catch (error) {
    if (error instanceof ApiError) return outcomeOf(error);
    // A hotel's sign-in page or a cut connection answers with something that is no JSON.
    if (error instanceof SyntaxError || error instanceof DOMException) return { kind: "later" };
    throw error;
  }
}
