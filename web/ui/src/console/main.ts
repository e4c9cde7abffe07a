/** Starts the dispatcher console. */
import "../base/base.css";
import { mount } from "svelte";
import Console from "./Console.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");
mount(Console, { target });
