/** Starts the evaluation page. */
import "../base/base.css";
import "./evaluation.css";
import { mount } from "svelte";
import EvaluationPage from "./EvaluationPage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");
mount(EvaluationPage, { target });
