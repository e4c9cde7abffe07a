/** Sends each photo as soon as it is chosen, so that sending the report itself takes a second. */
import type { Spot } from "./maps.js";
import { note, picture } from "./picture.js";
import { say } from "./words.js";

const MOST = 5;

export class Photos {
  readonly #form: HTMLFormElement;
  readonly #city: string;
  readonly #input: HTMLInputElement;
  readonly #list: HTMLUListElement;
  readonly #state: HTMLElement;
  readonly #onSpot: (spot: Spot, accuracy_m: number | null) => void;
  #sending = 0;
  #waiting: (() => void)[] = [];

  constructor(
    form: HTMLFormElement,
    city: string,
    onSpot: (spot: Spot, accuracy_m: number | null) => void,
  ) {
    this.#form = form;
    this.#city = city;
    this.#onSpot = onSpot;
    const [input, list, state] = [
      form.querySelector<HTMLInputElement>("input[name=photo]"),
      form.querySelector<HTMLUListElement>("[data-photos]"),
      form.querySelector<HTMLElement>("[data-photo-state]"),
    ];
    if (!input || !list || !state) throw new Error("The form has no place for photos.");
    [this.#input, this.#list, this.#state] = [input, list, state];
    input.addEventListener("change", () => void this.#sendAll());
    list.addEventListener("click", (event) => this.#remove(event));
  }

  /** Whether a photo is on its way. */
  get busy(): boolean {
    return this.#sending > 0;
  }

  /** Resolves when no photo is on its way any more. */
  async settled(): Promise<void> {
    if (this.#sending) await new Promise<void>((done) => this.#waiting.push(done));
  }

  async #sendAll(): Promise<void> {
    const files = [...(this.#input.files ?? [])];
    this.#state.replaceChildren();
    const room = MOST - this.#list.children.length;
    if (files.length > room) this.#complain(say("error.photo_too_many"));
    const unsent = new DataTransfer();
    this.#begin();
    for (const file of files.slice(0, Math.max(0, room))) {
      // What the network refused stays in the form and travels with it.
      if (!(await this.#send(file))) unsent.items.add(file);
    }
    this.#input.files = unsent.files;
    this.#end();
  }

  async #send(file: File): Promise<boolean> {
    const body = new FormData();
    body.append("file", file);
    body.append("upload_token", this.#key());
    const answer = await fetch(`/api/${this.#city}/photos`, { method: "POST", body }).catch(
      () => null,
    );
    if (!answer) return false;
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      this.#complain(`${file.name}: ${told.detail ?? answer.status}`);
      return true;
    }
    this.#add(told.photo_id, URL.createObjectURL(file));
    if (typeof told.lon === "number")
      this.#onSpot({ lon: told.lon, lat: told.lat }, told.accuracy_m ?? null);
    return true;
  }

  #add(id: string, source: string): void {
    const number = this.#list.children.length + 1;
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.src = source;
    image.alt = say("form.photo_alt", { number });
    image.width = 120;
    image.height = 90;
    const named = document.createElement("input");
    named.type = "hidden";
    named.name = "photo_id";
    named.value = id;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "photo-remove";
    remove.setAttribute("aria-label", say("form.photo_remove", { number }));
    remove.append(picture("close", 18));
    item.append(image, named, remove);
    this.#list.append(item);
    this.#list.hidden = false;
  }

  #remove(event: Event): void {
    const button = (event.target as Element).closest(".photo-remove");
    if (!button) return;
    event.preventDefault();
    button.closest("li")?.remove();
    this.#list.hidden = this.#list.children.length === 0;
    this.#input.focus();
  }

  #key(): string {
    return this.#form.querySelector<HTMLInputElement>("input[name=key]")?.value ?? "";
  }

  #complain(text: string): void {
    this.#state.append(note(text, "warn"));
  }

  #begin(): void {
    this.#sending += 1;
    const line = note(say("form.photo_sending"));
    line.dataset.sending = "";
    this.#state.append(line);
  }

  #end(): void {
    this.#sending -= 1;
    for (const line of this.#state.querySelectorAll("[data-sending]")) line.remove();
    if (this.#sending) return;
    for (const done of this.#waiting.splice(0)) done();
  }
}
