/** Starts the sign-in page of the staff. */
import "../base/base.css";
import { mount } from "svelte";
import SignIn from "./SignIn.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");
mount(SignIn, { target });
