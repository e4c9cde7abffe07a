/** Makes the report form quicker: photos at once, a place by pointing, a draft that survives. */
import { keepDraft, restoreDraft } from "./draft.js";
import { showMoments } from "./moments.js";
import { Photos } from "./photos.js";
import { note } from "./picture.js";
import { Place } from "./place.js";
import { say } from "./words.js";

function start(form: HTMLFormElement): void {
  document.documentElement.classList.add("scripted");
  const city = form.dataset.city ?? "";
  if (restoreDraft(form, city)) form.prepend(note(say("form.draft")));
  keepDraft(form, city);
  const place = new Place(form, city);
  const photos = new Photos(form, city, (spot, accuracy_m) =>
    place.offerPhotoSpot(spot, accuracy_m),
  );
  connectSend(form, photos);
  showMoments();
  document.getElementById("summary")?.focus();
}

function connectSend(form: HTMLFormElement, photos: Photos): void {
  const button = form.querySelector<HTMLButtonElement>("[data-send]");
  if (!button) return;
  form.addEventListener("submit", (event) => {
    if ((event.submitter as HTMLButtonElement | null)?.value !== "send") return;
    show(button, "form.sending", true);
    if (!photos.busy) return;
    // The photos on their way belong to this report: it waits for them, then sends itself.
    event.preventDefault();
    void photos.settled().then(() => {
      button.disabled = false;
      form.requestSubmit(button);
    });
  });
  // Coming back to this page with the browser's own button: it may be sent again.
  window.addEventListener("pageshow", () => show(button, "form.send", false));
}

function show(button: HTMLButtonElement, key: string, busy: boolean): void {
  const words = button.querySelector("span");
  if (words) words.textContent = say(key);
  // Not before the browser has taken the button's own value into the form.
  window.setTimeout(() => {
    button.disabled = busy;
  });
}

const form = document.querySelector<HTMLFormElement>("form#report");
if (form) start(form);
