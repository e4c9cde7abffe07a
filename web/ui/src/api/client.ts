/** Asks the server, and turns its refusals into sentences a person can act on. */
import { learnServerTime } from "../base/clock.svelte.js";
import { randomId } from "../base/identifier.js";
import { city } from "../base/place.js";
import { m } from "../paraglide/messages.js";

/** RFC 9457 problem details as the server writes them. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: { field: string; message: string }[];
}

/** A refusal or a failure; `message` is always a sentence in the reader's language. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: { field: string; message: string }[];

  constructor(problem: Pick<Problem, "status" | "code" | "detail" | "errors">) {
    super(problem.detail);
    this.name = "ApiError";
    this.status = problem.status;
    this.code = problem.code;
    this.fields = problem.errors ?? [];
  }
}

/** True when the request never got an answer (no network, server down): worth another try. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && error.status === 0;
}

export interface RequestOptions {
  /** Repeats of one wish must carry the same key; a fresh one is made when absent. */
  idempotencyKey?: string;
  signal?: AbortSignal;
  keepalive?: boolean;
}

/** `/api/<city><path>`, the city taken from this screen's own address. */
export function cityPath(path = ""): string {
  return `/api/${encodeURIComponent(city)}${path}`;
}

export async function get<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return send<T>("GET", path, undefined, options);
}

export async function post<T>(
  path: string,
  body: unknown,
  options: RequestOptions = {},
): Promise<T> {
  return send<T>("POST", path, body, options);
}

export async function remove<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return send<T>("DELETE", path, undefined, options);
}

async function send<T>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  body: unknown,
  options: RequestOptions,
): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const isForm = body instanceof FormData;
  if (method !== "GET") headers["Idempotency-Key"] = options.idempotencyKey ?? randomId();
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  const response = await reach(path, {
    method,
    headers,
    body: isForm ? body : body === undefined ? null : JSON.stringify(body),
    credentials: "same-origin",
    signal: options.signal ?? null,
    keepalive: options.keepalive ?? false,
  });
  learnServerTime(response.headers.get("Date"));
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError({ status: 0, code: "unreachable", detail: m.error_unreachable() });
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const isProblem = (response.headers.get("Content-Type") ?? "").includes("json");
  const body = isProblem ? ((await response.json()) as Partial<Problem>) : {};
  return {
    type: body.type ?? "about:blank",
    title: body.title ?? response.statusText,
    status: response.status,
    code: body.code ?? `http_${response.status}`,
    detail:
      typeof body.detail === "string" ? body.detail : m.error_status({ status: response.status }),
    ...(body.errors ? { errors: body.errors } : {}),
  };
}
