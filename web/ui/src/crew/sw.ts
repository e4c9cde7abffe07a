/** Opens the crew phone without a network: keeps its page, its code and the map it has seen. */

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Worker {
  registration: { scope: string };
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", run: (event: Extendable) => void): void;
  addEventListener(type: "fetch", run: (event: Fetching) => void): void;
}
/** One entry of Vite's build manifest. */
interface Chunk {
  file: string;
  css?: string[];
  assets?: string[];
  imports?: string[];
  dynamicImports?: string[];
}

const worker = self as unknown as Worker;
const BASE = "/static/ui/";
const SHELL = "sigap-crew-shell";
const TILES = "sigap-crew-tiles";
const PHOTOS = "sigap-crew-photos";
const KEPT = { [TILES]: 600, [PHOTOS]: 60 };
const PATIENCE_MS = 4000;

const page = new URL(worker.registration.scope).pathname;

worker.addEventListener("install", (event) => {
  event.waitUntil(refreshShell().then(() => worker.skipWaiting()));
});
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (url.pathname === page) event.respondWith(openPage(event, request));
  } else if (url.pathname.endsWith(".pmtiles")) event.respondWith(tileRange(request));
  else if (url.pathname.startsWith(BASE)) event.respondWith(cachedFirst(SHELL, request));
  else if (/^\/api\/[^/]+\/photos\//.test(url.pathname)) {
    event.respondWith(cachedFirst(PHOTOS, request));
  }
});

/** The page from the network while that is quick, else as it was kept. */
async function openPage(event: Extendable, request: Request): Promise<Response> {
  const shell = await caches.open(SHELL);
  const known = await shell.match(page);
  try {
    const answer = await fetch(request, known ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
    if (answer.ok) event.waitUntil(refreshShell());
    else if (known && answer.status >= 500) return known;
    return answer;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}

/** Keeps page and code of one build together: the page is replaced only when all its code is here. */
async function refreshShell(): Promise<void> {
  const [html, manifest] = await Promise.all([
    fetch(page, { cache: "no-cache", credentials: "same-origin" }),
    fetch(`${BASE}manifest.json`, { cache: "no-cache" }),
  ]);
  if (!html.ok || !manifest.ok) return;
  const files = filesOf((await manifest.json()) as Record<string, Chunk>, "crew.html");
  const shell = await caches.open(SHELL);
  const wanted = files.map((file) => new URL(BASE + file, location.origin).href);
  const missing = await Promise.all(
    wanted.map(async (file) => ((await shell.match(file)) ? null : file)),
  );
  await shell.addAll(missing.filter((file) => file !== null));
  await shell.put(page, html);
  const keep = new Set([...wanted, new URL(page, location.origin).href]);
  for (const old of await shell.keys()) if (!keep.has(old.url)) await shell.delete(old);
}

/** Every file the entry may load, now or later. */
function filesOf(manifest: Record<string, Chunk>, entry: string): string[] {
  const seen = new Set<string>();
  const files = new Set<string>(["sigap.svg", "crew.webmanifest"]);
  const open = [entry];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    const chunk = manifest[key];
    if (chunk === undefined || seen.has(key)) continue;
    seen.add(key);
    for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file);
    open.push(...(chunk.imports ?? []), ...(chunk.dynamicImports ?? []));
  }
  // Every browser with service workers reads woff2; the older format need not be kept.
  return [...files].filter((file) => !file.endsWith(".woff"));
}

async function cachedFirst(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(name);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.status === 200) {
    await cache.put(request, answer.clone());
    await trim(cache, name);
  }
  return answer;
}

/** Pieces of the map file, kept one by one: the store refuses 206, so status and range go beside. */
async function tileRange(request: Request): Promise<Response> {
  const range = request.headers.get("Range");
  if (range === null) return fetch(request);
  const cache = await caches.open(TILES);
  const key = `${request.url}?${new URLSearchParams({ range })}`;
  const known = await cache.match(key);
  if (known) return piece(await known.arrayBuffer(), known.headers);
  const answer = await fetch(request);
  if (answer.status !== 206) return answer;
  const body = await answer.arrayBuffer();
  await cache.put(key, new Response(body, { headers: answer.headers }));
  await trim(cache, TILES);
  return piece(body, answer.headers);
}

function piece(body: ArrayBuffer, headers: Headers): Response {
  return new Response(body, { status: 206, statusText: "Partial Content", headers });
}

async function trim(cache: Cache, name: string): Promise<void> {
  const limit = KEPT[name as keyof typeof KEPT];
  if (limit === undefined) return;
  const keys = await cache.keys();
  for (const old of keys.slice(0, Math.max(0, keys.length - limit))) await cache.delete(old);
}
