/** The live client in a real browser: real sockets, timers and network events. */
import { city } from "../base/place.js";
import { type Link, LiveClient, type Socket, type Surroundings } from "./client.js";

const surroundings: Surroundings = {
  open: (url) => new WebSocket(url) as unknown as Socket,
  now: () => Date.now(),
  random: () => Math.random(),
  online: () => navigator.onLine,
  after(ms, run) {
    const timer = window.setTimeout(run, ms);
    return () => window.clearTimeout(timer);
  },
  watch(run) {
    const online = () => run("online");
    const offline = () => run("offline");
    const shown = () => {
      if (document.visibilityState === "visible") run("shown");
    };
    window.addEventListener("online", online);
    window.addEventListener("offline", offline);
    document.addEventListener("visibilitychange", shown);
    return () => {
      window.removeEventListener("online", online);
      window.removeEventListener("offline", offline);
      document.removeEventListener("visibilitychange", shown);
    };
  },
  // A hidden tab draws nothing, yet must keep up: timers run there, animation frames do not.
  soon: (run) => {
    if (document.visibilityState === "visible") window.requestAnimationFrame(run);
    else window.setTimeout(run, 50);
  },
};

/** Opens the one socket of this screen to its city. */
export function openLive(onLink: (link: Link) => void): LiveClient {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const url = `${scheme}://${location.host}/ws/${encodeURIComponent(city)}`;
  return new LiveClient(url, onLink, surroundings);
}
