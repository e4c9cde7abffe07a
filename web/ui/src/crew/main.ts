/** Starts the crew phone and the worker that opens it without a network. */
import "../base/base.css";
import "./crew.css";
import { mount } from "svelte";
import { city } from "../base/place.js";
import Crew from "./Crew.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");

const address = new URL(location.href);
const linkCode = address.searchParams.get("code");
if (linkCode !== null) {
  // A code works once: it must not stay in the address that a reload or the home screen repeats.
  address.searchParams.delete("code");
  history.replaceState(null, "", address);
}
mount(Crew, { target, props: { linkCode } });

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("/static/ui/crew-sw.js", { scope: `/${city}/crew` });
}
