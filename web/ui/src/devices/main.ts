/** Starts the page of phones and trackers. */
import "../base/base.css";
import { mount } from "svelte";
import DevicesPage from "./DevicesPage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");
mount(DevicesPage, { target });
